"""Who asks is found wherever an API and its authorizer put it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import caller, http
from tests.handlers.conftest import load

_USER = "arn:aws:iam::123456789012:user/someone"
_POOL = "us-west-2:7d8ca528-4931-4254-9273-ea5ee853f271"
_ROLE = "arn:aws:sts::123456789012:assumed-role/visitors/CognitoIdentityCredentials"
_NOBODY = load("api_get_item")["requestContext"]["identity"]


@pytest.mark.parametrize(
    ("event", "who"),
    [
        ("api_get_item", "developer"),
        ("socket_subscribe", "developer"),
        ("http_api_create_user", "7d8ca528-4931-4254-9273-ea5ee853f271"),
        ("api_health", ""),
        ("alb_health", ""),
    ],
)
def test_the_caller_of_every_kind_of_event_is_found(event: str, who: str) -> None:
    assert http.Request(load(event)).caller == who


@pytest.mark.parametrize(
    ("context", "who"),
    [
        ({"authorizer": {"principalId": "p", "sub": "s"}}, "s"),
        ({"authorizer": {"principalId": "p"}}, "p"),
        ({"authorizer": {"claims": {"sub": "s", "token_use": "access"}}}, "s"),
        ({"authorizer": {"jwt": {"claims": {"sub": "s"}, "scopes": None}}}, "s"),
        ({"authorizer": {"lambda": {"sub": "s"}}}, "s"),
        ({"authorizer": {"lambda": {"principalId": "p"}}}, "p"),
        ({"authorizer": {"lambda": None}}, ""),
        ({"identity": _NOBODY | {"userArn": _USER}}, _USER),
        ({"authorizer": {"iam": {"userArn": _USER, "cognitoIdentity": None}}}, _USER),
        ({"authorizer": {"principalId": "p"}, "identity": {"userArn": _USER}}, "p"),
    ],
    ids=str,
)
def test_each_authorizer_has_its_place(context: dict[str, Any], who: str) -> None:
    assert http.Request({"requestContext": context}).caller == who


@pytest.mark.parametrize(
    "context",
    [
        {"identity": {"userArn": _ROLE, "cognitoIdentityId": _POOL}},
        {"authorizer": {"iam": {"userArn": _ROLE, "cognitoIdentity": {"identityId": _POOL}}}},
    ],
)
def test_users_of_an_identity_pool_are_told_apart(context: dict[str, Any]) -> None:
    assert caller.of(context) == _POOL


def test_a_claim_of_another_name_makes_nobody_somebody_else() -> None:
    claims = {"principalId": "admin", "username": "admin"}
    assert caller.of({"authorizer": {"claims": claims}}) == ""
    assert caller.of({"authorizer": {"jwt": {"claims": claims}}}) == ""


_ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["claims", "jwt", "lambda", "iam", "sub", "userArn"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional={"authorizer": _ODD, "identity": _ODD}))
def test_whatever_a_context_looks_like_the_caller_is_a_text(context: dict[str, Any]) -> None:
    assert isinstance(http.Request({"requestContext": context}).caller, str)
