"""HTTP APIs: who may call a route, whose tokens are believed, and in which form functions are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies import aws, gateways, identity
from policies.model import Registered, Stack, rule

PUBLIC: Mapping[str, str] = {}
"""Routes of HTTP APIs without an authorizer, and why. Preflights are open wherever pages of other origins may call."""

BEARER = ["$request.header.Authorization"]
LONGEST_AGE = 86_400
LONGEST_TTL = 3_600
MOST = {aws.ROUTE: 300, aws.INTEGRATION: 300, aws.AUTHORIZER: 10}
MOST_AUDIENCES, MOST_SCOPES = 50, 10
TIMEOUTS = {gateways.HTTP: 30_000, gateways.SOCKET: 29_000}
"""Milliseconds that an integration may take (API Gateway quotas)."""
FORMATS = {gateways.HTTP: "2.0", gateways.SOCKET: None}
"""The event's form: handlers know 2.0, and the provider's default is 1.0. WebSocket APIs know one form only."""

_SOCKET_SOURCE = re.compile(
    r"route\.request\.(?:header|querystring)\.[\w-]+|(?:context|stageVariables)\.[\w.]+"
)


@rule
def route_of_an_http_api_asks_the_authorizer(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Every route but the named public ones asks an authorizer of its own API, or a signed request."""
    for api in gateways.apis(stack, gateways.HTTP):
        known = {
            a.output("id"): {"JWT": "JWT", "REQUEST": "CUSTOM"}.get(a.get("authorizerType"))
            for a in gateways.parts(stack, api, aws.AUTHORIZER)
        }
        for route in gateways.parts(stack, api, aws.ROUTE):
            key, kind = route.get("routeKey"), route.get("authorizationType")
            if _is_open(route):
                preflight = _has_cors(api) and str(key).startswith("OPTIONS ")
                if key not in PUBLIC and not preflight:
                    yield route, f"{key} has no authorizer and is not on the list of public routes"
            elif kind != "AWS_IAM" and known.get(str(route.get("authorizerId"))) != kind:
                yield route, f"{key} asks {kind} of no such authorizer of its API"


@rule
def jwt_authorizer_believes_our_pool(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """One bearer token, issued by a user pool of this stack to one of its clients, or by somebody on the list of issuers."""
    pools = {f"https://{p.output('endpoint')}": p for p in stack.all(aws.USER_POOL)}
    for authorizer in stack.having(aws.AUTHORIZER, authorizerType="JWT"):
        if authorizer.get("identitySources") != BEARER:
            yield authorizer, f"identitySources must be {BEARER}: AWS takes exactly one"
        issuer = str(authorizer.get("jwtConfiguration.issuer"))
        audiences = set(authorizer.get("jwtConfiguration.audiences") or ())
        if not audiences:
            yield authorizer, "its audiences must be named: an issuer has other clients, too"
        if issuer in pools:
            clients = {c.output("id") for c in identity.clients(stack, pools[issuer])}
            if not audiences <= clients:
                yield authorizer, f"its audiences must be clients of {pools[issuer].name}"
        elif issuer not in identity.ISSUERS:
            yield (
                authorizer,
                "its issuer must be https://<endpoint of a user pool of this stack>, or one of ISSUERS (policies/identity.py)",
            )


@rule
def lambda_authorizer_is_asked_in_full(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Form 2.0 with a plain yes or no for an HTTP API; what is remembered is remembered per identity source."""
    for authorizer in stack.having(aws.AUTHORIZER, authorizerType="REQUEST"):
        api = gateways.api_of(stack, authorizer)
        socket = api is not None and api.get("protocolType") == gateways.SOCKET
        judged = _of_a_socket(authorizer) if socket else _of_an_http_api(authorizer)
        yield from ((authorizer, text) for text in judged)


@rule
def integration_is_spelt_out(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Form, method and time are said; each route leads to an integration of its own API, and none is left over."""
    for api in stack.all(aws.API):
        protocol = str(api.get("protocolType"))
        found = gateways.parts(stack, api, aws.INTEGRATION)
        for integration in found:
            yield from ((integration, text) for text in _vague(integration, protocol))
        known = {f"integrations/{i.output('id')}": i for i in found}
        targets = {r.get("target"): r for r in gateways.parts(stack, api, aws.ROUTE)}
        for target, route in targets.items():
            if target not in known:
                yield route, f"its target {target} is no integration of its API"
        for target in known.keys() - targets.keys():
            yield known[target], "no route leads to it; remove it"


@rule
def http_api_names_its_origins(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """The API answers preflights itself: pages of any origin may not send tokens of our users."""
    for api in gateways.apis(stack, gateways.HTTP):
        cors: Mapping[str, Any] = api.get("corsConfiguration") or {}
        if "*" in (cors.get("allowOrigins") or ()):
            yield api, "CORS must name its origins"
        if cors.get("allowCredentials"):
            for key in ("allowHeaders", "allowMethods", "exposeHeaders"):
                if "*" in (cors.get(key) or ()):
                    yield api, f"with credentials, * in {key} means the letter *; name them"
            if not cors.get("allowOrigins"):
                yield api, "CORS with credentials must name its origins"
        if not 0 <= (cors.get("maxAge") or 0) <= LONGEST_AGE:
            yield api, f"maxAge is {cors.get('maxAge')}; it must be 0 to {LONGEST_AGE}"


@rule
def preflight_needs_no_token(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A browser sends no token with OPTIONS; a route that takes every method asks for one before CORS answers.

    A route for OPTIONS alone goes before it (developer guide, CORS of an HTTP API with a $default route).
    """
    for api in gateways.apis(stack, gateways.HTTP):
        routes = gateways.parts(stack, api, aws.ROUTE) if _has_cors(api) else []
        asking = {str(r.get("routeKey")): r for r in routes if not _is_open(r)}
        answered = {str(r.get("routeKey")) for r in routes if _is_open(r)}
        for key, route in asking.items():
            method, _, path = key.partition(" ")
            preflight = f"OPTIONS {path or '/{proxy+}'}"
            if method in {"$default", "ANY", "OPTIONS"} and preflight not in answered:
                yield (
                    route,
                    f"{key} would ask preflights for a token; name the methods, or let {preflight} ask for none",
                )


@rule
def http_api_is_within_its_limits(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Numbers of routes, authorizers, audiences and scopes that AWS takes (API Gateway quotas)."""
    for api in stack.all(aws.API):
        for type_, most in MOST.items():
            count = len(gateways.parts(stack, api, type_))
            if count > most:
                yield api, f"has {count} of {type_}; an API has {most} at most"
    for authorizer in stack.all(aws.AUTHORIZER):
        if len(authorizer.get("jwtConfiguration.audiences") or ()) > MOST_AUDIENCES:
            yield authorizer, f"takes {MOST_AUDIENCES} audiences at most"
    for route in stack.all(aws.ROUTE):
        scopes = route.get("authorizationScopes") or ()
        if len(scopes) > MOST_SCOPES or (scopes and route.get("authorizationType") != "JWT"):
            yield route, f"authorizationScopes are {MOST_SCOPES} at most, of a JWT"


def _is_open(route: Registered) -> bool:
    return route.get("authorizationType") in {None, "NONE"}


def _has_cors(api: Registered) -> bool:
    return bool(api.get("corsConfiguration.allowOrigins"))


_FOR_HTTP_ONLY = (
    "authorizerPayloadFormatVersion",
    "enableSimpleResponses",
    "authorizerResultTtlInSeconds",
)


def _of_a_socket(authorizer: Registered) -> Iterator[str]:
    if any(authorizer.get(key) is not None for key in _FOR_HTTP_ONLY):
        yield f"{', '.join(_FOR_HTTP_ONLY)} are for HTTP APIs only"
    for source in authorizer.get("identitySources") or ():
        if not _SOCKET_SOURCE.fullmatch(str(source)):
            yield f"'{source}' must be route.request.header.X or route.request.querystring.x"


def _of_an_http_api(authorizer: Registered) -> Iterator[str]:
    if authorizer.get("authorizerPayloadFormatVersion") != "2.0":
        yield "authorizerPayloadFormatVersion must be 2.0"
    if authorizer.get("enableSimpleResponses") is not True:
        yield "set enableSimpleResponses"
    seconds = authorizer.get("authorizerResultTtlInSeconds")
    if not isinstance(seconds, int) or not 0 <= seconds <= LONGEST_TTL:
        yield f"authorizerResultTtlInSeconds must be 0 to {LONGEST_TTL}"
    elif seconds and not authorizer.get("identitySources"):
        yield "remembers answers for everybody alike; name identitySources"


def _vague(integration: Registered, protocol: str) -> Iterator[str]:
    if integration.get("integrationType") != "AWS_PROXY":
        yield "integrationType must be AWS_PROXY"
    if integration.get("payloadFormatVersion") != FORMATS.get(protocol):
        yield f"payloadFormatVersion must be {FORMATS.get(protocol) or 'left out'}"
    if integration.get("integrationMethod") not in {None, "POST"}:
        yield "integrationMethod must be POST: it is how Lambda is called"
    longest = TIMEOUTS.get(protocol, 0)
    if not 50 <= (integration.get("timeoutMilliseconds") or longest) <= longest:
        yield f"timeoutMilliseconds must be 50 to {longest}"


RULES = (
    route_of_an_http_api_asks_the_authorizer,
    jwt_authorizer_believes_our_pool,
    lambda_authorizer_is_asked_in_full,
    integration_is_spelt_out,
    http_api_names_its_origins,
    preflight_needs_no_token,
    http_api_is_within_its_limits,
)
