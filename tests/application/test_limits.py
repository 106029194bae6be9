"""Limits on the wire: throttles of the stage, of a route and of a key, and a quota; each refuses, and lets through again.

A stack of its own: the limits are so small that other tests would run into them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import sandbox
from sandbox.box import Box
from sandbox.web import Answer

PROBLEM = "application/problem+json"
NARROW = {
    "api": {
        "throttle_rate_limit": 1000,
        "throttle_burst_limit": 1000,
        "routes": {"GET /health": {"throttle_rate_limit": 5, "throttle_burst_limit": 5}},
        "usage_plan": {"quota_limit": 4, "throttle_rate_limit": 100, "throttle_burst_limit": 100},
    },
    "http_api": {
        "routes": {"GET /products": {"throttle_rate_limit": 5, "throttle_burst_limit": 5}}
    },
}


@pytest.fixture(scope="module")
def narrow() -> Iterator[Box]:
    """A running stack that lets little through."""
    with sandbox.running("narrow", config=NARROW) as running:
        yield running


def burst(ask: Callable[[], Answer], count: int = 30) -> list[Answer]:
    """Many requests at once."""
    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(lambda _: ask(), range(count)))


def lifts(ask: Callable[[], Answer]) -> bool:
    """Whether a request gets through within some seconds of waiting."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        time.sleep(0.3)
        if ask().status == 200:
            return True
    return False


def test_a_throttled_route_refuses_and_opens_again_while_others_go_on(narrow: Box) -> None:
    token = narrow.token()
    answers = burst(lambda: narrow.http.get("/health"))
    counted = Counter(answer.status for answer in answers)
    assert counted.keys() == {200, 429}
    assert counted[200] >= 5
    refused = next(answer for answer in answers if answer.status == 429)
    assert (refused.headers["Content-Type"], refused.json()["status"]) == (PROBLEM, 429)
    assert {answer.status for answer in burst(lambda: narrow.http.get("/items", token=token))} == {
        200
    }
    assert lifts(lambda: narrow.http.get("/health"))


def test_a_throttled_route_of_the_http_api_refuses_and_opens_again(narrow: Box) -> None:
    token = narrow.token(cognito=True)

    def ask() -> Answer:
        return narrow.http.get(f"{narrow.outputs['httpApiUrl']}/products", token=token)

    answers = burst(ask)
    assert {answer.status for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.json() == {"message": "Too Many Requests"}
    assert lifts(ask)


def test_a_key_has_its_quota_and_none_is_no_way_around_it(narrow: Box) -> None:
    token, key = narrow.token(), narrow.api_key()

    def send(sent: str | None) -> Answer:
        headers = {"x-api-key": sent} if sent else {}
        return narrow.http.post(
            "/notifications", token=token, json={"message": "hello"}, headers=headers
        )

    assert [send(key).status for _ in range(6)] == [202] * 4 + [429] * 2
    refused = send(key)
    assert (refused.headers["Content-Type"], refused.json()["title"]) == (
        PROBLEM,
        "Too Many Requests",
    )
    assert [send(other).status for other in (None, "x" * 32)] == [403, 403]
    # The quota is the key's: routes that ask for none are open to everybody who has a token.
    assert narrow.http.get("/items", token=token).status == 200
