"""Messages in queues start functions: notifications, orders, and what becomes of orders, in their order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.box import Box
from sandbox.web import Http
from tests.support.effects import Effects, eventually, order, unique

RECEIVES = {"notifications": 5, "orders": 8, "order-events": 5}


def test_a_notification_is_published_once_and_only_the_poison_one_is_a_dead_letter(
    box: Box, effects: Effects
) -> None:
    inbox, mark = effects.inbox("notifications"), unique()
    good = [f"{mark} {number}" for number in range(3)]
    bodies: list[Any] = [{"subject": "Hello", "message": text} for text in good]
    poison = f"not json {mark}"
    box.send_sqs("notifications", bodies[0], poison, *bodies[1:])
    eventually(lambda: len(effects.peek(inbox)) >= len(good))
    (letter,) = eventually(lambda: effects.letters("notifications", mark), seconds=30)
    assert (letter.body, letter.kind, letter.source) == (poison, "message", "notifications")
    assert letter.receives == RECEIVES["notifications"]
    assert "not JSON" in letter.error
    assert sorted(text for text in effects.peek(inbox) if mark in text) == sorted(good)


def test_the_same_notification_sent_three_times_is_published_once(
    box: Box, effects: Effects
) -> None:
    inbox, mark = effects.inbox("notifications"), unique()
    box.send_sqs("notifications", *[{"id": mark, "message": mark}] * 3)
    box.send_sqs("notifications", {"message": f"later {mark}"})
    eventually(lambda: len(effects.peek(inbox)) >= 2)
    after_all(box, effects, inbox)
    assert effects.peek(inbox).count(mark) == 1


def after_all(box: Box, effects: Effects, inbox: str) -> None:
    """Returns when a later notification is there."""
    text = unique("last")
    box.send_sqs("notifications", {"message": text})
    eventually(lambda: text in effects.peek(inbox))


def test_an_order_over_http_is_placed_told_and_confirmed_once(box: Box, effects: Effects) -> None:
    wanted, inbox = order(unique("o")), effects.inbox("orders")
    wanted |= {"customerEmail": f"{wanted['orderId']}@example.com"}
    shop = Http(box.outputs["httpApiUrl"], box.token)
    answer = shop.post("/orders", token=box.token(cognito=True), json=wanted)
    assert (answer.status, answer.json()["orderId"]) == (201, wanted["orderId"])
    row = eventually(lambda: effects.placed(wanted["orderId"]))
    assert (row["state"], row["total"]) == ({"S": "placed"}, {"N": "1.5"})
    (mail,) = effects.mails(wanted["customerEmail"])
    assert (mail.sender, wanted["orderId"] in mail.subject) == ("orders@example.com", True)
    told = [json.loads(text) for text in effects.peek(inbox)]
    assert [each["orderId"] for each in told].count(wanted["orderId"]) == 1
    (audit,) = eventually(lambda: effects.audited(f"order#{wanted['orderId']}"))
    assert audit["action"] == {"S": "Order Placed"}


def test_an_order_without_a_customer_is_added_up_and_not_placed(box: Box) -> None:
    shop = Http(box.outputs["httpApiUrl"], box.token)
    body = {"items": order("x")["items"]}
    answer = shop.post("/orders", token=box.token(cognito=True), json=body)
    assert answer.status == 201
    assert "orderId" not in answer.json()


POISON = {
    "no json": "{",
    "no order": '{"orderId": 1}',
    "no items": '{"orderId": "MARK", "customerEmail": "a@example.com", "items": []}',
    "a wrong price": '{"orderId": "MARK", "customerEmail": "a@example.com", "items": [{"id": "a", "quantity": 1, "price": "1e3"}]}',
}


@pytest.mark.parametrize("kind", POISON)
def test_a_poison_order_alone_is_a_dead_letter(box: Box, effects: Effects, kind: str) -> None:
    good, mark = unique("o"), unique("bad")
    poison = POISON[kind].replace("MARK", mark)
    if mark not in poison:
        poison = f"{poison} {mark}"
    box.send_sqs("orders", order(good), poison)
    (letter,) = eventually(lambda: effects.letters("orders", mark), seconds=40)
    assert (letter.body, letter.receives) == (poison, RECEIVES["orders"])
    assert letter.error
    assert effects.placed(good)
    assert effects.letters("orders", good) == []


def test_another_order_of_the_same_id_is_refused_and_the_first_one_stands(
    box: Box, effects: Effects
) -> None:
    wanted = order(unique("o"))
    box.send_sqs("orders", wanted)
    first = eventually(lambda: effects.placed(wanted["orderId"]))
    box.send_sqs("orders", order(wanted["orderId"], price="9.99"))
    (letter,) = eventually(lambda: effects.letters("orders", wanted["orderId"]), seconds=40)
    assert "another order" in letter.error
    assert effects.placed(wanted["orderId"]) == first


def test_an_address_that_never_works_leaves_the_order_standing(box: Box, effects: Effects) -> None:
    wanted = order(unique("o"), email="nobody, nowhere")
    box.send_sqs("orders", wanted)
    row = eventually(lambda: effects.placed(wanted["orderId"], "unsent"))
    assert (row["state"], bool(row["reason"]["S"])) == ({"S": "placed"}, True)


def test_an_order_that_nobody_could_place_is_placed_once_after_a_redrive(
    box: Box, effects: Effects
) -> None:
    wanted = order(unique("o"))
    inbox, text = effects.inbox("orders"), json.dumps(wanted)
    # As after an outage that outlasted every receive.
    dead = box.outputs["ordersDeadLetterQueueUrl"]
    box.client("sqs").send_message(QueueUrl=dead, MessageBody=text)
    assert len(effects.letters("orders", wanted["orderId"])) == 1
    assert box.redrive("orders").moved >= 1
    eventually(lambda: effects.placed(wanted["orderId"]))
    told = [json.loads(text) for text in effects.peek(inbox)]
    assert [each["orderId"] for each in told].count(wanted["orderId"]) == 1
    assert effects.letters("orders", wanted["orderId"]) == []


# What becomes of an order: the FIFO queue.


def change(order_id: str, state: str) -> dict[str, Any]:
    return {
        "id": unique("e"),
        "type": f"order.{state}",
        "orderId": order_id,
        "occurredAt": "2026-01-31T03:00:00Z",
    }


def placed(box: Box, effects: Effects) -> str:
    """The id of an order that is placed and confirmed."""
    wanted = unique("o")
    box.send_sqs("orders", order(wanted))
    eventually(lambda: effects.placed(wanted))
    return wanted


def state(effects: Effects, order_id: str) -> str:
    found = effects.row("ordersTable", orderId=order_id)
    return found["state"]["S"] if found else ""


def test_changes_of_an_order_are_made_in_their_order_once_each(box: Box, effects: Effects) -> None:
    wanted = placed(box, effects)
    changes = [change(wanted, kind) for kind in ("paid", "shipped", "delivered")]
    for each in changes:
        box.send_sqs("order-events", each, group=wanted, dedup=each["id"])
    for each in changes:
        box.send_sqs("order-events", each, group=wanted, dedup=each["id"])
    eventually(lambda: state(effects, wanted) == "delivered")
    made = eventually(lambda: told if len(told := changes_told(effects, wanted)) >= 3 else None)
    assert made == [(2, "paid"), (3, "shipped"), (4, "delivered")]


def changes_told(effects: Effects, order_id: str) -> list[tuple[int, str]]:
    """The changes of an order of which the bus has told, by version; the order's own version is 1."""
    details = [row["detail"]["M"] for row in effects.audited(f"order#{order_id}")]
    told = [each for each in details if "version" in each]
    return sorted((int(each["version"]["N"]), each["state"]["S"]) for each in told)


def test_one_failing_group_stops_itself_and_no_other(box: Box, effects: Effects) -> None:
    missing, wanted = unique("missing"), placed(box, effects)
    held = [change(missing, kind) for kind in ("paid", "shipped")]
    for each in held:
        box.send_sqs("order-events", each, group=missing, dedup=each["id"])
    each = change(wanted, "paid")
    box.send_sqs("order-events", each, group=wanted, dedup=each["id"])
    eventually(lambda: state(effects, wanted) == "paid")
    # Nobody knows of the order yet: none of its changes may be made, and none be lost.
    assert state(effects, missing) == ""
    assert effects.letters("order-events", missing) == []
    box.send_sqs("orders", order(missing))
    eventually(lambda: state(effects, missing) == "shipped", seconds=40)
    made = eventually(lambda: told if len(told := changes_told(effects, missing)) >= 2 else None)
    assert made == [(2, "paid"), (3, "shipped")]


def test_a_poison_change_is_a_dead_letter_and_keeps_group_and_id_through_a_redrive(
    box: Box, effects: Effects
) -> None:
    wanted, mark = placed(box, effects), unique("poison")
    box.send_sqs("order-events", f"not json {mark}", group=wanted, dedup=mark)
    good = change(wanted, "paid")
    box.send_sqs("order-events", good, group=wanted, dedup=good["id"])
    (letter,) = eventually(lambda: effects.letters("order-events", mark), seconds=40)
    assert letter.receives == RECEIVES["order-events"]
    eventually(lambda: state(effects, wanted) == "paid")
    box.redrive("order-events")
    (letter,) = eventually(lambda: effects.letters("order-events", mark), seconds=40)
    assert letter.body == f"not json {mark}"
    (told,) = of_group(box, wanted)
    assert told["MessageDeduplicationId"].startswith(mark)


def of_group(box: Box, group: str) -> list[dict[str, str]]:
    """System attributes of the dead letters of a group."""
    answer = box.client("sqs").receive_message(
        QueueUrl=box.outputs["orderEventsDeadLetterQueueUrl"],
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        MessageSystemAttributeNames=["All"],
    )
    found = [message["Attributes"] for message in answer.get("Messages", [])]
    return [attributes for attributes in found if attributes["MessageGroupId"] == group]
