"""What comes more than once, in the wrong order, or while a new version is put in place."""

from __future__ import annotations

import itertools
import json
import urllib.parse
from typing import Any

import pytest

from sandbox.box import Box
from tests.support.effects import Effects, eventually, item_row, order, unique
from tests.support.faults import AT, SOURCES

TOPICAL = "SQS", "SQS FIFO", "DynamoDB stream", "EventBridge"


def changed(box: Box, item_id: str) -> list[dict[str, Any]]:
    """The records of the items table's stream about one item, as functions get them."""
    arn = box.client("dynamodb").describe_table(TableName=box.outputs["itemsTable"])["Table"]
    streams, found = box.client("dynamodbstreams"), list[dict[str, Any]]()
    described = streams.describe_stream(StreamArn=arn["LatestStreamArn"])["StreamDescription"]
    for shard in described["Shards"]:
        at = streams.get_shard_iterator(
            StreamArn=arn["LatestStreamArn"],
            ShardId=shard["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        found += streams.get_records(ShardIterator=at)["Records"]
    own = [record for record in found if record["dynamodb"]["Keys"]["id"]["S"] == item_id]
    for record in own:
        moment = record["dynamodb"]["ApproximateCreationDateTime"]
        record["dynamodb"]["ApproximateCreationDateTime"] = int(moment.timestamp())
        record["eventSourceARN"] = arn["LatestStreamArn"]
    return own


@pytest.mark.parametrize("name", TOPICAL)
def test_what_comes_three_times_has_one_effect(box: Box, effects: Effects, name: str) -> None:
    source, mark = SOURCES[name], unique("m")
    source.prepare(effects, mark)
    source.cause(effects, mark)
    eventually(lambda: source.count(effects, mark))
    for _ in range(2):
        match name:
            case "DynamoDB stream":
                event = {"Records": changed(box, mark)}
                assert box.invoke(source.function, event).payload == {"batchItemFailures": []}
            case "EventBridge":
                assert box.invoke(source.function, announced(effects, mark)).error is None
            case _:
                source.cause(effects, mark)
    later = unique("m")
    source.prepare(effects, later)
    source.cause(effects, later)
    eventually(lambda: source.count(effects, later))
    assert source.count(effects, mark) == 1


def announced(effects: Effects, mark: str) -> dict[str, Any]:
    """The event of which an audit row tells, as the rule's target gets it."""
    (row,) = effects.audited(f"order#{mark}")
    return {
        "id": row["eventId"]["S"],
        "time": row["changedAt"]["S"],
        "source": row["source"]["S"],
        "type": row["action"]["S"],
        "detail": {"orderId": mark},
    }


def test_changes_in_any_order_end_in_the_same_state(box: Box, effects: Effects) -> None:
    """Each comes in a group of its own, as if nothing kept them in order."""
    ways = list(itertools.permutations(("paid", "shipped", "delivered")))
    marks = {unique("o"): way for way in ways}
    box.send_sqs("orders", *[order(mark) for mark in marks])
    for mark in marks:
        eventually(lambda mark=mark: effects.placed(mark))
    for mark, way in marks.items():
        for state in way:
            ident = unique("e")
            change = {"id": ident, "type": f"order.{state}", "orderId": mark, "occurredAt": AT}
            box.send_sqs("order-events", change, group=ident, dedup=ident)
    for mark in marks:
        eventually(lambda mark=mark: _state(effects, mark) == "delivered")
    eventually(lambda: not effects.peek(box.outputs["orderEventsQueueUrl"]))
    assert {_state(effects, mark) for mark in marks} == {"delivered"}


def _state(effects: Effects, order_id: str) -> str:
    return (effects.row("ordersTable", orderId=order_id) or {})["state"]["S"]


def test_an_older_change_of_an_item_takes_its_own_place(box: Box, effects: Effects) -> None:
    mark = unique("m")
    for version in (1, 2):
        item = item_row(mark, version=version)
        box.client("dynamodb").put_item(TableName=box.outputs["itemsTable"], Item=item)
    before = eventually(lambda: rows if len(rows := effects.audited(mark)) == 2 else None)
    for record in reversed(changed(box, mark)):
        assert box.invoke("data-transformer", {"Records": [record]}).error is None
    assert effects.audited(mark) == before
    assert [row["version"]["N"] for row in before] == ["1", "2"]


def upload(effects: Effects, mark: str) -> dict[str, Any]:
    """The event of a picture that has been worked on, out of its own description."""
    source = SOURCES["S3"]
    source.cause(effects, mark)
    eventually(lambda: source.count(effects, mark))
    text = effects.stored("imagesBucket", f"metadata/{mark}.png.json")
    told = json.loads(text or b"{}")
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": told["uploadedAt"],
        "s3": {
            "bucket": {"name": told["bucket"]},
            "object": {
                "key": urllib.parse.quote_plus(told["key"], safe="/"),
                "size": 1,
                "eTag": told["etag"],
                "versionId": told["versionId"],
                "sequencer": told["sequencer"],
            },
        },
    }


def versions(effects: Effects, mark: str) -> int:
    """How many objects have been written of a picture."""
    listed = effects.box.client("s3").list_object_versions(
        Bucket=effects.box.outputs["imagesBucket"]
    )
    return sum(mark in each["Key"] for each in listed["Versions"])


def test_an_upload_told_three_times_is_worked_on_once(box: Box, effects: Effects) -> None:
    mark = unique("m")
    record = upload(effects, mark)
    for _ in range(2):
        answer = box.invoke("image-processor", {"Records": [record]})
        assert answer.payload == {"written": 0, "removed": 0, "skipped": 1}
    assert versions(effects, mark) == 4


@pytest.mark.parametrize("name", ["ObjectCreated:Put", "ObjectRemoved:Delete"])
def test_an_older_upload_changes_nothing(box: Box, effects: Effects, name: str) -> None:
    mark = unique("m")
    record = upload(effects, mark)
    record["eventName"] = name
    told = record["s3"]["object"]
    older = f"{max(0, int(told['sequencer'], 16) - 1):X}".zfill(len(told["sequencer"]))
    told |= {"sequencer": older, "eTag": "0" * 32}
    answer = box.invoke("image-processor", {"Records": [record]})
    assert answer.payload == {"written": 0, "removed": 0, "skipped": 1}
    assert versions(effects, mark) == 4


def test_events_are_written_down_by_their_own_time(box: Box, effects: Effects) -> None:
    mark = unique("o")
    for hour in (12, 10, 11):
        event = {
            "id": unique("e"),
            "time": f"2026-01-31T{hour}:00:00Z",
            "source": "sandpiper.orders",
            "type": "Order Changed",
            "detail": {"orderId": mark},
        }
        assert box.invoke("audit-writer", event).error is None
    times = [row["changedAt"]["S"] for row in effects.audited(f"order#{mark}")]
    assert times == [f"2026-01-31T{hour}:00:00Z" for hour in (10, 11, 12)]


@pytest.mark.parametrize("name", SOURCES)
def test_a_new_version_during_work_loses_nothing(box: Box, effects: Effects, name: str) -> None:
    source, client = SOURCES[name], box.client("lambda")
    function = box.outputs["functions"][source.function]["name"]
    marks = [unique("m") for _ in range(6)]
    for mark in marks:
        source.prepare(effects, mark)
    for number, mark in enumerate(marks):
        source.cause(effects, mark)
        if number % 2:
            client.update_function_configuration(
                FunctionName=function, Description=f"version {mark}"
            )
            fresh = client.publish_version(FunctionName=function)["Version"]
            client.update_alias(FunctionName=function, Name="live", FunctionVersion=fresh)
    for mark in marks:
        eventually(lambda mark=mark: source.count(effects, mark), seconds=source.patience)
    assert [source.count(effects, mark) for mark in marks] == [1] * len(marks)
