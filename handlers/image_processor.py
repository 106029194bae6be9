"""Upload -> pictures: of a picture under uploads/ (or incoming/, when the content router says so) a
thumbnail that fits 200x200, an optimised one that fits 1600x1600, the same with a watermark, and an
object that describes them, in the images bucket.

    uploads/a.jpg -> thumbnails/a.jpg, optimised/a.jpg, watermarked/a.jpg, metadata/a.jpg.json

The description is written last: where it is, all is. When the original is removed it says so, and
what was made of it stays.

An object that can never become a picture (damaged, too large, mislabelled, a program in disguise)
fails the invocation like any other error, after the other records of the event: Lambda tries twice
more and hands the event to the failure destination, where someone sees it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import closing
from typing import Any

from common import aws, logs, metrics, pictures, records, tracing, uploads, warming
from common.uploads import OLDER, SAME, Outdated, Refused, Upload

_FOLDERS = {"thumbnail": "thumbnails/", "optimised": "optimised/", "watermarked": "watermarked/"}
_METADATA = "metadata/"
_SUFFIXES = tuple(uploads.PICTURE_SUFFIXES)
_LARGEST_OBJECT = 40 * 1024 * 1024  # bytes
_DEFAULT_WATERMARK = "sandpiper"
_MOST_LABELS, _LEAST_CONFIDENCE = 20, 70.0  # percent

aws.prepare("s3", read_timeout=uploads.READ_TIMEOUT)


@warming.aware
def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """How many pictures were written, removals noted and objects skipped: what an event tells that
    is older than what was done already, or done already itself.

    Raises ForeignEventError for an event of something else than S3, else, at the end, the first
    error; one that may pass comes before an object that is Refused for ever.
    """
    logs.begin(context, event)
    done: Counter[str] = Counter(written=0, removed=0, skipped=0)
    failed: list[Exception] = []
    refused: list[Exception] = []
    for record in records.of(event, "aws:s3"):
        try:
            with tracing.step("process upload"):
                outcome = _process(uploads.of_record(record))
                tracing.annotate(outcome=outcome)
            done[outcome] += 1
        except Refused as reason:
            refused.append(reason)
            logs.error("upload refused", key=uploads.named(record), reason=str(reason))
        except Exception as error:
            failed.append(error)
            logs.error("upload not processed", cause=error, key=uploads.named(record))
    for error in (*failed, *refused):
        raise error
    return dict(done)


def _process(upload: Upload) -> str:
    """What came of it: "written", "removed" or "skipped"."""
    if upload.bucket == os.environ["IMAGES_BUCKET"]:
        raise Refused("the images bucket holds what was made, nothing to make more of")
    if upload.folder == uploads.UPLOADS and not upload.key.lower().endswith(_SUFFIXES):
        raise Refused("not a .jpg, .jpeg, .png, .webp or .gif")
    targets = {name: upload.target(folder) for name, folder in _FOLDERS.items()}
    metadata = upload.target(_METADATA, ".json")
    stamp, known = uploads.result(os.environ["IMAGES_BUCKET"], metadata)
    order = upload.against(stamp)
    if order in (OLDER, SAME):
        return _skipped(upload, "done already" if order == SAME else "older than what was done")
    if upload.removed:
        return _removed(upload, stamp, known, metadata)
    found = _read(upload)
    if found is None:
        return _skipped(upload, "gone or replaced meanwhile")
    try:
        _write(upload, *found, targets, metadata)
    except Outdated:
        return _skipped(upload, "replaced meanwhile")
    return "written"


def _skipped(upload: Upload, reason: str) -> str:
    logs.info("upload skipped", key=upload.key, reason=reason)
    return "skipped"


def _read(upload: Upload) -> tuple[bytes, str] | None:
    """The object and its content type; None when it is gone, or no longer what the event tells of:
    what took its place has an event of its own.
    """
    try:
        found = uploads.client().get_object(Bucket=upload.bucket, Key=upload.key)
    except Exception as error:
        if not uploads.is_gone(error):
            raise
        return None
    with closing(found["Body"]) as body:
        if upload.etag and uploads.bare(found.get("ETag", upload.etag)) != upload.etag:
            return None
        if found["ContentLength"] > _LARGEST_OBJECT:
            raise Refused(f"{found['ContentLength']} bytes are more than {_LARGEST_OBJECT}")
        return body.read(), found.get("ContentType", "")


def _write(
    upload: Upload, data: bytes, content_type: str, targets: dict[str, str], metadata: str
) -> None:
    claimed = pictures.claims(upload.key, content_type)
    watermark = os.environ.get("WATERMARK_TEXT", _DEFAULT_WATERMARK)
    with tracing.step("resize", bytes=len(data)):
        found = pictures.derive(data, claimed, watermark=watermark)
    bucket = os.environ["IMAGES_BUCKET"]
    for name, made in found.made.items():
        uploads.put(
            upload, made.content, bucket=bucket, key=targets[name], content_type=made.content_type
        )
    description = {
        "bucket": upload.bucket,
        "key": upload.key,
        "original": "present",
        "etag": upload.etag,
        "versionId": upload.version,
        "sequencer": upload.sequencer,
        "uploadedAt": upload.time,
        **found.about,
        "derivatives": {
            name: {
                "key": targets[name],
                "contentType": made.content_type,
                "bytes": len(made.content),
                "width": made.width,
                "height": made.height,
            }
            for name, made in found.made.items()
        },
        **_labels(upload, found),
    }
    _describe(upload, metadata, description)
    sizes = {name: len(made.content) for name, made in found.made.items()}
    metrics.count("ThumbnailsMade")
    logs.info("pictures written", key=upload.key, **found.about, written=sizes)


def _describe(upload: Upload, key: str, description: dict[str, Any]) -> None:
    text = json.dumps(description, ensure_ascii=False, sort_keys=True)
    uploads.put(
        upload,
        text.encode(errors="replace"),
        bucket=os.environ["IMAGES_BUCKET"],
        key=key,
        content_type="application/json",
    )


def _removed(
    upload: Upload, stamp: dict[str, str] | None, known: dict[str, Any], metadata: str
) -> str:
    """Note in the description that the original is gone.

    Whether it is, the bucket says, not the event: in a versioned bucket, the removal of an old
    version leaves the object and that of a delete marker brings it back.
    """
    if not stamp or stamp.get("folder") != upload.folder:
        return _skipped(upload, "nothing was made of it")
    there = uploads.head(upload.bucket, upload.key)
    state = "present" if there else "removed"
    if there and known.get("original") == state:
        return _skipped(upload, "still there")
    try:
        _describe(upload, metadata, {**known, "original": state, "sequencer": upload.sequencer})
    except Outdated:
        return _skipped(upload, "replaced meanwhile")
    logs.info("original removed" if state == "removed" else "original is back", key=upload.key)
    return "removed"


def _labels(upload: Upload, found: pictures.Pictures) -> dict[str, Any]:
    """{"labels": [{"name", "confidence"}]} where LABELS is on; {} where it is off, or where
    Rekognition will never label this picture. Raises what may pass.
    """
    if os.environ.get("LABELS") != "on":
        return {}
    # The optimised picture is upright, in a format Rekognition reads, and under its 5 MB.
    content = pictures.as_jpeg(found.made["optimised"])
    try:
        answer = aws.client("rekognition", read_timeout=uploads.READ_TIMEOUT).detect_labels(
            Image={"Bytes": content}, MaxLabels=_MOST_LABELS, MinConfidence=_LEAST_CONFIDENCE
        )
    except Exception as error:
        if aws.is_temporary(error):
            raise
        logs.warning("no labels", key=upload.key, code=aws.error_code(error))
        return {}
    return {
        "labels": [
            {"name": label["Name"], "confidence": round(label["Confidence"], 1)}
            for label in answer["Labels"]
        ]
    }
