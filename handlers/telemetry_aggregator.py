"""Kinesis stream of telemetry -> state table: a row per device, metric and minute with count, sum,
minimum and maximum of what was measured.

A measurement is `{"device", "metric", "value", "at"}`; without `at` it is of when AWS IoT received
it, or Kinesis. It counts once, however often it arrives: a row knows the last sequence number it
has counted of each partition key, and Kinesis keeps the order of a key. A record that is no
measurement fails after all others of its batch are counted; what repeats it counts nothing twice,
until the stream gives it to the failures queue.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from common import aws, logs, records, state, warming
from common.deadline import Deadline

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_HIGHEST = Decimal(10) ** 15
_STEP = Decimal("1e-9")  # sums stay far below the 38 digits of a DynamoDB number
_SEQUENCE_DIGITS = 56
_LIFETIME = 30 * 86_400  # seconds after its minute that a row is kept
_MOST_KEYS = 500  # partition keys of one row, which may have 400 KB

aws.prepare("dynamodb")


class Measurement(NamedTuple):
    """A value, and the record it came with."""

    row: str
    minute: datetime
    value: Decimal
    key: str
    sequence: str


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The first record that was not counted, for ReportBatchItemFailures."""
    logs.begin(context, event)
    batch = records.of(event, "aws:kinesis")
    failed: list[str] = []
    rows = _rows(batch, failed)
    deadline = Deadline(context)
    for position, measurements in enumerate(rows.values()):
        try:
            if position:
                deadline.check()
            _count(measurements)
        except Exception as error:
            logs.error("measurements not counted", cause=error, measurements=len(measurements))
            failed += [measurement.sequence for measurement in measurements]
    logs.info("batch counted", records=len(batch), rows=len(rows), failed=len(failed))
    first = min(failed, key=_ordinal, default="")
    return records.outcome(event, first)


def _rows(batch: list[dict[str, Any]], failed: list[str]) -> dict[str, list[Measurement]]:
    """The measurements of a batch by their row; what is none goes to `failed`."""
    rows: dict[str, list[Measurement]] = {}
    for record in batch:
        try:
            measurement = read(record["kinesis"])
        except Exception as error:
            # Without a sequence number there is nothing to name: the exception then fails the whole
            # batch.
            failed.append(record["kinesis"]["sequenceNumber"])
            logs.error("not a measurement", reason=str(error), eventId=str(record.get("eventID")))
        else:
            rows.setdefault(measurement.row, []).append(measurement)
    return rows


def read(record: dict[str, Any]) -> Measurement:
    """The measurement of a record's `kinesis` part. Raises ValueError that says what is wrong."""
    content = _content(record["data"])
    device, metric = _name(content, "device"), _name(content, "metric")
    minute = _taken(content, record).replace(second=0, microsecond=0)
    row = f"telemetry#{device}#{metric}#{minute:%Y-%m-%dT%H:%MZ}"
    value = _value(content.get("value"))
    return Measurement(row, minute, value, str(record["partitionKey"]), record["sequenceNumber"])


def _content(data: str) -> dict[str, Any]:
    try:
        content = json.loads(
            base64.b64decode(data, validate=True), parse_float=Decimal, parse_int=Decimal
        )
    except (ValueError, RecursionError, InvalidOperation):
        # The parser's own exception carries the whole text.
        raise ValueError("the record is not JSON") from None
    if not isinstance(content, dict):
        raise ValueError("the record is not a JSON object")  # noqa: TRY004 - a fault of its content
    return content


def _name(content: dict[str, Any], member: str) -> str:
    name = content.get(member)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{member} is not 1 to 64 of A-Z a-z 0-9 . _ : -")
    return name


def _value(value: object) -> Decimal:
    if not isinstance(value, Decimal) or not value.is_finite() or abs(value) > _HIGHEST:
        raise ValueError("value is not a number of at most 10^15")
    return value.quantize(_STEP)


def _taken(content: dict[str, Any], record: dict[str, Any]) -> datetime:
    """When it was measured, as well as anybody says: the device (`at`), the IoT rule (`received`,
    milliseconds since 1970), or Kinesis, whose timestamp of a record stays the same for ever.
    """
    if "at" in content:
        return _moment(content["at"])
    if "received" in content:
        received = content["received"]
        try:
            return _moment(received / 1000 if isinstance(received, Decimal) else None)
        except ValueError:
            raise ValueError("received is not milliseconds since 1970") from None
    return datetime.fromtimestamp(record["approximateArrivalTimestamp"], UTC)


def _moment(value: object) -> datetime:
    """An instant, from RFC 3339 text or from seconds since 1970."""
    try:
        if isinstance(value, Decimal):
            return datetime.fromtimestamp(float(value), UTC)
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError("at is neither an instant with its time zone nor seconds since 1970")


def _count(measurements: list[Measurement]) -> None:
    """Add to one row those of its measurements that it has not counted yet."""
    state.amend(measurements[0].row, lambda row: counted(row, measurements))


def counted(row: dict[str, Any], measurements: list[Measurement]) -> dict[str, Any] | None:
    """The row with these measurements in it, as DynamoDB attributes; None when it has them all."""
    seen = {key: last["S"] for key, last in row.get("lastSequence", {"M": {}})["M"].items()}
    values: list[Decimal] = []
    for measurement in sorted(measurements, key=lambda one: _ordinal(one.sequence)):
        ordinal = _ordinal(measurement.sequence)
        if ordinal > seen.get(measurement.key, ""):
            seen[measurement.key] = ordinal
            values.append(measurement.value)
    if not values:
        return None
    if len(seen) > _MOST_KEYS:
        raise ValueError(f"a row's measurements come by more than {_MOST_KEYS} partition keys")
    known = [Decimal(row[name]["N"]) for name in ("min", "max") if name in row]
    device, metric, _ = measurements[0].row.removeprefix("telemetry#").split("#")
    minute = measurements[0].minute
    return {
        "device": {"S": device},
        "metric": {"S": metric},
        "minute": {"S": f"{minute:%Y-%m-%dT%H:%M:00Z}"},
        "count": _number(Decimal(row.get("count", {"N": "0"})["N"]) + len(values)),
        "sum": _number(Decimal(row.get("sum", {"N": "0"})["N"]) + sum(values)),
        "min": _number(min([*values, *known])),
        "max": _number(max([*values, *known])),
        "lastSequence": {"M": {key: {"S": last} for key, last in seen.items()}},
        "expiresAt": {"N": str(int(minute.timestamp()) + _LIFETIME)},
    }


def _ordinal(sequence: str) -> str:
    """A sequence number such that text compares as numbers do."""
    return sequence.zfill(_SEQUENCE_DIGITS)


def _number(number: Decimal) -> dict[str, str]:
    return {"N": f"{number.normalize():f}"}
