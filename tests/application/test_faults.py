"""Faults at every source: environments that end at a chosen call, services that refuse or do not answer.

Whatever happens, an effect is there at last, once, and nothing of it is left in a dead-letter queue.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from policies import aws
from sandbox.box import Box
from sandbox.operations.injection import Fault
from tests.support.effects import Effects, eventually, unique
from tests.support.faults import MARK, SOURCES, Source
from tests.support.program import Run

OUTAGE_SECONDS = 300
QUEUES = ("notifications", "orders", "order-events", "events-failures")


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Source:
    """Each source in turn."""
    return SOURCES[request.param]


@pytest.fixture
def mark(source: Source, effects: Effects) -> str:
    """A name that all of it is known by; what must be there before the cause is there."""
    made = unique("m")
    source.prepare(effects, made)
    return made


def meet(box: Box, source: Source, mark: str, do: str, **at: Any) -> Fault:
    """The source's function meets a fault at its first call, or its `last`, `after` it or before."""
    call, held = at.pop("call", source.first)
    when = "after" if at.pop("after", False) else "before"
    return box.fault(source.function, do, request=held.replace(MARK, mark), **{when: call}, **at)


def settled(effects: Effects, source: Source, mark: str) -> None:
    """The effect is there, once, and nothing of it lies where dead letters do."""
    eventually(lambda: source.count(effects, mark), seconds=source.patience)
    assert source.count(effects, mark) == 1
    for queue in QUEUES:
        assert effects.letters(queue, mark) == [], queue


def test_without_a_fault_there_is_one_effect(effects: Effects, source: Source, mark: str) -> None:
    source.cause(effects, mark)
    settled(effects, source, mark)


def test_a_crash_after_the_first_write_leaves_one_effect(
    box: Box, effects: Effects, source: Source, mark: str
) -> None:
    with meet(box, source, mark, "exit", after=True) as fault:
        source.cause(effects, mark)
        settled(effects, source, mark)
        assert fault.fired == 1


def test_running_out_of_memory_before_the_first_write_leaves_one_effect(
    box: Box, effects: Effects, source: Source, mark: str
) -> None:
    with meet(box, source, mark, "kill") as fault:
        source.cause(effects, mark)
        settled(effects, source, mark)
        assert fault.fired == 1


def test_a_crash_between_two_writes_leaves_both_once(
    box: Box, effects: Effects, source: Source, mark: str
) -> None:
    with meet(box, source, mark, "exit", call=source.last) as fault:
        source.cause(effects, mark)
        settled(effects, source, mark)
        assert fault.fired == 1


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "SQS"])
def test_a_crash_after_the_last_write_repeats_nothing(
    box: Box, effects: Effects, name: str
) -> None:
    source, mark = SOURCES[name], unique("m")
    source.prepare(effects, mark)
    with meet(box, source, mark, "exit", call=source.last, after=True) as fault:
        source.cause(effects, mark)
        eventually(lambda: fault.fired)
        settled(effects, source, mark)


def test_a_crash_after_the_mail_leaves_one_order_and_at_most_one_mail_more(
    box: Box, effects: Effects
) -> None:
    """SES knows no key by which it would drop a second one; everything else is there once."""
    mark = unique("m")
    with box.fault("order-processor", before="dynamodb:UpdateItem", request=mark) as fault:
        SOURCES["SQS"].cause(effects, mark)
        mails = eventually(lambda: SOURCES["SQS"].count(effects, mark), seconds=25)
        assert (fault.fired, mails) == (1, 2)
    assert len(effects.rows("ordersTable", "orderId", mark)) == 1


@pytest.mark.parametrize("do", ["throttle", "unavailable", "unreachable"])
def test_a_service_that_refuses_is_asked_again(
    box: Box, effects: Effects, source: Source, mark: str, do: str
) -> None:
    with meet(box, source, mark, do) as fault:
        source.cause(effects, mark)
        settled(effects, source, mark)
        assert fault.fired == 1


def test_a_service_that_does_not_answer_is_asked_again(
    box: Box, effects: Effects, source: Source, mark: str
) -> None:
    """The write has happened, and nobody knows."""
    with meet(box, source, mark, "slow", after=True, seconds=30.0) as fault:
        source.cause(effects, mark)
        settled(effects, source, mark)
        assert fault.fired == 1


@pytest.mark.parametrize("function", ["order-processor", "order-tracker"])
def test_a_timeout_costs_one_receive_and_leaves_one_effect(
    box: Box, effects: Effects, function: str
) -> None:
    (source,) = [each for each in SOURCES.values() if each.function == function]
    mark = unique("m")
    source.prepare(effects, mark)
    with box.fault(function, "slow", before="handler", where=mark, seconds=20.0) as fault:
        source.cause(effects, mark)
        settled(effects, source, mark)
        assert fault.fired == 1


# What lasts longer.


def test_an_outage_leaves_orders_in_their_queue(box: Box, effects: Effects) -> None:
    """Scaled: it lasts three times as long as a message stays hidden, of eight that it may be received."""
    source, marks = SOURCES["SQS"], [unique("m") for _ in range(3)]
    with box.fault(source.function, "unavailable", before="dynamodb:*", times=None) as fault:
        for mark in marks:
            source.cause(effects, mark)
        eventually(lambda: fault.fired >= 3 * len(marks), seconds=40)
        assert effects.peek(box.outputs["ordersDeadLetterQueueUrl"]) == []
    for mark in marks:
        settled(effects, source, mark)


def test_every_queue_outlasts_an_outage_of_five_minutes(run: Run) -> None:
    """What fails for want of a service stays hidden for the whole visibility timeout, each time that it is received."""
    queues = [queue for queue in run.all(aws.QUEUE) if queue.get("redrivePolicy")]
    assert queues
    for queue in queues:
        receives = json.loads(str(queue.get("redrivePolicy")))["maxReceiveCount"]
        hidden = float(str(queue.get("visibilityTimeoutSeconds")))
        assert hidden * receives > OUTAGE_SECONDS, queue.name


@pytest.mark.parametrize("name", ["S3", "S3 by EventBridge", "EventBridge"])
def test_an_outage_that_outlasts_every_try_is_done_after_a_redrive(
    box: Box, effects: Effects, name: str
) -> None:
    """AWS tries for six hours; the third failure ends it sooner."""
    source, mark = SOURCES[name], unique("m")
    with meet(box, source, mark, "unavailable", times=None):
        source.cause(effects, mark)
        eventually(lambda: effects.letters("events-failures", mark), seconds=30)
    box.redrive("events-failures")
    settled(effects, source, mark)


# Schedules.


@pytest.fixture
def forgotten(box: Box, effects: Effects) -> None:
    """No report of today has been written, as far as anybody remembers."""
    table, client = box.outputs["stateTable"], box.client("dynamodb")
    for row in effects.rows("stateTable", "id", "once#"):
        client.delete_item(TableName=table, Key={"id": row["id"]})


REFUSED: dict[str, dict[str, Any]] = {
    "throttled": {"do": "throttle", "before": "sns:Publish"},
    "down": {"do": "unavailable", "before": "dynamodb:Scan"},
    "unreachable": {"do": "unreachable", "before": "s3:PutObject"},
}


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("kind", REFUSED)
def test_a_report_that_failed_is_written_by_the_next_try(
    box: Box, effects: Effects, kind: str
) -> None:
    inbox = effects.inbox("reports")
    with box.fault("report-generator", **REFUSED[kind]) as fault:
        assert box.tick("report-generator").status == "error"
        eventually(lambda: effects.peek(inbox))
        assert fault.fired == 1
    assert len(effects.peek(inbox)) == 1


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("call", ["s3:PutObject", "sns:Publish"])
def test_a_report_whose_writer_crashed_is_done_by_a_later_run(
    box: Box, effects: Effects, call: str
) -> None:
    """Tries that come before the crashed one's time is over wait for it, and are kept; the link is told once."""
    inbox = effects.inbox("reports")
    with box.fault("report-generator", before=call) as fault:
        box.tick("report-generator")
        assert fault.fired == 1
    eventually(lambda: _reported(box, effects, inbox), seconds=40)
    assert len(effects.peek(inbox)) == 1
    box.redrive("events-failures")
    assert len(effects.peek(inbox)) == 1


def _reported(box: Box, effects: Effects, inbox: str) -> bool:
    if not effects.peek(inbox):
        box.tick("report-generator")
    return bool(effects.peek(inbox))


# REST.


@pytest.fixture
def post(box: Box) -> Callable[[], Any]:
    """POST /items with one key and one body, as often as it is called."""
    token, key, name = box.token(), f'"{unique()}"', unique("lamp")

    def call() -> Any:
        return box.http.post(
            "/items",
            token=token,
            json={"name": name, "price": "1.00"},
            headers={"Idempotency-Key": key},
        )

    call.item = name  # type: ignore[attr-defined]
    return call


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_of_a_request_is_5xx_and_its_repetition_leaves_one_item(
    box: Box, effects: Effects, post: Any, when: str
) -> None:
    point: dict[str, Any] = {when: "dynamodb:TransactWriteItems"}
    with box.fault("create-item", request=post.item, **point) as f:
        assert post().status in {500, 502, 503, 504}
        assert f.fired == 1
    assert len(effects.rows("itemsTable", "name", post.item)) == (when == "after")
    answer = post()
    assert answer.status == 201
    (row,) = effects.rows("itemsTable", "name", post.item)
    assert row["id"] == {"S": answer.json()["id"]}


@pytest.mark.parametrize("do", ["throttle", "unavailable", "unreachable"])
def test_a_request_that_its_table_refuses_is_503_and_may_come_again(
    box: Box, effects: Effects, post: Any, do: str
) -> None:
    with box.fault("create-item", do, before="dynamodb:TransactWriteItems", request=post.item):
        refused = post()
    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert post().status == 201
    assert len(effects.rows("itemsTable", "name", post.item)) == 1


# WebSocket.


@pytest.mark.parametrize("do", ["exit", "throttle", "unavailable"])
def test_a_subscription_that_failed_is_told_so_and_made_once_when_asked_again(
    box: Box, effects: Effects, do: str
) -> None:
    subject = unique("s")
    ask = {"action": "subscribe", "topic": "items", "requestId": "1"}
    with box.socket(box.token(subject=subject)) as client:
        with box.fault("subscriptions", do, before="dynamodb:PutItem", request=subject) as fault:
            client.send(json.dumps(ask))
            eventually(lambda: fault.fired)
            heard = json.loads(client.recv(timeout=20))
            assert heard.get("subscribed") is None, heard
        client.send(json.dumps({**ask, "requestId": "2"}))
        while "subscribed" not in (heard := json.loads(client.recv(timeout=20))):
            pass
        assert heard == {"requestId": "2", "topic": "items", "subscribed": True}
        rows = effects.rows("connectionsTable", "subject", subject)
        assert sorted(row["topic"]["S"] for row in rows) == ["connected", "items"]
