"""Credentials that the sandbox makes: for a user pool, and of an API key."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox import sign_in, tokens
from sandbox.errors import Mistake
from tests.sandbox.services_support import Made, clients, make

POLICY = {
    "minimumLength": 99,
    "requireLowercase": True,
    "requireUppercase": True,
    "requireNumbers": True,
    "requireSymbols": True,
}


def _pool(name: str, **inputs: Any) -> tuple[Made, dict[str, str]]:
    pool = make("cognito/userPool:UserPool", name, passwordPolicy=POLICY, **inputs)
    client = make(
        "cognito/userPoolClient:UserPoolClient",
        name,
        userPoolId=pool.id,
        explicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        preventUserExistenceErrors="ENABLED",
    )
    return pool, {"userPoolId": pool.id, "userPoolClientId": client.id}


@pytest.fixture
def people() -> Iterator[dict[str, str]]:
    """The exports of a pool that asks for a second factor and the strictest password there may be."""
    pool, exports = _pool(
        "strict", mfaConfiguration="ON", softwareTokenMfaConfiguration={"enabled": True}
    )
    yield exports
    pool.delete()


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_user_is_added_and_gets_an_access_token(people: dict[str, str]) -> None:
    said = claims(tokens.cognito(clients(), people, subject="ada"))
    assert (said["token_use"], said["username"]) == ("access", "ada")
    assert said["client_id"] == people["userPoolClientId"]
    again = claims(tokens.cognito(clients(), people, subject="ada"))
    assert again["sub"] == said["sub"]


def test_second_factor_that_somebody_set_up_does_not_stand_in_the_way(
    people: dict[str, str],
) -> None:
    tokens.cognito(clients(), people)
    clients().client("cognito-idp").admin_set_user_mfa_preference(
        UserPoolId=people["userPoolId"],
        Username="developer",
        SoftwareTokenMfaSettings={"Enabled": True},
    )
    assert claims(tokens.cognito(clients(), people))["username"] == "developer"


def test_many_ask_for_the_same_user_at_once(people: dict[str, str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: tokens.cognito(clients(), people), range(16)))
    assert len({claims(each)["sub"] for each in made}) == 1


def test_pool_with_addresses_for_names_gets_one() -> None:
    pool, exports = _pool("addresses", usernameAttributes=["email"])
    tokens.cognito(clients(), exports, subject="ada")
    tokens.cognito(clients(), exports, subject="bob@example.org")
    users = clients().client("cognito-idp").list_users(UserPoolId=pool.id)["Users"]
    found = {a["Value"] for user in users for a in user["Attributes"] if a["Name"] == "email"}
    assert found == {"ada@example.com", "bob@example.org"}
    pool.delete()


def test_user_that_the_pool_refuses_is_one_line(people: dict[str, str]) -> None:
    with pytest.raises(Mistake, match=r"^user  cannot be added: "):
        tokens.cognito(clients(), people, subject="")


def test_key_is_told_by_its_value() -> None:
    key = make("apigateway/apiKey:ApiKey", "partner")
    assert tokens.api_key(clients(), {"apiKeyId": key.id}) == key["value"]
    key.delete()


@pytest.mark.parametrize(
    ("ask", "line"),
    [
        (tokens.make, "authSecretArn: there is nothing to sign a token with"),
        (tokens.cognito, "userPoolId: there is nobody to sign in"),
        (tokens.api_key, "apiKeyId: no route asks for a key"),
    ],
)
def test_missing_export_is_one_line(ask: tokens.Maker, line: str) -> None:
    with pytest.raises(Mistake) as told:
        ask(clients(), {})
    assert str(told.value) == f"this stack exports no {line}"


def test_user_that_may_not_sign_in_is_one_line(people: dict[str, str]) -> None:
    tokens.cognito(clients(), people)
    user = {"UserPoolId": people["userPoolId"], "Username": "developer"}
    clients().client("cognito-idp").admin_disable_user(**user)
    with pytest.raises(Mistake, match=r"^user developer cannot sign in: User is disabled\.$"):
        tokens.cognito(clients(), people)


@pytest.mark.parametrize(
    ("moment", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]
)
def test_one_time_code_is_that_of_the_rfc(moment: int, code: str) -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert sign_in.one_time_code(secret, moment) == code


def test_pool_that_asks_for_a_second_factor_gets_one(people: dict[str, str]) -> None:
    for _ in range(2):
        assert claims(tokens.cognito(clients(), people))["token_use"] == "access"
    user = {"UserPoolId": people["userPoolId"], "Username": "developer"}
    there = clients().client("cognito-idp").admin_get_user(**user)
    assert there["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
