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
from policies.dialect_integrations import integration_problems
from policies.dialect_policies import policy_problems
from policies.dialect_schemas import schema_problems
from policies.dialect_schemes import scheme_problems
from policies.gateways import ANY_METHOD, EXTENSION

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", ANY_METHOD})
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
MOST_RESOURCES = 300

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
            integration_problems,
            scheme_problems,
            policy_problems,
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
        integration = operation.get(EXTENSION, {})
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
