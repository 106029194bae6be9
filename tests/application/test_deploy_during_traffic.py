"""A deployment while people work: no request fails by it, no subscriber misses a change, no connection ends."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from websockets.sync.client import ClientConnection

from sandbox import stack
from sandbox.box import Box
from sandbox.place import HOME, Place
from sandbox.session import Session

SECONDS = 20.0
SIZES = (192, 320)
"""Memory of every function, by deployment: each publishes new versions and moves every alias."""


def configured(memory: int) -> stack.Stack:
    """The dev stack with functions, and limits of a route, that are sized otherwise."""
    narrow = {"throttle_rate_limit": 1000.0 + memory}
    config = {
        "functions": {"defaults": {"memory_size": memory}},
        "api": {"routes": {"GET /items": narrow}, "description": f"The items API, {memory}"},
        "http_api": {"routes": {"GET /products": narrow}},
        "socket": {"throttle_rate_limit": 1000.0 + memory},
    }
    return stack.load(HOME, "dev", config=config)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A sandbox that can be deployed to again."""
    own = Session(
        Place(HOME, "dev", tmp_path / "box"), stable=False, leashed=True, say=lambda _line: None
    )
    yield own
    own.down()


class Traffic:
    """Somebody who asks one thing over and over, and counts the answers."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self.seen: Counter[Any] = Counter()
        self.made: list[Any] = []
        self._ask, self._end = ask, threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)

    def _go(self) -> None:
        while not self._end.is_set():
            try:
                answer = self._ask()
            except OSError as error:
                self.seen[repr(error)] += 1
                continue
            self.seen[answer.status] += 1
            self.made.append(answer)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def listen(client: ClientConnection, wanted: set[str]) -> set[str]:
    """Which of these items a subscriber still hears of being made."""
    heard: set[str] = set()
    end = time.monotonic() + SECONDS
    while not wanted <= heard and time.monotonic() < end:
        push = json.loads(client.recv(timeout=SECONDS))
        if push["event"] == "created":
            heard.add(push["item"]["id"])
    return heard & wanted


def test_nobody_notices_a_deployment(session: Session) -> None:
    box = Box("dev", session.up(configured(SIZES[0])), session.place)
    token, person = box.token(), box.token(cognito=True)
    products = f"{box.outputs['httpApiUrl']}/products"
    body = {"name": "lamp", "price": "1.00"}
    with box.socket(token) as client:
        client.send(json.dumps({"action": "subscribe", "topic": "items", "requestId": "1"}))
        assert json.loads(client.recv(timeout=SECONDS))["subscribed"] is True
        with (
            Traffic(lambda: box.http.get("/items?limit=1", token=token)) as reads,
            Traffic(lambda: box.http.post("/items", token=token, json=body)) as writes,
            Traffic(lambda: box.http.get(products, token=person)) as people,
        ):
            time.sleep(0.3)
            outcome = session.up(configured(SIZES[1]))
            time.sleep(0.3)
        assert (outcome.failures, outcome.restarts) == ([], [])
        assert _memory(box) == SIZES[1]
        made = {answer.json()["id"] for answer in writes.made}
        assert listen(client, made) == made
    assert [each.seen.keys() for each in (reads, writes, people)] == [{200}, {201}, {200}]
    assert min(each.seen.total() for each in (reads, writes, people)) > 10


def _memory(box: Box) -> int:
    """What a function was given that the deployment changed."""
    name = box.outputs["functions"]["create-item"]["name"]
    found = box.client("lambda").get_function_configuration(FunctionName=name, Qualifier="live")
    size: int = found["MemorySize"]
    return size
