"""One sandbox of the dev stack for all tests of the application: real HTTP, real events, roles enforced."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sandbox
from sandbox.box import Box
from tests.support.hostile_doors import watched

# A failed message stays hidden for the whole visibility timeout, so both are short here.
QUICK = {
    # Off by default; here, so that its tests need no sandbox of their own.
    "graphql": {"enabled": True},
    "functions": {"notification-sender": {"timeout": 2}},
    "triggers": {
        "queues": {"notifications": {"visibility_timeout_seconds": 2, "max_receive_count": 5}}
    },
}


@pytest.fixture(scope="session")
def box() -> Iterator[Box]:
    """The running dev stack."""
    with sandbox.running("dev", config=QUICK) as running:
        yield running


@pytest.fixture(scope="module")
def clean_logs(box: Box) -> Iterator[None]:
    """After a module of hostile tests: no traceback, error or secret in what functions behind the APIs logged."""
    with watched(box):
        yield


@pytest.fixture(scope="session")
def new_item(box: Box) -> Callable[..., dict[str, Any]]:
    """Make an item over HTTP; its answer's JSON."""
    token = box.token()

    def make(**fields: Any) -> dict[str, Any]:
        answer = box.http.post(
            "/items", token=token, json={"name": "lamp", "price": "19.90", **fields}
        )
        assert answer.status == 201, answer.text
        return answer.json()

    return make


def eventually(check: Callable[[], Any], seconds: float = 15.0) -> Any:
    """The first true value of `check`, asked every 50 ms; fails with its last value after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s; last seen: {found!r}")
        time.sleep(0.05)
