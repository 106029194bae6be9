"""One shard of a Kinesis stream, as one mapping reads it: its place, its batches, its windows, its failures.

MiniStack counts records from the start of a list that loses its oldest ones, retries a failing batch for ever, and knows no
timestamps to start at. Sources: Lambda developer guide, "Process Amazon Kinesis Data Streams records with Lambda",
"Configuring partial batch response with Kinesis", "Implementing stateful Kinesis stream processing" (windows by the time at
which a record arrived; the state goes from call to call, the last one of a window has no records).
"""

import bisect
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Final

from sandbox.workers import lambda_metrics
from sandbox.workers.mapping_seams import stream_of
from sandbox.workers.stream_batches import EXHAUSTED, TOO_OLD, Batches, GivenUp

Record = dict[str, Any]
Execute = Callable[[Any, Any], Record]


class Shard(Batches):
    """What a mapping has read of a shard; used by one thread at a time."""

    def __init__(self, module: ModuleType, mapping: Record, mark: str, position: int) -> None:
        super().__init__()
        self._module, self.mapping, self._mark = module, mapping, mark
        self._position = position
        """The sequence number up to which all is done."""
        self._window: tuple[int, Any] | None = None
        """Start of the open window, and the state that the function gave back."""

    def is_due(self) -> bool:
        """Whether there is something to hand over."""
        return bool(self._next()) or self._closes()

    def step(self) -> bool:
        """Hand over the next batch; whether to go on at once. A failure waits here."""
        function, config = self._module._get_func_record_for_qualifier(
            self.mapping["FunctionName"], self.mapping.get("Qualifier")
        )
        if function is None:
            return False
        raw = self._next()
        if not raw:
            return self._closes() and self._close(function, config)
        raw = self._drop_old(function, raw)
        records = [self._told(each, config) for each in raw]
        due = self._module._apply_filter_criteria(records, self.mapping)
        if not due:
            return self._done(raw[-1]) if raw else True
        # A split batch has so many of the records that pass the filter.
        batch = due[: self._size]
        last = raw[-1] if len(batch) == len(due) else _find(raw, batch[-1])
        return self._judge(function, batch, last, self._call(function, batch))

    def _judge(
        self, function: Record, batch: Sequence[Record], last: Record, result: Record
    ) -> bool:
        """Go on behind the batch, behind what of it is done, or wait and try again."""
        bad = self._failing(result, batch)
        if bad is None:
            self._size = None
            self._keep(result)
            self.mapping["LastProcessingResult"] = "OK"
            return self._done(last)
        if bad:
            self._position = int(batch[bad - 1]["kinesis"]["sequenceNumber"])
        rest = batch[bad:]
        self.mapping["LastProcessingResult"] = "PROBLEM: Function call failed"
        if result.get("throttle"):
            return self._wait()
        if self.mapping.get("BisectBatchOnFunctionError") and len(rest) > 1:
            # Splitting counts as no retry. A named record is where the batch is split already.
            self._size = len(rest) // 2 if bad == 0 else None
            return True
        if self._exhausted(str(rest[0]["kinesis"]["sequenceNumber"])):
            self._discard(function, rest, result, EXHAUSTED)
            self._size = None
            return self._done(last)
        return self._wait()

    def _wait(self) -> bool:
        time.sleep(self._module._ESM_BACKOFF_SECONDS)
        return True

    def _done(self, last: Record) -> bool:
        self._position = int(last["SequenceNumber"])
        return True

    def _next(self) -> list[Record]:
        """The records behind the position that may go into one call."""
        shard = (_stream(self.mapping["EventSourceArn"]) or {}).get("shards", {}).get(self._mark)
        size = int(self.mapping["BatchSize"])
        records: list[Record] = (shard or {}).get("records", [])
        begin = bisect.bisect_right(records, self._position, key=_sequence)
        found: list[Record] = []
        for record in records[begin : begin + size + 1]:
            if len(found) == size or (found and self._start(record) != self._start(found[0])):
                break
            found.append(record)
        # The open window comes to its end before the next one begins.
        other = found and self._window and self._start(found[0]) != self._window[0]
        return [] if other else found

    def _drop_old(self, function: Record, raw: list[Record]) -> list[Record]:
        """Without the records that are older than the mapping allows; these go to its destination."""
        limit = int(self.mapping.get("MaximumRecordAgeInSeconds") or -1)
        if limit < 0:
            return raw
        oldest = time.time() - limit
        old = [each for each in raw if float(each["ApproximateArrivalTimestamp"]) < oldest]
        if old:
            told = [self._told(each, {}) for each in old]
            self._discard(function, told, {}, TOO_OLD)
            self._done(old[-1])
        return raw[len(old) :]

    def _discard(
        self, function: Record, batch: Sequence[Record], result: Record, condition: str
    ) -> None:
        given_up = GivenUp(
            block="KinesisBatchInfo",
            shard=self._mark,
            stream=stream_of(self.mapping["EventSourceArn"]),
            marks=[str(each["kinesis"]["sequenceNumber"]) for each in batch],
            moments=[float(each["kinesis"]["approximateArrivalTimestamp"]) for each in batch],
            condition=condition,
            attempts=self.attempts,
        )
        given_up.tell(self._module, self.mapping, function, result)

    def _told(self, record: Record, config: Record) -> Record:
        source = stream_of(self.mapping["EventSourceArn"])
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record["PartitionKey"],
                "sequenceNumber": record["SequenceNumber"],
                "data": record["Data"],
                "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{self._mark}:{record['SequenceNumber']}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": config.get("Role", ""),
            "awsRegion": source.split(":")[3],
            "eventSourceARN": source,
        }

    def _seconds(self) -> int:
        return int(self.mapping.get("TumblingWindowInSeconds") or 0)

    def _start(self, record: Record) -> int:
        """When the window of a record began; 0 without windows."""
        seconds = self._seconds()
        if not seconds:
            return 0
        return int(float(record["ApproximateArrivalTimestamp"])) // seconds * seconds

    def _closes(self) -> bool:
        """Whether the open window is over."""
        return self._window is not None and time.time() >= self._window[0] + self._seconds()

    def _call(self, function: Record, batch: Sequence[Record]) -> Record:
        arrived = batch[-1]["kinesis"]["approximateArrivalTimestamp"]
        lambda_metrics.read_a_stream(function, float(arrived))
        lambda_metrics.read_records(self.mapping["EventSourceArn"], float(arrived))
        if not self._seconds():
            return self._module._execute_function(function, {"Records": list(batch)})
        start = self._start(
            {"ApproximateArrivalTimestamp": batch[0]["kinesis"]["approximateArrivalTimestamp"]}
        )
        if self._window is None:
            self._window = (start, {})
        return self._module._execute_function(function, self._windowed(batch, final=False))

    def _close(self, function: Record, _config: Record) -> bool:
        result = self._module._execute_function(function, self._windowed([], final=True))
        if result.get("error") and not self._exhausted(f"window {self._window}"):
            return self._wait()
        self._window = None
        return True

    def _windowed(self, batch: Sequence[Record], *, final: bool) -> Record:
        start, state = self._window or (0, {})
        return {
            "Records": list(batch),
            "window": {"start": _moment(start), "end": _moment(start + self._seconds())},
            "state": state,
            "shardId": self._mark,
            "eventSourceARN": stream_of(self.mapping["EventSourceArn"]),
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": False,
        }

    def _keep(self, result: Record) -> None:
        body = result.get("body")
        if self._window is not None:
            state = body.get("state") if isinstance(body, dict) else None
            self._window = (self._window[0], state or {})


BEGINNINGS: Final = "SandboxBeginnings"
"""Where a mapping keeps the positions at which it began; never answered."""


def marks(mapping: Record) -> list[str]:
    """The shards of the mapping's stream."""
    return list((_stream(mapping["EventSourceArn"]) or {"shards": {}})["shards"])


def positions(mapping: Record) -> dict[str, int]:
    """Where a new mapping begins in each shard: the sequence number of the last record that it does not read."""
    stream = _stream(mapping["EventSourceArn"]) or {"shards": {}}
    return {mark: _before(mapping, shard["records"]) for mark, shard in stream["shards"].items()}


def _before(mapping: Record, records: Sequence[Record]) -> int:
    kind = mapping.get("StartingPosition", "LATEST")
    if kind == "TRIM_HORIZON":
        return 0
    since = float(mapping.get("StartingPositionTimestamp") or 0) if kind == "AT_TIMESTAMP" else None
    skipped = [
        int(each["SequenceNumber"])
        for each in records
        if since is None or float(each["ApproximateArrivalTimestamp"]) < since
    ]
    return max(skipped, default=0)


def _stream(source: str) -> Record | None:
    from ministack.services import kinesis

    found = kinesis._resolve_stream_by_arn(stream_of(source))
    return found if found and found.get("StreamStatus") == "ACTIVE" else None


def _sequence(record: Record) -> int:
    return int(record["SequenceNumber"])


def _find(raw: Sequence[Record], told: Record) -> Record:
    return next(each for each in raw if each["SequenceNumber"] == told["kinesis"]["sequenceNumber"])


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
