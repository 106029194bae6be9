"""What becomes of a failing batch of a stream: retries, splitting, the records that a function names.

MiniStack retries a failing batch until its record age and takes a partial answer for a whole one. Sources: Lambda
developer guide, "Retain discarded records for a DynamoDB event source", "Configuring partial batch response with
DynamoDB and Lambda" (the lowest sequence number is where reading goes on; an unknown one fails the whole batch).
"""

import json
import time
import uuid
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from sandbox.workers import destinations, lambda_metrics

Record = dict[str, Any]
Execute = Callable[[Any, Any], Record]

_REPORTS = "ReportBatchItemFailures"
EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "MaxRecordAgeExceeded"
_SHARD = "shardId-00000000000000000000-00000000"
"""The one shard of a table's stream here."""

reading: "ContextVar[Batches | None]" = ContextVar("reading", default=None)
"""The batches of the mapping that this thread reads."""


class Batches:
    """One mapping's place in its stream, between calls of its function; used by one thread at a time."""

    def __init__(self) -> None:
        self.mapping: Record = {}
        self._size: int | None = None
        """How many records to hand over next, where a batch was split."""
        self._tried: tuple[str, int] = ("", 0)
        """The record at which calls failed, and how often."""
        self._resume: tuple[str, str, int] | None = None
        """Account, region and position where reading goes on, where that is not after the batch."""

    def call(
        self, module: ModuleType, execute: Execute, func: Any, records: Sequence[Record]
    ) -> Record:
        """Call the function with what is due of `records`; an error answer makes the emulator wait and read again."""
        self._resume = None
        batch = records[: self._size]
        arrived = batch[-1]["dynamodb"]["ApproximateCreationDateTime"]
        lambda_metrics.read_a_stream(func, float(arrived))
        result = execute(func, {"Records": list(batch)})
        bad = self._failing(result, batch)
        if bad is None:
            self._size = None
            return self._go_on(result, records[len(batch) :])
        rest = batch[bad:]
        if self.mapping.get("BisectBatchOnFunctionError") and len(rest) > 1:
            # Splitting counts as no retry. A named record is where the batch is split already.
            self._size = len(rest) // 2 if bad == 0 else None
            return self._go_on(result, [*rest, *records[len(batch) :]])
        if self._exhausted(_sequence(rest[0])):
            self._give_up(module, func, rest, result)
            self._size = None
            return self._go_on(result, records[len(batch) :])
        if bad:
            self._go_on(result, rest)
        return result if result.get("error") else {**result, "error": True}

    def _give_up(
        self, module: ModuleType, func: Any, rest: Sequence[Record], result: Record
    ) -> None:
        given_up = GivenUp(
            block="DDBStreamBatchInfo",
            shard=_SHARD,
            stream=self.mapping["EventSourceArn"],
            marks=[_sequence(each) for each in rest],
            moments=[float(each["dynamodb"]["ApproximateCreationDateTime"]) for each in rest],
            condition=EXHAUSTED,
            attempts=self.attempts,
        )
        given_up.tell(module, self.mapping, func, result)

    @property
    def attempts(self) -> int:
        """How often the batch at hand was handed over."""
        return self._tried[1]

    def went_on(self, module: ModuleType, more: bool) -> bool:  # noqa: FBT001 what the emulator's reader answers
        """Bring the position where it belongs, once the emulator has moved it; `more` is handed back."""
        if self._resume is not None:
            account, region, position = self._resume
            self._resume = None
            positions = module._dynamodb_stream_positions
            positions.set_scoped(account, region, self.mapping["UUID"], position)
        return more

    def _go_on(self, result: Record, rest: Sequence[Record]) -> Record:
        """An answer without an error; reading goes on at the first of `rest`, where there is one."""
        if rest:
            self._resume = _position(self.mapping["EventSourceArn"], _sequence(rest[0]))
        return {key: value for key, value in result.items() if key != "error"}

    def _failing(self, result: Record, batch: Sequence[Record]) -> int | None:
        """Index of the first record that failed; None where all went well."""
        if result.get("error"):
            return 0
        if _REPORTS not in (self.mapping.get("FunctionResponseTypes") or []):
            return None
        named = _named(result.get("body"))
        if not named:
            return None
        known = [_sequence(record) for record in batch]
        return min((known.index(n) if n in known else 0 for n in named), default=None)

    def _exhausted(self, first: str) -> bool:
        """Count one more failure at a record; whether it was the last one allowed."""
        before = self._tried[1] if self._tried[0] == first else 0
        self._tried = (first, before + 1)
        limit = self.mapping.get("MaximumRetryAttempts")
        return limit is not None and int(limit) >= 0 and before >= int(limit)


@dataclass(frozen=True)
class GivenUp:
    """Records that a mapping will not see again: where they lie, not what they are."""

    block: str
    """The name of the record's own part, `KinesisBatchInfo`."""
    shard: str
    stream: str
    marks: Sequence[str]
    """Sequence numbers."""
    moments: Sequence[float]
    """When each came, in seconds."""
    condition: str
    attempts: int

    def tell(self, module: ModuleType, mapping: Record, func: Record, result: Record) -> None:
        """Send it to the mapping's destination, where it has one."""
        places = mapping.get("DestinationConfig") or {}
        if target := (places.get("OnFailure") or {}).get("Destination"):
            destinations.send(module, target, self._record(mapping, func, result))

    def _record(self, mapping: Record, func: Record, result: Record) -> Record:
        config = func.get("config") or func
        record: Record = {
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": mapping.get("FunctionArn") or config.get("FunctionArn", ""),
                "condition": self.condition,
                "approximateInvokeCount": self.attempts,
            },
            "version": "1.0",
            "timestamp": _moment(time.time()),
            self.block: {
                "shardId": self.shard,
                "startSequenceNumber": self.marks[0],
                "endSequenceNumber": self.marks[-1],
                "approximateArrivalOfFirstRecord": _moment(self.moments[0]),
                "approximateArrivalOfLastRecord": _moment(self.moments[-1]),
                "batchSize": len(self.marks),
                "streamArn": self.stream,
            },
        }
        if result:
            record["responseContext"] = {
                "statusCode": 200,
                "executedVersion": str(config.get("Version") or "$LATEST"),
                "functionError": result.get("function_error") or "Unhandled",
            }
        return record


def _moment(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


def _sequence(record: Record) -> str:
    if "kinesis" in record:
        return str(record["kinesis"]["sequenceNumber"])
    return str(record["dynamodb"]["SequenceNumber"])


def _named(body: Any) -> list[str]:
    """The sequence numbers that a function names as failed."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return []
    failures = body.get("batchItemFailures") if isinstance(body, dict) else None
    return [str(each.get("itemIdentifier", "")) for each in failures or []]


def _position(source: str, sequence: str) -> tuple[str, str, int]:
    """Account, region and absolute position of a record of a stream."""
    from ministack.services import dynamodb

    parts = source.split(":")
    at = {"account_id": parts[4], "region": parts[3]}
    table = parts[5].split("/")[1]
    start = dynamodb.stream_start_position(table, **at)
    records = dynamodb.stream_live_records(table, **at)
    step = next((i for i, each in enumerate(records) if _sequence(each) == sequence), 0)
    return parts[4], parts[3], start + step
