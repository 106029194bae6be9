"""A circuit breaker that all execution environments of a function share, as a row of the state
table: who is down is left alone, and asked by one caller when the pause is over.

Where all is well it costs one read; failures are counted, and the first success after some takes
the row away.
"""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple

from common import aws, conditions, logs

_FORGOTTEN = 86_400  # seconds after the last failure


class OpenError(Exception):
    """The other side is left alone at the moment."""


class Circuit(NamedTuple):
    """`threshold` failures in a row open it for `seconds`. `trial`: how long, in seconds, the one
    caller may take who tries after that.
    """

    name: str
    threshold: int
    seconds: int
    trial: int

    def enter(self) -> bool:
        """Whether there were failures lately; to be told to `succeeded`. Raises OpenError while the
        other side is left alone.
        """
        row = (
            aws.client("dynamodb")
            .get_item(TableName=_table(), Key=self._key(), ConsistentRead=True)
            .get("Item")
        )
        if row is None:
            return False
        if int(row["failures"]["N"]) < self.threshold:
            return True
        if int(row["openUntil"]["N"]) > _now() or not self._may_try(row["openUntil"]):
            raise OpenError(f"{self.name} is left alone")
        return True

    def succeeded(self, *, after_failures: bool) -> None:
        """The other side answered."""
        if after_failures:
            aws.client("dynamodb").delete_item(TableName=_table(), Key=self._key())
            logs.info("circuit closed", circuit=self.name)

    def failed(self) -> None:
        """The other side did not answer, or said that it cannot."""
        row = self._update(
            "SET failures = if_not_exists(failures, :none) + :one, expiresAt = :expires, "
            "openUntil = if_not_exists(openUntil, :none)",
            {
                ":none": {"N": "0"},
                ":one": {"N": "1"},
                ":expires": {"N": str(int(time.time()) + _FORGOTTEN)},
            },
        )
        failures = int(row["failures"]["N"])
        if failures >= self.threshold:
            self._update("SET openUntil = :until", {":until": _moment(self.seconds)})
            logs.warning("circuit open", circuit=self.name, failures=failures)

    def _may_try(self, seen: dict[str, str]) -> bool:
        """Whether this caller is the one who tries; the others wait for what becomes of it."""
        try:
            self._update(
                "SET openUntil = :until",
                {":until": _moment(self.trial), ":seen": seen},
                ConditionExpression="openUntil = :seen",
            )
        except Exception as error:
            if not conditions.failed(error):
                raise
            return False
        return True

    def _update(self, changes: str, values: dict[str, Any], **options: str) -> dict[str, Any]:
        return aws.client("dynamodb").update_item(
            TableName=_table(),
            Key=self._key(),
            UpdateExpression=changes,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
            **options,
        )["Attributes"]

    def _key(self) -> dict[str, Any]:
        return {"id": {"S": f"circuit#{self.name}"}}


def _table() -> str:
    return os.environ["STATE_TABLE"]


def _now() -> int:
    return int(time.time() * 1000)


def _moment(seconds: int) -> dict[str, str]:
    return {"N": str(_now() + seconds * 1000)}
