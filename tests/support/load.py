"""Orders by the thousand, of which some are poison, some crash their function and some come three times.

Used by the suite with 2,000 messages and by `make soak` with 10,000.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.support.effects import Effects, order, unique

POISON, CRASHING, TRIPLED = 0.05, 0.01, 0.10
_SENDERS = 4
_BATCH = 10
_POLL_SECONDS = 0.5
_FUNCTION = "order-processor"
_ADDRESS = "load@example.com"


@dataclass
class Load:
    """What is sent: `messages`, shuffled; `good` orders by id, `crashing` ones among them; `poison` bodies."""

    messages: list[str]
    good: set[str]
    crashing: set[str]
    poison: set[str]


def make(count: int, *, seed: int) -> Load:
    """`count` messages besides the repetitions of those that come three times."""
    chance, run = random.Random(seed), unique("l")
    kinds = ["poison"] * int(count * POISON) + ["crash"] * int(count * CRASHING)
    kinds += ["good"] * (count - len(kinds))
    load = Load([], set(), set(), set())
    for number, kind in enumerate(kinds):
        name = f"{run}-{kind}-{number}"
        if kind == "poison":
            body = chance.choice(_POISONS)(name)
            load.poison.add(body)
        else:
            body = json.dumps(order(name, email=_ADDRESS))
            load.good.add(name)
            if kind == "crash":
                load.crashing.add(name)
        load.messages.append(body)
    load.messages += 2 * chance.sample(load.messages, int(count * TRIPLED))
    chance.shuffle(load.messages)
    return load


_POISONS: list[Callable[[str], str]] = [
    lambda name: f"{{not json {name}",
    lambda name: json.dumps({"orderId": name}),
    lambda name: json.dumps({**order(name), "items": []}),
    lambda name: json.dumps({**order(name), "items": [{"id": "a", "quantity": 0, "price": 1}]}),
    lambda name: json.dumps([name]),
]


@dataclass
class Figures:
    """Seconds since the first message was sent until what is named was so, and how often what was."""

    messages: int
    sent: float = 0.0
    placed: float = 0.0
    settled: float = 0.0
    crashes: int = 0
    timeouts: int = 0
    redriven: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    told_twice: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    poison_missing: list[str] = field(default_factory=list)
    innocents: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.messages} messages: sent within {self.sent:.1f} s, all good orders confirmed after {self.placed:.1f} s "
            f"({self.messages / self.placed:.0f} messages/s), everything settled after {self.settled:.1f} s; "
            f"{self.crashes} crashes, {self.timeouts} timeouts, {self.redriven} good messages redriven"
        )

    @property
    def mistakes(self) -> dict[str, list[str]]:
        """What must not be, by kind; empty where all is well."""
        kinds = (
            *("lost", "doubled", "told_twice", "untold"),
            *("poison_missing", "innocents"),
        )
        return {kind: found for kind in kinds if (found := getattr(self, kind))}


def run(effects: Effects, load: Load, *, patience: float) -> Figures:
    """Send a load, wait until it is settled, bring dead letters back once, and judge. `patience` in seconds."""
    box, figures = effects.box, Figures(len(load.messages))
    inbox = effects.inbox("orders")
    # A crashing order ends its environment once: on the way back its row is there, and the write is refused.
    crash = "-crash-"
    with box.fault(_FUNCTION, after="dynamodb:PutItem", request=crash, times=None) as fault:
        begun, moment = time.monotonic(), time.time()
        _send(effects, load.messages)
        figures.sent = time.monotonic() - begun
        until = begun + patience
        _wait(lambda: _is_empty(effects), until)
        figures.settled = time.monotonic() - begun
        figures.crashes = fault.fired
    figures.timeouts = _timeouts(effects, moment)
    figures.placed = _last_mail(effects) - moment
    figures.redriven = len(_innocents(effects, load))
    if figures.redriven:
        box.redrive("orders")
        _wait(lambda: _is_empty(effects), until + patience)
    _judge(effects, load, figures, inbox)
    return figures


def _send(effects: Effects, messages: list[str]) -> None:
    batches = [messages[start : start + _BATCH] for start in range(0, len(messages), _BATCH)]

    def send(batch: list[str]) -> None:
        effects.box.send_sqs("orders", *batch)

    with ThreadPoolExecutor(_SENDERS) as pool:
        list(pool.map(send, batches))


def _wait(check: Callable[[], bool], until: float) -> None:
    while not check() and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)


def _rows(effects: Effects, load: Load) -> list[dict[str, Any]]:
    prefix = next(iter(load.good)).partition("-good-")[0].partition("-crash-")[0]
    return effects.rows("ordersTable", "orderId", f"{prefix}-")


def _confirmed(effects: Effects, load: Load) -> list[str]:
    rows = _rows(effects, load)
    return [row["orderId"]["S"] for row in rows if row["confirmation"]["S"] == "sent"]


def _is_empty(effects: Effects) -> bool:
    """Whether the queue has nothing more, in flight or not; asked in the cheapest way, for asking slows the rest."""
    held = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = effects.box.client("sqs").get_queue_attributes(
        QueueUrl=effects.box.outputs["ordersQueueUrl"], AttributeNames=held
    )["Attributes"]
    return all(int(found[name]) == 0 for name in held)


def _last_mail(effects: Effects) -> float:
    """When the last order was confirmed, in seconds since 1970."""
    return max((mail.time for mail in effects.mails(_ADDRESS)), default=0.0)


def _timeouts(effects: Effects, since: float) -> int:
    ends = effects.box.logs(_FUNCTION, since)
    reports = [e for e in ends if isinstance(e, dict) and e.get("type") == "platform.report"]
    return sum(report["record"].get("status") == "timeout" for report in reports)


def _innocents(effects: Effects, load: Load) -> list[str]:
    # What other tests buried stays out of it.
    good = set(load.messages) - set(load.poison)
    return [
        letter
        for letter in effects.peek(effects.box.outputs["ordersDeadLetterQueueUrl"])
        if letter in good
    ]


def _judge(effects: Effects, load: Load, figures: Figures, inbox: str) -> None:
    confirmed = Counter(_confirmed(effects, load))
    told = Counter(json.loads(text)["orderId"] for text in effects.peek(inbox))
    letters = set(effects.peek(effects.box.outputs["ordersDeadLetterQueueUrl"]))
    figures.lost = sorted(load.good - set(confirmed))
    figures.doubled = sorted({row["orderId"]["S"] for row in _rows(effects, load)} - load.good)
    figures.doubled += [name for name, times in confirmed.items() if times > 1]
    # Who runs out of time between telling the topic and noting it tells it again; a slow machine makes such timeouts.
    twice = [name for name, times in told.items() if times > 1 and name in load.good]
    figures.told_twice = twice if len(twice) > _BATCH * figures.timeouts else []
    figures.untold = sorted(load.good - set(told))
    figures.poison_missing = sorted(load.poison - letters)
    figures.innocents = _innocents(effects, load)
