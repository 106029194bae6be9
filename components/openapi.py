"""The API description: OpenAPI 3.0.1 in the dialect that API Gateway imports.

API Gateway knows JSON Schema draft-04 only, names of schemas are alphanumeric, security stands at each operation, and
whatever it does not understand (nullable, examples, formats) makes an import with warnings refused. The document is
plain data, so its hash tells whether the API must be deployed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import integrations
from components.authorizers import API_KEY, Authorizer, api_key_scheme
from components.grants import POLICY_VERSION
from components.integrations import Operation
from components.routes import ANY, Route, operation_ids

VALIDATOR = "all"
ALLOWED_HEADERS = "Content-Type,Authorization,If-Match,X-Api-Key"
ANY_METHOD = "x-amazon-apigateway-any-method"
EVERY_METHOD = ("delete", "get", "head", "patch", "post", "put")
EXPOSED_HEADERS = "ETag,Location,Retry-After"
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
}
"""Each answer the gateway gives by itself: its status and title (RFC 9457). 413 cannot be customised."""


Behind = Callable[[Route, Mapping[str, str]], Operation]
"""From a route, and the headers that go with each answer of the gateway's own, to what stands behind it."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What settings say of the document: one web origin or none, `compression` in bytes, endpoints that are cached."""

    description: str = "An API"
    allow_origin: str | None = None
    compression: int | None = None
    cached: frozenset[str] = frozenset()
    binary_media_types: Sequence[str] = ()
    allow_source_ips: Sequence[str] = ()


def read_schemas(folder: Path) -> dict[str, Any]:
    """All JSON schemas of a folder, by file name: `ItemInput.json` is `ItemInput`.

    `$schema` tells editors the draft; API Gateway's import does not know it, so it is left out.
    """
    schemas = {
        file.stem: json.loads(file.read_text(encoding="utf-8"))
        for file in sorted(folder.glob("*.json"))
    }
    return {
        name: {key: value for key, value in schema.items() if key != "$schema"}
        for name, schema in schemas.items()
    }


def document(
    title: str,
    routes: Sequence[Route],
    *,
    schemas: Mapping[str, Any],
    authorizer: Authorizer,
    behind: Behind,
    options: Options,
) -> dict[str, Any]:
    """The whole API as data; only ARNs and URIs are Outputs.

    `behind` answers with an operation's integration and responses, given the headers that go with each answer of the
    gateway's own. Raises ValueError for routes that contradict each other.
    """
    used = {route.body: schemas[route.body] for route in routes if route.body}
    written: dict[str, Any] = {
        "openapi": "3.0.1",
        "info": {"title": title, "version": "1.0", "description": options.description},
        "paths": _paths(routes, authorizer, behind, options),
        "components": {
            "schemas": dict(sorted(used.items())),
            "securitySchemes": _schemes(routes, authorizer),
        },
        "x-amazon-apigateway-request-validators": {
            VALIDATOR: {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-request-validator": VALIDATOR,
        "x-amazon-apigateway-gateway-responses": _gateway_responses(options.allow_origin),
    }
    return written | _extensions(options)


def _paths(
    routes: Sequence[Route], standard: Authorizer, behind: Behind, options: Options
) -> dict[str, Any]:
    ids = operation_ids(routes)
    shared = _shared_headers(options.allow_origin)
    paths: dict[str, Any] = {}
    for route in routes:
        key = ANY_METHOD if route.method == ANY else route.method
        operation = _operation(route, ids[route.endpoint], standard, behind(route, shared))
        if route.endpoint in options.cached:
            _cache(operation, route, options.allow_origin)
        paths.setdefault(route.path, {})[key] = operation
    if options.allow_origin:
        for path in paths.values():
            path["options"] = _preflight(options.allow_origin, path)
    return paths


def _extensions(options: Options) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.compression is not None:
        found["x-amazon-apigateway-minimum-compression-size"] = options.compression
    if options.binary_media_types:
        found["x-amazon-apigateway-binary-media-types"] = list(options.binary_media_types)
    if options.allow_source_ips:
        found["x-amazon-apigateway-policy"] = _only_from(options.allow_source_ips)
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
    guard = guards(route, standard)
    # One requirement each, as API Gateway's own export writes them: a caller must meet all of them.
    security = [{guard.name: list(guard.scopes)}] if guard else []
    if route.api_key:
        security.append({API_KEY: []})
    return {**operation, "security": security} if security else operation


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
    used = [guard for route in routes if (guard := guards(route, standard))]
    schemes = {guard.name: guard.scheme() for guard in used}
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
