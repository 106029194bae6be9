"""Tokens at the HTTP API that look like one of the user pool's and are none: expired, of another pool, signed otherwise."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from sandbox.box import Box
from sandbox.web import Answer

UNAUTHORIZED = (401, {"message": "Unauthorized"})
UNSETTABLE = {"CreationDate", "LastModifiedDate", "ClientSecret"}


@pytest.fixture(scope="module")
def token(box: Box) -> str:
    """An access token of the user pool."""
    return box.token(cognito=True)


def products(box: Box, token: str) -> Answer:
    """What the HTTP API says to who brings that token."""
    return box.http.get(f"{box.outputs['httpApiUrl']}/products", token=token)


def is_shut(box: Box, token: str) -> None:
    answer = products(box, token)
    assert (answer.status, answer.json()) == UNAUTHORIZED


def test_a_token_is_good_until_it_expires(box: Box) -> None:
    with lasting(box, seconds=2):
        token = signed_in(box, box.outputs["userPoolId"], box.outputs["userPoolClientId"])
    assert products(box, token).status == 200
    time.sleep(max(0.0, claims(token)["exp"] - time.time()) + 0.1)
    is_shut(box, token)


def test_a_token_of_another_pool_opens_nothing(box: Box) -> None:
    idp = box.client("cognito-idp")
    pool = idp.create_user_pool(PoolName="elsewhere")["UserPool"]["Id"]
    client = idp.create_user_pool_client(
        UserPoolId=pool,
        ClientName="elsewhere",
        ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    is_shut(box, signed_in(box, pool, client))
    idp.delete_user_pool(UserPoolId=pool)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None])
def test_an_unsigned_token_opens_nothing(box: Box, token: str, algorithm: str | None) -> None:
    head, body, signature = parts(token, {"alg": algorithm})
    is_shut(box, f"{head}.{body}.")
    is_shut(box, f"{head}.{body}.{signature}")


def test_the_public_key_is_no_secret_to_sign_with(box: Box, token: str) -> None:
    head, body, _ = parts(token, {"alg": "HS256"})
    key = public_key(box)
    for secret in (json.dumps(key), key["n"]):
        for each in (secret.encode(), base64.urlsafe_b64decode(f"{key['n']}==")):
            signature = hmac.digest(each, f"{head}.{body}".encode(), "sha256")
            is_shut(box, f"{head}.{body}.{encoded(signature)}")


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "another"},
        {"kid": ""},
        {"kid": None},
        {"kid": "../../../../dev/null"},
        {"kid": "x' OR '1'='1"},
        {"jku": "https://evil.example/keys", "kid": "evil"},
        {"x5u": "https://evil.example/certificate", "kid": "evil"},
        {"jwk": {"kty": "oct", "k": "AAAA"}, "kid": "evil"},
    ],
    ids=str,
)
def test_another_key_is_not_asked_for(box: Box, token: str, header: dict[str, Any]) -> None:
    is_shut(box, ".".join(parts(token, header)))


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 10**10},
        {"sub": "somebody-else"},
        {"client_id": "another"},
        {"iss": "https://evil.example"},
        {"scope": "aws.cognito.signin.user.admin more"},
    ],
    ids=str,
)
def test_changed_claims_open_nothing(box: Box, token: str, changed: dict[str, Any]) -> None:
    head, _, signature = token.split(".")
    body = encoded(json.dumps({**claims(token), **changed}).encode())
    is_shut(box, f"{head}.{body}.{signature}")


@pytest.mark.parametrize("size", [8_000, 10_240, 60_000])
def test_a_token_that_is_too_long_opens_nothing(box: Box, token: str, size: int) -> None:
    head, body, signature = token.split(".")
    for long in ("x" * size, f"{head}.{body}.{signature}{'A' * size}", f"{head}.{'A' * size}.x"):
        is_shut(box, long)


@contextmanager
def lasting(box: Box, *, seconds: int) -> Generator[None]:
    """In the meantime access tokens of the stack's client are made to last so short."""
    idp = box.client("cognito-idp")
    pool, client = box.outputs["userPoolId"], box.outputs["userPoolClientId"]
    found = idp.describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"]
    # What an update leaves out falls back to its default, and what is empty it refuses.
    kept = {k: v for k, v in found.items() if v not in ("", []) and k not in UNSETTABLE}
    units = {**kept["TokenValidityUnits"], "AccessToken": "seconds"}
    short = {**kept, "AccessTokenValidity": seconds, "TokenValidityUnits": units}
    idp.update_user_pool_client(**short)
    try:
        yield
    finally:
        idp.update_user_pool_client(**kept)


def signed_in(box: Box, pool: str, client: str) -> str:
    """The access token of a new user of a pool."""
    idp, name, password = (
        box.client("cognito-idp"),
        f"{uuid4()}@example.com",
        f"Aa1!{uuid4()}",
    )
    idp.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    idp.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    answer = idp.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )
    return str(answer["AuthenticationResult"]["AccessToken"])


def public_key(box: Box) -> dict[str, str]:
    """The key of the pool that everybody may read."""
    address = f"{box.endpoint}/{box.outputs['userPoolId']}/.well-known/jwks.json"
    (key, *_) = box.http.get(address).json()["keys"]
    return dict(key)


def parts(token: str, header: dict[str, Any]) -> tuple[str, str, str]:
    """The parts of a token whose header says something else."""
    head, body, signature = token.split(".")
    said = {**decoded(head), **header}
    kept = {name: value for name, value in said.items() if value is not None}
    return encoded(json.dumps(kept).encode()), body, signature


def claims(token: str) -> dict[str, Any]:
    return decoded(token.split(".")[1])


def decoded(part: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(f"{part}==")))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
