"""Loading a file's items into the table: a hundred rows a call, each of them once.

The ids of the rows come from the file, and a row that is in the table is not written again: an
import that is delivered twice, or breaks off and is tried again, gives the rows of one import, and
leaves alone what somebody changed in between.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from common import aws, correlation, documents, ids, imports, items, logs
from common.deadline import Deadline
from common.uploads import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_BATCH = 100  # actions of a transaction, a limit of DynamoDB
_LOOK = 1000  # rows after which the clock is looked at, when none of them is to be loaded
_MOST_REFUSED = 100  # rows that a result names
# Between attempts at rows that another call is writing, or that the table has no capacity for.
_PAUSES = (0.1, 0.3, 0.9, 2.7)  # seconds
_THERE = "ConditionalCheckFailed"
# Milliseconds that stay for the last batch (three attempts of 3 seconds), and to tell what came of
# it.
_LAST_CALLS = 25_000

Row = dict[str, Any]


class OutOfTime(Exception):
    """The rest is left for the next attempt, which goes on where this one ended."""


@dataclass(slots=True)
class Progress:
    """How far an import has come. A row that is in the table already counts as loaded."""

    row: int = 0  # the last one that is done
    loaded: int = 0
    skipped: int = 0
    refusedCount: int = 0  # noqa: N815 - as the result has it
    refused: list[dict[str, Any]] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Progress:
        """What an interrupted import told; a new one for {}."""
        if not told:
            return cls()
        numbers = {name: int(told[name]) for name in ("row", "loaded", "skipped", "refusedCount")}
        return cls(**numbers, refused=list(told["refused"]), ignored=set(told["ignored"]))

    def told(self) -> dict[str, Any]:
        """The import's result, for those who uploaded the file."""
        return {
            "row": self.row,
            **self.counts(),
            "refusedCount": self.refusedCount,
            "refused": self.refused,
            "ignored": sorted(self.ignored),
        }

    def counts(self) -> dict[str, int]:
        """The numbers alone."""
        return {
            "loaded": self.loaded,
            "skipped": self.skipped,
            "refusedCount": self.refusedCount,
        }

    def refuse(self, row: int, reason: Refused) -> None:
        """Count a wrong row, and name it if it is one of the first hundred."""
        self.refusedCount += 1
        if len(self.refused) < _MOST_REFUSED:
            self.refused.append({"row": row, "reason": str(reason)})


class Load:
    """The import of one file. `progress` is brought forward with each batch, never before it."""

    def __init__(self, file: str, milliseconds: int, progress: Progress, context: Any) -> None:
        """`file` names bucket, key and version; `milliseconds` since 1970 are its upload's."""
        self._id = imports.identify(file, milliseconds)
        self._now = ids.instant(milliseconds / 1000)
        self._progress = progress
        self._deadline = Deadline(context, slow_call=_LAST_CALLS)
        self._rows: list[Row] = []

    def run(self, body: Any, kind: str, content_type: str) -> None:
        """Load what is behind `progress.row` of a CSV or JSON body.

        Raises Refused when the file cannot be read on, with all rows before that loaded; OutOfTime
        when the rest has to wait; and what reading or writing raise.
        """
        text, start = documents.opened(body, content_type)
        progress = self._progress
        number = progress.row
        try:
            for number, outcome in imports.reader(kind, start)(text):
                if number <= progress.row:
                    continue
                self._take(number, outcome)
                if len(self._rows) == _BATCH or not number % _LOOK:
                    self._flush(number)
                    self._check(number)
        except UnicodeDecodeError:
            self._flush(number)
            raise Refused("not text in its charset") from None
        except Refused:
            self._flush(number)
            raise
        self._flush(number)

    def _take(self, number: int, outcome: imports.Outcome) -> None:
        progress = self._progress
        try:
            if isinstance(outcome, Refused):
                raise outcome
            found = None if outcome is None else imports.item(outcome, progress.ignored)
        except Refused as reason:
            progress.refuse(number, reason)
            return
        if found is None:
            progress.skipped += 1
            return
        self._rows.append(
            {
                "id": {"S": self._id(number)},
                "collection": {"S": items.COLLECTION},
                **items.attributes(found),
                "version": {"N": "1"},
                "createdAt": {"S": self._now},
                "updatedAt": {"S": self._now},
                **correlation.row(),
            }
        )

    def _flush(self, number: int) -> None:
        if self._rows:
            put_new(self._rows)
            self._progress.loaded += len(self._rows)
            self._rows = []
        self._progress.row = max(number, self._progress.row)

    def _check(self, number: int) -> None:
        if self._deadline.is_near():
            raise OutOfTime(f"out of time behind row {number}, the next attempt goes on there")


def put_new(rows: list[Row]) -> None:
    """Put those of up to a hundred items that are not there yet.

    Raises what boto3 raised when others hold the rows, or the table is out of capacity, for longer
    than 4 seconds.
    """
    pauses = iter(_PAUSES)
    while rows:
        try:
            _transact(rows)
        except Exception as error:
            reasons = [str(reason.get("Code")) for reason in aws.cancellations(error)]
            if not reasons or set(reasons) - {*aws.PASSING, _THERE, "None"}:
                raise
            there = reasons.count(_THERE)
            logs.debug("rows there already", rows=there)
            rows = [row for row, code in zip(rows, reasons, strict=True) if code != _THERE]
            if set(reasons) & aws.PASSING:
                pause = next(pauses, None)
                if pause is None:
                    raise
                time.sleep(pause)
        else:
            return


def _transact(rows: list[Row]) -> None:
    table = os.environ["ITEMS_TABLE"]
    aws.client("dynamodb").transact_write_items(
        TransactItems=[
            {
                "Put": {
                    "TableName": table,
                    "Item": row,
                    "ConditionExpression": "attribute_not_exists(#id)",
                    "ExpressionAttributeNames": {"#id": "id"},
                }
            }
            for row in rows
        ]
    )
