"""Topics and the event bus: who is told, what the filters leave out, and what becomes of what nobody took."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sandbox.box import Box
from tests.support.effects import Effects, eventually, order, unique

SECONDS = 20.0


def test_a_notification_is_pushed_once_to_who_subscribed(box: Box) -> None:
    with box.socket() as client:
        client.send(json.dumps({"action": "subscribe", "topic": "notifications", "requestId": "1"}))
        assert json.loads(client.recv(timeout=SECONDS))["subscribed"] is True
        first, last = unique("first"), unique("last")
        box.send_sns("notifications", first, subject="Hello")
        heard = [json.loads(client.recv(timeout=SECONDS))]
        box.send_sns("notifications", last)
        while heard[-1]["message"] != last:
            heard.append(json.loads(client.recv(timeout=SECONDS)))
    ours = [each for each in heard if each["message"] == first]
    assert ours == [{"topic": "notifications", "message": first, "subject": "Hello"}]


def test_a_large_order_is_a_notification_and_a_small_one_is_not(box: Box, effects: Effects) -> None:
    """The orders topic reaches the notifications queue by a filter on the body."""
    inbox, large, small = effects.inbox("notifications"), unique("large"), unique("small")
    box.send_sqs("orders", order(small, price="999.99"), order(large, price="1000.00"))
    (text,) = eventually(lambda: [text for text in effects.peek(inbox) if large in text])
    assert text == f"Order {large}: 1,000.00 in all."
    assert eventually(lambda: effects.placed(small))
    assert [text for text in effects.peek(inbox) if small in text] == []


def test_a_filter_on_attributes_lets_only_those_through(box: Box, effects: Effects) -> None:
    policy = json.dumps({"event": ["OrderPlaced"]})
    inbox = effects.inbox("orders", FilterPolicy=policy, FilterPolicyScope="MessageAttributes")
    kept, left_out, bare = unique("kept"), unique("out"), unique("bare")
    box.send_sns("orders", {"orderId": bare})
    box.send_sns("orders", {"orderId": left_out}, attributes={"event": "Other"})
    box.send_sns("orders", {"orderId": kept}, attributes={"event": "OrderPlaced"})
    eventually(lambda: effects.peek(inbox))
    assert [json.loads(text) for text in effects.peek(inbox)] == [{"orderId": kept}]


def test_a_notification_that_no_try_could_push_is_pushed_after_a_redrive(
    box: Box, effects: Effects
) -> None:
    text = unique("late")
    with box.fault("notification-pusher", before="handler", where=text, times=3):
        box.send_sns("notifications", text)
        (letter,) = eventually(lambda: effects.letters("events-failures", text))
    assert (letter.kind, letter.source) == ("invocation", "notification-pusher")
    with box.socket() as client:
        client.send(json.dumps({"action": "subscribe", "topic": "notifications", "requestId": "1"}))
        assert json.loads(client.recv(timeout=SECONDS))["subscribed"] is True
        box.redrive("events-failures")
        while json.loads(client.recv(timeout=SECONDS))["message"] != text:
            pass


class Denial:
    """While it lasts, no service may start a function: what it sends cannot be delivered."""

    def __init__(self, box: Box, function: str) -> None:
        self._lambda = box.client("lambda")
        self._of = {"FunctionName": box.outputs["functions"][function]["name"], "Qualifier": "live"}

    def __enter__(self) -> None:
        self._held = json.loads(self._lambda.get_policy(**self._of)["Policy"])["Statement"]
        for statement in self._held:
            self._lambda.remove_permission(**self._of, StatementId=statement["Sid"])

    def __exit__(self, *_: object) -> None:
        for statement in self._held:
            self._lambda.add_permission(
                **self._of,
                StatementId=statement["Sid"],
                Action=statement["Action"],
                Principal=statement["Principal"]["Service"],
                SourceArn=statement["Condition"]["ArnLike"]["AWS:SourceArn"],
            )


def test_what_a_topic_may_not_deliver_is_kept_and_delivered_after_a_redrive(
    box: Box, effects: Effects
) -> None:
    text = unique("undelivered")
    with Denial(box, "notification-pusher"):
        box.send_sns("notifications", text)
        (letter,) = eventually(lambda: effects.letters("events-failures", text))
    assert (letter.kind, letter.source) == ("publication", "notifications")
    assert "may not invoke" in letter.error
    box.redrive("events-failures")
    eventually(lambda: effects.letters("events-failures", text) == [])


# The event bus.


def test_an_event_is_written_down_once_in_the_shape_its_target_wants(
    box: Box, effects: Effects
) -> None:
    name = unique("o")
    sent = box.send_events("Order Placed", {"orderId": name, "total": 5}, source="sandpiper.orders")
    (row,) = eventually(lambda: effects.audited(f"order#{name}"))
    assert row["sequence"]["S"].endswith(f"Z#{sent['id']}")
    assert (row["source"], row["action"]) == ({"S": "sandpiper.orders"}, {"S": "Order Placed"})
    assert row["detail"]["M"] == {"orderId": {"S": name}, "total": {"N": "5"}}


def test_events_that_no_rule_matches_start_nothing(box: Box, effects: Effects) -> None:
    other, later = unique("other"), unique("later")
    assert box.send_events("Order Placed", {"orderId": other}, source="somebody")["rules"] == []
    box.send_events("Order Placed", {"orderId": later}, source="sandpiper.orders")
    eventually(lambda: effects.audited(f"order#{later}"))
    assert effects.audited(f"order#{other}") == []
    assert effects.lines("audit-writer", other) == []


def test_an_event_that_its_rule_may_not_deliver_is_kept_and_delivered_after_a_redrive(
    box: Box, effects: Effects
) -> None:
    name = unique("o")
    with Denial(box, "audit-writer"):
        box.send_events("Order Placed", {"orderId": name}, source="sandpiper.orders")
        (letter,) = eventually(lambda: effects.letters("events-failures", name))
    assert letter.kind == "event"
    assert letter.attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    box.redrive("events-failures")
    (row,) = eventually(lambda: effects.audited(f"order#{name}"))
    assert row["detail"]["M"] == {"orderId": {"S": name}}


def test_an_event_whose_function_failed_is_kept_and_done_after_a_redrive(
    box: Box, effects: Effects
) -> None:
    name = unique("o")
    with box.fault("audit-writer", before="handler", where=name, times=3):
        box.send_events("Order Placed", {"orderId": name}, source="sandpiper.orders")
        (letter,) = eventually(lambda: effects.letters("events-failures", name))
    assert (letter.kind, letter.receives) == ("invocation", 3)
    assert box.redrive("events-failures").moved >= 1
    assert len(eventually(lambda: effects.audited(f"order#{name}"))) == 1


def test_an_event_that_means_no_order_is_poison_and_fails_alone(box: Box, effects: Effects) -> None:
    mark = unique("poison")
    box.send_events("Order Placed", {"no": mark}, source="sandpiper.orders")
    (letter,) = eventually(lambda: effects.letters("events-failures", mark))
    assert (letter.source, letter.condition) == ("audit-writer", "RetriesExhausted")


def test_events_of_the_archive_are_told_again_and_written_down_once(
    box: Box, effects: Effects
) -> None:
    events, begun = box.client("events"), datetime.now(UTC) - timedelta(seconds=2)
    name, kept = unique("o"), unique("o")
    for order_id in (name, kept):
        box.send_events("Order Placed", {"orderId": order_id}, source="sandpiper.orders")
    (row,) = eventually(lambda: effects.audited(f"order#{name}"))
    eventually(lambda: effects.audited(f"order#{kept}"))
    # As if it had never been written.
    key = {column: row[column] for column in ("itemId", "sequence")}
    box.client("dynamodb").delete_item(TableName=box.outputs["auditTable"], Key=key)
    (archive,) = events.list_archives()["Archives"]
    bus = archive["EventSourceArn"]
    described = events.describe_archive(ArchiveName=archive["ArchiveName"])
    replay = unique("replay")
    events.start_replay(
        ReplayName=replay,
        EventSourceArn=described["ArchiveArn"],
        EventStartTime=begun,
        EventEndTime=datetime.now(UTC) + timedelta(seconds=2),
        Destination={"Arn": bus},
    )
    eventually(lambda: events.describe_replay(ReplayName=replay)["State"] == "COMPLETED")
    assert eventually(lambda: effects.audited(f"order#{name}")) == [row]
    assert len(effects.audited(f"order#{kept}")) == 1
