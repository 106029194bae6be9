"""Every refusal as a page in a browser gets it: a problem, readable by the named origin, that tells nothing of the inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

import sandbox
from sandbox.box import Box
from sandbox.web import Answer
from tests.application.conftest import eventually
from tests.support.hostile_doors import credentials

NewItem = Callable[..., dict[str, Any]]

ORIGIN = "http://localhost:3000"
PROBLEM = "application/problem+json"
NOWHERE = "/items/0190c2d4-0000-7000-8000-000000000000"
ITEM = {"name": "lamp", "price": "1.00"}
USER = {"user_id": "refused", "name": "Ada", "email": "ada@example.com"}
LONG = b"x" * (10 * 1024 * 1024 + 1)
INSIDE = (
    "Traceback",
    "arn:",
    "boto",
    "Exception",
    "lambda",
    ".py",
    "-table",
    "/var/task",
    "0000000",
)
"""What only the inside knows: code, libraries, resources, accounts."""


@dataclass(frozen=True)
class Refused:
    """A request that is refused with a status. `allowed` sends what opens the door besides; `more` is its body."""

    status: int
    method: str
    path: str
    api: str = "apiUrl"
    allowed: bool = True
    headers: dict[str, str] = field(default_factory=dict[str, str])
    more: dict[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return f"{self.status} {self.method} {self.path}"

    def send(self, box: Box, origin: str) -> Answer:
        own = credentials(box, self.api) if self.allowed else {}
        headers = {**own, "Origin": origin, **self.headers}
        url = f"{box.outputs[self.api]}{self.path}"
        return box.http.request(self.method, url, headers=headers, **self.more)


BAD_TOKEN = {"Authorization": "Bearer a.b.c"}
TEXT = {"Content-Type": "text/plain"}
OF_REST = [
    Refused(400, "POST", "/items", more={"json": {"name": "x"}}),
    Refused(400, "POST", "/items", headers=TEXT, more={"body": b"{"}),
    Refused(400, "PUT", NOWHERE, headers={"If-Match": "*"}, more={"json": []}),
    Refused(400, "GET", "/items?limit=0"),
    Refused(400, "GET", "/items?cursor=forged"),
    Refused(401, "GET", "/items", allowed=False),
    Refused(403, "GET", "/items", headers=BAD_TOKEN),
    Refused(
        403, "POST", "/notifications", headers={"x-api-key": "x"}, more={"json": {"message": "x"}}
    ),
    Refused(404, "GET", NOWHERE),
    Refused(404, "GET", "/nowhere"),
    Refused(404, "PATCH", "/items"),
    Refused(415, "POST", "/notifications", headers=TEXT, more={"body": b'{"message": "x"}'}),
    Refused(428, "PUT", NOWHERE, more={"json": ITEM}),
]
OF_HTTP = [
    Refused(400, "POST", "/users", "httpApiUrl", more={"json": {"user_id": "x"}}),
    Refused(400, "POST", "/orders", "httpApiUrl", more={"json": {"items": []}}),
    Refused(409, "POST", "/users", "httpApiUrl", more={"json": {**USER, "name": "Grace"}}),
]
BY_THE_HTTP_API = [
    Refused(401, "GET", "/products", "httpApiUrl", allowed=False),
    Refused(401, "GET", "/products", "httpApiUrl", headers=BAD_TOKEN),
    Refused(404, "GET", "/nowhere", "httpApiUrl"),
    Refused(413, "POST", "/users", "httpApiUrl", more={"body": LONG}),
]


@pytest.fixture(scope="module", autouse=True)
def _user_is_there(box: Box) -> None:
    headers = credentials(box, "httpApiUrl")
    made = box.http.post(f"{box.outputs['httpApiUrl']}/users", json=USER, headers=headers)
    assert made.status == 200


def says_why(answer: Answer) -> None:
    """The answer is a problem with all its members, and none of the words above."""
    assert answer.headers["Content-Type"] == PROBLEM
    told = answer.json()
    assert told.keys() - {"errors"} == {"type", "title", "status", "detail", "requestId"}
    assert told["status"] == answer.status
    assert told["title"]
    assert told["detail"]
    assert told["requestId"]
    assert not [word for word in INSIDE if word.lower() in answer.text.lower()]


def is_read_by(answer: Answer, origin: str) -> None:
    """Pages of that origin may read the answer, and a cache keeps them apart from others."""
    assert answer.headers.get_all("Access-Control-Allow-Origin") == [origin]
    assert answer.headers["Access-Control-Allow-Credentials"] in {None, "false"}


@pytest.mark.parametrize("refused", [*OF_REST, *OF_HTTP], ids=str)
def test_refusal_is_a_problem_that_the_named_origin_may_read(box: Box, refused: Refused) -> None:
    answer = refused.send(box, ORIGIN)
    assert answer.status == refused.status, answer.text
    says_why(answer)
    is_read_by(answer, ORIGIN)


@pytest.mark.parametrize("refused", BY_THE_HTTP_API, ids=str)
def test_what_the_http_api_says_by_itself_may_be_read_too(box: Box, refused: Refused) -> None:
    answer = refused.send(box, ORIGIN)
    assert answer.status == refused.status, answer.text
    assert answer.json().keys() == {"message"}
    is_read_by(answer, ORIGIN)


@pytest.mark.parametrize("refused", [*OF_REST, *OF_HTTP, *BY_THE_HTTP_API], ids=str)
def test_no_refusal_lets_another_origin_read_it(box: Box, refused: Refused) -> None:
    answer = refused.send(box, "https://evil.example")
    assert answer.status == refused.status
    assert answer.headers["Access-Control-Allow-Origin"] in {None, ORIGIN}


def test_stale_and_broken_items_are_problems_that_may_be_read(box: Box, new_item: NewItem) -> None:
    item = new_item()["id"]
    stale = Refused(412, "PUT", f"/items/{item}", headers={"If-Match": '"7"'}, more={"json": ITEM})
    key = {"Key": {"id": {"S": item}}, "TableName": box.outputs["itemsTable"]}
    answers = [stale.send(box, ORIGIN)]
    # A row that no handler writes: a fault of ours, and a column that only the inside knows.
    box.client("dynamodb").update_item(**key, UpdateExpression="REMOVE version")
    answers.append(Refused(500, "GET", f"/items/{item}").send(box, ORIGIN))
    box.client("dynamodb").delete_item(**key)
    assert [answer.status for answer in answers] == [412, 500]
    for answer in answers:
        says_why(answer)
        is_read_by(answer, ORIGIN)


@pytest.fixture(scope="module")
def narrow() -> Iterator[Box]:
    """A stack that lets little through, for pages of one origin."""
    few = {"throttle_rate_limit": 2, "throttle_burst_limit": 2}
    allowed = {"cors_allow_origins": [ORIGIN]}
    config = {
        "api": {**allowed, **few, "usage_plan": {"quota_limit": 1}},
        "http_api": {**allowed, **few},
    }
    with sandbox.running("narrow", config=config) as running:
        yield running


@pytest.mark.parametrize(("api", "path"), [("apiUrl", "/health"), ("httpApiUrl", "/products")])
def test_throttle_of_the_stage_refuses_what_pages_may_read_and_lifts(
    narrow: Box, api: str, path: str
) -> None:
    token = narrow.token(cognito=True)

    def ask(_: object = None) -> Answer:
        headers = {"Origin": ORIGIN}
        return narrow.http.get(f"{narrow.outputs[api]}{path}", token=token, headers=headers)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(ask, range(30)))
    assert {answer.status for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status == 429)
    is_read_by(refused, ORIGIN)
    if api == "apiUrl":
        says_why(refused)
    assert eventually(lambda: ask().status == 200)


def test_used_up_quota_is_a_problem_that_pages_may_read(narrow: Box) -> None:
    headers = {"x-api-key": narrow.api_key(), "Origin": ORIGIN}
    token = narrow.token()

    def send() -> Answer:
        return narrow.http.post(
            "/notifications", token=token, headers=headers, json={"message": "x"}
        )

    assert eventually(lambda: send().status == 202)
    answer = eventually(lambda: next((a for a in (send(),) if "Limit" in a.text), None))
    assert answer.status == 429
    says_why(answer)
    is_read_by(answer, ORIGIN)
