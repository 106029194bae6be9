"""Uploads to pictures: keys, buckets, order of events, and what fails."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import quote_plus

import image_processor
import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from common import uploads
from common.records import ForeignEventError
from common.uploads import NEWER, OLDER, SAME, Refused, Upload
from tests.handlers.conftest import load
from tests.handlers.fakes import Aws, AwsError
from tests.handlers.objects import Objects
from tests.handlers.pictures import picture, saved

_UPLOADS, _IMAGES = "uploads-3f2a1b0", "images-bucket"
_KEY = "uploads/a b/é.png"
_REST = "a b/é.png"
_ALL = [f"{f}/{_REST}" for f in ("optimised", "thumbnails", "watermarked")]
_WRITTEN = {"written": 1, "removed": 0, "skipped": 0}
_SKIPPED = {"written": 0, "removed": 0, "skipped": 1}


@pytest.fixture
def bucket(aws: Aws) -> Objects:
    return Objects(aws)


def _event(
    key: str = _KEY,
    *,
    etag: str = "",
    sequencer: str = "10",
    name: str = "s3_upload",
    kind: str | None = None,
    bucket: str = _UPLOADS,
) -> dict[str, Any]:
    event = load(name)
    (record,) = event["Records"]
    record["eventName"] = kind or record["eventName"]
    record["s3"]["bucket"]["name"] = bucket
    record["s3"]["object"] |= {
        "key": quote_plus(key, safe="/"),
        "eTag": etag,
        "sequencer": sequencer,
    }
    return event


def _removed(sequencer: str = "20", **more: Any) -> dict[str, Any]:
    return _event(name="s3_removed", sequencer=sequencer, **more)


def _described(bucket: Objects, rest: str = _REST) -> dict[str, Any]:
    return json.loads(bucket.body(_IMAGES, f"metadata/{rest}.json"))


def _upload(key: str, **more: str) -> Upload:
    known = {"bucket": _UPLOADS, "etag": "e", "version": "", "sequencer": "1", "time": ""}
    return Upload(key=key, **(known | more))  # type: ignore[arg-type]


def test_an_upload_becomes_three_pictures_and_a_description(
    context: Any, bucket: Objects, lines: Any
) -> None:
    data = saved(picture(size=(2000, 1000)), "PNG")
    etag = bucket.add(_UPLOADS, _KEY, data, "image/png")
    assert image_processor.handler(_event(etag=etag), context) == _WRITTEN
    assert bucket.keys(_IMAGES) == sorted([*_ALL, f"metadata/{_REST}.json"])
    sizes = {key: Image.open(io.BytesIO(bucket.body(_IMAGES, key))).size for key in _ALL}
    assert sizes == dict(zip(_ALL, [(1600, 800), (200, 100), (1600, 800)], strict=True))
    described = _described(bucket)
    made = described.pop("derivatives")
    assert described == {
        "bucket": _UPLOADS,
        "key": _KEY,
        "original": "present",
        "etag": etag,
        "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
        "sequencer": "10",
        "uploadedAt": "2025-11-24T00:10:10.123Z",
        "width": 2000,
        "height": 1000,
        "mode": "RGB",
        "animated": False,
        "format": "PNG",
        "bytes": len(data),
    }
    assert made["thumbnail"] == {
        "key": f"thumbnails/{_REST}",
        "contentType": "image/png",
        "bytes": len(bucket.body(_IMAGES, f"thumbnails/{_REST}")),
        "width": 200,
        "height": 100,
    }
    assert bucket.puts()[-1] == f"metadata/{_REST}.json", "last, or it would speak of what is not"
    (line,) = [line for line in lines() if line["message"] == "pictures written"]
    assert (line["bytes"], line["written"]["thumbnail"]) == (len(data), made["thumbnail"]["bytes"])


def test_the_key_of_an_event_is_decoded(event: Any, context: Any, bucket: Objects) -> None:
    bucket.add(_UPLOADS, "uploads/summer 2025/café.JPG", saved(picture(), "JPEG"), "image/jpeg")
    given_ = event("s3_upload")
    given_["Records"][0]["s3"]["object"]["eTag"] = ""
    assert image_processor.handler(given_, context) == _WRITTEN
    assert "thumbnails/summer 2025/café.JPG" in bucket.keys(_IMAGES)


def test_the_content_router_may_hand_over_a_key_without_a_suffix(
    context: Any, bucket: Objects
) -> None:
    bucket.add(_UPLOADS, "incoming/p", saved(picture("P"), "GIF"), "image/gif")
    assert image_processor.handler(_event("incoming/p"), context) == _WRITTEN
    assert bucket.held[_IMAGES, "thumbnails/p"]["ContentType"] == "image/jpeg"


def test_the_watermark_is_the_configured_text(
    context: Any, bucket: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = []
    for text in ("one", "two"):
        monkeypatch.setenv("WATERMARK_TEXT", text)
        bucket.add(_UPLOADS, f"uploads/{text}.png", saved(picture(), "PNG"))
        image_processor.handler(_event(f"uploads/{text}.png"), context)
        marks.append(bucket.body(_IMAGES, f"watermarked/{text}.png"))
    assert marks[0] != marks[1]


def test_the_test_event_of_a_new_trigger_is_no_failure(event: Any, context: Any) -> None:
    nothing = {"written": 0, "removed": 0, "skipped": 0}
    assert image_processor.handler(event("s3_test"), context) == nothing


@pytest.mark.parametrize("name", ["sqs_notifications", "dynamodb_stream", "schedule", "api_health"])
def test_an_event_of_something_else_fails(event: Any, context: Any, name: str) -> None:
    with pytest.raises(ForeignEventError):
        image_processor.handler(event(name), context)


@pytest.mark.parametrize("name", ["ObjectRestore:Post", "ReducedRedundancyLostObject", ""])
def test_a_record_that_tells_of_neither_creation_nor_removal_fails(context: Any, name: str) -> None:
    event = _event()
    event["Records"][0]["eventName"] = name
    with pytest.raises(ForeignEventError):
        image_processor.handler(event, context)


def test_a_record_without_an_object_fails(context: Any, lines: Any) -> None:
    event = _event()
    event["Records"][0]["s3"] = {"bucket": {}}
    with pytest.raises(ForeignEventError):
        image_processor.handler(event, context)
    assert lines()[0]["level"] == "ERROR"


@pytest.mark.parametrize(
    ("key", "data", "kind"),
    [
        ("uploads/notes.txt", b"text", ""),
        ("elsewhere/a.png", b"", ""),
        ("uploads/../a.png", b"", ""),
        ("uploads/a.png", b"no picture", ""),
        ("uploads/a.jpg", saved(picture(), "PNG"), ""),
        ("uploads/a.png", saved(picture(), "PNG"), "text/html"),
        ("incoming/a", saved(picture(), "PNG"), ""),
    ],
)
def test_what_can_never_work_fails_and_says_why(
    context: Any, bucket: Objects, lines: Any, key: str, data: bytes, kind: str
) -> None:
    bucket.add(_UPLOADS, key, data, kind)
    with pytest.raises(Refused):
        image_processor.handler(_event(key), context)
    assert bucket.puts() == []
    (line,) = [line for line in lines() if line["level"] == "ERROR"]
    assert (line["message"], line["key"]) == ("upload refused", quote_plus(key, safe="/"))


def test_a_key_that_is_not_utf8_fails(context: Any, lines: Any) -> None:
    event = _event()
    event["Records"][0]["s3"]["object"]["key"] = "uploads/%ff.png"
    with pytest.raises(Refused, match="not UTF-8"):
        image_processor.handler(event, context)
    assert lines()[0]["key"] == "uploads/%ff.png"


def test_what_was_made_is_never_made_more_of(context: Any, bucket: Objects) -> None:
    bucket.add(_IMAGES, _KEY, saved(picture(), "PNG"))
    with pytest.raises(Refused, match="images bucket"):
        image_processor.handler(_event(bucket=_IMAGES), context)
    assert bucket.puts() == []


def test_an_object_over_the_size_limit_is_refused_unread(
    context: Any, bucket: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = StreamingBody(io.BytesIO(), 0)
    monkeypatch.setattr(body, "read", lambda *_: pytest.fail("was read"))
    get = bucket.aws.answers["GetObject"]
    huge = {"Body": body, "ContentLength": 41 * 1024 * 1024}
    bucket.aws.on("GetObject", lambda call: huge if call["Bucket"] == _UPLOADS else get(call))
    with pytest.raises(Refused, match="bytes are more than"):
        image_processor.handler(_event(), context)


def test_an_object_whose_connection_broke_off_is_tried_again(context: Any, bucket: Objects) -> None:
    data = saved(picture(), "PNG")
    get = bucket.aws.answers["GetObject"]

    def broken(call: dict[str, Any]) -> dict[str, Any]:
        body = StreamingBody(io.BytesIO(data[:100]), len(data))
        half = {"Body": body, "ContentLength": len(data)}
        return half if call["Bucket"] == _UPLOADS else get(call)

    bucket.aws.on("GetObject", broken)
    with pytest.raises(IncompleteReadError):
        image_processor.handler(_event(), context)


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_an_error_that_may_pass_is_raised_after_the_other_records_and_before_refusals(
    context: Any, bucket: Objects, operation: str
) -> None:
    answer = bucket.aws.answers[operation]

    def fail_for_a(call: dict[str, Any]) -> dict[str, Any]:
        if call["Key"].endswith("a.png"):
            raise AwsError("InternalError", status=403)
        return answer(call)

    bucket.aws.on(operation, fail_for_a)
    for name, data in (("a", saved(picture(), "PNG")), ("c", b"none"), ("b", b"")):
        bucket.add(_UPLOADS, f"uploads/{name}.png", data or saved(picture(), "PNG"))
    events = [_event(f"uploads/{name}.png") for name in "cab"]
    records = [record for event in events for record in event["Records"]]
    with pytest.raises(ClientError, match="InternalError"):
        image_processor.handler({"Records": records}, context)
    assert bucket.puts()[-1] == "metadata/b.png.json"


def test_the_same_event_three_times_writes_once(context: Any, bucket: Objects) -> None:
    etag = bucket.add(_UPLOADS, _KEY, saved(picture(), "PNG"))
    answers = [image_processor.handler(_event(etag=etag), context) for _ in range(3)]
    assert answers == [_WRITTEN, _SKIPPED, _SKIPPED]
    assert len(bucket.puts()) == 4


def test_events_out_of_order_end_in_the_last_upload(context: Any, bucket: Objects) -> None:
    first = bucket.add(_UPLOADS, _KEY, saved(picture(size=(300, 300)), "PNG"))
    last = bucket.add(_UPLOADS, _KEY, saved(picture(size=(400, 400)), "PNG"))
    assert image_processor.handler(_event(etag=last, sequencer="3"), context) == _WRITTEN
    assert image_processor.handler(_event(etag=first, sequencer="2"), context) == _SKIPPED
    assert _described(bucket)["etag"] == last


def test_an_event_of_content_that_was_replaced_is_left_to_the_later_one(
    context: Any, bucket: Objects
) -> None:
    bucket.add(_UPLOADS, _KEY, saved(picture(), "PNG"))
    assert image_processor.handler(_event(etag="before"), context) == _SKIPPED
    assert bucket.keys(_IMAGES) == []


def test_an_object_that_is_gone_already_is_skipped(context: Any, bucket: Objects) -> None:
    assert image_processor.handler(_event(), context) == _SKIPPED
    assert bucket.puts() == []


def test_a_replaced_picture_is_made_anew(context: Any, bucket: Objects) -> None:
    first = bucket.add(_UPLOADS, _KEY, saved(picture(size=(300, 300)), "PNG"))
    assert image_processor.handler(_event(etag=first, sequencer="2"), context) == _WRITTEN
    last = bucket.add(_UPLOADS, _KEY, saved(picture(size=(400, 400)), "PNG"))
    assert image_processor.handler(_event(etag=last, sequencer="3"), context) == _WRITTEN
    assert (_described(bucket)["etag"], _described(bucket)["width"]) == (last, 400)


def test_a_later_event_done_meanwhile_is_not_written_over(context: Any, bucket: Objects) -> None:
    etag = bucket.add(_UPLOADS, _KEY, saved(picture(), "PNG"))
    # The other invocation has written its first picture; its description comes in a moment.
    stamp = {"folder": "uploads/", "etag": "later", "sequencer": "11"}
    bucket.add(_IMAGES, f"thumbnails/{_REST}", b"later", Metadata=stamp)
    assert image_processor.handler(_event(etag=etag), context) == _SKIPPED
    assert bucket.body(_IMAGES, f"thumbnails/{_REST}") == b"later"
    assert bucket.keys(_IMAGES) == [f"thumbnails/{_REST}"]


def test_what_a_crash_left_half_done_is_completed(context: Any, bucket: Objects) -> None:
    etag = bucket.add(_UPLOADS, _KEY, saved(picture(), "PNG"))
    image_processor.handler(_event(etag=etag), context)
    whole = {key: bucket.body(_IMAGES, key) for key in bucket.keys(_IMAGES)}
    for key in (f"metadata/{_REST}.json", f"watermarked/{_REST}"):
        del bucket.held[_IMAGES, key]
    whole_stamp = bucket.held[_IMAGES, f"thumbnails/{_REST}"]
    assert image_processor.handler(_event(etag=etag), context) == _WRITTEN
    assert {key: bucket.body(_IMAGES, key) for key in bucket.keys(_IMAGES)} == whole
    assert bucket.held[_IMAGES, f"thumbnails/{_REST}"] is whole_stamp, (
        "was there, not written again"
    )


def test_a_removed_original_is_noted_and_its_pictures_stay(context: Any, bucket: Objects) -> None:
    etag = bucket.add(_UPLOADS, _KEY, saved(picture(), "PNG"))
    image_processor.handler(_event(etag=etag), context)
    del bucket.held[_UPLOADS, _KEY]
    noted = {"written": 0, "removed": 1, "skipped": 0}
    assert image_processor.handler(_removed(), context) == noted
    described = _described(bucket)
    assert (described["original"], described["etag"]) == ("removed", etag)
    assert set(_ALL) <= set(bucket.keys(_IMAGES))
    assert image_processor.handler(_removed(), context) == _SKIPPED
    # The creation's event, once more and late, does not bring it back.
    assert image_processor.handler(_event(etag=etag), context) == _SKIPPED
    assert _described(bucket) == described


def test_the_removal_of_an_old_version_leaves_the_original(context: Any, bucket: Objects) -> None:
    etag = bucket.add(_UPLOADS, _KEY, saved(picture(), "PNG"))
    image_processor.handler(_event(etag=etag), context)
    before = _described(bucket)
    assert image_processor.handler(_removed(kind="ObjectRemoved:Delete"), context) == _SKIPPED
    assert _described(bucket) == before


def test_the_removal_of_a_delete_marker_brings_the_original_back(
    context: Any, bucket: Objects
) -> None:
    data = saved(picture(), "PNG")
    etag = bucket.add(_UPLOADS, _KEY, data)
    image_processor.handler(_event(etag=etag), context)
    del bucket.held[_UPLOADS, _KEY]
    image_processor.handler(_removed("20"), context)
    bucket.add(_UPLOADS, _KEY, data)
    image_processor.handler(_removed("30", kind="ObjectRemoved:Delete"), context)
    assert _described(bucket)["original"] == "present"


@pytest.mark.parametrize("key", [_KEY, "incoming/a b/é.png"])
def test_the_removal_of_what_nothing_was_made_of_is_skipped(
    context: Any, bucket: Objects, key: str
) -> None:
    if key != _KEY:
        etag = bucket.add(_UPLOADS, _KEY, saved(picture(), "PNG"))
        image_processor.handler(_event(etag=etag), context)
        bucket.aws.calls.clear()
    assert image_processor.handler(_removed(key=key), context) == _SKIPPED
    assert bucket.puts() == []


def test_an_expiry_by_lifecycle_is_a_removal(context: Any, bucket: Objects) -> None:
    etag = bucket.add(_UPLOADS, _KEY, saved(picture(), "PNG"))
    image_processor.handler(_event(etag=etag), context)
    del bucket.held[_UPLOADS, _KEY]
    image_processor.handler(_removed(kind="LifecycleExpiration:DeleteMarkerCreated"), context)
    assert _described(bucket)["original"] == "removed"


_FOUND = {"Labels": [{"Name": "Sea", "Confidence": 98.7654, "Parents": []}]}


def test_labels_stand_in_the_description_where_they_are_on(
    context: Any, bucket: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELS", "on")
    bucket.aws.on("DetectLabels", lambda _: _FOUND)
    bucket.add(_UPLOADS, _KEY, saved(picture(size=(3000, 3000)), "PNG"))
    image_processor.handler(_event(), context)
    assert _described(bucket)["labels"] == [{"name": "Sea", "confidence": 98.8}]
    (call,) = [call for name, call in bucket.aws.calls if name == "DetectLabels"]
    sent = Image.open(io.BytesIO(call["Image"]["Bytes"]))
    assert (sent.format, sent.size) == ("JPEG", (1600, 1600))


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidImageFormatException"])
def test_a_picture_that_is_never_labelled_goes_without(
    context: Any, bucket: Objects, monkeypatch: pytest.MonkeyPatch, lines: Any, code: str
) -> None:
    monkeypatch.setenv("LABELS", "on")
    bucket.aws.fail("DetectLabels", AwsError(code))
    bucket.add(_UPLOADS, _KEY, saved(picture(), "PNG"))
    assert image_processor.handler(_event(), context) == _WRITTEN
    assert "labels" not in _described(bucket)
    assert [line["code"] for line in lines() if line["message"] == "no labels"] == [code]


def test_labels_that_may_come_later_are_waited_for(
    context: Any, bucket: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELS", "on")
    bucket.aws.fail("DetectLabels", AwsError("ThrottlingException"))
    bucket.add(_UPLOADS, _KEY, saved(picture(), "PNG"))
    with pytest.raises(ClientError, match="ThrottlingException"):
        image_processor.handler(_event(), context)
    assert f"metadata/{_REST}.json" not in bucket.keys(_IMAGES)
    bucket.aws.on("DetectLabels", lambda _: _FOUND)
    assert image_processor.handler(_event(), context) == _WRITTEN
    assert _described(bucket)["labels"]


@pytest.mark.parametrize(
    ("key", "target"),
    [
        ("uploads/a.jpg", "thumbnails/a.jpg"),
        ("uploads/uploads/é ü.webp", "thumbnails/uploads/é ü.webp"),
        ("uploads/..hidden.png", "thumbnails/..hidden.png"),
        ("uploads//a.png", "thumbnails//a.png"),
        ("incoming/a", "thumbnails/a"),
    ],
)
def test_what_is_made_has_the_rest_of_its_uploads_key(key: str, target: str) -> None:
    assert _upload(key).target("thumbnails/") == target


@pytest.mark.parametrize(
    "key",
    [
        *("a.jpg", "Uploads/a.jpg", "thumbnails/a.jpg", "x/uploads/a.jpg", "uploads", "uploads/"),
        *("uploads/a/", "uploads/../a.png", "uploads/./a.png", "uploads/a/../../b.png", ""),
        "uploads/" + "x" * 1010 + ".png",
        "uploads/" + "é" * 505 + ".png",
    ],
)
def test_any_other_key_is_refused(key: str) -> None:
    with pytest.raises(Refused):
        _upload(key).target("thumbnails/")


@given(rest=st.text(min_size=1, max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_key_comes_back_from_its_event_as_it_was(rest: str) -> None:
    key = f"uploads/{rest}"
    try:
        encoded = quote_plus(key, safe="/")
    except UnicodeEncodeError:  # half of a surrogate pair: S3 has no such key
        return
    event = _event()
    event["Records"][0]["s3"]["object"]["key"] = encoded
    found = uploads.of_record(event["Records"][0])
    assert found.key == key
    try:
        target = found.target("metadata/", ".json")
    except Refused:
        assert {".", ".."} & set(rest.split("/")) or rest.endswith("/")
        return
    assert target == f"metadata/{rest}.json"
    assert not target.startswith(("uploads/", "incoming/")), "it would start itself"


@pytest.mark.parametrize(
    ("there", "mine", "order"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E5", SAME),
        ("0055AED6DCD90281E5", "0055AED6DCD90281F1", NEWER),
        ("0055AED6DCD90281F1", "0055AED6DCD90281E5", OLDER),
        ("0055aed6", "0055AED6", SAME),
        ("0055AED6", "0055AED600", SAME),
        ("0055AED6", "0055AED601", NEWER),
        ("0055AED601", "0055AED6", OLDER),
        ("01", "00FFFF", OLDER),
        ("01", "", NEWER),
        ("", "01", NEWER),
    ],
)
def test_sequencers_are_compared_as_aws_says(there: str, mine: str, order: int) -> None:
    stamp = _upload("uploads/a", sequencer=there).stamp()
    assert _upload("uploads/a", sequencer=mine).against(stamp) == order
    assert _upload("incoming/a", sequencer=mine).against(stamp) == NEWER
    assert _upload("uploads/a", sequencer=mine).against(None) == NEWER


_HEX = st.text("0123456789ABCDEF", min_size=1, max_size=20)


@given(a=_HEX, b=_HEX)
def test_of_two_events_with_other_content_one_is_older_or_both_count(a: str, b: str) -> None:
    one, other = (
        _upload("uploads/a", sequencer=sequencer, etag=etag)
        for sequencer, etag in ((a, "1"), (b, "2"))
    )
    orders = {one.against(other.stamp()), other.against(one.stamp())}
    assert orders in ({OLDER, NEWER}, {NEWER})
    assert (orders == {NEWER}) == (a.ljust(20, "0") == b.ljust(20, "0"))


def test_an_object_that_others_keep_writing_is_left_for_another_attempt(aws: Aws) -> None:
    aws.fail("PutObject", AwsError("PreconditionFailed", status=412))
    aws.fail("HeadObject", AwsError("404", status=404))
    with pytest.raises(RuntimeError, match="being written by others"):
        uploads.put(
            _upload("uploads/a"), b"", bucket=_IMAGES, key="thumbnails/a", content_type="image/png"
        )


def test_an_event_that_is_handed_over_belongs_to_what_it_says(
    context: Any, bucket: Objects, lines: Any, measured: Any, daemon: Any
) -> None:
    data = saved(picture(size=(400, 200)), "PNG")
    told = _event(etag=bucket.add(_UPLOADS, _KEY, data, "image/png")) | {"correlationId": "mine"}
    assert image_processor.handler(told, context) == _WRITTEN
    assert image_processor.handler(told, context) == _SKIPPED
    assert {line["correlation_id"] for line in lines()} == {"mine"}
    assert measured() == {"ThumbnailsMade": 1}
    steps = daemon.steps()
    assert steps["resize"] == {"correlation_id": "mine", "bytes": len(data)}
    assert steps["process upload"]["outcome"] == "skipped"
