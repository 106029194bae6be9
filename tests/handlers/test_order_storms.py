"""Orders under everything at once: duplicates, any order, crashes between any two calls, throttling,
conflicts, poison. The queue is simulated; what must hold is said in `_check`.
"""

from __future__ import annotations

import random
import time
from typing import Any

import order_processor
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import aws as common_aws
from common import queues
from tests.handlers.conftest import Context
from tests.handlers.fakes import AwsError
from tests.handlers.order_world import ENVIRONMENT, World, event, failed, message, order

_MOST_RECEIVES = 32  # the storms here are longer than any queue's patience


class Crash(BaseException):
    """The process ends here."""


class Storm:
    """Crashes and refuses calls as a list of chances says, until it is over."""

    def __init__(self, world: World, troubles: list[str]) -> None:
        self.world = world
        self.troubles = troubles
        self.crashes = self.refusals = 0
        for operation, answer in list(world.aws.answers.items()):
            world.aws.on(operation, self._through(answer))

    def _through(self, answer: Any) -> Any:
        def respond(call: dict[str, Any]) -> dict[str, Any]:
            trouble = self.troubles.pop() if self.troubles else ""
            if trouble == "refused":
                self.refusals += 1
                raise AwsError("ThrottlingException")
            if trouble == "odd":
                self.refusals += 1
                raise AwsError("AccessDenied")
            if trouble == "before":
                self.crashes += 1
                raise Crash
            result = answer(call)
            if trouble == "after":
                self.crashes += 1
                raise Crash
            if trouble == "lost":  # done, and the answer did not arrive
                self.refusals += 1
                raise AwsError("InternalFailure", status=500)
            return result

        return respond


class SimulatedQueue:
    """Gives out what waits in batches, and takes back what failed or crashed."""

    def __init__(self, bodies: list[Any], *, chance: random.Random) -> None:
        self.waiting = [message(body, number=n) for n, body in enumerate(bodies, 1)]
        self.dead: list[dict[str, Any]] = []
        self.chance = chance
        self.receives: dict[str, int] = {}

    def drain(self, clock: Any) -> None:
        while self.waiting:
            self.chance.shuffle(self.waiting)
            batch = self.waiting[: self.chance.randint(1, 10)]
            del self.waiting[: len(batch)]
            for record in batch:
                count = self.receives[record["messageId"]] = (
                    self.receives.get(record["messageId"], 0) + 1
                )
                record["attributes"]["ApproximateReceiveCount"] = str(count)
            try:
                bad = failed(order_processor.handler({"Records": batch}, Context(2)))
                clock(3)
            except Crash:
                bad = [record["messageId"] for record in batch]
                clock(8)
            for record in batch:
                if record["messageId"] in bad:
                    spent = self.receives[record["messageId"]] >= _MOST_RECEIVES
                    (self.dead if spent else self.waiting).append(record)


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash must end the whole invocation."""
    monkeypatch.setattr(queues, "_THREADS", 1)


def _world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(common_aws, "client", lambda service, **_: made.aws.client(service))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return made


def _clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    moment = [time.time()]
    monkeypatch.setattr(time, "time", lambda: moment[0])

    def forward(seconds: float) -> None:
        moment[0] += seconds

    return forward


_TROUBLES = st.lists(
    st.sampled_from(["", "", "", "", "", "", "before", "after", "refused", "odd", "lost"]),
    max_size=30,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    orders=st.integers(1, 8),
    copies=st.integers(1, 3),
    poison=st.integers(0, 1),
    conflicts=st.integers(0, 1),
    troubles=_TROUBLES,
    seed=st.integers(0, 2**32),
)
def test_nothing_is_lost_and_nothing_doubled(
    monkeypatch: pytest.MonkeyPatch,
    one_thread: None,
    orders: int,
    copies: int,
    poison: int,
    conflicts: int,
    troubles: list[str],
    seed: int,
) -> None:
    world = _world(monkeypatch)
    monkeypatch.setenv("LOG_LEVEL", "FATAL")
    storm = Storm(world, troubles)
    names = [f"o-{number}" for number in range(orders)]
    bodies: list[Any] = [order(name) for name in names for _ in range(copies)]
    bodies += ["poison"] * poison
    bodies += [
        order(name, customerEmail=f"other-{n}@example.com")
        for n, name in enumerate(names[:conflicts])
    ]
    queue = SimulatedQueue(bodies, chance=random.Random(seed))
    queue.drain(_clock(monkeypatch))
    _check(world, storm, names, queue, wrong=poison, conflicts=conflicts, copies=copies)


def _check(
    world: World,
    storm: Storm,
    names: list[str],
    queue: SimulatedQueue,
    *,
    wrong: int,
    conflicts: int,
    copies: int,
) -> None:
    # One row each, and each of them is done with.
    assert set(world.orders) == set(names)
    for row in world.orders.values():
        assert row["confirmation"] == {"S": "sent"}
        assert row["version"] == {"N": "1"}
        assert not {"claimedUntil", "steps"} & set(row)
    # The bad messages and no others are dead: of two orders with one id, one stands.
    dead = [record["body"] for record in queue.dead]
    assert dead.count("poison") == wrong
    losers = len(dead) - wrong
    assert conflicts <= losers <= conflicts * copies
    # Everybody was told, and twice only where a crash or a lost answer left no choice.
    told = [content["orderId"] for _, content in world.published]
    heard = [detail["orderId"] for _, detail in world.events]
    assert set(told) == set(heard) == set(names)
    assert len(world.mails) >= len(names)
    if not storm.crashes and not storm.refusals:
        assert len(told) == len(heard) == len(world.mails) == len(names)


@pytest.mark.parametrize("operation", ["PutItem", "PublishBatch", "PutEvents", "SendEmail"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_at_any_call_is_repaired_by_the_redelivery(
    monkeypatch: pytest.MonkeyPatch, one_thread: None, operation: str, moment: str
) -> None:
    world = _world(monkeypatch)
    works = world.aws.answers[operation]

    def crash(call: dict[str, Any]) -> dict[str, Any]:
        if moment == "after":
            works(call)
        raise Crash

    world.aws.on(operation, crash)
    batch = event(order(), order("o-2"))
    with pytest.raises(Crash):
        order_processor.handler(batch, Context(0.1))
    world.aws.on(operation, works)
    forward = _clock(monkeypatch)
    forward(2)
    assert failed(order_processor.handler(batch, Context(30))) == []
    assert {row["confirmation"]["S"] for row in world.orders.values()} == {"sent"}
    assert len(world.orders) == 2
    repeated = {"PublishBatch": world.published, "PutEvents": world.events}
    # A crash repeats the steps since the row, and no others.
    expected = {
        ("PutItem", "before"): (2, 2),
        ("PutItem", "after"): (2, 2),
        ("PublishBatch", "before"): (2, 2),
        ("PublishBatch", "after"): (4, 2),
        ("PutEvents", "before"): (4, 2),
        ("PutEvents", "after"): (4, 4),
    }.get((operation, moment), (4, 4))
    assert (len(repeated["PublishBatch"]), len(repeated["PutEvents"])) == expected
