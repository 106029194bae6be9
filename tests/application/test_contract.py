"""Real answers are what openapi.json says of them: status, type of content, and every member of the body."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sandbox.box import Box
from tests.support.program import ROOT

NewItem = Callable[..., dict[str, Any]]

DOCUMENT = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
ITEM = {"name": "lamp", "price": "19.90", "tags": ["desk"]}


def problems(path: str, method: str, answer: Any) -> list[str]:
    """What of an answer is not as described."""
    responses = DOCUMENT["paths"][path][method]["responses"]
    described = responses.get(str(answer.status))
    if described is None:
        return [f"{method} {path}: {answer.status} is not described"]
    wanted = described.get("content", {})
    if not wanted:
        return [f"a body where none is described: {answer.text}"] if answer.text else []
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    if kind not in wanted:
        return [f"{kind} in place of {', '.join(wanted)}"]
    missing = [n for n in described.get("headers", {}) if n.lower() not in _lower(answer.headers)]
    # References are looked up in the schema itself.
    schema = {**wanted[kind]["schema"], "components": DOCUMENT["components"]}
    validator = Draft202012Validator(schema)
    return [f"no header {n}" for n in missing] + [
        f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer.json())
    ]


def _lower(headers: Any) -> set[str]:
    return {name.lower() for name in dict(headers)}


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("get", "/health", {}, 200),
        ("post", "/items", {"json": ITEM}, 201),
        ("post", "/items", {"json": {**ITEM, "description": "bright"}}, 201),
        ("post", "/items", {"json": {"name": "x"}}, 400),
        ("post", "/items", {"json": {**ITEM, "price": "1.999"}}, 400),
        ("get", "/items", {}, 200),
        ("get", "/items?limit=0", {}, 400),
        ("get", "/items?cursor=forged", {}, 400),
        ("get", "/items/nothing", {}, 404),
        ("put", "/items/nothing", {"json": ITEM, "headers": {"If-Match": "*"}}, 404),
        ("put", "/items/nothing", {"json": ITEM}, 428),
        ("delete", "/items/nothing", {}, 204),
    ],
)
def test_answer_is_the_one_described(
    box: Box, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    answer = getattr(box.http, method)(path, token=True, **options)
    template = "/items/{id}" if path.endswith("/nothing") else path.split("?", maxsplit=1)[0]
    assert answer.status == status
    assert problems(template, method, answer) == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"message": "hello", "subject": "news"}', "application/json", 202),
        (b'{"subject": "news"}', "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"message": "hello"}', "text/plain", 415),
    ],
)
def test_notification_is_taken_or_refused_as_described(
    box: Box, body: bytes, content_type: str, status: int
) -> None:
    headers = {"Content-Type": content_type, "x-api-key": box.api_key()}
    answer = box.http.post("/notifications", token=True, body=body, headers=headers)
    assert answer.status == status
    assert problems("/notifications", "post", answer) == []


@pytest.mark.parametrize("key", [None, "x" * 32])
def test_caller_without_a_good_key_gets_what_is_described(box: Box, key: str | None) -> None:
    headers = {"x-api-key": key} if key else {}
    answer = box.http.post("/notifications", token=True, json={"message": "x"}, headers=headers)
    assert answer.status == 403
    assert problems("/notifications", "post", answer) == []


def test_answer_that_breaks_its_own_schema_is_a_fault_that_names_the_field(
    box: Box, new_item: NewItem
) -> None:
    """As a mistake in a handler would: here the table holds what no handler writes."""
    path = new_item()["id"]
    spoilt = {"Key": {"id": {"S": path}}, "TableName": box.outputs["itemsTable"]}
    box.client("dynamodb").update_item(
        **spoilt,
        UpdateExpression="SET #name = :name",
        ExpressionAttributeNames={"#name": "name"},
        ExpressionAttributeValues={":name": {"S": "x" * 201}},
    )
    answer = box.http.get(f"/items/{path}", token=True)
    box.client("dynamodb").delete_item(**spoilt)
    assert answer.status == 500
    assert problems("/items/{id}", "get", answer) == []
    assert "/name" in answer.json()["detail"]
    assert "xxx" not in answer.text


@pytest.mark.parametrize("token", [None, "forged"])
def test_caller_without_a_good_token_gets_what_is_described(box: Box, token: str | None) -> None:
    answer = box.http.get("/items", token=token) if token else box.http.get("/items")
    assert answer.status == (403 if token else 401)
    assert problems("/items", "get", answer) == []


def test_changes_of_an_item_are_answered_as_described(box: Box, new_item: NewItem) -> None:
    path = f"/items/{new_item()['id']}"
    changed = box.http.put(path, token=True, json=ITEM, headers={"If-Match": '"1"'})
    stale = box.http.put(path, token=True, json=ITEM, headers={"If-Match": '"1"'})
    read = box.http.get(path, token=True)
    assert [changed.status, stale.status, read.status] == [200, 412, 200]
    found = [
        problems("/items/{id}", m, a) for m, a in (("put", changed), ("put", stale), ("get", read))
    ]
    assert found == [[], [], []]
