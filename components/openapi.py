"""The API description: OpenAPI 3.0.1 in the dialect that API Gateway imports.

API Gateway knows JSON Schema draft-04 only, names of schemas are alphanumeric, security stands at each operation, and
whatever it does not understand (nullable, examples, formats) makes an import with warnings refused. The document is
plain data, so its hash tells whether the API must be deployed again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi

from components import integrations
from components.authorizers import API_KEY, Authorizer, api_key_scheme
from components.grants import POLICY_VERSION
from components.integrations import Operation
from components.routes import ANY, Route, content, operation_ids
from components.schemas import Schemas
from settings import ApiSettings

VALIDATOR = "all"
ALLOWED_HEADERS = "Content-Type,Authorization,If-Match,Idempotency-Key,X-Api-Key"
ANY_METHOD = "x-amazon-apigateway-any-method"
EVERY_METHOD = ("delete", "get", "head", "patch", "post", "put")
EXPOSED_HEADERS = "ETag,Location,Retry-After,X-Correlation-Id"
PREFLIGHT_SECONDS = 600
"""How long a browser may remember a preflight answer."""

GATEWAY_RESPONSES: Mapping[str, tuple[int, str]] = {
    "ACCESS_DENIED": (403, "Forbidden"),
    "API_CONFIGURATION_ERROR": (500, "Internal Server Error"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "Internal Server Error"),
    "AUTHORIZER_FAILURE": (500, "Internal Server Error"),
    "BAD_REQUEST_BODY": (400, "Bad Request"),
    "BAD_REQUEST_PARAMETERS": (400, "Bad Request"),
    "EXPIRED_TOKEN": (403, "Forbidden"),
    "INTEGRATION_FAILURE": (504, "Gateway Timeout"),
    "INTEGRATION_TIMEOUT": (504, "Gateway Timeout"),
    "INVALID_API_KEY": (403, "Forbidden"),
    "INVALID_SIGNATURE": (403, "Forbidden"),
    # API Gateway's name for "no such route or method".
    "MISSING_AUTHENTICATION_TOKEN": (404, "Not Found"),
    "QUOTA_EXCEEDED": (429, "Too Many Requests"),
    "RESOURCE_NOT_FOUND": (404, "Not Found"),
    "THROTTLED": (429, "Too Many Requests"),
    "UNAUTHORIZED": (401, "Unauthorized"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unsupported Media Type"),
    "WAF_FILTERED": (403, "Forbidden"),
}
"""Each answer the gateway gives by itself: its status and title (RFC 9457). 413 cannot be customised."""


Behind = Callable[[Route, Mapping[str, str]], Operation]
"""From a route, and the headers that go with each answer of the gateway's own, to what stands behind it."""


def document(
    title: str,
    routes: Sequence[Route],
    *,
    settings: ApiSettings,
    schemas: Schemas,
    authorizer: Authorizer,
    behind: Behind,
) -> dict[str, Any]:
    """The whole API as data; only ARNs and URIs are Outputs.

    `behind` answers with an operation's integration and responses, given the headers that go with each answer of the
    gateway's own. Raises pulumi.RunError for routes that contradict each other and for schemas that are not there.
    """
    written: dict[str, Any] = {
        "openapi": "3.0.1",
        "info": {"title": title, "version": "1.0", "description": settings.description},
        "paths": _paths(routes, authorizer, behind, settings),
        "components": {
            "schemas": _models(routes, schemas),
            "securitySchemes": _schemes(routes, authorizer),
        },
        "x-amazon-apigateway-request-validators": {
            VALIDATOR: {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-request-validator": VALIDATOR,
        "x-amazon-apigateway-gateway-responses": _gateway_responses(allow_origin(settings)),
    }
    return written | _extensions(settings)


def allow_origin(settings: ApiSettings) -> str | None:
    """The one web origin that may call, if any."""
    return next(iter(settings.cors_allow_origins), None)


def _models(routes: Sequence[Route], schemas: Schemas) -> dict[str, Any]:
    said = {route.endpoint: f"route '{route.endpoint}'" for route in routes}
    bodies = {r.body: schemas.body(r.body, said[r.endpoint]) for r in routes if r.body}
    answers = [(name, said[r.endpoint]) for r in routes for name in r.answers.values() if name]
    return dict(sorted({**schemas.models(answers), **bodies}.items()))


def _paths(
    routes: Sequence[Route], standard: Authorizer, behind: Behind, settings: ApiSettings
) -> dict[str, Any]:
    ids, origin = operation_ids(routes), allow_origin(settings)
    shared = _shared_headers(origin)
    paths: dict[str, Any] = {}
    for route in routes:
        key = ANY_METHOD if route.method == ANY else route.method
        operation = _operation(route, ids[route.endpoint], standard, behind(route, shared))
        if settings.cache_ttl(route.endpoint):
            _cache(operation, route, origin)
        paths.setdefault(route.path, {})[key] = operation
    if origin:
        for path in paths.values():
            path["options"] = _preflight(origin, path)
    return paths


def _extensions(settings: ApiSettings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if settings.minimum_compression_size is not None:
        found["x-amazon-apigateway-minimum-compression-size"] = settings.minimum_compression_size
    if settings.binary_media_types:
        found["x-amazon-apigateway-binary-media-types"] = list(settings.binary_media_types)
    if settings.allow_source_ips:
        found["x-amazon-apigateway-policy"] = _only_from(settings.allow_source_ips)
    return found


def _only_from(addresses: Sequence[str]) -> dict[str, Any]:
    """A resource policy: every caller, but none from elsewhere. The gateway completes the short ARN itself."""
    every = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    elsewhere = {"NotIpAddress": {"aws:SourceIp": list(addresses)}}
    return {
        "Version": POLICY_VERSION,
        "Statement": [
            {"Effect": "Allow", **every},
            {"Effect": "Deny", **every, "Condition": elsewhere},
        ],
    }


def guards(route: Route, standard: Authorizer) -> Authorizer | None:
    """The authorizer that a route's callers meet; None for a public one."""
    return None if route.public else route.authorizer or standard


def _operation(
    route: Route, operation_id: str, standard: Authorizer, behind: Operation
) -> Operation:
    operation = {**route.asked(operation_id), **behind}
    operation["responses"] = {**behind["responses"], **_promised(route)}
    guard = guards(route, standard)
    # One requirement each, as API Gateway's own export writes them: a caller must meet all of them.
    security = [{guard.name: list(guard.scopes)}] if guard else []
    if route.api_key:
        security.append({API_KEY: []})
    return {**operation, "security": security} if security else operation


def _promised(route: Route) -> dict[str, Any]:
    """The function's own answers, with their models: what a client may count on, though the gateway never checks it."""
    return {
        str(status): {
            # In words of our own: those of the standard library differ between versions of Python.
            "description": "The function's own answer",
            **({"content": content(name)} if name and status < 300 else {}),
        }
        for status, name in sorted(route.answers.items())
        if route.function is not None
    }


def _cache(operation: Operation, route: Route, allow_origin: str | None) -> None:
    """What a cached answer is found by: every parameter, and the origin where an answer depends on it."""
    by = route.parameters()
    if allow_origin:
        by.append(("header", "Origin"))
        declared = {"name": "Origin", "in": "header", "required": False}
        operation["parameters"].append({**declared, "schema": {"type": "string"}})
    places = {"query": "querystring"}
    operation[integrations.EXTENSION]["cacheKeyParameters"] = [
        f"method.request.{places.get(at, at)}.{name}" for at, name in by
    ]


def _schemes(routes: Sequence[Route], standard: Authorizer) -> dict[str, Any]:
    """Every authorizer once, by its name, which no two may share: a route would be guarded by the other one's."""
    used: dict[str, Authorizer] = {}
    for route in routes:
        guard = guards(route, standard)
        if guard is not None and used.setdefault(guard.name, guard) != guard:
            raise pulumi.RunError(
                f"route '{route.endpoint}': another authorizer is called '{guard.name}' already; "
                "give one of them a name of its own (name=)"
            )
    schemes = {name: guard.scheme() for name, guard in used.items()}
    if any(route.api_key for route in routes):
        schemes[API_KEY] = api_key_scheme()
    return dict(sorted(schemes.items()))


def _shared_headers(origin: str | None) -> dict[str, str]:
    """What goes with every answer that the gateway makes itself, as the functions send it with theirs."""
    safe = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return {**safe, "Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin else safe


def _preflight(origin: str, path: Mapping[str, Any]) -> Operation:
    methods = EVERY_METHOD if ANY_METHOD in path else sorted(path)
    answer = integrations.Fixed(
        204,
        headers={
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": ",".join(m.upper() for m in [*methods, "options"]),
            "Access-Control-Allow-Headers": ALLOWED_HEADERS,
            "Access-Control-Expose-Headers": EXPOSED_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
            "Vary": "Origin",
        },
        summary="Preflight",
    )
    return integrations.fixed(answer, {})


def _gateway_responses(origin: str | None) -> dict[str, Any]:
    # The template's key must stay application/json: API Gateway picks no other; the header below names the real type.
    parameters = {"gatewayresponse.header.Content-Type": "'application/problem+json'"}
    if origin:
        parameters["gatewayresponse.header.Access-Control-Allow-Origin"] = f"'{origin}'"
        parameters["gatewayresponse.header.Vary"] = "'Origin'"
    named = {
        kind: {
            "statusCode": str(status),
            "responseParameters": parameters,
            "responseTemplates": {"application/json": _problem(title, f'"status":{status},')},
        }
        for kind, (status, title) in GATEWAY_RESPONSES.items()
    }
    # What has no name of its own, a function's malformed answer (502) among them, keeps the gateway's status.
    rest = {
        kind: {
            "responseParameters": parameters,
            "responseTemplates": {"application/json": _problem(title)},
        }
        for kind, title in (("DEFAULT_4XX", "Client Error"), ("DEFAULT_5XX", "Server Error"))
    }
    return named | rest


def _problem(title: str, status: str = "") -> str:
    # messageString comes with its quotes; validationErrorString may hold bare ones and is left out.
    return (
        f'{{"type":"about:blank","title":"{title}",{status}'
        '"detail":$context.error.messageString,"requestId":"$context.requestId"}'
    )
