"""Errors of one kind are one row, each line counted once."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import error_collector
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from common import logs
from common.records import ForeignEventError
from tests.handlers.fakes import AwsError
from tests.handlers.state_table import StateTable

_GROUP = "/aws/lambda/sandpiper-dev-order-processor"


@pytest.fixture
def table(aws: Any, monkeypatch: pytest.MonkeyPatch) -> StateTable:
    monkeypatch.setenv("STATE_TABLE", "state")
    return StateTable(aws)


def _line(message: str = "order 7 failed", number: int = 1, **members: Any) -> dict[str, Any]:
    content = {
        "level": "ERROR",
        "message": "order not processed",
        "function": "order-processor",
        "requestId": f"request-{number}",
        "error": {"type": "ValueError", "message": message},
    }
    return {
        "id": str(number),
        "timestamp": 1763943010000 + number,
        "message": json.dumps(content | members),
    }


def _delivered(*lines: Any, group: str = _GROUP, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    content = {
        "messageType": kind,
        "owner": "123456789012",
        "logGroup": group,
        "logStream": "2025/11/24/[3]a1b2",
        "subscriptionFilters": ["errors"],
        "logEvents": list(lines),
    }
    packed = gzip.compress(json.dumps(content).encode())
    return {"awslogs": {"data": base64.b64encode(packed).decode()}}


def _only(table: StateTable) -> dict[str, Any]:
    (row,) = table.rows.values()
    return row


def test_lines_of_one_kind_are_one_row_however_often_they_are_delivered(
    context: Any, table: StateTable
) -> None:
    event = _delivered(_line("order 7 failed", 1), _line("order 8 failed", 2))
    for _ in range(3):
        answer = error_collector.handler(event, context)
        assert answer == {"lines": 2, "incidents": 1}
    row = _only(table)
    assert row["count"] == {"N": "2"}
    assert (row["function"], row["errorType"]) == ({"S": "order-processor"}, {"S": "ValueError"})
    assert row["shape"] == {"S": "order <n> failed"}
    assert (row["firstSeen"], row["lastSeen"]) == (
        {"S": "2025-11-24T00:10:10.001Z"},
        {"S": "2025-11-24T00:10:10.002Z"},
    )
    assert row["requestId"] == {"S": "request-2"}
    assert row["id"]["S"].startswith("incident#")


def test_a_later_delivery_counts_on_and_an_older_one_keeps_what_was_seen_last(
    context: Any, table: StateTable
) -> None:
    for number in (5, 9, 2):
        error_collector.handler(_delivered(_line(number=number)), context)
    row = _only(table)
    assert row["count"] == {"N": "3"}
    assert row["firstSeen"]["S"].endswith("10.002Z")
    assert row["lastSeen"]["S"].endswith("10.009Z")


def test_functions_types_and_texts_are_kinds_of_their_own(context: Any, table: StateTable) -> None:
    lines = [
        _line(),
        _line(function="image-processor"),
        _line(error={"type": "KeyError", "message": "order 7 failed"}),
        _line("another text"),
    ]
    assert error_collector.handler(_delivered(*lines), context)["incidents"] == 4
    assert len(table.rows) == 4


def test_the_lines_of_lambdas_own_runtime_are_understood() -> None:
    content = {"level": "ERROR", "errorType": "Runtime.ExitError", "errorMessage": "exit 1"}
    incident = error_collector.read({"message": json.dumps(content), "timestamp": 1}, _GROUP)
    assert incident[:3] == ("sandpiper-dev-order-processor", "Runtime.ExitError", "exit <n>")


def test_what_our_logger_writes_is_understood(context: Any, lines: Any) -> None:
    logs.begin(context)
    logs.error("order not processed", cause=ValueError("order 7 failed"))
    (line,) = lines()
    incident = error_collector.read({"message": json.dumps(line), "timestamp": 1}, _GROUP)
    assert (incident.kind, incident.shape) == ("ValueError", "order <n> failed")
    assert incident.request_id == context.aws_request_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("object 'a.jpg' is gone", "object 'b/c.jpg' is gone"),
        ("id 7b1f0f3e-0000-4000-8000-000000000001", "id 019b2f5e-7a3c-7d21-9c4e-2f6a8b1c3d5e"),
        ("no a@example.com here", "no b.c@example.org here"),
        ("arn:aws:sqs:us-west-2:1:a refused", "arn:aws:sqs:us-west-2:1:b refused"),
        ("took 1.25 s", "took 30 s"),
        ("token ABCDEFGHIJK9LMN", "token 0BCDEFGHIJKLMNOP"),
    ],
)
def test_what_differs_each_time_is_no_part_of_the_shape(one: str, other: str) -> None:
    assert error_collector.shape(one) == error_collector.shape(other)
    assert "example." not in error_collector.shape(one)


def test_own_lines_are_neither_collected_nor_an_error(
    context: Any, table: StateTable, monkeypatch: pytest.MonkeyPatch, lines: Any
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", _GROUP)
    assert error_collector.handler(_delivered(_line()), context)["lines"] == 0
    assert table.rows == {}
    assert [line["level"] for line in lines()] == ["WARN"]


def test_a_control_message_is_no_incident(context: Any, table: StateTable) -> None:
    event = _delivered(_line(), kind="CONTROL_MESSAGE")
    assert error_collector.handler(event, context) == {"lines": 0, "incidents": 0}
    assert table.rows == {}


def test_a_row_that_cannot_be_written_fails_the_delivery_after_the_others(
    context: Any, aws: Any, table: StateTable
) -> None:
    put = aws.answers["PutItem"]
    refused = error_collector.read(_line(), _GROUP).key

    def refusing(call: dict[str, Any]) -> dict[str, Any]:
        if call["Item"]["id"]["S"] == refused:
            raise AwsError("ProvisionedThroughputExceededException")
        return put(call)

    aws.on("PutItem", refusing)
    event = _delivered(_line(), _line("another text"))
    with pytest.raises(ClientError):
        error_collector.handler(event, context)
    aws.on("PutItem", put)
    error_collector.handler(event, context)
    assert [row["count"]["N"] for row in table.rows.values()] == ["1", "1"]


def test_an_event_of_another_source_is_refused(event: Any, context: Any, table: Any) -> None:
    with pytest.raises(ForeignEventError):
        error_collector.handler(event("sqs_notifications"), context)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(_JSON | st.fixed_dictionaries({"message": _JSON.map(json.dumps), "timestamp": _JSON}))
def test_any_line_is_an_incident_of_bounded_size(line: Any) -> None:
    incident = error_collector.read(line, _GROUP)
    row = error_collector.counted({}, [incident], "d")
    assert row is not None
    assert all(len(part["S"]) <= 300 for part in row.values() if "S" in part)


@given(st.text(max_size=3000))
def test_a_shape_is_found_in_no_time_and_is_short(text: str) -> None:
    assert len(error_collector.shape(text)) <= 300


def test_an_incident_names_the_latest_of_the_requests_that_met_it_and_all_find_it(
    context: Any, table: StateTable, lines: Any
) -> None:
    named = [_line(number=number, correlation_id=f"r-{number}") for number in (1, 3, 2)]
    event = _delivered(*named, _line(number=0), _line(number=4, correlation_id="a b"))
    error_collector.handler(event, context)
    row = _only(table)
    assert "correlationId" not in row  # the latest line has none that counts
    error_collector.handler(_delivered(*named), context)
    assert _only(table)["correlationId"] == {"S": "r-3"}
    logged = [line for line in lines() if line["message"] == "incident recorded"]
    assert [line["correlation_id"] for line in logged] == ["r-1", "r-2", "r-3"] * 2


def test_metrics_are_no_errors_though_their_level_may_say_so(
    context: Any, table: StateTable
) -> None:
    event = _delivered(_line("7 metrics", _aws={"Timestamp": 1}, Orders=1), _line())
    assert error_collector.handler(event, context) == {"lines": 2, "incidents": 1}
    assert _only(table)["count"] == {"N": "1"}
