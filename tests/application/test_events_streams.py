"""Changes of the items table and measurements of devices start functions, batch by batch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from sandbox.box import Box
from tests.support.effects import Effects, eventually, item_row, unique

NewItem = Callable[..., dict[str, Any]]
AT = "2026-11-01T10:00:30Z"


def test_changes_of_an_item_reach_table_and_bus_once_and_in_order(
    box: Box, effects: Effects, new_item: NewItem
) -> None:
    inbox = effects.listening({"source": ["sandpiper.items"]})
    item = new_item(name="audited")
    path, token = f"/items/{item['id']}", box.token()
    changed = {"name": "audited twice", "price": 2}
    assert box.http.put(path, token=token, json=changed, headers={"If-Match": "*"}).status == 200
    assert box.http.delete(path, token=token).status == 204
    rows = eventually(lambda: r if len(r := effects.audited(item["id"])) >= 3 else None)
    assert [row["action"]["S"] for row in rows] == ["INSERT", "MODIFY", "REMOVE"]
    assert "before" not in rows[0]
    assert rows[1]["changes"]["M"]["name"]["M"] == {
        "old": {"S": "audited"},
        "new": {"S": "audited twice"},
    }
    assert "after" not in rows[2]
    events = eventually(lambda: e if len(e := of_item(effects, inbox, item["id"])) >= 3 else None)
    assert [event["detail-type"] for event in events] == [
        "Item Created",
        "Item Changed",
        "Item Removed",
    ]
    assert [event["detail"]["version"] for event in events] == [1, 2, 2]


def of_item(effects: Effects, inbox: str, item_id: str) -> list[dict[str, Any]]:
    """The events about an item, as the bus told them."""
    events = [json.loads(text) for text in effects.peek(inbox)]
    return [event for event in events if event["detail"]["id"] == item_id]


def put_row(box: Box, row: dict[str, Any]) -> None:
    """Write a row of the items table past the API."""
    box.client("dynamodb").put_item(TableName=box.outputs["itemsTable"], Item=row)


def test_rows_that_are_no_items_start_nothing(
    box: Box, effects: Effects, new_item: NewItem
) -> None:
    started = time.time()
    other = unique("row")
    put_row(box, {"id": {"S": other}, "version": {"N": "1"}})
    later = new_item(name="later")["id"]
    eventually(lambda: effects.audited(later))
    assert effects.audited(other) == []
    # A function's lines come when it has ended.
    assert eventually(lambda: recorded(box, started)) == 1


def recorded(box: Box, since: float) -> int:
    """How many changes data-transformer says that it has recorded."""
    lines = [line for line in box.logs("data-transformer", since) if "recorded" in line]
    return sum(line["recorded"] for line in lines)


def test_a_change_that_fails_is_halved_out_and_its_batch_can_be_replayed(
    box: Box, effects: Effects, new_item: NewItem
) -> None:
    """The bad one of a batch ends in the failures queue, the shard moves on, and a redrive reads it from the stream."""
    bad = unique("bad")

    fault = box.fault(
        "data-transformer", "exit", before="dynamodb:PutItem", request=bad, times=None
    )
    with fault:
        for ident in (unique("good"), bad, last := unique("good")):
            put_row(box, item_row(ident))
        (letter,) = eventually(lambda: batches(box, "data-transformer"), seconds=30)
        eventually(lambda: effects.audited(last))
    assert effects.audited(bad) == []
    info = json.loads(letter.body)["DDBStreamBatchInfo"]
    assert info["batchSize"] == 1
    assert letter.condition == "RetryAttemptsExhausted"
    assert box.redrive("events-failures").moved >= 1
    assert len(eventually(lambda: effects.audited(bad))) == 1
    assert batches(box, "data-transformer") == []


def batches(box: Box, function: str) -> list[Any]:
    """The letters about batches of a stream that a function did not do."""
    found = box.dead_letters("events-failures")
    return [letter for letter in found if (letter.kind, letter.source) == ("batch", function)]


def measured(effects: Effects, device: str) -> dict[str, str]:
    """Count, sum, minimum and maximum of a device's minute."""
    rows = effects.rows("stateTable", "id", f"telemetry#{device}#")
    return {n: rows[0][n]["N"] for n in ("count", "sum", "min", "max")} if rows else {}


def test_measurements_are_added_up_by_the_minute_once(box: Box, effects: Effects) -> None:
    device = unique("d")
    for value in (1.5, 2.5, 0.5):
        box.send_kinesis({"device": device, "metric": "t", "value": value, "at": AT}, key=device)
    eventually(lambda: measured(effects, device).get("count") == "3")
    assert measured(effects, device) == {"count": "3", "sum": "4.5", "min": "0.5", "max": "2.5"}


def test_what_is_no_measurement_is_named_and_the_shard_moves_on(box: Box, effects: Effects) -> None:
    device = unique("d")
    for value in (1, "much", 3):
        box.send_kinesis({"device": device, "metric": "t", "value": value, "at": AT}, key=device)
    (letter,) = eventually(lambda: batches(box, "telemetry-aggregator"), seconds=30)
    eventually(lambda: measured(effects, device).get("count") == "2")
    info = json.loads(letter.body)["KinesisBatchInfo"]
    assert info["batchSize"] == 1
    stays = box.redrive("events-failures").kept
    assert "1 of 1 records failed again" in stays[letter.id]
    assert measured(effects, device) == {"count": "2", "sum": "4", "min": "1", "max": "3"}
    purge(box)


def purge(box: Box) -> None:
    """What no replay can mend is thrown away."""
    box.client("sqs").purge_queue(QueueUrl=box.outputs["failuresQueueUrl"])


def test_a_batch_that_failed_by_no_fault_of_its_own_counts_once_after_a_redrive(
    box: Box, effects: Effects
) -> None:
    device = unique("d")
    with box.fault("telemetry-aggregator", "unavailable", before="dynamodb:GetItem", times=None):
        box.send_kinesis({"device": device, "metric": "t", "value": 7, "at": AT}, key=device)
        eventually(lambda: batches(box, "telemetry-aggregator"), seconds=30)
    assert measured(effects, device) == {}
    assert box.redrive("events-failures").moved >= 1
    eventually(lambda: measured(effects, device))
    assert measured(effects, device)["count"] == "1"
