"""Who may call a route of the HTTP API.

Source: API Gateway v2 API reference, CreateAuthorizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.function import ServerlessFunction


@dataclass(frozen=True, eq=False)
class JwtAuthorizer:
    """Signed tokens of one issuer for one of these audiences; API Gateway checks them by itself."""

    name: str
    issuer: pulumi.Input[str]
    audience: Sequence[pulumi.Input[str]]
    function: None = None
    authorization_type: str = "JWT"

    def create(
        self, name: str, api: aws.apigatewayv2.Api, parent: pulumi.Resource
    ) -> aws.apigatewayv2.Authorizer:
        """The authorizer of one API."""
        return aws.apigatewayv2.Authorizer(
            name,
            aws.apigatewayv2.AuthorizerArgs(
                api_id=api.id,
                name=self.name,
                authorizer_type="JWT",
                # Exactly one: AWS takes no other place for a token.
                identity_sources=["$request.header.Authorization"],
                jwt_configuration=aws.apigatewayv2.AuthorizerJwtConfigurationArgs(
                    issuer=self.issuer, audiences=list(self.audience)
                ),
            ),
            pulumi.ResourceOptions(parent=parent),
        )


@dataclass(frozen=True, eq=False)
class LambdaAuthorizer:
    """A function that says yes or no ({"isAuthorized": true}) within 10 seconds.

    Where a source (`$request.header.Authorization`) is missing, API Gateway answers 401 without asking; a yes or no is
    remembered per value of all sources for `ttl` seconds (0 to 3600).
    """

    name: str
    function: ServerlessFunction
    identity_sources: Sequence[str] = ("$request.header.Authorization",)
    ttl: int = 60
    authorization_type: str = "CUSTOM"

    def create(
        self, name: str, api: aws.apigatewayv2.Api, parent: pulumi.Resource
    ) -> aws.apigatewayv2.Authorizer:
        """The authorizer of one API."""
        return aws.apigatewayv2.Authorizer(
            name,
            aws.apigatewayv2.AuthorizerArgs(
                api_id=api.id,
                name=self.name,
                authorizer_type="REQUEST",
                authorizer_uri=self.function.invoke_arn,
                authorizer_payload_format_version="2.0",
                enable_simple_responses=True,
                identity_sources=list(self.identity_sources),
                authorizer_result_ttl_in_seconds=self.ttl,
            ),
            pulumi.ResourceOptions(parent=parent),
        )


HttpAuthorizer = JwtAuthorizer | LambdaAuthorizer
