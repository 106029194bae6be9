"""A report of a kind and day is written once, says what the table says, and is told with links that
lead there.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import report_generator
from botocore.exceptions import ClientError

from common import aws as common_aws
from common import ids, reports
from common.records import ForeignEventError
from tests.handlers.conftest import Context
from tests.handlers.fake_dynamodb import Tables
from tests.handlers.fakes import AwsError

_ZONE = ZoneInfo("America/New_York")
_COMPARED = {">=": lambda one, other: one >= other, "=": lambda one, other: one == other}


@pytest.fixture
def rows(aws: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """The rows of the tables; two are read by a call."""
    for name, value in {
        "ORDERS_TABLE": "orders",
        "STATE_TABLE": "state",
        "REPORTS_BUCKET": "reports-bucket",
        "REPORTS_TOPIC_ARN": "arn:aws:sns:us-west-2:123456789012:reports",
        "TIMEZONE": "America/New_York",
        "LINK_SECONDS": "600",
    }.items():
        monkeypatch.setenv(name, value)
    held: dict[str, list[dict[str, Any]]] = {"orders": [], "items": []}
    Tables(aws, state="id")

    def read(call: dict[str, Any]) -> dict[str, Any]:
        table = held[call["TableName"]]
        by_index = call.get("IndexName") == "by-collection"
        assert by_index is (call["TableName"] == "items")
        names, values = call["ExpressionAttributeNames"], call["ExpressionAttributeValues"]
        left, comparison, right = call[
            "KeyConditionExpression" if by_index else "FilterExpression"
        ].split()
        shown = [names[name] for name in call["ProjectionExpression"].split(", ")]
        assert set(names) == {left, *call["ProjectionExpression"].split(", ")}
        start = int(call.get("ExclusiveStartKey", {}).get("at", {}).get("N", "0"))
        found = [
            {name: row[name] for name in shown if name in row}
            for row in table[start : start + 2]
            if _COMPARED[comparison](row[names[left]]["S"], values[right]["S"])
        ]
        more = {"LastEvaluatedKey": {"at": {"N": str(start + 2)}}}
        return {"Items": found} | (more if start + 2 < len(table) else {})

    aws.on("Scan", read)
    aws.on("Query", read)
    aws.on("Publish", lambda _: {"MessageId": "m"})
    aws.on("PutObject", lambda _: {})
    return held


@pytest.fixture
def run(context: Any) -> Any:
    """Run the schedule's function for a report."""

    def start(report_type: str = "orders", format_: str = "both") -> dict[str, Any]:
        asked = {"report_type": report_type, "format": format_}
        return report_generator.handler(asked, context)

    return start


def _order(number: int = 1, *, days: float = 1, **members: Any) -> dict[str, Any]:
    placed = datetime.now(_ZONE) - timedelta(days=days)
    plain = {"orderId": f"o-{number}", "state": "placed", "confirmation": "sent"}
    row = {name: {"S": value} for name, value in plain.items()}
    row |= {"placedAt": {"S": ids.instant(placed.timestamp())}, "total": {"N": "19.9"}}
    return row | {"customerEmail": {"S": "a@example.com"}} | members


def _written(aws: Any) -> dict[str, bytes]:
    puts = [call for name, call in aws.calls if name == "PutObject"]
    return {call["Key"]: call["Body"].getvalue() for call in puts}


def _csv(aws: Any) -> list[list[str]]:
    (content,) = [body for key, body in _written(aws).items() if key.endswith(".csv")]
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_weeks_orders_are_written_told_and_not_written_again(
    aws: Any, run: Any, rows: Any
) -> None:
    rows["orders"] += [_order(1, days=3), _order(2, days=1), _order(3, days=9), _order(4, days=0)]
    today = f"{datetime.now(_ZONE):%Y-%m-%d}"
    answers = [run() for _ in range(3)]
    expected = {
        "report_type": "orders",
        "date": today,
        "rows": 3,
        "keys": [f"reports/orders/{today}.csv", f"reports/orders/{today}.pdf"],
    }
    assert answers == [expected] * 3
    assert sorted(_written(aws)) == expected["keys"]
    assert aws.names().count("PutObject") == 2
    assert aws.names().count("Publish") == 1
    header, *lines = _csv(aws)
    assert header == ["orderId", "placedAt", "state", "confirmation", "total"]
    assert [line[0] for line in lines] == ["o-1", "o-2", "o-4"]
    assert lines[0][-1] == "19.90"
    assert "a@example.com" not in str(_written(aws))


def test_the_topic_gets_links_that_lead_to_the_files(aws: Any, run: Any, rows: Any) -> None:
    run()
    (told,) = [call for name, call in aws.calls if name == "Publish"]
    message = json.loads(told["Message"])
    assert (message["event"], message["reportType"], message["rows"]) == (
        "ReportReady",
        "orders",
        0,
    )
    assert told["MessageAttributes"]["event"]["StringValue"] == "ReportReady"
    for suffix, link in message["links"].items():
        place = f"/reports/orders/{message['date']}.{suffix}"
        assert urlsplit(link).path.endswith(place)


def test_a_link_names_the_region_and_is_signed_as_encrypted_objects_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setenv("REPORTS_BUCKET", "reports-bucket")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    common_aws._session.cache_clear()
    link = urlsplit(report_generator._link("reports/orders/2026-01-05.csv", 600))
    common_aws._session.cache_clear()
    assert link.netloc == "reports-bucket.s3.us-west-2.amazonaws.com"
    signed = parse_qs(link.query)
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert signed["X-Amz-Expires"] == ["600"]


def test_items_are_all_that_is_in_stock(aws: Any, run: Any, rows: Any) -> None:
    item = {
        "id": {"S": "a"},
        "collection": {"S": "items"},
        "name": {"S": '=HYPERLINK("https://example.com")'},
        "price": {"N": "5"},
        "version": {"N": "2"},
        "updatedAt": {"S": "2025-01-01T00:00:00.000Z"},
    }
    request = {"id": {"S": "request#1"}, "collection": {"S": ""}}
    rows["items"] += [item, request]
    assert run("items", "csv")["rows"] == 1
    _, line = _csv(aws)
    assert line == [
        "a",
        '\'=HYPERLINK("https://example.com")',
        "2025-01-01T00:00:00.000Z",
        "2",
        "5.00",
    ]


@pytest.mark.parametrize(("format_", "suffixes"), [("csv", "csv"), ("pdf", "pdf")])
def test_only_the_format_that_is_asked_for_is_written(
    aws: Any, run: Any, rows: Any, format_: str, suffixes: str
) -> None:
    run("orders", format_)
    (key,) = _written(aws)
    assert key.endswith(f".{suffixes}")


@pytest.mark.parametrize(
    "wrong",
    [{}, {"report_type": "users"}, {"report_type": "orders", "format": "xlsx"}, {"format": "csv"}],
)
def test_an_input_that_asks_for_no_report_is_an_error(
    context: Any, aws: Any, rows: Any, wrong: Any
) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        report_generator.handler(wrong, context)
    assert aws.calls == []


def test_what_no_schedule_sends_is_refused(event: Any, context: Any, aws: Any, rows: Any) -> None:
    with pytest.raises(ForeignEventError):
        report_generator.handler(event("sqs_notifications"), context)
    assert aws.calls == []


@pytest.mark.parametrize("failing", ["Scan", "PutObject", "Publish"])
def test_a_report_that_failed_is_written_by_the_next_attempt(
    aws: Any, run: Any, rows: Any, failing: str
) -> None:
    answer = aws.answers[failing]
    aws.fail(failing, AwsError("ServiceUnavailable", status=503))
    with pytest.raises(ClientError):
        run()
    aws.on(failing, answer)
    assert len(run()["keys"]) == 2
    assert aws.names()[-2:] == ["Publish", "UpdateItem"]


def test_a_table_that_cannot_be_read_in_time_is_an_error(aws: Any, rows: Any) -> None:
    rows["orders"] += [_order(number) for number in range(9)]
    with pytest.raises(TimeoutError, match="too large"):
        report_generator.handler({"report_type": "orders"}, Context(seconds=120, then=3))
    assert _written(aws) == {}


def test_the_day_is_the_one_of_the_time_zone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York"):
        monkeypatch.setenv("TIMEZONE", zone)
        wanted = report_generator.read({"report_type": "orders"})
        assert wanted.date == f"{datetime.now(ZoneInfo(zone)):%Y-%m-%d}"
        assert (wanted.day.hour, wanted.format) == (0, "both")


def test_the_summary_leaves_out_what_was_cancelled() -> None:
    rows = [("o-1", "", "placed", "sent", "1000.50"), ("o-2", "", "cancelled", "sent", "7.00")]
    summary = reports.KINDS["orders"].summary(rows)
    assert summary == "2 orders, 1 cancelled; total of the others 1,000.50"


def test_a_report_counts_once_and_is_told_with_its_invocation(
    aws: Any, run: Any, rows: Any, context: Any, measured: Any, daemon: Any
) -> None:
    rows["orders"].append(_order())
    for _ in range(2):
        run()
    assert measured() == {"ReportsMade": 1}
    ((_, call),) = [call for call in aws.calls if call[0] == "Publish"]
    named = {"event": "ReportReady", "correlationId": context.aws_request_id}
    assert call["MessageAttributes"] == {
        name: {"DataType": "String", "StringValue": value} for name, value in named.items()
    }
    steps = daemon.steps()
    assert steps["read rows"]["rows"] == 1
    assert (steps["render report"]["kind"], steps["render report"]["format"]) == ("orders", "pdf")
