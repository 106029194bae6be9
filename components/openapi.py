"""The API description: OpenAPI 3.0.1 in the dialect that API Gateway imports.

API Gateway knows JSON Schema draft-04 only, names of schemas are alphanumeric, security stands at each operation, and
whatever it does not understand (nullable, examples, formats) makes an import with warnings refused. The document is
plain data, so its hash tells whether the API must be deployed again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi

from components.function import ServerlessFunction

AUTHORIZER = "jwt"
VALIDATOR = "all"
ALLOWED_HEADERS = "Content-Type,Authorization,If-Match"
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


@dataclass(frozen=True)
class Route:
    """`Route("POST /items", create_item, body="ItemInput")`: method and path, the function, the body's schema.

    `public` leaves the authorizer out; policies allow that for named routes only. `answers` maps each status of the
    function's own to the schema of its body in schemas/answers (problems need none): openapi.json tells them to clients.
    """

    endpoint: str
    function: ServerlessFunction
    body: str | None = None
    query: Sequence[str] = ()
    headers: Sequence[str] = ()
    public: bool = False
    answers: Mapping[int, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The HTTP method in lower case, as OpenAPI spells it."""
        return self.endpoint.split(" ", 1)[0].lower()

    @property
    def path(self) -> str:
        """The path, e.g. `/items/{id}`."""
        return self.endpoint.split(" ", 1)[1]

    def asked(self) -> dict[str, Any]:
        """The part of an operation that says what a caller sends, the same for the gateway and for people."""
        places = [
            *(("path", name) for name in re.findall(r"{(\w+)\+?}", self.path)),
            *(("query", name) for name in self.query),
            *(("header", name) for name in self.headers),
        ]
        asked: dict[str, Any] = {
            "operationId": self.function.logical_name.replace("-", "_"),
            "parameters": [
                {"name": name, "in": at, "required": at == "path", "schema": {"type": "string"}}
                for at, name in places
            ],
        }
        if self.body:
            schema = {"$ref": f"#/components/schemas/{self.body}"}
            content = {"application/json": {"schema": schema}}
            asked["requestBody"] = {"required": True, "content": content}
        return asked


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
    authorizer_uri: pulumi.Input[str],
    authorizer_ttl: int,
    allow_origin: str | None,
    compression: int | None,
) -> dict[str, Any]:
    """The whole API as data; only URIs of functions are Outputs. `authorizer_ttl` in seconds, `compression` in bytes."""
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    if allow_origin:
        for path in paths.values():
            path["options"] = _preflight(allow_origin, [method.upper() for method in path])
    used = {route.body: schemas[route.body] for route in routes if route.body}
    written: dict[str, Any] = {
        "openapi": "3.0.1",
        "info": {"title": title, "version": "1.0"},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(used.items())),
            "securitySchemes": {AUTHORIZER: _token_authorizer(authorizer_uri, authorizer_ttl)},
        },
        "x-amazon-apigateway-request-validators": {
            VALIDATOR: {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-request-validator": VALIDATOR,
        "x-amazon-apigateway-gateway-responses": _gateway_responses(allow_origin),
    }
    if compression is not None:
        written["x-amazon-apigateway-minimum-compression-size"] = compression
    return written


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        **route.asked(),
        "responses": {"200": {"description": "The function's own answer"}},
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            # How API Gateway calls Lambda, whatever the client's method is.
            "httpMethod": "POST",
            "uri": route.function.invoke_arn,
            "passthroughBehavior": "when_no_match",
            "timeoutInMillis": 29_000,
        },
    }
    return operation if route.public else {**operation, "security": [{AUTHORIZER: []}]}


def _token_authorizer(uri: pulumi.Input[str], ttl: int) -> dict[str, Any]:
    return {
        "type": "apiKey",
        # For a TOKEN authorizer the scheme's name is the header.
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "token",
            "authorizerUri": uri,
            "identitySource": "method.request.header.Authorization",
            "authorizerResultTtlInSeconds": ttl,
        },
    }


def _cors(origin: str, methods: Sequence[str]) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": ",".join([*methods, "OPTIONS"]),
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Expose-Headers": EXPOSED_HEADERS,
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        "Vary": "Origin",
    }


def _preflight(origin: str, methods: Sequence[str]) -> dict[str, Any]:
    headers = _cors(origin, methods)
    return {
        "responses": {
            "204": {
                "description": "Preflight",
                "headers": {name: {"schema": {"type": "string"}} for name in headers},
            }
        },
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "passthroughBehavior": "when_no_match",
            "requestTemplates": {"application/json": '{"statusCode":204}'},
            "responses": {
                "default": {
                    "statusCode": "204",
                    "responseParameters": {
                        f"method.response.header.{name}": f"'{value}'"
                        for name, value in headers.items()
                    },
                }
            },
        },
    }


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
