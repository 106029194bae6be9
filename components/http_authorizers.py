"""Who may call a route of the HTTP API.

Source: API Gateway v2 API reference, CreateAuthorizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
import pulumi_aws as aws

from components.authorizers import check_ttl
from components.function import ServerlessFunction


@dataclass(frozen=True, eq=False)
class JwtAuthorizer:
    """Signed tokens of one issuer for one of these audiences; API Gateway checks them by itself."""

    function: ClassVar[None] = None
    authorization_type: ClassVar[str] = "JWT"

    name: str
    issuer: pulumi.Input[str]
    audience: Sequence[pulumi.Input[str]]

    def args(self, api_id: pulumi.Input[str]) -> aws.apigatewayv2.AuthorizerArgs:
        """The authorizer of one API."""
        return aws.apigatewayv2.AuthorizerArgs(
            api_id=api_id,
            name=self.name,
            authorizer_type="JWT",
            # Exactly one: AWS takes no other place for a token.
            identity_sources=["$request.header.Authorization"],
            jwt_configuration=aws.apigatewayv2.AuthorizerJwtConfigurationArgs(
                issuer=self.issuer, audiences=list(self.audience)
            ),
        )


@dataclass(frozen=True, eq=False)
class LambdaAuthorizer:
    """A function that says yes or no ({"isAuthorized": true}) within 10 seconds.

    Where a source (`$request.header.Authorization`) is missing, API Gateway answers 401 without asking; a yes or no is
    remembered per value of all sources for `ttl` seconds (0 to 3600).
    """

    authorization_type: ClassVar[str] = "CUSTOM"

    name: str
    function: ServerlessFunction
    identity_sources: Sequence[str] = ("$request.header.Authorization",)
    ttl: int = 60

    def __post_init__(self) -> None:
        check_ttl(self.name, self.ttl)

    def args(self, api_id: pulumi.Input[str]) -> aws.apigatewayv2.AuthorizerArgs:
        """The authorizer of one API."""
        return aws.apigatewayv2.AuthorizerArgs(
            api_id=api_id,
            name=self.name,
            authorizer_type="REQUEST",
            authorizer_uri=self.function.invoke_arn,
            authorizer_payload_format_version="2.0",
            enable_simple_responses=True,
            identity_sources=list(self.identity_sources),
            authorizer_result_ttl_in_seconds=self.ttl,
        )


HttpAuthorizer = JwtAuthorizer | LambdaAuthorizer
