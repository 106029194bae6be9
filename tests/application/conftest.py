"""One sandbox of the dev stack for all tests of the application: real HTTP, real events, roles enforced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sandbox
from sandbox.box import Box
from tests.support.effects import Effects, eventually
from tests.support.hostile_doors import watched

__all__ = ["eventually"]

# A message whose function ended without an answer stays hidden for the whole visibility timeout, and a stream tries a
# bad record as often as it may: both are short here.
QUICK = {
    # Off by default; here, so that its tests need no sandbox of their own.
    "graphql": {"enabled": True},
    "functions": {
        "notification-sender": {"timeout": 2},
        "order-processor": {"timeout": 5},
        "order-tracker": {"timeout": 2},
        # Who takes over from a crashed run waits until that one's time is over.
        "report-generator": {"timeout": 5},
    },
    "triggers": {
        "queues": {
            "notifications": {"visibility_timeout_seconds": 2, "max_receive_count": 5},
            "orders": {"visibility_timeout_seconds": 5},
            "order-events": {"visibility_timeout_seconds": 2, "max_receive_count": 5},
        },
        "streams": {
            "data-transformer": {"maximum_retry_attempts": 1},
            "telemetry-aggregator": {"maximum_retry_attempts": 1},
        },
    },
}


@pytest.fixture(scope="session")
def box() -> Iterator[Box]:
    """The running dev stack."""
    with sandbox.running("dev", config=QUICK) as running:
        yield running


@pytest.fixture(scope="session")
def effects(box: Box) -> Effects:
    """What the functions of the running stack have done: rows, objects, messages, mails."""
    return Effects(box)


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
