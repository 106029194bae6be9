"""Failing batches of a stream: retries end, batches are split, named records are tried again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.functions_support import archive, role, within
from tests.sandbox.services_support import Made, clients, make

READER = """
import json

def handler(event, context):
    marks = [r["dynamodb"]["Keys"]["id"]["S"] for r in event["Records"]]
    print("read", json.dumps(marks))
    bad = [r for r in event["Records"] if r["dynamodb"]["Keys"]["id"]["S"].startswith("bad")]
    if context.function_name.startswith("stream-fails") and bad:
        raise ValueError("poison")
    return {"batchItemFailures": [{"itemIdentifier": r["dynamodb"]["SequenceNumber"]} for r in bad]}
"""

Reader = Callable[..., "tuple[Callable[[], list[list[str]]], Made]"]


@pytest.fixture
def reader() -> Iterator[Reader]:
    """Makes a table, fills it, and lets a function read its stream: what it was handed, and the failure queue."""
    made: list[Made] = []

    def build(name: str, items: list[str], **inputs: Any) -> Any:
        table = make(
            "dynamodb/table:Table",
            name,
            billingMode="PAY_PER_REQUEST",
            hashKey="id",
            attributes=[{"name": "id", "type": "S"}],
            streamEnabled=True,
            streamViewType="KEYS_ONLY",
        )
        queue = make("sqs/queue:Queue", name)
        rights = role(name, {"Effect": "Allow", "Action": "*", "Resource": "*"})
        function = make(
            "lambda/function:Function",
            name,
            code=archive(READER),
            role=rights["arn"],
            runtime="python3.13",
            handler="main.handler",
        )
        put = clients().client("dynamodb").put_item
        for item in items:
            put(TableName=table["name"], Item={"id": {"S": item}})
        mapping = make(
            "lambda/eventSourceMapping:EventSourceMapping",
            name,
            eventSourceArn=table["streamArn"],
            functionName=function["arn"],
            startingPosition="TRIM_HORIZON",
            destinationConfig={"onFailure": {"destinationArn": queue["arn"]}},
            **inputs,
        )
        made.extend((mapping, function, table, queue))
        assert mapping.notes == []
        return lambda: _read(function["name"]), queue

    yield build
    for each in made:
        each.delete()


def _read(function: str) -> list[list[str]]:
    logs = clients().client("logs")
    group = f"/aws/lambda/{function}"
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return []
    events = logs.filter_log_events(logGroupName=group)["events"]
    events.sort(key=lambda event: event["timestamp"])
    said = (event["message"].partition("read ")[2] for event in events)
    return [json.loads(text) for text in said if text]


def _discarded(queue: Made) -> list[dict[str, Any]]:
    found = clients().client("sqs").receive_message(QueueUrl=queue.id, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def test_poison_batch_is_given_up_after_its_retries(reader: Reader) -> None:
    read, queue = reader("stream-fails-whole", ["bad", "good"], maximumRetryAttempts=1)
    (told,) = within(10, lambda: _discarded(queue))
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told["DDBStreamBatchInfo"]["batchSize"] == 2
    assert within(5, lambda: len(read()) == 2)
    assert read() == [["bad", "good"]] * 2


def test_batch_is_split_until_its_poison_record_stands_alone(reader: Reader) -> None:
    read, queue = reader(
        "stream-fails-split",
        ["a", "b", "bad", "c"],
        maximumRetryAttempts=0,
        bisectBatchOnFunctionError=True,
    )
    (told,) = within(10, lambda: _discarded(queue))
    assert told["DDBStreamBatchInfo"]["batchSize"] == 1
    assert within(5, lambda: read()[-1:] == [["c"]])
    assert read() == [["a", "b", "bad", "c"], ["a", "b"], ["bad", "c"], ["bad"], ["c"]]


def test_reading_goes_on_at_the_record_that_a_function_names(reader: Reader) -> None:
    read, queue = reader(
        "stream-names",
        ["a", "bad", "b"],
        maximumRetryAttempts=1,
        functionResponseTypes=["ReportBatchItemFailures"],
    )
    (told,) = within(10, lambda: _discarded(queue))
    assert told["DDBStreamBatchInfo"]["batchSize"] == 2
    assert within(5, lambda: len(read()) == 2)
    assert read() == [["a", "bad", "b"], ["bad", "b"]]


def test_answer_that_names_records_means_nothing_unless_it_is_asked_for(reader: Reader) -> None:
    read, queue = reader("stream-unasked", ["a", "bad"])
    assert within(10, lambda: read() == [["a", "bad"]])
    assert _discarded(queue) == []
