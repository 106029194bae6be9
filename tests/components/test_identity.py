"""Identity: the user pool and its client."""

from __future__ import annotations

import pytest

from components.identity import Identity
from settings import DataSettings, IdentitySettings
from tests.support.program import Run
from tests.support.tiny import tiny

POOL, CLIENT = "aws:cognito/userPool:UserPool", "aws:cognito/userPoolClient:UserPoolClient"


@pytest.mark.parametrize(("stack", "mfa"), [("dev", "OPTIONAL"), ("staging", "ON"), ("prod", "ON")])
def test_second_factor_is_asked_where_it_matters(
    stack: str, mfa: str, request: pytest.FixtureRequest
) -> None:
    run: Run = request.getfixturevalue("runs")(stack)
    pool = run.one(POOL, "identity-user-pool")
    assert pool.get("mfaConfiguration") == mfa
    assert pool.get("softwareTokenMfaConfiguration") == {"enabled": True}


def test_passwords_are_long_and_mixed(run: Run) -> None:
    policy = run.one(POOL, "identity-user-pool").get("passwordPolicy")
    assert policy["minimumLength"] >= 12
    kinds = ("Lowercase", "Uppercase", "Numbers", "Symbols")
    assert all(policy[f"require{kind}"] is True for kind in kinds)


def test_nobody_learns_who_has_an_account(run: Run) -> None:
    client = run.one(CLIENT, "identity-user-pool-client")
    assert client.get("preventUserExistenceErrors") == "ENABLED"
    assert client.get("enableTokenRevocation") is True
    assert client.get("generateSecret") is False
    assert "ALLOW_USER_PASSWORD_AUTH" not in client.get("explicitAuthFlows")


def test_people_make_accounts_of_their_own_in_development_only(run: Run) -> None:
    pool = run.one(POOL, "identity-user-pool")
    closed = run.stack != "dev"
    assert pool.get("adminCreateUserConfig") == {"allowAdminCreateUserOnly": closed}
    assert pool.get("usernameConfiguration") == {"caseSensitive": False}


def test_production_keeps_its_people(prod: Run, dev: Run) -> None:
    pool = prod.one(POOL, "identity-user-pool")
    assert (pool.get("deletionProtection"), pool.protect) == ("ACTIVE", True)
    assert dev.one(POOL, "identity-user-pool").get("deletionProtection") == "INACTIVE"


def test_without_second_factor_no_method_is_named() -> None:
    off = IdentitySettings(mfa_configuration="OFF")
    run = tiny(lambda _: Identity("people", settings=off, data=DataSettings()))
    assert run.one(POOL, "people-user-pool").get("softwareTokenMfaConfiguration") is None
