"""The dialect of OpenAPI 3.0 that API Gateway imports.

Sources: "Amazon API Gateway important notes for REST APIs", the developer guide's OpenAPI extensions, and error texts
of the real service. An emulator takes nearly anything.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

from policies.dialect_answers import gateway_response_problems
from policies.dialect_schemas import schema_problems

INTEGRATION = "x-amazon-apigateway-integration"
METHODS = frozenset(
    {"get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method"}
)
OPERATION_KEYS = frozenset(
    {
        "operationId",
        "summary",
        "description",
        "tags",
        "parameters",
        "requestBody",
        "responses",
        "security",
    }
)
PARAMETER_KEYS = frozenset({"name", "in", "required", "schema", "description"})
ROOT_KEYS = frozenset({"openapi", "info", "paths", "components", "tags", "servers"})
PRIMITIVES = frozenset({"string", "number", "integer", "boolean"})
RESERVED_PATHS = frozenset({"/ping", "/sping"})
MOST_RESOURCES, MOST_AUTHORIZERS = 300, 10

_SEGMENT = re.compile(r"[A-Za-z0-9_.,:-]+|\{[A-Za-z0-9_.-]+\+?\}")
_VARIABLE = re.compile(r"\{([^}+]+)\+?\}")


@functools.lru_cache(maxsize=64)
def problems(body: str) -> tuple[str, ...]:
    """Everything that API Gateway would refuse, drop or read otherwise, one text each. `body` is a JSON object."""
    document: dict[str, Any] = json.loads(body)
    return tuple(
        text
        for check in (
            _root,
            _paths,
            _operations,
            _schemes,
            schema_problems,
            gateway_response_problems,
        )
        for text in check(document)
    )


def _root(document: dict[str, Any]) -> Iterator[str]:
    if not str(document.get("openapi", "")).startswith("3.0."):
        yield f"openapi is {document.get('openapi')}; API Gateway imports 3.0"
    if not document.get("info", {}).get("version"):
        yield "info.version is missing"
    if "security" in document:
        yield "security at the root is ignored; put it on every operation"
    for key in sorted(document.keys() - ROOT_KEYS - {"security"}):
        if not key.startswith("x-amazon-apigateway-"):
            yield f"{key} is not imported"
    if not any(set(item) & METHODS for item in document.get("paths", {}).values()):
        yield "a REST API without methods cannot be deployed"
    for part in sorted(document.get("components", {}).keys() - {"schemas", "securitySchemes"}):
        yield f"components.{part} is not imported"


def _paths(document: dict[str, Any]) -> Iterator[str]:
    variables: dict[str, str] = {}
    nodes: set[str] = set()
    for path in document.get("paths", {}):
        if path in RESERVED_PATHS:
            yield f"{path} is reserved by API Gateway"
        parent = ""
        for segment in path.strip("/").split("/") if path != "/" else []:
            yield from _segment(path, parent, segment, variables)
            parent = f"{parent}/{segment}"
            nodes.add(parent)
    if len(nodes) > MOST_RESOURCES:
        yield f"{len(nodes)} resources; an API has {MOST_RESOURCES} at most"


def _segment(path: str, parent: str, segment: str, variables: dict[str, str]) -> Iterator[str]:
    if not _SEGMENT.fullmatch(segment):
        yield f"{path}: '{segment}' must be letters, digits, _ - . , : or one whole {{parameter}}"
    if parent.endswith("+}"):
        yield f"{path}: nothing may follow a greedy parameter"
    if segment.startswith("{") and variables.setdefault(parent, segment) != segment:
        yield f"{path}: {segment} and {variables[parent]} are siblings; a level has one variable"


def _operations(document: dict[str, Any]) -> Iterator[str]:
    ids: set[str] = set()
    schemes = document.get("components", {}).get("securitySchemes", {})
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            where = f"{method.upper()} {path}"
            if method not in METHODS:
                yield f"{where}: not a method that API Gateway knows"
                continue
            for key in operation:
                if key not in OPERATION_KEYS and not key.startswith("x-amazon-apigateway-"):
                    yield f"{where}: {key} is not imported"
            name = operation.get("operationId")
            if name in ids:
                yield f"{where}: operationId '{name}' is taken"
            ids |= {name} if name else set()
            for requirement in operation.get("security", []):
                yield from (
                    f"{where}: no security scheme '{s}'" for s in requirement if s not in schemes
                )
            yield from _parameters(where, path, operation)
            yield from _answers(where, operation)
            yield from _integration(where, operation)


def _parameters(where: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    names: set[str] = set()
    for parameter in operation.get("parameters", []):
        name = parameter.get("name")
        if name in names:
            yield f"{where}: parameter '{name}' stands in two places; names are unique across path, query and header"
        names.add(name)
        yield from (
            f"{where}: parameter '{name}': {k} is not imported"
            for k in set(parameter) - PARAMETER_KEYS
        )
        schema = parameter.get("schema", {})
        if set(schema) - {"type"} or schema.get("type") not in PRIMITIVES:
            yield f"{where}: parameter '{name}': its schema is a primitive type and nothing else"
    declared = {p.get("name") for p in operation.get("parameters", []) if p.get("in") == "path"}
    if declared != set(_VARIABLE.findall(path)):
        integration = operation.get(INTEGRATION, {})
        if integration.get("type") != "mock":
            yield f"{where}: declare exactly the path's parameters"


def _answers(where: str, operation: dict[str, Any]) -> Iterator[str]:
    responses = operation.get("responses", {})
    if not responses:
        yield f"{where}: names no response"
    for status, response in responses.items():
        if status != "default" and not re.fullmatch(r"[1-5][0-9X]{2}", status):
            yield f"{where}: '{status}' is no status"
        if "$ref" in response:
            yield f"{where}: a response must be written out; references to responses are not imported"
        elif not response.get("description"):
            yield f"{where}: response {status} needs a description"
    for kind in operation.get("requestBody", {}).get("content", {}):
        if kind != "application/json":
            yield f"{where}: a body is validated as application/json only"


def _integration(where: str, operation: dict[str, Any]) -> Iterator[str]:
    integration = operation.get(INTEGRATION)
    if not integration:
        yield f"{where}: no {INTEGRATION}; the API cannot be deployed"
        return
    kind = integration.get("type")
    if kind not in {"aws_proxy", "aws", "http", "http_proxy", "mock"}:
        yield f"{where}: integration type '{kind}' is unknown"
    timeout = integration.get("timeoutInMillis", 29_000)
    if not 50 <= timeout <= 29_000:
        yield f"{where}: timeoutInMillis is {timeout}; it must be 50 to 29000"
    if integration.get("passthroughBehavior") not in {
        "when_no_match",
        "when_no_templates",
        "never",
    }:
        yield f"{where}: passthroughBehavior must be when_no_match, when_no_templates or never"
    if kind == "aws_proxy":
        yield from _proxy(where, integration)
    if kind == "mock":
        yield from _mock(where, operation, integration)


def _proxy(where: str, integration: dict[str, Any]) -> Iterator[str]:
    if integration.get("httpMethod") != "POST":
        yield f"{where}: httpMethod must be POST: it is how Lambda is called, whatever the client's method"
    if not re.fullmatch(
        r"arn:[\w-]+:apigateway:[\w-]+:lambda:path/.+/invocations", str(integration.get("uri"))
    ):
        yield f"{where}: uri must be a function's invoke ARN"


def _mock(where: str, operation: dict[str, Any], integration: dict[str, Any]) -> Iterator[str]:
    if not integration.get("requestTemplates", {}).get("application/json"):
        yield f"{where}: a mock needs a request template that says its status"
    for answer in integration.get("responses", {}).values():
        declared = (
            operation.get("responses", {}).get(answer.get("statusCode"), {}).get("headers", {})
        )
        for target, value in answer.get("responseParameters", {}).items():
            if target.removeprefix("method.response.header.") not in declared:
                yield f"{where}: {target} is not declared by response {answer.get('statusCode')}; it is dropped"
            if not (value.startswith("'") and value.endswith("'")):
                yield f"{where}: {target}: a static value stands in single quotes"


def _schemes(document: dict[str, Any]) -> Iterator[str]:
    schemes = document.get("components", {}).get("securitySchemes", {})
    if len(schemes) > MOST_AUTHORIZERS:
        yield f"{len(schemes)} authorizers; an API has {MOST_AUTHORIZERS} at most"
    for name, scheme in schemes.items():
        where = f"security scheme '{name}'"
        if scheme.get("type") != "apiKey" or scheme.get("in") != "header":
            yield f"{where}: API Gateway knows type apiKey in a header only"
        authorizer = scheme.get("x-amazon-apigateway-authorizer", {})
        if authorizer.get("type") not in {"token", "request"} or "authorizerUri" not in authorizer:
            yield f"{where}: needs an authorizer of type token or request with its authorizerUri"
        if not 0 <= authorizer.get("authorizerResultTtlInSeconds", 300) <= 3600:
            yield f"{where}: authorizerResultTtlInSeconds must be 0 to 3600"
        header = f"method.request.header.{scheme.get('name')}"
        if authorizer.get("type") == "token" and authorizer.get("identitySource") != header:
            yield f"{where}: a token authorizer reads exactly the header that the scheme names"
