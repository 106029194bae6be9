"""POST /users: written once, every wrong member named, nothing of the inside told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import create_user
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import http
from tests.handlers.conftest import load
from tests.handlers.fakes import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

_USER = {"user_id": "user-1", "name": "Example User", "email": "user@example.com"}


@pytest.fixture
def users(aws: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The rows of the users table, by user_id."""
    monkeypatch.setenv("USERS_TABLE", "users")
    rows: dict[str, Any] = {}

    def put(call: dict[str, Any]) -> dict[str, Any]:
        assert call["ConditionExpression"] == "attribute_not_exists(#id)"
        assert call["ExpressionAttributeNames"] == {"#id": "user_id"}
        stored = rows.setdefault(call["Item"]["user_id"]["S"], call["Item"])
        if stored is not call["Item"]:
            assert call["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
            raise AwsError("ConditionalCheckFailedException", Item=stored)
        return {}

    aws.on("PutItem", put)
    return rows


@pytest.fixture
def post(users: Any, context: Any) -> Callable[..., dict[str, Any]]:
    """`post({...})`: the answer of the HTTP API's event with this body, JSON under "json"."""

    def send(body: Any) -> dict[str, Any]:
        text = body if isinstance(body, str) else json.dumps(body)
        answer = create_user.handler(load("http_api_create_user") | {"body": text}, context)
        return answer | {"json": json.loads(answer["body"])}

    return send


def _without(*names: str) -> dict[str, str]:
    return {name: value for name, value in _USER.items() if name not in names}


def test_a_user_is_stored_with_the_instant_of_its_creation(post: Any, users: Any) -> None:
    answer = post(_USER)
    assert answer["statusCode"] == 200
    assert answer["json"] == {"message": "User created successfully", "user_id": "user-1"}
    row = users["user-1"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row.pop("created_at")["S"])
    assert row == {name: {"S": value} for name, value in _USER.items()}


def test_the_rest_apis_event_does_as_well(context: Any, users: Any) -> None:
    event = load("api_create_item") | {"resource": "/users", "body": json.dumps(_USER)}
    assert create_user.handler(event, context)["statusCode"] == 200


def test_the_same_user_again_is_answered_alike_and_changes_nothing(post: Any, users: Any) -> None:
    first = post(_USER)
    stored = json.dumps(users)
    again = post(dict(reversed(_USER.items())))
    assert again == first
    assert json.dumps(users) == stored


@pytest.mark.parametrize("change", [{"name": "Another"}, {"email": "other@example.com"}])
def test_another_user_under_the_same_id_is_409_and_changes_nothing(
    post: Any, users: Any, change: dict[str, str]
) -> None:
    post(_USER)
    stored = json.dumps(users)
    answer = post(_USER | change)
    assert (answer["statusCode"], answer["json"]["title"]) == (409, "Conflict")
    assert answer["json"]["detail"] == "The user_id belongs to another user."
    assert json.dumps(users) == stored


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "Missing required fields: user_id, name, email"),
        (_without("name", "email"), "Missing required fields: name, email"),
        (_without("user_id"), "Missing required fields: user_id"),
        (_without("email") | {"name": 7}, "Missing required fields: email"),
    ],
)
def test_missing_members_are_named_in_one_sentence(post: Any, body: Any, detail: str) -> None:
    answer = post(body)
    assert (answer["statusCode"], answer["json"]["detail"]) == (400, detail)
    missing = detail.partition(": ")[2].split(", ")
    required = [e["pointer"] for e in answer["json"]["errors"] if e["detail"] == "is required"]
    assert required == [f"/{name}" for name in missing]


_BAD_TEXT = (None, 7, True, [], {}, "", " ", "\u2003", "a\x00b", "a\nb", "\x7f", "\ud800")
_BAD_EMAILS = (
    *("user", "user@", "@example.com", "user@example", "user@@example.com", "a b@example.com"),
    *("user@example..com", "user@.example.com", "user@example.com.", "user@-a.example"),
    *("user@example.com\n", "a@b.c, d@e.f", "User <user@example.com>", "ü@example.com"),
    *("x" * 65 + "@example.com", "a@" + "b" * 64 + ".com", "a@" + "b.c" * 90, "a@b_c.example"),
)


@pytest.mark.parametrize(
    "member",
    [
        *({name: value} for name in _USER for value in _BAD_TEXT),
        *({"email": email} for email in _BAD_EMAILS),
        *({"user_id": "x" * 129}, {"name": "x" * 201}),
    ],
    ids=str,
)
def test_a_wrong_member_is_named_and_nothing_is_written(
    post: Any, users: Any, member: dict[str, Any]
) -> None:
    answer = post(_USER | member)
    assert (answer["statusCode"], answer["json"]["detail"]) == (400, "The user is not valid.")
    assert [error["pointer"] for error in answer["json"]["errors"]] == [
        f"/{name}" for name in member
    ]
    assert users == {}


def test_an_unknown_member_is_refused(post: Any) -> None:
    (error,) = post(_USER | {"admin": True})["json"]["errors"]
    assert error == {"pointer": "/admin", "detail": "is not a member of a user"}


@pytest.mark.parametrize(
    "email",
    [
        *("a@b.co", "first.last+tag@sub.example.com", "o'neil@example.com", "1@2.34"),
        *("user@xn--bcher-kva.example", "x" * 64 + "@example.com"),
    ],
)
def test_addresses_in_use_are_accepted(post: Any, email: str) -> None:
    assert post(_USER | {"email": email})["statusCode"] == 200


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '{"name": NaN}', '{"name": 1, "name": 2}'])
def test_a_body_that_is_no_object_is_400(post: Any, body: str) -> None:
    assert post(body)["statusCode"] == 400


@pytest.mark.parametrize(
    ("code", "status"),
    [("ThrottlingException", 503), ("AccessDeniedException", 500), ("ValidationException", 500)],
)
def test_a_failing_table_tells_nothing_of_itself(
    post: Any, aws: Any, code: str, status: int
) -> None:
    aws.fail("PutItem", AwsError(code))
    answer = post(_USER)
    assert answer["statusCode"] == status
    assert code not in json.dumps(answer)
    assert "users" not in json.dumps(answer)


@given(
    st.dictionaries(
        st.sampled_from([*_USER, "admin", ""]),
        st.none() | st.integers() | st.text(max_size=260) | st.lists(st.text()),
    )
)
def test_whatever_members_arrive_they_are_taken_unchanged_or_each_is_named(body: Any) -> None:
    errors = _errors(body)
    named = {error["pointer"] for error in errors}
    assert named >= {f"/{name}" for name in {*_USER} - {*body}}
    assert errors or create_user.parse(body) == body


@given(st.emails())
def test_of_an_address_only_the_address_is_refused(email: str) -> None:
    assert {error["pointer"] for error in _errors(_USER | {"email": email})} <= {"/email"}


def _errors(body: Any) -> list[dict[str, str]]:
    try:
        create_user.parse(body)
    except http.Problem as refused:
        return refused.errors
    return []


def test_a_hostile_address_is_judged_at_once(post: Any) -> None:
    for email in ("a" * 100_000, "a@" + "a-" * 60_000, "a@" + "a." * 60_000, "@" * 60_000):
        assert post(_USER | {"email": email})["statusCode"] == 400


def test_a_user_counts_once_and_a_refused_one_never(post: Any, measured: Any) -> None:
    for _ in range(3):
        post(_USER)
    post(_USER | {"name": "Another"})
    post(_without("name"))
    assert measured() == {"UsersRegistered": 1}
