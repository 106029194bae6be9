"""Daily: deletes uploads that are older than the retention, and what is known of WebSockets that
ended long ago.

The bucket is versioned, so a deletion leaves a marker, and the bucket's lifecycle removes the
versions under it. The connections' rows expire by themselves, though DynamoDB may take days over
it; until then each push would try them.
"""

from __future__ import annotations

import itertools
import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from common import aws, connections, logs, metrics, records, tracing, warming
from common.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIXES = ("uploads/", "incoming/")
_DEFAULT_DAYS = 30
_READ_TIMEOUT = 10  # seconds; deleting a thousand keys is one call
_SLOW_CALL = 35_000  # milliseconds: three attempts at listing or deleting a page
_CONNECTION_HOURS = 3  # a WebSocket ends after 2

aws.prepare("s3", read_timeout=_READ_TIMEOUT)
aws.prepare("dynamodb")


@warming.aware
def handler(event: object, context: Any) -> dict[str, int]:
    """How many uploads, and how many rows of connections, were deleted. Stops 35 seconds before its
    own deadline: the next day's run goes on.

    Raises RuntimeError at the end when objects could not be deleted, so that the schedule tries
    again and the alarm hears of it.
    """
    logs.begin(context, event)
    records.of_schedule(event)
    before = datetime.now(UTC) - timedelta(days=_retention_days())
    deadline = Deadline(context, slow_call=_SLOW_CALL)
    with tracing.step("clean up connections"):
        stale = _forget_connections(deadline)
    deleted = refused = 0
    for page, keys in enumerate(_pages(before)):
        if page and deadline.is_near():
            logs.warning("out of time, the next run goes on", deleted=deleted)
            break
        errors = _delete(keys)
        deleted += len(keys) - errors
        refused += errors
        metrics.count("UploadsCleaned", len(keys) - errors)
    logs.info("uploads cleaned up", deleted=deleted, refused=refused, before=before.isoformat())
    if refused:
        raise RuntimeError(f"{refused} uploads could not be deleted, {deleted} were")
    return {"deleted": deleted, "connections": stale}


def _forget_connections(deadline: Deadline) -> int:
    """Delete the rows of WebSockets that ended unheard of; how many there were."""
    rows = connections.opened_before(time.time() - _CONNECTION_HOURS * 3600)
    deleted = 0
    for connection, topic in rows:
        if deadline.is_near():
            logs.warning("out of time, the next run goes on", connections=deleted)
            break
        connections.delete(connection, topic)
        metrics.count("ConnectionsCleaned")
        deleted += 1
    logs.info("connections cleaned up", deleted=deleted)
    return deleted


def _retention_days() -> int:
    """UPLOAD_RETENTION_DAYS, 30 when unset. Raises ValueError below 1: a typing error must not
    empty the bucket.
    """
    days = int(os.environ.get("UPLOAD_RETENTION_DAYS") or _DEFAULT_DAYS)
    if days < 1:
        raise ValueError(f"UPLOAD_RETENTION_DAYS must be 1 or more (got {days})")
    return days


def _client() -> Any:
    return aws.client("s3", read_timeout=_READ_TIMEOUT)


def _pages(before: datetime) -> Iterator[list[str]]:
    """The keys of old uploads, up to 1,000 at a time."""
    pages = _client().get_paginator("list_objects_v2")
    bucket = os.environ["UPLOADS_BUCKET"]
    for page in itertools.chain(*(pages.paginate(Bucket=bucket, Prefix=p) for p in _PREFIXES)):
        old = [entry["Key"] for entry in page.get("Contents", ()) if entry["LastModified"] < before]
        if old:
            yield old


def _delete(keys: list[str]) -> int:
    """Delete one page's keys; how many could not be deleted."""
    bucket = os.environ["UPLOADS_BUCKET"]
    try:
        answer = _client().delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )
    except Exception as error:
        if aws.error_code(error) != "MalformedXML":
            raise
        # A key may hold characters that XML cannot; a single deletion names its key in the URL.
        for key in keys:
            _client().delete_object(Bucket=bucket, Key=key)
        return 0
    errors = answer.get("Errors", [])
    for entry in errors:
        logs.error("upload not deleted", key=entry.get("Key"), code=entry.get("Code"))
    return len(errors)
