"""Who may call a route of the REST API: each authorizer as a security scheme of the description.

A route names one of these values. The scheme's name is the authorizer's, so it appears once however many routes ask it.
Source: API Gateway developer guide, OpenAPI extensions `x-amazon-apigateway-authorizer` and `-authtype`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi

from components.function import ServerlessFunction

EXTENSION = "x-amazon-apigateway"
AUTHORIZATION = "Authorization"
LONGEST_TTL = 3600
"""Seconds that the gateway remembers an authorizer's answer at most (API Gateway API reference, CreateAuthorizer)."""


@dataclass(frozen=True)
class TokenAuthorizer:
    """A function that is given the `Authorization` header and answers with a policy.

    The gateway remembers an answer per token for `ttl` seconds (0 to 3600; 0 asks each time).
    """

    scopes: ClassVar[Sequence[str]] = ()

    function: ServerlessFunction
    ttl: int = 300
    name: str = "jwt"

    def __post_init__(self) -> None:
        check_ttl(self.name, self.ttl)

    def scheme(self) -> dict[str, Any]:
        """The security scheme."""
        # For a TOKEN authorizer the scheme's header is the identity source.
        source = f"method.request.header.{AUTHORIZATION}"
        return _custom(AUTHORIZATION, "token", self.function, source, self.ttl)


@dataclass(frozen=True)
class RequestAuthorizer:
    """A function that is given the request: `sources` are `header.X-Tenant`, `querystring.token`, `context.identity.sourceIp`.

    Where one of them is missing or empty, the gateway answers 401 without asking. The answer is remembered per value
    of all sources for `ttl` seconds.
    """

    scopes: ClassVar[Sequence[str]] = ()

    function: ServerlessFunction
    sources: Sequence[str]
    ttl: int = 300
    name: str = "request"

    def __post_init__(self) -> None:
        check_ttl(self.name, self.ttl)

    def scheme(self) -> dict[str, Any]:
        """The security scheme."""
        read = [s if s.startswith("context.") else f"method.request.{s}" for s in self.sources]
        return _custom("Unused", "request", self.function, ", ".join(read), self.ttl)


@dataclass(frozen=True)
class CognitoAuthorizer:
    """A user pool's token. With scopes the gateway takes access tokens that hold one of them, without it takes id tokens."""

    function: ClassVar[None] = None

    user_pool_arn: pulumi.Input[str]
    scopes: Sequence[str] = ("aws.cognito.signin.user.admin",)
    name: str = "cognito"

    def scheme(self) -> dict[str, Any]:
        """The security scheme."""
        return {
            **_api_key_type(AUTHORIZATION),
            f"{EXTENSION}-authtype": "cognito_user_pools",
            f"{EXTENSION}-authorizer": {
                "type": "cognito_user_pools",
                "providerARNs": [self.user_pool_arn],
            },
        }


@dataclass(frozen=True)
class IamAuthorizer:
    """A request signed with AWS credentials that may `execute-api:Invoke`."""

    function: ClassVar[None] = None
    scopes: ClassVar[Sequence[str]] = ()

    name: str = "sigv4"

    def scheme(self) -> dict[str, Any]:
        """The security scheme."""
        return {**_api_key_type(AUTHORIZATION), f"{EXTENSION}-authtype": "awsSigv4"}


Authorizer = TokenAuthorizer | RequestAuthorizer | CognitoAuthorizer | IamAuthorizer

API_KEY = "api_key"
"""The scheme of an API key: it says who pays, not who calls."""


def api_key_scheme() -> dict[str, Any]:
    """The security scheme of API keys; the header's name is the gateway's."""
    return _api_key_type("x-api-key")


def check_ttl(name: str, ttl: int) -> None:
    """Raise pulumi.RunError, in one line, for a time that no authorizer's answer is remembered."""
    if not 0 <= ttl <= LONGEST_TTL:
        raise pulumi.RunError(
            f"authorizer '{name}': ttl must be 0 to {LONGEST_TTL} seconds (got {ttl})"
        )


def _api_key_type(header: str) -> dict[str, Any]:
    # The one type of scheme that API Gateway's import understands; extensions say what it really is.
    return {"type": "apiKey", "name": header, "in": "header"}


def _custom(
    header: str, kind: str, function: ServerlessFunction, source: str, ttl: int
) -> dict[str, Any]:
    return {
        **_api_key_type(header),
        f"{EXTENSION}-authtype": "custom",
        f"{EXTENSION}-authorizer": {
            "type": kind,
            "authorizerUri": function.invoke_arn,
            "identitySource": source,
            "authorizerResultTtlInSeconds": ttl,
        },
    }
