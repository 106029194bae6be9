"""One id from the first request to the last thing that it causes."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from common import bus, correlation, logs, mail, orders, queues, uploads

BROUGHT = {
    "an attribute of SQS": {
        "eventSource": "aws:sqs",
        "body": "{}",
        "messageAttributes": {"correlationId": {"stringValue": "c-1", "dataType": "String"}},
    },
    "SNS in SQS": {
        "eventSource": "aws:sqs",
        "messageId": "m-1",
        "body": json.dumps({"MessageAttributes": {"correlationId": {"Value": "c-1"}}}),
    },
    "an event in SQS": {
        "eventSource": "aws:sqs",
        "body": json.dumps({"detail": {"correlationId": "c-1"}}),
    },
    "a payload in SQS": {"eventSource": "aws:sqs", "body": '{"correlationId": "c-1"}'},
    "SNS": {
        "EventSource": "aws:sns",
        "Sns": {"MessageAttributes": {"correlationId": {"Type": "String", "Value": "c-1"}}},
    },
    "a row as it is": {
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "NewImage": {"correlationId": {"S": "c-1"}},
            "OldImage": {"correlationId": {"S": "before"}},
        },
    },
    "a row that was": {
        "eventSource": "aws:dynamodb",
        "dynamodb": {"OldImage": {"correlationId": {"S": "c-1"}}},
    },
}


@pytest.mark.parametrize("kind", BROUGHT)
def test_a_record_brings_its_id(kind: str) -> None:
    assert correlation.of_record(BROUGHT[kind]) == "c-1"


ODD: list[dict[str, Any]] = [
    {},
    {"eventSource": "aws:sqs", "body": None},
    {"eventSource": "aws:sqs", "body": '"correlationId"', "messageAttributes": []},
    {"eventSource": "aws:sqs", "body": '{"correlationId": 7'},
    {"eventSource": "aws:sqs", "body": '{"correlationId": "' + "[" * 100_000},
    {"eventSource": "aws:sqs", "body": "[" * 100_000 + '"correlationId"'},
    {"eventSource": "aws:sqs", "messageAttributes": {"correlationId": {"binaryValue": "YQ=="}}},
    {"eventSource": "aws:sqs", "messageAttributes": {"correlationId": {"stringValue": "a\nb"}}},
    {"EventSource": "aws:sns", "Sns": {"MessageAttributes": {"correlationId": "c-1"}}},
    {"eventSource": "aws:dynamodb", "dynamodb": {"NewImage": {"correlationId": {"N": "1"}}}},
    {"eventSource": "aws:dynamodb", "dynamodb": {"NewImage": {"correlationId": {"S": "a" * 129}}}},
    {"eventSource": "aws:kinesis", "kinesis": {"data": "e30="}},
    {"eventSource": "aws:s3", "s3": {}},
]


@pytest.mark.parametrize("record", ODD, ids=range(len(ODD)))
def test_a_record_that_brings_none_has_none(record: dict[str, Any]) -> None:
    assert correlation.of_record(record) == ""


def test_a_message_without_one_is_named_by_itself() -> None:
    record = {"eventSource": "aws:sqs", "messageId": "m-1", "body": "{}", "messageAttributes": {}}
    assert correlation.of_record(record) == "m-1"


@pytest.mark.parametrize(
    "event",
    [
        {"source": "sandpiper.orders", "detail": {"correlationId": "c-1"}},
        {"rows": [], "correlationId": "c-1"},
    ],
)
def test_an_event_begins_the_invocation_under_its_id(
    context: Any, lines: Any, event: dict[str, Any]
) -> None:
    logs.begin(context, event)
    logs.info("x")
    assert correlation.current() == lines()[0]["correlation_id"] == "c-1"


@pytest.mark.parametrize("event", [None, [], "text", {}, {"detail": None}, {"correlationId": 7}])
def test_without_one_it_is_the_invocations_own(context: Any, event: object) -> None:
    logs.begin(context, event)
    assert correlation.current() == context.aws_request_id


def test_outside_of_an_invocation_there_is_none_and_nothing_is_sent_along() -> None:
    assert correlation.current() == ""
    sent = (correlation.attributes(), correlation.row(), correlation.member())
    assert (*sent, correlation.metadata()) == ({}, {}, {}, {})


def test_what_is_sent_brings_it_back(context: Any) -> None:
    logs.begin(context, correlation_id="c-1")
    assert correlation.attributes() == {
        "correlationId": {"DataType": "String", "StringValue": "c-1"}
    }
    assert correlation.of_row(correlation.row()) == "c-1"
    assert correlation.of_event(correlation.member()) == "c-1"
    assert correlation.of_metadata(correlation.metadata()) == "c-1"
    assert correlation.of_metadata(None) == ""


def test_each_record_is_worked_on_under_its_own_id(context: Any) -> None:
    logs.begin(context)
    found = [correlation.current() for _ in correlation.each([BROUGHT["SNS"], {}])]
    assert found == ["c-1", context.aws_request_id]
    for _ in correlation.each([BROUGHT["SNS"]] * 2):
        break
    assert correlation.current() == context.aws_request_id


def _batch(*ids: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                **BROUGHT["an attribute of SQS"],
                "messageId": f"m-{name}",
                "messageAttributes": {"correlationId": {"stringValue": name}},
                "attributes": {"ApproximateReceiveCount": "1"},
            }
            for name in ids
        ]
    }


def test_lines_of_a_batchs_messages_carry_each_its_own(context: Any, lines: Any) -> None:
    def work(record: dict[str, Any]) -> None:
        logs.info("begun")
        if record["messageId"] == "m-b":
            raise queues.Poison("wrong")

    logs.begin(context)
    queues.each(_batch("a", "b"), context, work)
    found = [(line["message"], line["correlation_id"]) for line in lines()]
    assert found == [
        ("begun", "a"),
        ("begun", "b"),
        ("message refused", "b"),
        ("batch done", context.aws_request_id),
    ]


class _Thing:
    def __init__(self, name: str) -> None:
        self.correlation_id = name


def test_things_that_are_done_at_once_keep_theirs_in_every_thread(context: Any) -> None:
    things = [_Thing(f"c-{number}") for number in range(8)]
    together = threading.Barrier(len(things), timeout=10)

    def work(thing: _Thing) -> str:
        together.wait()
        return correlation.current()

    logs.begin(context)
    assert queues.at_once(work, things) == [thing.correlation_id for thing in things]
    # What has none belongs to whoever asked for it, in other threads too.
    with correlation.carried("caller"):
        assert queues.at_once(lambda _: correlation.current(), range(8)) == ["caller"] * 8


def test_events_of_the_bus_bring_it(context: Any) -> None:
    logs.begin(context, correlation_id="c-1")
    sent = bus.entry("sandpiper", "Item Changed", {"itemId": "i"})
    assert json.loads(sent["Detail"]) == {"correlationId": "c-1", "itemId": "i"}
    kept = bus.entry("sandpiper", "Item Changed", {"correlationId": "theirs"})
    assert json.loads(kept["Detail"]) == {"correlationId": "theirs"}


def test_rows_and_objects_bring_it(context: Any, aws: Any) -> None:
    logs.begin(context, correlation_id="c-1")
    assert orders.row(orders.Order("o-1", "a@example.com", ()))["correlationId"] == {"S": "c-1"}
    aws.on("PutObject", lambda _: {})
    upload = uploads.Upload("b", "uploads/a.jpg", "e", "v", "1", "")
    uploads.put(upload, b"", bucket="images", key="k", content_type="text/plain")
    ((_, asked),) = aws.calls
    assert asked["Metadata"] == {**upload.stamp(), "correlation-id": "c-1"}


@pytest.mark.parametrize(("given", "tagged"), [("c-1_A", True), ("a.b:c", False)])
def test_a_mail_is_tagged_where_ses_takes_it(
    context: Any, aws: Any, monkeypatch: pytest.MonkeyPatch, given: str, tagged: bool
) -> None:
    monkeypatch.setenv("MAIL_FROM_ADDRESS", "shop@example.com")
    aws.on("SendEmail", lambda _: {"MessageId": "m"})
    logs.begin(context, correlation_id=given)
    mail.send("a@example.com", subject="s", text="t")
    ((_, asked),) = aws.calls
    expected = [{"Name": "correlationId", "Value": given}] if tagged else None
    assert asked.get("Tags") == expected
