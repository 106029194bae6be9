"""The HTTP API over real HTTP: products, orders and users, for people of the user pool."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from sandbox.box import Box
from sandbox.web import Answer

PROBLEM = "application/problem+json"
ORIGIN = "http://localhost:3000"


@pytest.fixture(scope="module")
def token(box: Box) -> str:
    """An access token of the user pool."""
    return box.token(cognito=True)


@pytest.fixture
def user() -> dict[str, str]:
    """A user whom nobody knows yet."""
    return {"user_id": f"u-{uuid4()}", "name": "Ada", "email": "ada@example.com"}


def ask(box: Box, method: str, path: str, **more: Any) -> Answer:
    """One request to the HTTP API."""
    return box.http.request(method, f"{box.outputs['httpApiUrl']}{path}", **more)


def stored(box: Box, user_id: str) -> dict[str, Any]:
    """The row of a user, {} where there is none."""
    key = {"user_id": {"S": user_id}}
    table = box.outputs["usersTable"]
    found = box.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)
    row: dict[str, Any] = found.get("Item", {})
    return row


def test_products_are_listed(box: Box, token: str) -> None:
    answer = ask(box, "GET", "/products", token=token)
    assert (answer.status, answer.json()["message"]) == (200, "List of products")


def test_an_order_is_created(box: Box, token: str) -> None:
    order = {"items": [{"id": "cord", "quantity": 3}]}
    answer = ask(box, "POST", "/orders", token=token, json=order)
    assert (answer.status, answer.json()["message"]) == (201, "Order created")
    assert (answer.json()["order"], answer.json()["total"]) == (order, "0.44")


def test_an_order_that_is_none_is_a_problem(box: Box, token: str) -> None:
    answer = ask(box, "POST", "/orders", token=token, json={"items": []})
    assert (answer.status, answer.headers["Content-Type"]) == (400, PROBLEM)


def test_a_user_is_created_with_the_time_of_it(box: Box, token: str, user: dict[str, str]) -> None:
    answer = ask(box, "POST", "/users", token=token, json=user)
    assert answer.status == 200, answer.text
    assert answer.json() == {
        "message": "User created successfully",
        "user_id": user["user_id"],
    }
    row = {name: value["S"] for name, value in stored(box, user["user_id"]).items()}
    created = dt.datetime.fromisoformat(row.pop("created_at"))
    assert row == user
    assert abs(dt.datetime.now(dt.UTC) - created) < dt.timedelta(minutes=1)


def test_the_same_user_again_changes_nothing_and_another_one_is_a_conflict(
    box: Box, token: str, user: dict[str, str]
) -> None:
    ask(box, "POST", "/users", token=token, json=user)
    before = stored(box, user["user_id"])
    assert ask(box, "POST", "/users", token=token, json=user).status == 200
    other = ask(box, "POST", "/users", token=token, json={**user, "name": "Grace"})
    assert (other.status, other.headers["Content-Type"]) == (409, PROBLEM)
    assert stored(box, user["user_id"]) == before


def test_of_many_who_want_one_id_one_gets_it(box: Box, token: str, user: dict[str, str]) -> None:
    def create(turn: int) -> int:
        return ask(box, "POST", "/users", token=token, json={**user, "name": f"N{turn}"}).status

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(create, range(8))) == [200] + [409] * 7


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        (["name"], "Missing required fields: name"),
        (["name", "email"], "Missing required fields: name, email"),
        (["user_id", "name", "email"], "Missing required fields: user_id, name, email"),
    ],
)
def test_what_is_missing_is_named(
    box: Box, token: str, user: dict[str, str], left_out: list[str], told: str
) -> None:
    body = {name: value for name, value in user.items() if name not in left_out}
    answer = ask(box, "POST", "/users", token=token, json=body)
    assert (answer.status, answer.json()["detail"].rstrip(".")) == (400, told)
    assert stored(box, user["user_id"]) == {}


ROUTES = [("GET", "/products"), ("POST", "/orders"), ("POST", "/users")]


@pytest.fixture(scope="module")
def foreign(box: Box) -> Iterator[str]:
    """A token of another client of the same pool."""
    idp = box.client("cognito-idp")
    pool = box.outputs["userPoolId"]
    made = idp.create_user_pool_client(
        UserPoolId=pool,
        ClientName="foreign",
        ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    name, password = "foreign@example.com", f"Aa1!{uuid4()}"
    idp.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    idp.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    signed = idp.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=made,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )
    yield signed["AuthenticationResult"]["AccessToken"]
    idp.admin_delete_user(UserPoolId=pool, Username=name)
    idp.delete_user_pool_client(UserPoolId=pool, ClientId=made)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_asks_for_a_token_of_this_pool_and_client(
    box: Box, token: str, foreign: str, method: str, path: str
) -> None:
    head, payload, signature = token.split(".")
    other = "A" if signature[5] != "A" else "B"
    refused = [
        None,
        "not.a.token",
        box.token(),
        foreign,
        f"{head}.{payload}.{signature[:5]}{other}",
    ]
    for each in refused:
        answer = ask(box, method, path, **({"token": each} if each else {}))
        assert (answer.status, answer.json()) == (401, {"message": "Unauthorized"}), each


def test_an_unknown_route_is_not_found_by_the_gateway(box: Box, token: str) -> None:
    answer = ask(box, "GET", "/nowhere", token=token)
    assert (answer.status, answer.json()) == (404, {"message": "Not Found"})


def test_a_browser_of_the_named_origin_is_answered_and_no_other(box: Box, token: str) -> None:
    asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    preflight = ask(box, "OPTIONS", "/users", headers=asks)
    assert preflight.status in {200, 204}
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    answer = ask(box, "GET", "/products", token=token, headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    foreign = {"Origin": "http://elsewhere.example.com"}
    assert (
        "Access-Control-Allow-Origin"
        not in ask(box, "GET", "/products", token=token, headers=foreign).headers
    )
