"""HTTP APIs that are open, believe strangers, or speak a form that handlers do not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from policies import aws
from tests.support.breaking import (
    Break,
    Mutation,
    Resources,
    again,
    also,
    edited,
    registered,
    without,
)
from tests.support.breaks.everything import more

COGNITO = "http-cognito-authorizer"
POST = "http-post-users-route"
PRODUCTS = "http-products-integration"
GATE = "arn:aws:apigateway:us-west-2:lambda:path/2015-03-31/functions/arn:aws:lambda:us-west-2:123456789012:function:sandpiper-dev-authorizer:live/invocations"


def asked(**changes: Any) -> Mutation:
    """A Lambda authorizer of the HTTP API as it should be, changed."""
    right: Mapping[str, Any] = {
        "apiId": "sandpiper-dev-http",
        "authorizerType": "REQUEST",
        "authorizerUri": GATE,
        "authorizerPayloadFormatVersion": "2.0",
        "enableSimpleResponses": True,
        "authorizerResultTtlInSeconds": 60,
        "identitySources": ["$request.header.Authorization"],
    }
    return registered(aws.AUTHORIZER, "http-lambda-authorizer", **{**right, **changes})


def route(**changes: Any) -> Mutation:
    return edited(aws.ROUTE, POST, changes)


def many(type_: str, name: str, count: int) -> Mutation:
    """The same thing so many times more."""

    def mutate(resources: Resources) -> Resources:
        one = next(r for r in resources if r.type == type_ and r.name == name)
        return [*resources, *(replace(one, urn=f"{one.urn}-{n}") for n in range(count))]

    return mutate


def cors(key: str, value: Any) -> Mutation:
    return more(edited(aws.API, "http-api", {f"corsConfiguration.{key}": value}))


# fmt: off
BREAKS = (
    Break("route-of-an-http-api-asks-the-authorizer", "POST /users has no authorizer", route(authorizationType=None)),
    Break("route-of-an-http-api-asks-the-authorizer", "POST /users has no authorizer", route(authorizationType="NONE")),
    Break("route-of-an-http-api-asks-the-authorizer", "asks CUSTOM of no such authorizer", route(authorizationType="CUSTOM")),
    Break("route-of-an-http-api-asks-the-authorizer", "asks JWT of no such authorizer", without(aws.AUTHORIZER, COGNITO)),
    Break("jwt-authorizer-believes-our-pool", "identitySources must be", edited(aws.AUTHORIZER, COGNITO, {"identitySources": ["$request.querystring.token"]})),
    Break("jwt-authorizer-believes-our-pool", "its issuer must be", edited(aws.AUTHORIZER, COGNITO, {"jwtConfiguration.issuer": "https://accounts.example.com"})),
    Break("jwt-authorizer-believes-our-pool", "its audiences must be", edited(aws.AUTHORIZER, COGNITO, {"jwtConfiguration.audiences": ["somebodys-client"]})),
    Break("jwt-authorizer-believes-our-pool", "its audiences must be named", edited(aws.AUTHORIZER, COGNITO, {"jwtConfiguration.audiences": []})),
    Break("route-of-an-http-api-asks-the-authorizer", "OPTIONS /users has no authorizer", also(edited(aws.API, "http-api", {"corsConfiguration": None}), route(routeKey="OPTIONS /users", authorizationType="NONE"))),
    Break("preflight-needs-no-token", "let OPTIONS /{proxy+} ask for none", more(also(route(routeKey="$default"), again(aws.ROUTE, POST, routeKey="OPTIONS /shop", authorizationType="NONE")))),
    Break("preflight-needs-no-token", "OPTIONS /users would ask", more(route(routeKey="OPTIONS /users"))),
    Break("lambda-authorizer-is-asked-in-full", "must be 2.0", asked(authorizerPayloadFormatVersion="1.0")),
    Break("lambda-authorizer-is-asked-in-full", "set enableSimpleResponses", asked(enableSimpleResponses=False)),
    Break("lambda-authorizer-is-asked-in-full", "must be 0 to 3600", asked(authorizerResultTtlInSeconds=None)),
    Break("lambda-authorizer-is-asked-in-full", "must be 0 to 3600", asked(authorizerResultTtlInSeconds=3601)),
    Break("lambda-authorizer-is-asked-in-full", "for everybody alike", asked(identitySources=None)),
    Break("lambda-authorizer-is-asked-in-full", "are for HTTP APIs only", edited(aws.AUTHORIZER, "socket-authorizer", {"authorizerPayloadFormatVersion": "2.0"})),
    Break("everything-wired-may-invoke", "http-api (authorizer) may not invoke it", asked()),
    Break("integration-is-spelt-out", "integrationType must be", edited(aws.INTEGRATION, PRODUCTS, {"integrationType": "HTTP_PROXY"})),
    Break("integration-is-spelt-out", "payloadFormatVersion must be 2.0", edited(aws.INTEGRATION, PRODUCTS, {"payloadFormatVersion": None})),
    Break("integration-is-spelt-out", "must be left out", edited(aws.INTEGRATION, "socket-subscriptions-integration", {"payloadFormatVersion": "2.0"})),
    Break("integration-is-spelt-out", "integrationMethod must be POST", edited(aws.INTEGRATION, PRODUCTS, {"integrationMethod": "GET"})),
    Break("integration-is-spelt-out", "50 to 30000", edited(aws.INTEGRATION, PRODUCTS, {"timeoutMilliseconds": 30_001})),
    Break("integration-is-spelt-out", "50 to 29000", edited(aws.INTEGRATION, "socket-subscriptions-integration", {"timeoutMilliseconds": 30_000})),
    Break("integration-is-spelt-out", "is no integration of its API", route(target="integrations/gone")),
    Break("integration-is-spelt-out", "no route leads to it", again(aws.INTEGRATION, PRODUCTS)),
    Break("http-api-names-its-origins", "CORS must name its origins", cors("allowOrigins", ["*"])),
    Break("http-api-names-its-origins", "* in allowHeaders", cors("allowHeaders", ["*"])),
    Break("http-api-names-its-origins", "with credentials must name", cors("allowOrigins", [])),
    Break("preflight-needs-no-token", "$default would ask", more(route(routeKey="$default"))),
    Break("preflight-needs-no-token", "ANY /users would ask", more(route(routeKey="ANY /users"))),
    Break("http-api-is-within-its-limits", "authorizer:Authorizer; an API has 10 at most", many(aws.AUTHORIZER, COGNITO, 10)),
    Break("http-api-is-within-its-limits", "route:Route; an API has 300 at most", many(aws.ROUTE, POST, 300)),
    Break("http-api-is-within-its-limits", "50 audiences", edited(aws.AUTHORIZER, COGNITO, {"jwtConfiguration.audiences": [str(n) for n in range(51)]})),
    Break("http-api-is-within-its-limits", "10 at most, of a JWT", route(authorizationScopes=[str(n) for n in range(11)])),
    Break("http-api-is-within-its-limits", "10 at most, of a JWT", route(authorizationScopes=["users"], authorizationType="CUSTOM")),
    Break("http-api-names-its-origins", "maxAge is 86401", cors("maxAge", 86_401)),
)
# fmt: on
