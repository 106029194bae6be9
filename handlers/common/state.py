"""The state table (STATE_TABLE): small rows by `id` that functions share, until `expiresAt`."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from common import aws, conditions
from common.jitter import jittered

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = dict[str, dict[str, Any]]
    Change = Callable[[Row], Row | None]

_ATTEMPTS = 8
_FIRST_PAUSE = 0.02  # seconds; each further one is twice as long


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
        time.sleep(jittered(_FIRST_PAUSE * 2**attempt))
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
    try:
        aws.client("dynamodb").put_item(TableName=_table(), Item=written, **condition)
    except Exception as error:
        if not conditions.failed(error):
            raise
        return False
    return True


def _table() -> str:
    return os.environ["STATE_TABLE"]
