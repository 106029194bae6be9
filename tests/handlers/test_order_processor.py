"""Orders: one row however often they come, told and confirmed; only the bad message fails."""

from __future__ import annotations

import json
import time
from typing import Any

import order_processor
import pytest

from common import aws as common_aws
from tests.handlers.conftest import Context, load
from tests.handlers.fakes import AwsError
from tests.handlers.order_world import ENVIRONMENT, World, event, failed, message, order


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(common_aws, "client", lambda service, **_: made.aws.client(service))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return made


def _run(*bodies: Any, **options: Any) -> list[str]:
    return failed(order_processor.handler(event(*bodies, **options), Context(30)))


def test_an_order_is_written_told_and_confirmed(world: World) -> None:
    assert _run(order()) == []
    row = world.orders["o-1"]
    placed_at = row.pop("placedAt")["S"]
    assert row == {
        "orderId": {"S": "o-1"},
        "customerEmail": {"S": "a@example.com"},
        "items": {
            "L": [
                {"M": {"id": {"S": "lamp"}, "quantity": {"N": "2"}, "price": {"N": "19.9000"}}},
                {"M": {"id": {"S": "cord"}, "quantity": {"N": "7"}, "price": {"N": "0.1450"}}},
            ]
        },
        "total": {"N": "40.82"},
        "state": {"S": "placed"},
        "confirmation": {"S": "sent"},
        "version": {"N": "1"},
        "correlationId": {"S": "m1"},
    }
    told = {"orderId": "o-1", "state": "placed", "total": 40.82, "placedAt": placed_at}
    named = {"event": "OrderPlaced", "correlationId": "m1"}
    attributes = {n: {"DataType": "String", "StringValue": text} for n, text in named.items()}
    assert world.published == [(attributes, {"event": "OrderPlaced", **told})]
    assert world.events == [("Order Placed", {"correlationId": "m1", **told})]
    ((address, text),) = world.mails
    assert address == "a@example.com"
    assert "Total: 40.82" in text
    names = world.aws.names()
    assert names == ["PutItem", "PublishBatch", "PutEvents", "SendEmail", "UpdateItem"]


def test_ten_orders_are_told_of_in_one_call_each(world: World) -> None:
    assert _run(*[order(f"o-{n}") for n in range(25)]) == []
    names = world.aws.names()
    counts = {name: names.count(name) for name in set(names)}
    assert counts == {
        "PutItem": 25,
        "PublishBatch": 3,
        "PutEvents": 3,
        "SendEmail": 25,
        "UpdateItem": 25,
    }
    assert len(world.orders) == len(world.published) == len(world.mails) == 25


def test_the_same_order_again_changes_nothing(world: World) -> None:
    again = order(items=[{"id": "lamp", "quantity": 2.0, "price": 19.9}])
    assert _run(order(items=[{"id": "lamp", "quantity": 2, "price": "19.90"}]), again) == []
    assert _run(again) == []
    assert len(world.published) == len(world.events) == len(world.mails) == 1


def test_another_order_of_the_same_id_fails(world: World) -> None:
    _run(order())
    before = json.dumps(world.orders)
    assert _run(order(customerEmail="b@example.com")) == ["m1"]
    assert _run(order(items=[{"id": "lamp", "quantity": 3, "price": 1}])) == ["m1"]
    assert json.dumps(world.orders) == before
    assert len(world.published) == len(world.mails) == 1
    assert world.postponed == [("r1", 1)] * 2


def test_of_two_orders_of_one_id_in_a_batch_one_is_placed(world: World) -> None:
    bad = _run(order(), order(customerEmail="b@example.com"))
    assert bad in (["m1"], ["m2"])
    assert len(world.orders) == len(world.mails) == 1


_ITEM = {"id": "lamp", "quantity": 1, "price": 1}


@pytest.mark.parametrize(
    "body",
    [
        *("", "text", "{", "[]", "null", "7", "[" * 100_000, "\ufeff{}", '{"a": NaN}'),
        {},
        *(order(order_id) for order_id in ("", "x" * 65, "a b", "ä", "a/b", "a#b", "a\n")),
        *({**order(), "orderId": value} for value in (None, 7, ["o"], True)),
        *(order(customerEmail=value) for value in (None, "", " ", 7, "x" * 321, "a@b\r\nBcc: c@d")),
        *(order(items=value) for value in (None, [], {}, "lamp", [None], [[]], [_ITEM] * 101)),
        *(
            order(items=[{**_ITEM, "quantity": value}])
            for value in (0, -1, 1.5, 1001, "1", True, None, 1e300)
        ),
        *(
            order(items=[{**_ITEM, "price": value}])
            for value in (
                -1,
                "-1",
                1e9,
                0.00001,
                "1_0",
                " 1",
                "1.",
                ".1",
                "1e3",
                "",
                ".",
                None,
                [1],
            )
        ),
        *(order(items=[{**_ITEM, "id": value}]) for value in ("", None, 7, "x" * 101, "\ud800")),
    ],
    ids=lambda body: ascii(body)[:60],
)
def test_what_is_no_order_fails_alone_and_comes_back_at_once(
    world: World, lines: Any, body: Any
) -> None:
    assert _run(body, order("good")) == ["m1"]
    assert list(world.orders) == ["good"]
    assert world.postponed == [("r1", 1)]
    (line,) = (line for line in lines() if line["level"] == "ERROR")
    assert line["message"] == "message refused"
    assert "example.com" not in json.dumps(line)


@pytest.mark.parametrize("price", ["0", 0, "0.0001", 999999999.9999, "999999999.9999", 1e2])
def test_any_price_within_bounds_is_one(world: World, price: Any) -> None:
    assert _run(order(items=[{**_ITEM, "price": price}])) == []


def test_unknown_members_are_left_alone(world: World) -> None:
    assert _run(order(note="x"), order(other="y")) == []
    assert "note" not in world.orders["o-1"]


@pytest.mark.parametrize("address", ["refused@example.com", "nobody", "a@b, c@d", "ä@example.com"])
def test_an_address_that_is_refused_leaves_the_order_standing(world: World, address: str) -> None:
    assert _run(order(customerEmail=address), order("o-2")) == []
    row = world.orders["o-1"]
    assert row["confirmation"] == {"S": "unsent"}
    assert row["reason"]["S"]
    assert address not in row["reason"]["S"]
    assert "claimedUntil" not in row
    assert len(world.published) == 2
    assert _run(order(customerEmail=address)) == []
    assert len(world.published) == 2


def test_a_sender_who_is_not_verified_is_nobodys_address(world: World) -> None:
    text = "Email address is not verified: shop@example.com"
    refusal = AwsError("MessageRejected")
    refusal.parsed["Error"]["Message"] = text
    world.aws.fail("SendEmail", refusal)
    assert _run(order()) == ["m1"]
    assert world.orders["o-1"]["confirmation"] == {"S": "pending"}


def test_without_a_sender_no_mail_is_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIL_FROM_ADDRESS")
    assert _run(order()) == []
    assert world.orders["o-1"]["confirmation"] == {"S": "off"}
    assert world.mails == []


def test_a_configuration_set_goes_along(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_CONFIGURATION_SET", "bounces")
    _run(order())
    (call,) = (params for name, params in world.aws.calls if name == "SendEmail")
    assert call["ConfigurationSetName"] == "bounces"


def _later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + seconds)


@pytest.mark.parametrize("operation", ["PublishBatch", "PutEvents", "SendEmail", "UpdateItem"])
@pytest.mark.parametrize("code", ["Throttling", "ServiceUnavailable"])
def test_where_a_service_is_down_the_message_waits_and_nothing_is_done_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str, code: str
) -> None:
    works = world.aws.answers[operation]
    world.aws.fail(operation, AwsError(code))
    assert _run(order(), order("o-2")) == ["m1", "m2"]
    assert world.postponed == []
    world.aws.on(operation, works)
    _later(monkeypatch, 32)
    assert _run(order(), order("o-2")) == []
    assert {row["confirmation"]["S"] for row in world.orders.values()} == {"sent"}
    if operation != "UpdateItem":  # then the steps cannot be kept
        assert len(world.published) == len(world.events) == len(world.mails) == 2


def test_an_order_that_another_message_is_placing_comes_back_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = world.aws.answers["SendEmail"]
    world.aws.fail("SendEmail", AwsError("AccessDenied"))
    assert _run(order()) == ["m1"]
    world.aws.on("SendEmail", works)
    world.postponed.clear()
    assert _run(order(), receives=3) == ["m1"]
    ((_, seconds),) = world.postponed
    assert 4 <= seconds <= 8
    assert world.mails == []
    _later(monkeypatch, 32)
    assert _run(order()) == []
    assert len(world.mails) == len(world.published) == 1


def test_only_the_entries_that_a_topic_or_a_bus_refuses_fail(world: World) -> None:
    publish, put = world.aws.answers["PublishBatch"], world.aws.answers["PutEvents"]
    refusal = {"Id": "0", "Code": "InternalError", "SenderFault": False}
    world.aws.on("PublishBatch", lambda call: publish(call) | {"Failed": [refusal]})
    codes = [{"ErrorCode": "ThrottlingException"}, {"EventId": "e"}]
    world.aws.on("PutEvents", lambda call: put(call) | {"Entries": codes})
    assert _run(order("o-1"), order("o-2"), order("o-3")) == ["m1", "m2"]
    assert world.orders["o-1"]["confirmation"] == {"S": "pending"}
    assert "steps" not in world.orders["o-1"]
    assert world.orders["o-2"]["steps"] == {"N": "1"}
    assert world.orders["o-3"]["confirmation"] == {"S": "sent"}


def test_what_nobody_expected_comes_back_after_growing_pauses(world: World) -> None:
    world.aws.fail("PutItem", AwsError("ResourceNotFoundException"))
    pauses: list[int] = []
    for receives in range(1, 12):
        world.postponed.clear()
        assert _run(order(), receives=receives) == ["m1"]
        pauses.append(world.postponed[0][1])
    assert all(2**n / 2 - 1 <= pause <= 2**n for n, pause in enumerate(pauses[:9], 1))
    assert max(pauses) <= 900
    assert sum(pauses[:8]) > 250


def test_a_queue_that_does_not_answer_fails_nothing_more(world: World) -> None:
    world.aws.fail("ChangeMessageVisibilityBatch", AwsError("AccessDenied"))
    assert _run("poison", order()) == ["m1"]


def test_without_its_url_the_queues_own_visibility_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORDERS_QUEUE_URL")
    assert _run("poison") == ["m1"]
    assert world.postponed == []


def test_messages_without_time_go_back(world: World) -> None:
    bodies = [order(f"o-{n}") for n in range(12)]
    answer = order_processor.handler(event(*bodies), Context(seconds=30, then=5))
    assert failed(answer) == ["m11", "m12"]
    assert len(world.orders) == 10


def test_a_foreign_event_fails(world: World) -> None:
    record = message(order()) | {"eventSource": "aws:s3"}
    with pytest.raises(ValueError, match="aws:sqs"):
        order_processor.handler({"Records": [record]}, Context(30))


def test_a_warming_event_is_answered_at_once(world: World) -> None:
    assert order_processor.handler({"warming": True}, Context(30)) == {"warmed": True}
    assert world.aws.calls == []


def test_a_recorded_event_is_processed(world: World) -> None:
    assert failed(order_processor.handler(load("sqs_orders"), Context(30))) == []
    assert {key: row["total"]["N"] for key, row in world.orders.items()} == {
        "order-1": "130.92",
        "order-2": "130.92",
    }


def test_of_two_that_would_take_an_order_over_one_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sends = world.aws.answers["SendEmail"]
    world.aws.fail("SendEmail", AwsError("Throttling"))
    assert _run(order()) == ["m1"]
    world.aws.on("SendEmail", sends)
    _later(monkeypatch, 32)
    put = world.aws.answers["PutItem"]

    def meanwhile(call: dict[str, Any]) -> dict[str, Any]:
        try:
            return put(call)
        finally:
            # Another one takes it over now, and is still at it.
            later = int(world.orders["o-1"]["claimedUntil"]["N"]) + 60_000
            world.orders["o-1"]["claimedUntil"] = {"N": str(later)}

    world.aws.on("PutItem", meanwhile)
    assert _run(order()) == ["m1"]
    assert world.mails == []


def test_the_reason_of_a_refusal_is_the_mail_services_without_the_address(world: World) -> None:
    refusal = AwsError("MessageRejected")
    refusal.parsed["Error"]["Message"] = "Address a@example.com is blocked"
    world.aws.fail("SendEmail", refusal)
    assert _run(order()) == []
    assert world.orders["o-1"]["reason"]["S"] == "MessageRejected: Address the address is blocked"


_DENIED = (
    "User `arn:aws:sts::123456789012:assumed-role/order-processor/f' is not authorized to perform "
    "`ses:SendEmail' on resource `arn:aws:ses:us-west-2:123456789012:identity/{}'"
)


@pytest.mark.parametrize("identity", ["a@home.example", "A@Home.example", "home.example"])
def test_a_recipient_that_the_account_itself_has_verified_is_no_reason_to_lose_the_order(
    world: World, identity: str
) -> None:
    refusal = AwsError("AccessDenied", status=403)
    refusal.parsed["Error"]["Message"] = _DENIED.format(identity)
    world.aws.fail("SendEmail", refusal)
    assert _run(order(customerEmail="a@home.example")) == []
    row = world.orders["o-1"]
    assert (row["confirmation"], row["state"]) == ({"S": "unsent"}, {"S": "placed"})
    assert "sandbox" in row["reason"]["S"]
    assert "home.example" not in row["reason"]["S"]


@pytest.mark.parametrize("sender", ["shop@example.com", "Shop <shop@example.com>"])
@pytest.mark.parametrize(
    ("customer", "identity"),
    [
        ("a@home.example", "shop@example.com"),
        ("a@home.example", "example.com"),
        ("a@example.com", "example.com"),
        ("shop@example.com", "shop@example.com"),
        ("a@home.example", "b@home.example"),
    ],
)
def test_a_right_that_lacks_on_the_sender_is_the_stacks_own_trouble(
    world: World, monkeypatch: pytest.MonkeyPatch, sender: str, customer: str, identity: str
) -> None:
    monkeypatch.setenv("MAIL_FROM_ADDRESS", sender)
    refusal = AwsError("AccessDenied", status=403)
    refusal.parsed["Error"]["Message"] = _DENIED.format(identity)
    world.aws.fail("SendEmail", refusal)
    assert _run(order(customerEmail=customer)) == ["m1"]
    assert world.orders["o-1"]["confirmation"] == {"S": "pending"}


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("PutItem", "InternalServerError", 500),
        ("PublishBatch", "Throttled", 429),
        ("PublishBatch", "KMSThrottling", 400),
        ("PutEvents", "InternalException", 500),
        ("SendEmail", "Throttling", 400),
        ("SendEmail", "ServiceUnavailable", 503),
    ],
)
def test_an_order_that_met_a_busy_service_waits_as_long_as_its_queue_says(
    world: World, operation: str, code: str, status: int
) -> None:
    world.aws.fail(operation, AwsError(code, status=status))
    assert _run(order(), receives=9) == ["m1"]
    assert world.postponed == []


@pytest.mark.parametrize("code", ["InternalError", "Throttled", "ServiceUnavailable"])
def test_an_entry_that_the_topic_was_too_busy_for_waits_as_well(world: World, code: str) -> None:
    failing = {"Successful": [], "Failed": [{"Id": "0", "Code": code, "SenderFault": False}]}
    world.aws.on("PublishBatch", lambda _: failing)
    assert _run(order(), receives=9) == ["m1"]
    assert world.postponed == []


def test_each_order_goes_on_with_what_its_own_message_belongs_to(world: World, lines: Any) -> None:
    told = event(order("o-1"), order("o-2"), order("o-1"), {"orderId": "o-4"})
    for record, name in zip(told["Records"], "abcd", strict=True):
        attribute = {"stringValue": name, "dataType": "String"}
        record["messageAttributes"] = {"correlationId": attribute}
    assert failed(order_processor.handler(told, Context(30))) == ["m4"]
    rows = {key: row["correlationId"]["S"] for key, row in world.orders.items()}
    published = {
        content["orderId"]: attributes["correlationId"]["StringValue"]
        for attributes, content in world.published
    }
    announced = {detail["orderId"]: detail["correlationId"] for _, detail in world.events}
    assert rows == published == announced == {"o-1": "a", "o-2": "b"}
    assert "correlationId" not in world.published[0][1]
    logged = sorted((line["correlation_id"], line["message"]) for line in lines())
    assert logged == [
        (Context.aws_request_id, "batch done"),
        ("a", "order placed"),
        ("b", "order placed"),
        ("c", "order is placed by another message"),
        ("d", "message refused"),
    ]


def test_orders_are_counted_by_what_became_of_them_and_once(world: World, measured: Any) -> None:
    refused = order("o-2", customerEmail="refused@example.com")
    for _ in range(2):
        _run(order("o-1"), refused, {"orderId": "o-3"})
    assert measured() == {"Orders placed": 2, "Orders confirmed": 1, "Orders unsent": 1}


def test_without_mail_an_order_is_placed_and_nothing_more(
    world: World, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIL_FROM_ADDRESS")
    _run(order())
    assert measured() == {"Orders placed": 1}


def test_placing_orders_is_a_step(world: World, daemon: Any) -> None:
    _run(order("o-1"), order("o-2"))
    steps = daemon.steps()
    named = {"correlation_id": Context.aws_request_id, "messages": 2}
    assert steps["place orders"] == named
    assert steps["confirm order"] in [
        {"correlation_id": f"m{n}", "order": f"o-{n}"} for n in (1, 2)
    ]
