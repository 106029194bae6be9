"""POST /items with an Idempotency-Key over HTTP: however often it arrives, there is one item, one change, one answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from sandbox.box import Box
from sandbox.web import Answer
from tests.application.conftest import eventually

NewItem = Callable[..., dict[str, Any]]
ORIGIN = "http://localhost:3000"
SECONDS = 20.0


@pytest.fixture
def key() -> str:
    """A key that nobody has used."""
    return f'"{uuid4()}"'


@pytest.fixture(scope="module")
def token(box: Box) -> str:
    return box.token(subject="repeats")


@pytest.fixture
def item() -> dict[str, Any]:
    """An item that can be told from all others."""
    return {"name": f"once {uuid4()}", "price": "1.00", "tags": ["a"]}


def post(box: Box, token: str, key: str, body: dict[str, Any]) -> Answer:
    headers = {"Idempotency-Key": key, "Origin": ORIGIN}
    return box.http.post("/items", token=token, json=body, headers=headers)


def named(box: Box, name: str) -> list[str]:
    """The ids of the stored items of a name."""
    pages = (
        box.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=box.outputs["itemsTable"],
            FilterExpression="#name = :name",
            ExpressionAttributeNames={"#name": "name"},
            ExpressionAttributeValues={":name": {"S": name}},
        )
    )
    return [row["id"]["S"] for page in pages for row in page["Items"]]


def same(answers: list[Answer]) -> Answer:
    """The answer that all of them are."""
    assert {answer.status for answer in answers} == {201}
    told = {(answer.text, answer.headers["ETag"], answer.headers["Location"]) for answer in answers}
    assert len(told) == 1
    return answers[0]


def test_three_times_the_same_is_one_write_and_one_answer(
    box: Box, token: str, key: str, item: dict[str, Any]
) -> None:
    first = same([post(box, token, key, item) for _ in range(3)])
    assert named(box, item["name"]) == [first.json()["id"]]
    assert box.http.get(f"/items/{first.json()['id']}", token=token).json() == first.json()


def test_many_at_once_are_one_write_and_one_answer(
    box: Box, token: str, key: str, item: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(box, token, key, item), range(16)))
    # Who comes while the first is under way may be asked to come again.
    assert {answer.status for answer in answers} <= {201, 503}
    first = same([answer for answer in answers if answer.status == 201])
    assert same([post(box, token, key, item), first]).text == first.text
    assert named(box, item["name"]) == [first.json()["id"]]


def test_the_answer_stays_when_the_item_has_changed_or_is_gone(
    box: Box, token: str, key: str, item: dict[str, Any]
) -> None:
    first = post(box, token, key, item)
    path = f"/items/{first.json()['id']}"
    changed = {**item, "price": "2.00"}
    assert box.http.put(path, token=token, json=changed, headers={"If-Match": "*"}).status == 200
    same([first, post(box, token, key, item)])
    assert box.http.get(path, token=token).json()["price"] == "2.00"
    assert box.http.delete(path, token=token).status == 204
    same([first, post(box, token, key, item)])
    assert box.http.get(path, token=token).status == 404


def test_another_body_under_the_key_is_a_problem_that_pages_may_read(
    box: Box, token: str, key: str, item: dict[str, Any]
) -> None:
    assert post(box, token, key, item).status == 201
    answer = post(box, token, key, {**item, "price": "3.00"})
    assert (answer.status, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert len(named(box, item["name"])) == 1


def test_keys_are_each_callers_own(box: Box, token: str, key: str, item: dict[str, Any]) -> None:
    mine, other = post(box, token, key, item), post(box, box.token(subject="other"), key, item)
    assert (mine.status, other.status) == (201, 201)
    assert sorted(named(box, item["name"])) == sorted([mine.json()["id"], other.json()["id"]])


@pytest.mark.parametrize("bad", ["", "x" * 129, "\xff", "a\tb"])
def test_what_is_no_key_is_refused(box: Box, token: str, item: dict[str, Any], bad: str) -> None:
    assert post(box, token, bad, item).status == 400
    assert named(box, item["name"]) == []


def test_preflight_lets_pages_send_a_key(box: Box) -> None:
    asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    allowed = box.http.options("/items", headers=asks).headers["Access-Control-Allow-Headers"]
    assert "idempotency-key" in allowed.lower().split(",")


def test_what_a_key_was_used_for_is_no_item_and_no_news(
    box: Box, token: str, key: str, item: dict[str, Any], new_item: NewItem
) -> None:
    with box.socket(token) as client:
        client.send(json.dumps({"action": "subscribe", "topic": "items", "requestId": "1"}))
        assert json.loads(client.recv(timeout=SECONDS))["subscribed"] is True
        made = post(box, token, key, item).json()
        post(box, token, key, item)
        last = new_item(name="last")
        heard = [json.loads(client.recv(timeout=SECONDS))]
        while heard[-1]["item"]["id"] != last["id"]:
            heard.append(json.loads(client.recv(timeout=SECONDS)))
    assert [push["item"] for push in heard if push["item"]["id"] == made["id"]] == [made]
    assert all(push["item"].keys() == made.keys() for push in heard)
    eventually(lambda: _audited(box, last["id"]))
    assert _audited(box, made["id"]) == 1
    used = [i for i in _all_ids(box) if i.startswith("request#")]
    assert used
    assert not [each for each in used if _audited(box, each)]
    hidden = f"/items/{used[0].replace('#', '%23')}"
    assert box.http.get(hidden, token=token).status == 404


def test_the_table_forgets_keys_by_itself(box: Box) -> None:
    found = box.client("dynamodb").describe_time_to_live(TableName=box.outputs["itemsTable"])
    assert found["TimeToLiveDescription"]["AttributeName"] == "expiresAt"


def _audited(box: Box, item_id: str) -> int:
    found = box.client("dynamodb").query(
        TableName=box.outputs["auditTable"],
        KeyConditionExpression="itemId = :id",
        ExpressionAttributeValues={":id": {"S": item_id}},
    )
    return int(found["Count"])


def _all_ids(box: Box) -> list[str]:
    table = box.outputs["itemsTable"]
    pages = box.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [row["id"]["S"] for page in pages for row in page["Items"]]
