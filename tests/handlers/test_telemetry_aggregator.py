"""Measurements count once each, whatever arrives again, and whatever arrives that is none."""

from __future__ import annotations

import base64
import json
import random
from decimal import Decimal
from typing import Any

import pytest
import telemetry_aggregator
from hypothesis import given
from hypothesis import strategies as st

from common.records import ForeignEventError
from tests.handlers.conftest import Context, load
from tests.handlers.fakes import AwsError
from tests.handlers.state_table import StateTable

_DONE: dict[str, Any] = {"batchItemFailures": []}
_ROW = "telemetry#station-1#temperature#2025-11-24T00:10Z"


@pytest.fixture
def table(aws: Any, monkeypatch: pytest.MonkeyPatch) -> StateTable:
    monkeypatch.setenv("STATE_TABLE", "state")
    return StateTable(aws)


def _batch(*contents: object, keys: str = "") -> dict[str, Any]:
    """A batch whose records have the sequence numbers 1001, 1002 ..."""
    batch = load("kinesis_telemetry")
    pattern = batch["Records"][0]
    batch["Records"] = []
    for number, content in enumerate(contents, 1001):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        kinesis = pattern["kinesis"] | {
            "data": base64.b64encode(data).decode(),
            "sequenceNumber": str(number),
            "partitionKey": keys[number - 1001] if keys else "station-1",
        }
        batch["Records"].append(pattern | {"kinesis": kinesis})
    return batch


def _measured(value: object = 1, **members: Any) -> dict[str, Any]:
    at = "2025-11-24T00:10:10Z"
    return {"device": "station-1", "metric": "temperature", "value": value, "at": at} | members


def _undated(**members: Any) -> dict[str, Any]:
    """A measurement of a device without a clock."""
    return {name: value for name, value in _measured().items() if name != "at"} | members


def test_measurements_of_a_minute_are_one_row_however_often_they_arrive(
    event: Any, context: Any, table: StateTable
) -> None:
    for _ in range(3):
        assert telemetry_aggregator.handler(event("kinesis_telemetry"), context) == _DONE
    row = table.rows[_ROW]
    assert {name: row[name] for name in ("count", "sum", "min", "max")} == {
        "count": {"N": "2"},
        "sum": {"N": "18.5"},
        "min": {"N": "-3"},
        "max": {"N": "21.5"},
    }
    last = "49590338271490256608559692540925702759324208523137515618"
    assert row["lastSequence"] == {"M": {"station-1": {"S": last}}}
    assert row["minute"] == {"S": "2025-11-24T00:10:00Z"}
    assert len(table.rows) == 1


def test_devices_metrics_and_minutes_have_rows_of_their_own(
    context: Any, table: StateTable
) -> None:
    batch = _batch(
        _measured(),
        _measured(device="b"),
        _measured(metric="m"),
        _measured(at="2025-11-24T01:11:00+01:00"),
        _measured(at=1763943059),
    )
    assert telemetry_aggregator.handler(batch, context) == _DONE
    assert {key: row["count"]["N"] for key, row in table.rows.items()} == {
        _ROW: "2",
        _ROW.replace("station-1", "b"): "1",
        _ROW.replace("temperature", "m"): "1",
        _ROW.replace("00:10", "00:11"): "1",
    }


def test_without_a_moment_of_its_own_a_measurement_is_of_when_it_was_received(
    context: Any, table: StateTable
) -> None:
    batch = _batch(_undated(received=1763943061000), _undated(), _measured(received=1))
    # 00:10:10 and a bit, as Kinesis writes it down, which a record keeps when it is read again.
    batch["Records"][1]["kinesis"]["approximateArrivalTimestamp"] = 1763943010.123
    for _ in range(2):
        assert telemetry_aggregator.handler(batch, context) == _DONE
    assert {key: row["count"]["N"] for key, row in table.rows.items()} == {
        _ROW.replace("00:10", "00:11"): "1",
        _ROW: "2",
    }


def test_partition_keys_have_sequences_of_their_own(context: Any, table: StateTable) -> None:
    late = _batch(_measured(1), _measured(2), keys="ab")
    late["Records"][0]["kinesis"]["sequenceNumber"] = "2000"
    telemetry_aggregator.handler(late, context)
    assert table.rows[_ROW]["count"] == {"N": "2"}


@pytest.mark.parametrize(
    "poison",
    [
        b"not json",
        b"\xff",
        b"[" * 100_000,
        [],
        _measured("21.5"),
        _measured(True),
        _measured(None),
        _measured(float("nan")),
        _measured(1e16),
        _measured(device=""),
        _measured(device="a#b"),
        _measured(metric=7),
        _measured(at="2025-11-24T00:10:10"),
        _measured(at=1e300),
        _measured(at=None),
        _measured(at="", received=1763943010123),
        _undated(received="2025-11-24T00:10:10Z"),
        _undated(received=None),
        _undated(received=1e300),
        b'{"device": "a", "metric": "m", "at": 1, "value": 1e99999999999999999999}',
    ],
    ids=str,
)
def test_what_is_no_measurement_fails_after_the_others_were_counted(
    context: Any, table: StateTable, poison: Any
) -> None:
    batch = _batch(_measured(1), poison, _measured(2))
    failed = {"batchItemFailures": [{"itemIdentifier": "1002"}]}
    for _ in range(2):
        assert telemetry_aggregator.handler(batch, context) == failed
    assert table.rows[_ROW]["count"] == {"N": "2"}
    assert len(table.rows) == 1


def test_rows_that_cannot_be_written_are_tried_again_and_the_others_counted_once(
    context: Any, aws: Any, table: StateTable
) -> None:
    batch = _batch(_measured(1, device="a"), _measured(2, device="b"), _measured(3, device="a"))
    put = aws.answers["PutItem"]

    def refusing(call: dict[str, Any]) -> dict[str, Any]:
        if "#a#" in call["Item"]["id"]["S"]:
            raise AwsError("ProvisionedThroughputExceededException")
        return put(call)

    aws.on("PutItem", refusing)
    failed = {"batchItemFailures": [{"itemIdentifier": "1001"}]}
    assert telemetry_aggregator.handler(batch, context) == failed
    aws.on("PutItem", put)
    assert telemetry_aggregator.handler(batch, context) == _DONE
    assert sorted(row["count"]["N"] for row in table.rows.values()) == ["1", "2"]


def test_what_there_is_no_time_for_is_left(table: StateTable) -> None:
    batch = _batch(_measured(1, device="a"), _measured(2, device="b"))
    answer = telemetry_aggregator.handler(batch, Context(seconds=30, then=5))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1002"}]}


def test_a_row_takes_no_end_of_partition_keys() -> None:
    measured = [
        telemetry_aggregator.Measurement(
            _ROW, telemetry_aggregator._moment("2025-11-24T00:10:00Z"), Decimal(1), str(n), "1"
        )
        for n in range(501)
    ]
    with pytest.raises(ValueError, match="more than 500 partition keys"):
        telemetry_aggregator.counted({}, measured)


def test_records_of_another_source_are_refused(event: Any, context: Any, table: Any) -> None:
    with pytest.raises(ForeignEventError):
        telemetry_aggregator.handler(event("dynamodb_stream"), context)


@given(
    st.lists(st.integers(-(10**6), 10**6).map(lambda n: n / 100), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_any_cuts_and_repeats_of_a_stream_count_each_value_once(
    values: list[float], chance: random.Random
) -> None:
    records = _batch(*(_measured(value) for value in values))["Records"]
    row: dict[str, Any] = {}
    start = 0
    while start < len(records):
        # A batch begins where the last one ended, or earlier: what came before comes again.
        begin, end = chance.randint(0, start), chance.randint(start + 1, len(records))
        measured = [telemetry_aggregator.read(one["kinesis"]) for one in records[begin:end]]
        row = telemetry_aggregator.counted(row, measured) or row
        start = end
    exact = [Decimal(str(value)) for value in values]
    assert int(row["count"]["N"]) == len(values)
    assert Decimal(row["sum"]["N"]) == sum(exact)
    assert (Decimal(row["min"]["N"]), Decimal(row["max"]["N"])) == (min(exact), max(exact))
