"""Object under incoming/ -> what its content type asks for.

    pictures                  the image processor, started asynchronously
    text/csv, JSON (an array, or an object a line)   items, loaded into the table row by row
    text/plain                its text in normal form under texts/ of the reports bucket
    anything else             nothing but a log line

An import tells what came of it under imports/ of the reports bucket, and so does an interrupted
one: the next attempt goes on behind the last row that is known to be in the table. A file that
cannot be read fails the invocation, which ends at the failure destination.
"""

from __future__ import annotations

import json
import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from common import (
    aws,
    correlation,
    documents,
    loading,
    logs,
    metrics,
    records,
    tracing,
    uploads,
    warming,
)
from common.uploads import OLDER, SAME, Outdated, Refused, Upload

if TYPE_CHECKING:
    from collections.abc import Generator

_ROUTES = {
    **dict.fromkeys(uploads.PICTURE_TYPES, "picture"),
    "text/csv": "csv",
    "application/json": "json",
    "application/jsonl": "json",
    "application/x-ndjson": "json",
    "text/plain": "text",
}
# Where nobody named a type, the name tells.
_NAMES = {
    **dict.fromkeys(uploads.PICTURE_SUFFIXES, "picture"),
    ".csv": "csv",
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "json"),
    ".txt": "text",
}
_NOT_PACKED = ("", "identity", "aws-chunked")
_LARGEST_IMPORT = 512 * 1024 * 1024  # bytes
_LARGEST_TEXT = 8 * 1024 * 1024

aws.prepare("s3", read_timeout=uploads.READ_TIMEOUT)


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """{"route": "picture" | "csv" | "json" | "text" | "skipped"} and, of an import, its counts.

    Raises ForeignEventError for anything but EventBridge's "Object Created", Refused for an object
    that can never be worked on, and what may pass as it came.
    """
    logs.begin(context, event)
    upload = uploads.of_event(records.of_bus(event, "aws.s3", "Object Created"))
    try:
        answer = _routed(upload, context)
    except Refused as reason:
        logs.error("object refused", key=upload.key, reason=str(reason))
        raise
    except Outdated:
        answer = _skipped(upload, "replaced meanwhile")
    return answer


def _routed(upload: Upload, context: Any) -> dict[str, Any]:
    if upload.folder != uploads.INCOMING:
        raise Refused("the key is not under incoming/")
    found = uploads.head(upload.bucket, upload.key)
    if found is None or uploads.bare(found["ETag"]) != (upload.etag or uploads.bare(found["ETag"])):
        # What took its place has an event of its own.
        return _skipped(upload, "gone or replaced meanwhile")
    route = route_of(upload.key, found.get("ContentType", ""))
    logs.info("object arrived", key=upload.key, bytes=found["ContentLength"], route=route)
    if route == "skipped":
        return _skipped(upload, "nothing is made of this content type")
    if route == "picture":
        _hand_over(upload, found)
        return {"route": route}
    if found.get("ContentEncoding", "") not in _NOT_PACKED:
        raise Refused("the content is packed, upload it as it is")
    return _worked(upload, route, found, context)


def _worked(upload: Upload, route: str, found: dict[str, Any], context: Any) -> dict[str, Any]:
    target = upload.target("texts/" if route == "text" else "imports/", ".json")
    stamp, result = uploads.result(os.environ["REPORTS_BUCKET"], target)
    order = upload.against(stamp)
    if order == OLDER:
        return _skipped(upload, "older than what was done")
    if order != SAME:
        result = {}
    if result.get("state") == "done":
        return _skipped(upload, "done already")
    if result.get("state") == "refused":
        raise Refused(result["error"])
    if route == "text":
        return _text(upload, target, found)
    return {"route": route, **_import(upload, target, route, result, found, context)}


def route_of(key: str, content_type: str) -> str:
    """Where an object goes: "picture", "csv", "json", "text" or "skipped"."""
    kind = uploads.media_type(content_type)
    if kind not in uploads.NO_TYPE:
        return _ROUTES.get(kind, "skipped")
    name = key.rpartition("/")[2]
    return _NAMES.get(name[name.rfind(".") :].lower() if "." in name else "", "skipped")


def _skipped(upload: Upload, reason: str) -> dict[str, Any]:
    logs.info("object skipped", key=upload.key, reason=reason)
    return {"route": "skipped"}


def _hand_over(upload: Upload, found: dict[str, Any]) -> None:
    """Start the image processor as S3 itself would."""
    seen = {"eTag": uploads.bare(found["ETag"]), "size": found["ContentLength"]}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": upload.time,
        "s3": {
            "bucket": {"name": upload.bucket},
            "object": {
                **seen,
                "key": quote_plus(upload.key, safe="/"),
                "versionId": upload.version,
                "sequencer": upload.sequencer,
            },
        },
    }
    aws.client("lambda").invoke(
        FunctionName=os.environ["IMAGE_PROCESSOR_FUNCTION"],
        InvocationType="Event",
        Payload=json.dumps({"Records": [record], **correlation.member()}).encode(),
    )


def _text(upload: Upload, target: str, found: dict[str, Any]) -> dict[str, Any]:
    if found["ContentLength"] > _LARGEST_TEXT:
        raise Refused(f"{found['ContentLength']} bytes are more than {_LARGEST_TEXT}")
    with closing(_body(upload)) as body:
        made = documents.normal(body.read(), found.get("ContentType", ""))
    _tell(upload, target, {"state": "done", **made})
    counts = {name: count for name, count in made.items() if name != "text"}
    logs.info("text written", key=upload.key, target=target, **counts)
    return {"route": "text"}


def _body(upload: Upload) -> Any:
    """The content the event tells of, unread; raises Outdated when there is another by now."""
    condition = {"IfMatch": f'"{upload.etag}"'} if upload.etag else {}
    try:
        found = uploads.client().get_object(Bucket=upload.bucket, Key=upload.key, **condition)
    except Exception as error:
        if uploads.is_gone(error) or uploads.is_unmet(error):
            raise Outdated(upload.key) from None
        raise
    return found["Body"]


def _import(
    upload: Upload,
    target: str,
    kind: str,
    before: dict[str, Any],
    found: dict[str, Any],
    context: Any,
) -> dict[str, int]:
    if found["ContentLength"] > _LARGEST_IMPORT:
        raise Refused(f"{found['ContentLength']} bytes are more than {_LARGEST_IMPORT}")
    progress = loading.Progress.of(before)
    moment = int(found["LastModified"].timestamp() * 1000)
    name = f"{upload.bucket}/{upload.key}@{upload.version or upload.etag}"
    load = loading.Load(name, moment, progress, context)
    try:
        with _counted(progress), closing(_body(upload)) as body:
            load.run(body, kind, found.get("ContentType", ""))
    except (Refused, loading.OutOfTime) as reason:
        state = "refused" if isinstance(reason, Refused) else "interrupted"
        _tell(upload, target, {"state": state, "error": str(reason), **progress.told()})
        logs.warning("import stopped", key=upload.key, reason=str(reason), **progress.counts())
        raise
    _tell(upload, target, {"state": "done", **progress.told()})
    logs.info("import done", key=upload.key, target=target, **progress.counts())
    return progress.counts()


@contextmanager
def _counted(progress: loading.Progress) -> Generator[None]:
    """Measure the rows that are loaded and refused meanwhile, however it ends: an attempt that
    breaks off has loaded some.
    """
    loaded, refused = progress.loaded, progress.refusedCount
    with tracing.step("import rows"):
        try:
            yield
        finally:
            metrics.count("RowsImported", progress.loaded - loaded)
            metrics.count("RowsRefused", progress.refusedCount - refused)
            tracing.annotate(**progress.counts())


def _tell(upload: Upload, target: str, result: dict[str, Any]) -> None:
    told = {
        "bucket": upload.bucket,
        "key": upload.key,
        "versionId": upload.version,
        "etag": upload.etag,
        **result,
    }
    text = json.dumps(told, ensure_ascii=False)
    uploads.put(
        upload,
        text.encode(errors="replace"),
        bucket=os.environ["REPORTS_BUCKET"],
        key=target,
        content_type="application/json",
        again=True,
    )
