"""Uploads to thumbnails: keys, buckets, and what is retried."""

from __future__ import annotations

import io
from typing import Any

import image_processor
import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody
from image_processor import Refused, thumbnail_key
from PIL import Image

from tests.handlers.fakes import AwsError


def _saved(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 320)).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("key", "target"),
    [
        ("uploads/a.jpg", "thumbnails/a.jpg"),
        ("uploads/a/b.PNG", "thumbnails/a/b.PNG"),
        ("uploads/x.y.JpEg", "thumbnails/x.y.JpEg"),
        ("uploads/uploads/é ü.webp", "thumbnails/uploads/é ü.webp"),
        ("uploads/..hidden.png", "thumbnails/..hidden.png"),
        ("uploads//a.png", "thumbnails//a.png"),
    ],
)
def test_a_thumbnail_has_the_rest_of_its_uploads_key(key: str, target: str) -> None:
    assert thumbnail_key(key) == target


@pytest.mark.parametrize(
    "key",
    [
        *("a.jpg", "Uploads/a.jpg", "thumbnails/a.jpg", "x/uploads/a.jpg", "uploads", "uploads/"),
        *("uploads/a.gif", "uploads/a.jpg.exe", "uploads/a", "uploads/a.svg", "uploads/a.png/"),
        *(
            "uploads/../a.png",
            "uploads/./a.png",
            "uploads/a/../../b.png",
            "uploads/" + "x" * 1010 + ".png",
        ),
        *("uploads/" + "é" * 505 + ".png", ""),
    ],
)
def test_any_other_key_is_refused(key: str) -> None:
    with pytest.raises(Refused):
        thumbnail_key(key)


@pytest.fixture
def uploads(aws: Any) -> dict[str, bytes]:
    """The objects in the uploads bucket; what is put goes to the fake's calls."""
    held: dict[str, bytes] = {}

    def get(call: dict[str, Any]) -> dict[str, Any]:
        if call["Key"] not in held:
            raise AwsError("NoSuchKey", status=404)
        data = held[call["Key"]]
        return {"Body": StreamingBody(io.BytesIO(data), len(data)), "ContentLength": len(data)}

    aws.on("GetObject", get)
    aws.on("PutObject", lambda _: {})
    return held


def _with_keys(event: dict[str, Any], *keys: str) -> dict[str, Any]:
    (record,) = event["Records"]
    parts = [{**record["s3"], "object": {**record["s3"]["object"], "key": key}} for key in keys]
    return {"Records": [{**record, "s3": part} for part in parts]}


def test_an_upload_becomes_a_thumbnail_in_the_images_bucket(
    event: Any, context: Any, aws: Any, uploads: dict[str, bytes]
) -> None:
    uploads["uploads/summer 2025/café.JPG"] = _saved("PNG")  # mislabelled
    answer = image_processor.handler(event("s3_upload"), context)
    assert answer == {"written": 1, "refused": 0}
    (_, get), (_, put) = aws.calls
    assert get == {"Bucket": "uploads-3f2a1b0", "Key": "uploads/summer 2025/café.JPG"}
    assert Image.open(put.pop("Body")).size == (200, 100)
    assert put == {
        "Bucket": "images-bucket",
        "Key": "thumbnails/summer 2025/café.JPG",
        "ContentType": "image/png",
    }


def test_the_test_event_of_a_new_trigger_is_no_failure(event: Any, context: Any) -> None:
    assert image_processor.handler(event("s3_test"), context) == {"written": 0, "refused": 0}


@pytest.mark.parametrize(
    "key", ["uploads/gone.png", "other/a.png", "uploads/%ff.png", "uploads/%2e%2e/a.png"]
)
def test_what_can_never_work_is_logged_as_an_error_and_done_with(
    event: Any, context: Any, aws: Any, uploads: dict[str, bytes], lines: Any, key: str
) -> None:
    answer = image_processor.handler(_with_keys(event("s3_upload"), key), context)
    assert answer == {"written": 0, "refused": 1}
    assert aws.names() == (["GetObject"] if "gone" in key else [])
    (line,) = [line for line in lines() if line["level"] == "ERROR"]
    assert (line["message"], line["key"]) == ("upload refused", key)


def test_an_object_over_the_size_limit_is_refused_unread(
    event: Any, context: Any, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = StreamingBody(io.BytesIO(), 0)
    monkeypatch.setattr(body, "read", lambda *_: pytest.fail("was read"))
    aws.on("GetObject", lambda _: {"Body": body, "ContentLength": 41 * 1024 * 1024})
    assert image_processor.handler(event("s3_upload"), context)["refused"] == 1


def test_an_object_whose_connection_broke_off_is_tried_again(
    event: Any, context: Any, aws: Any
) -> None:
    half = _saved("PNG")[:100]
    body = StreamingBody(io.BytesIO(half), 200)
    aws.on("GetObject", lambda _: {"Body": body, "ContentLength": 200})
    with pytest.raises(IncompleteReadError):
        image_processor.handler(event("s3_upload"), context)


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_an_unexpected_failure_is_raised_after_the_other_records(
    event: Any, context: Any, aws: Any, uploads: dict[str, bytes], operation: str
) -> None:
    answers = dict(aws.answers)

    def fail_for_a(call: dict[str, Any]) -> dict[str, Any]:
        if call["Key"].endswith("a.png"):
            raise AwsError("InternalError", status=403)
        return answers[operation](call)

    aws.on(operation, fail_for_a)
    uploads.update({f"uploads/{name}.png": _saved("PNG") for name in "ab"})
    uploads["uploads/c.png"] = b"no picture"
    records = _with_keys(event("s3_upload"), *(f"uploads/{name}.png" for name in "acb"))
    with pytest.raises(ClientError, match="InternalError"):
        image_processor.handler(records, context)
    assert aws.calls[-1][1]["Key"] == "thumbnails/b.png"
