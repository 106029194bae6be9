"""Cognito: pools, clients and what they say to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.resources import REGISTRY, Resource, RestartNeeded
from tests.sandbox.functions_support import execution_role
from tests.sandbox.services_support import Made, clients, make

PASSWORD = "Correct-horse-7"


@pytest.fixture
def idp() -> Any:
    return clients().client("cognito-idp")


@pytest.fixture
def pool() -> Iterator[Made]:
    made = make(
        "cognito/userPool:UserPool",
        "people",
        passwordPolicy={"minimumLength": 12, "requireSymbols": True, "requireNumbers": True},
        usernameAttributes=["email"],
        autoVerifiedAttributes=["email"],
        accountRecoverySetting={"recoveryMechanisms": [{"name": "verified_email", "priority": 1}]},
        adminCreateUserConfig={"allowAdminCreateUserOnly": False},
        schemas=[{"name": "plan", "attributeDataType": "String", "mutable": True}],
        tags={"a": "1"},
    )
    yield made
    made.delete()


def _client(pool: Made, name: str = "web", **inputs: Any) -> Made:
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    given = {"userPoolId": pool.id, "explicitAuthFlows": flows, **inputs}
    return make("cognito/userPoolClient:UserPoolClient", name, **given)


def _sign_in(idp: Any, client: Made, name: str, password: str) -> Any:
    return idp.initiate_auth(
        ClientId=client.id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )


def test_pool_has_the_outputs_of_the_provider(pool: Made, idp: Any) -> None:
    assert pool["endpoint"] == f"cognito-idp.us-west-2.amazonaws.com/{pool.id}"
    assert pool["arn"] == f"arn:aws:cognito-idp:us-west-2:000000000000:userpool/{pool.id}"
    assert pool["creationDate"]
    found = idp.describe_user_pool(UserPoolId=pool.id)["UserPool"]
    assert found["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert found["UserPoolTags"] == {"a": "1"}
    assert "custom:plan" in {each["Name"] for each in found["SchemaAttributes"]}


def test_weak_password_is_refused(pool: Made, idp: Any) -> None:
    client = _client(pool)
    with pytest.raises(idp.exceptions.InvalidPasswordException):
        idp.sign_up(ClientId=client.id, Username="ada@example.com", Password="Short-1")


def test_client_does_not_tell_who_exists(pool: Made, idp: Any) -> None:
    client = _client(pool, preventUserExistenceErrors="ENABLED")
    user = {"UserPoolId": pool.id, "Username": "ada@example.com"}
    idp.admin_create_user(**user, MessageAction="SUPPRESS")
    idp.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    said = []
    for name in ("ada@example.com", "nobody@example.com"):
        with pytest.raises(idp.exceptions.NotAuthorizedException) as refused:
            _sign_in(idp, client, name, "Wrong-horse-77")
        said.append(refused.value.response["Error"])
    assert said[0] == said[1]


def test_pool_changes_in_place(pool: Made, idp: Any) -> None:
    before = pool.id
    pool.update(
        passwordPolicy={"minimumLength": 16},
        tags={"b": "2"},
        mfaConfiguration="OPTIONAL",
        softwareTokenMfaConfiguration={"enabled": True},
    )
    found = idp.describe_user_pool(UserPoolId=pool.id)["UserPool"]
    assert pool.id == before
    assert found["Policies"]["PasswordPolicy"]["MinimumLength"] == 16
    assert found["UserPoolTags"] == {"b": "2"}
    factors = idp.get_user_pool_mfa_config(UserPoolId=pool.id)
    assert factors["MfaConfiguration"] == "OPTIONAL"
    assert factors["SoftwareTokenMfaConfiguration"] == {"Enabled": True}
    with pytest.raises(RestartNeeded, match="usernameAttributes"):
        pool.update(usernameAttributes=["phone_number"])


def test_second_factor_is_asked_for(idp: Any) -> None:
    pool = make(
        "cognito/userPool:UserPool",
        "careful",
        mfaConfiguration="ON",
        softwareTokenMfaConfiguration={"enabled": True},
    )
    assert pool.notes == ["a user who has set up no second factor signs in without one"]
    client = _client(pool)
    user = {"UserPoolId": pool.id, "Username": "ada"}
    idp.admin_create_user(**user, MessageAction="SUPPRESS")
    idp.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    idp.admin_set_user_mfa_preference(**user, SoftwareTokenMfaSettings={"Enabled": True})
    answer = _sign_in(idp, client, "ada", PASSWORD)
    assert answer["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert "AuthenticationResult" not in answer
    pool.delete()


def test_trigger_adds_a_claim(idp: Any, function: Any) -> None:
    text = """
def handler(event, context):
    event["response"] = {"claimsOverrideDetails": {"claimsToAddOrOverride": {"plan": "gold"}}}
    return event
"""
    trigger = function("claims", text)
    pool = make(
        "cognito/userPool:UserPool", "claims", lambdaConfig={"preTokenGeneration": trigger["arn"]}
    )
    client = _client(pool)
    user = {"UserPoolId": pool.id, "Username": "ada"}
    idp.admin_create_user(**user, MessageAction="SUPPRESS")
    idp.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    token = _sign_in(idp, client, "ada", PASSWORD)["AuthenticationResult"]["IdToken"]
    assert _claims(token)["plan"] == "gold"
    pool.update(lambdaConfig=None)
    token = _sign_in(idp, client, "ada", PASSWORD)["AuthenticationResult"]["IdToken"]
    assert "plan" not in _claims(token)
    pool.delete()


def _claims(token: str) -> dict[str, Any]:
    import base64
    import json

    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_what_is_only_recorded_is_said() -> None:
    arn = "arn:aws:lambda:us-west-2:000000000000:function:f"
    pool = make(
        "cognito/userPool:UserPool",
        "noted",
        lambdaConfig={"postAuthentication": arn, "userMigration": arn},
        smsConfiguration={"externalId": "x", "snsCallerArn": execution_role()["arn"]},
        userPoolTier="PLUS",
        userPoolAddOns={"advancedSecurityMode": "ENFORCED"},
    )
    assert pool.notes == [
        "its post authentication trigger is not called",
        "its user migration trigger is not called",
        "no text message is sent",
        "threat protection is recorded: no sign-in is judged",
    ]
    pool.delete()


def test_secret_of_a_client_is_found_again(pool: Made, idp: Any) -> None:
    client = _client(pool, generateSecret=True)
    entry = REGISTRY[client.type]
    assert entry.secret_outputs == {"clientSecret"}
    assert entry.recall is not None
    old = {"id": client.id, "userPoolId": pool.id}
    r = Resource(client.type, "web", "urn:web", client.inputs, clients(), old)
    assert entry.recall(r) == {"clientSecret": client["clientSecret"]}
    assert client["clientSecret"]


def test_client_changes_in_place(pool: Made, idp: Any) -> None:
    client = _client(pool, callbackUrls=["https://a.example"], accessTokenValidity=1)
    before = client.id
    client.update(
        callbackUrls=None, accessTokenValidity=2, tokenValidityUnits={"accessToken": "hours"}
    )
    found = idp.describe_user_pool_client(UserPoolId=pool.id, ClientId=client.id)["UserPoolClient"]
    assert client.id == before
    assert (found["CallbackURLs"], found["AccessTokenValidity"]) == ([], 2)
    client.delete()
    with pytest.raises(idp.exceptions.ResourceNotFoundException):
        idp.describe_user_pool_client(UserPoolId=pool.id, ClientId=before)


def test_machine_gets_a_token_with_its_scope(pool: Made, idp: Any) -> None:
    from tests.sandbox.rest_api_support import call

    server = make(
        "cognito/resourceServer:ResourceServer",
        "items",
        userPoolId=pool.id,
        identifier="items",
        scopes=[{"scopeName": "write", "scopeDescription": "Change items"}],
    )
    assert server["scopeIdentifiers"] == ["items/write"]
    domain = make(
        "cognito/userPoolDomain:UserPoolDomain", "d", domain="people-here", userPoolId=pool.id
    )
    client = _client(
        pool,
        "machine",
        generateSecret=True,
        allowedOauthFlows=["client_credentials"],
        allowedOauthFlowsUserPoolClient=True,
        allowedOauthScopes=["items/write"],
    )
    answer = call(
        f"{clients().endpoint}/oauth2/token",
        "POST",
        f"grant_type=client_credentials&client_id={client.id}&client_secret={client['clientSecret']}".replace(
            "+", "%2B"
        ),
        Content_Type="application/x-www-form-urlencoded",
    )
    assert _claims(answer.json["access_token"])["scope"] == "items/write"
    server.update(scopes=[{"scopeName": "read", "scopeDescription": "Read items"}])
    assert server["scopeIdentifiers"] == ["items/read"]
    domain.update(managedLoginVersion=2)
    domain.delete()
    server.delete()


def test_provider_and_group_come_change_and_go(pool: Made, idp: Any) -> None:
    provider = make(
        "cognito/identityProvider:IdentityProvider",
        "google",
        userPoolId=pool.id,
        providerName="Google",
        providerType="Google",
        providerDetails={"client_id": "a", "client_secret": "b", "authorize_scopes": "email"},
        attributeMapping={"email": "email"},
    )
    provider.update(attributeMapping={"email": "email", "username": "sub"})
    found = idp.describe_identity_provider(UserPoolId=pool.id, ProviderName="Google")
    assert found["IdentityProvider"]["AttributeMapping"]["username"] == "sub"
    provider.delete()
    group = make("cognito/userGroup:UserGroup", "admins", userPoolId=pool.id, name="admins")
    group.update(description="They may do more")
    found = idp.get_group(UserPoolId=pool.id, GroupName="admins")["Group"]
    assert found["Description"] == "They may do more"
    group.delete()
