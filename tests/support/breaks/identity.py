"""User pools with weak passwords, talkative clients or a short life."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies import aws
from tests.support.breaking import Break, Mutation, edited, unprotected

USERS, KEPT, TOLD = "pool-guards-its-users", "pool-outlives-a-mistake", "client-tells-nothing"
NAME = "identity-user-pool"


def pool(changes: Mapping[str, Any]) -> Mutation:
    return edited(aws.USER_POOL, NAME, changes)


def client(changes: Mapping[str, Any]) -> Mutation:
    return edited(aws.USER_POOL_CLIENT, f"{NAME}-client", changes)


# fmt: off
BREAKS = (
    Break(USERS, "minimumLength must be 12", pool({"passwordPolicy.minimumLength": 8})),
    *(Break(USERS, f"set passwordPolicy.{kind}", pool({f"passwordPolicy.{kind}": False})) for kind in (
        "requireLowercase", "requireUppercase", "requireNumbers", "requireSymbols",
    )),
    Break(USERS, "mfaConfiguration is OFF", pool({"mfaConfiguration": "OFF"})),
    Break(USERS, "mfaConfiguration is OPTIONAL", pool({"mfaConfiguration": "OPTIONAL"}), stack="prod"),
    Break(USERS, "set softwareTokenMfaConfiguration", pool({"softwareTokenMfaConfiguration": None})),
    *(
        Break("pool-invites-its-users", "anybody may sign up", pool(changes), stack=stack)
        for stack in ("staging", "prod")
        for changes in ({"adminCreateUserConfig": None}, {"adminCreateUserConfig.allowAdminCreateUserOnly": False})
    ),
    Break(KEPT, "must agree", pool({"deletionProtection": "ACTIVE"})),
    Break(KEPT, "must agree", pool({"deletionProtection": None})),
    Break(KEPT, "must be ACTIVE in production", pool({"deletionProtection": "INACTIVE"}), stack="prod"),
    Break("data-is-protected-in-production", "must be protected", unprotected(aws.USER_POOL, NAME), stack="prod"),
    Break(TOLD, "preventUserExistenceErrors", client({"preventUserExistenceErrors": "LEGACY"})),
    Break(TOLD, "set enableTokenRevocation", client({"enableTokenRevocation": False})),
    Break(TOLD, "cannot keep a secret", client({"generateSecret": True})),
    Break(TOLD, "implicit flow", client({"allowedOauthFlows": ["code", "implicit"]})),
    Break(TOLD, "explicitAuthFlows must be named", client({"explicitAuthFlows": None})),
    Break(TOLD, "explicitAuthFlows must be named", client({"explicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]})),
    Break(TOLD, "belongs to no user pool", client({"userPoolId": "us-west-2_somebodys"})),
)
# fmt: on
