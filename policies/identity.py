"""User pools: passwords, second factors, and what a stranger can find out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies import aws
from policies.model import Registered, Stack, rule

ISSUERS: Mapping[str, str] = {}
"""Issuers of tokens (`https://...`) that APIs believe besides this stack's user pools, and why.

A user pool of another stack goes by its issuer, too: https://cognito-idp.<region>.amazonaws.com/<id of the pool>.
"""

SHORTEST = 12
CLASSES = ("requireLowercase", "requireUppercase", "requireNumbers", "requireSymbols")
SPOKEN = frozenset({"ALLOW_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH"})
"""Ways to sign in by which a client shows the password to more than Cognito's own protocol, or which nothing here serves."""


@rule
def pool_guards_its_users(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Long passwords of four classes; a second factor is possible everywhere and asked in production."""
    for pool in stack.all(aws.USER_POOL):
        if (pool.get("passwordPolicy.minimumLength") or 0) < SHORTEST:
            yield pool, f"passwordPolicy.minimumLength must be {SHORTEST} or more"
        for kind in CLASSES:
            if pool.get(f"passwordPolicy.{kind}") is not True:
                yield pool, f"set passwordPolicy.{kind}"
        factor = pool.get("mfaConfiguration")
        if factor not in ({"ON"} if stack.production else {"ON", "OPTIONAL"}):
            yield pool, f"mfaConfiguration is {factor}; say ON, or OPTIONAL outside production"
        elif pool.get("softwareTokenMfaConfiguration.enabled") is not True:
            yield pool, "set softwareTokenMfaConfiguration: a factor must be one that costs nothing"


@rule
def pool_invites_its_users(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Where visitors come, accounts are made by administrators: whoever signs up has a token for every route that asks one."""
    for pool in stack.all(aws.USER_POOL):
        invites = pool.get("adminCreateUserConfig.allowAdminCreateUserOnly") is True
        if stack.rehearsal and not invites:
            yield pool, "anybody may sign up; set allow_self_sign_up: false in staging and prod"


@rule
def pool_outlives_a_mistake(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Users cannot be restored: AWS and Pulumi both refuse to delete the pool of production, or neither does."""
    for pool in stack.all(aws.USER_POOL):
        kept = pool.get("deletionProtection")
        if kept not in {"ACTIVE", "INACTIVE"} or (kept == "ACTIVE") != pool.protect:
            yield pool, "deletionProtection and protect must agree, or a destroy stops half-way"
        if stack.production and kept != "ACTIVE":
            yield pool, "deletionProtection must be ACTIVE in production"


@rule
def client_tells_nothing(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Whether a user exists is nobody's business, tokens can be revoked, and no secret lies in a public client."""
    for client in stack.all(aws.USER_POOL_CLIENT):
        if client.get("preventUserExistenceErrors") != "ENABLED":
            yield client, "preventUserExistenceErrors must be ENABLED"
        if client.get("enableTokenRevocation") is not True:
            yield client, "set enableTokenRevocation"
        if client.get("generateSecret"):
            yield client, "generateSecret: a page or an app cannot keep a secret"
        if "implicit" in (client.get("allowedOauthFlows") or ()):
            yield client, "the implicit flow puts tokens into addresses; use code"
        flows = set(client.get("explicitAuthFlows") or ())
        if not flows or flows & SPOKEN:
            yield client, f"explicitAuthFlows must be named, without {', '.join(sorted(SPOKEN))}"
        if not any(client in clients(stack, pool) for pool in stack.all(aws.USER_POOL)):
            yield client, "belongs to no user pool of this stack"


def clients(stack: Stack, pool: Registered) -> list[Registered]:
    """The clients of a user pool."""
    return stack.having(aws.USER_POOL_CLIENT, userPoolId=pool.output("id"))


def is_believed(stack: Stack, arn: str) -> bool:
    """Whether a user pool, by its ARN, is one of this stack, or one on the list of issuers."""
    parts = arn.split(":")
    region, pool = (parts[3], parts[5].removeprefix("userpool/")) if len(parts) == 6 else ("", "")
    service = f"https://cognito-idp.{region}.amazonaws.com"
    listed = any(i.startswith(service) and i.endswith(f"/{pool}") for i in ISSUERS)
    return listed or stack.at(arn, aws.USER_POOL) is not None


RULES = (
    pool_guards_its_users,
    pool_invites_its_users,
    pool_outlives_a_mistake,
    client_tells_nothing,
)
