"""Order events: the order goes forward only, however its events arrive."""

from __future__ import annotations

import itertools
import json
from typing import Any

import order_processor
import order_tracker
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import aws as common_aws
from common import orders
from tests.handlers.conftest import Context, load
from tests.handlers.fakes import AwsError
from tests.handlers.order_world import ENVIRONMENT, World, event, failed, message, order

_STATES = orders.STATES[1:]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    _use(made, monkeypatch)
    _place("o-1", "o-2")
    for told in (made.events, made.aws.calls):
        told.clear()
    return made


def _use(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common_aws, "client", lambda service, **_: world.aws.client(service))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def _place(*names: str) -> None:
    placed = order_processor.handler(event(*[order(name) for name in names]), Context(30))
    assert failed(placed) == []


def _change(state: str, order_id: str = "o-1", **members: Any) -> dict[str, Any]:
    at = f"2026-01-0{_STATES.index(state) + 1}T00:00:00Z"
    body = {"id": f"w-{order_id}-{state}", "type": f"order.{state}", "orderId": order_id}
    return body | {"occurredAt": at} | members


def _run(*bodies: Any) -> list[str]:
    records = [
        message(body, number=number, group=body["orderId"] if isinstance(body, dict) else "x")
        for number, body in enumerate(bodies, 1)
    ]
    return failed(order_tracker.handler({"Records": records}, Context(30)))


def test_an_order_goes_through_its_states_and_the_bus_hears_of_each(world: World) -> None:
    assert _run(_change("paid"), _change("shipped"), _change("delivered")) == []
    row = world.orders["o-1"]
    assert (row["state"], row["version"]) == ({"S": "delivered"}, {"N": "4"})
    assert row["confirmation"] == {"S": "sent"}
    assert [kind for kind, _ in world.events] == ["Order Changed"] * 3
    assert world.events[0][1] == {
        "correlationId": "m1",
        "orderId": "o-1",
        "state": "paid",
        "total": 40.82,
        "placedAt": row["placedAt"]["S"],
        "version": 2,
        "changedAt": "2026-01-01T00:00:00Z",
    }
    assert world.aws.names() == ["UpdateItem", "PutEvents"] * 3


def test_an_older_event_changes_nothing_and_tells_nothing(world: World) -> None:
    assert _run(_change("shipped"), _change("paid"), _change("cancelled")) == []
    assert world.orders["o-1"]["state"] == {"S": "shipped"}
    assert [detail["state"] for _, detail in world.events] == ["shipped"]


def test_the_same_state_by_another_event_changes_nothing(world: World) -> None:
    assert _run(_change("paid"), _change("paid", id="w-other")) == []
    assert world.orders["o-1"]["version"] == {"N": "2"}
    assert len(world.events) == 1


def test_news_that_were_lost_are_told_when_the_event_comes_again(world: World) -> None:
    works = world.aws.answers["PutEvents"]
    world.aws.fail("PutEvents", AwsError("InternalFailure"))
    assert _run(_change("paid")) == ["m1"]
    world.aws.on("PutEvents", works)
    assert _run(_change("paid")) == []
    assert world.orders["o-1"]["version"] == {"N": "2"}
    assert [detail["version"] for _, detail in world.events] == [2]


def test_an_event_that_the_bus_refuses_fails(world: World) -> None:
    entries = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
    world.aws.on("PutEvents", lambda _: entries)
    assert _run(_change("paid")) == ["m1"]
    assert world.postponed == []


def test_after_a_failure_the_rest_of_its_group_waits_and_others_go_on(world: World) -> None:
    bodies = [
        _change("paid", "nobody"),
        _change("paid"),
        _change("shipped", "nobody"),
        _change("paid", "o-2"),
    ]
    assert _run(*bodies) == ["m1", "m3"]
    assert {row["state"]["S"] for row in world.orders.values()} == {"paid"}
    assert "nobody" not in world.orders
    ((_, first), (_, second)) = world.postponed
    assert first == second
    assert 1 <= first <= 2


def test_poison_takes_nobody_of_its_group_along(world: World) -> None:
    """Else those behind it would be received as often as it is, and be dead letters beside it."""
    assert _run(_change("paid", type="order.lost"), _change("paid")) == ["m1"]
    assert world.orders["o-1"]["state"] == {"S": "paid"}


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "[]", "null"),
        *(
            _change("paid") | wrong
            for wrong in (
                {"orderId": "a b"},
                {"orderId": ""},
                {"type": "order.placed"},
                {"type": "order.lost"},
                {"type": ["order.paid"]},
                {"id": ""},
                {"id": "x" * 129},
                {"id": None},
                {"occurredAt": 7},
                {"occurredAt": "x" * 41},
            )
        ),
    ],
    ids=lambda body: ascii(body)[:80],
)
def test_what_is_no_event_comes_back_at_once(world: World, body: Any) -> None:
    assert _run(body) == ["m1"]
    assert world.postponed == [("r1", 1)]
    assert world.aws.names() == ["ChangeMessageVisibilityBatch"]


def test_a_foreign_event_fails(world: World) -> None:
    with pytest.raises(ValueError, match="aws:sqs"):
        order_tracker.handler({"source": "aws.s3", "detail": {}}, Context(30))


@pytest.mark.parametrize("states", list(itertools.permutations(_STATES)), ids="-".join)
def test_whatever_the_order_of_events_the_end_is_the_same(world: World, states: Any) -> None:
    assert _run(*[_change(state) for state in states]) == []
    assert world.orders["o-1"]["state"] == {"S": "delivered"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(st.sampled_from(_STATES), min_size=1, max_size=8))
def test_an_order_never_goes_back_and_its_versions_are_told_in_order(
    monkeypatch: pytest.MonkeyPatch, states: list[str]
) -> None:
    world = World()
    _use(world, monkeypatch)
    _place("o-1")
    world.events.clear()
    assert _run(*[_change(state) for state in states]) == []
    furthest = max([0, *(orders.STATES.index(state) for state in states)])
    row = world.orders["o-1"]
    assert row["state"] == {"S": orders.STATES[furthest]}
    versions = [detail["version"] for _, detail in world.events]
    assert versions == sorted(versions)
    assert len(set(versions)) + 1 == int(row["version"]["N"])
    assert json.dumps(row).count("placed") == (1 if furthest else 2)


def test_a_recorded_event_is_followed(world: World) -> None:
    _place("order-1")
    assert failed(order_tracker.handler(load("sqs_order_events"), Context(30))) == []
    assert world.orders["order-1"]["state"] == {"S": "shipped"}


def test_what_comes_after_a_failure_in_its_group_is_not_done_before_it(world: World) -> None:
    works = world.aws.answers["UpdateItem"]

    def busy(_: dict[str, Any]) -> dict[str, Any]:
        world.aws.on("UpdateItem", works)
        raise AwsError("ThrottlingException")

    world.aws.on("UpdateItem", busy)
    assert _run(_change("paid"), _change("shipped"), _change("paid", "o-2")) == ["m1", "m2"]
    states = {key: row["state"]["S"] for key, row in world.orders.items()}
    assert states == {"o-1": "placed", "o-2": "paid"}
    assert world.postponed == []


def test_a_change_is_counted_when_it_is_one(world: World, measured: Any) -> None:
    _run(_change("paid"), _change("paid"), _change("shipped"), _change("cancelled"))
    assert measured() == {"Orders paid": 1, "Orders shipped": 1}


def test_each_event_is_told_with_what_it_belongs_to(world: World, lines: Any) -> None:
    record = message(_change("paid"), number=7, group="o-1")
    attribute = {"stringValue": "mine", "dataType": "String"}
    record["messageAttributes"] = {"correlationId": attribute}
    late = message(_change("paid", id="w-late"), number=8, group="o-1")
    order_tracker.handler({"Records": [record, late]}, Context(30))
    assert [detail["correlationId"] for _, detail in world.events] == ["mine"]
    logged = [(line["correlation_id"], line["message"]) for line in lines()]
    assert logged[-3:-1] == [("mine", "order changed"), ("m8", "event is older than the order")]
    # Whose order it is stays in its row.
    assert world.orders["o-1"]["correlationId"] == {"S": "m1"}
