"""The state table (STATE_TABLE): small rows by `id` that functions share, until `expiresAt`."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from common import aws

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = dict[str, dict[str, Any]]
    Change = Callable[[Row], Row | None]

_ATTEMPTS = 8
_FIRST_PAUSE = 0.02  # seconds; each further one is twice as long, all of them by chance shorter

OURS, DONE, BUSY = "ours", "done", "busy"


class ContendedError(RuntimeError):
    """Others changed the row between every attempt at reading and writing it."""


def amend(key: str, change: Change) -> bool:
    """Read a row, and write what `change` makes of it ({} where there is none) unless somebody else
    wrote it meanwhile; then all of it again. Whether anything was written: `change` may return None
    for a row that shall stay.

    Raises ContendedError after eight attempts.
    """
    for attempt in range(_ATTEMPTS):
        row = _get(key)
        changed = change(row)
        if changed is None:
            return False
        if _replace(key, row, changed):
            return True
        by_chance = 0.5 + os.urandom(1)[0] / 512  # a half to one
        time.sleep(_FIRST_PAUSE * 2**attempt * by_chance)
    raise ContendedError(f"{key.partition('#')[0]} row is written by too many at once")


def _get(key: str) -> Row:
    found = aws.client("dynamodb").get_item(
        TableName=_table(), Key={"id": {"S": key}}, ConsistentRead=True
    )
    return found.get("Item") or {}


def _replace(key: str, row: Row, changed: Row) -> bool:
    """Write the row if its revision is still the one that was read."""
    revision = int(row.get("revision", {"N": "0"})["N"])
    condition: dict[str, Any] = {
        "ConditionExpression": "attribute_not_exists(#id)",
        "ExpressionAttributeNames": {"#id": "id"},
    }
    if row:
        condition = {
            "ConditionExpression": "#revision = :revision",
            "ExpressionAttributeNames": {"#revision": "revision"},
            "ExpressionAttributeValues": {":revision": {"N": str(revision)}},
        }
    written = {**changed, "id": {"S": key}, "revision": {"N": str(revision + 1)}}
    return _put(written, condition)


def _put(row: Row, condition: dict[str, Any]) -> bool:
    try:
        aws.client("dynamodb").put_item(TableName=_table(), Item=row, **condition)
    except Exception as error:
        if aws.error_code(error) != "ConditionalCheckFailedException":
            raise
        return False
    return True


def claim(key: str, *, lease: float, lifetime: float) -> str:
    """Whether a piece of work is OURS to do, has been DONE, or somebody else is at it (BUSY), who
    then has `lease` seconds: after that it may be claimed again. It is forgotten after `lifetime`
    seconds.
    """
    now = time.time()
    row: Row = {
        "id": {"S": key},
        "status": {"S": BUSY},
        "leaseUntil": {"N": f"{now + lease:.3f}"},
        "expiresAt": {"N": str(int(now + lifetime))},
    }
    condition = {
        "ConditionExpression": "attribute_not_exists(#id) OR #expiresAt < :now"
        " OR (#status = :busy AND #leaseUntil < :now)",
        "ExpressionAttributeNames": {
            "#id": "id",
            "#expiresAt": "expiresAt",
            "#status": "status",
            "#leaseUntil": "leaseUntil",
        },
        "ExpressionAttributeValues": {":now": {"N": f"{now:.3f}"}, ":busy": {"S": BUSY}},
    }
    if _put(row, condition):
        return OURS
    return _get(key).get("status", {}).get("S", BUSY)


def finish(key: str, *, lifetime: float) -> None:
    """Say that the work which was claimed is DONE."""
    expires = str(int(time.time() + lifetime))
    _put({"id": {"S": key}, "status": {"S": DONE}, "expiresAt": {"N": expires}}, {})


def _table() -> str:
    return os.environ["STATE_TABLE"]
