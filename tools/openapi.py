"""Write `openapi.json`, the description of the REST API for people and clients, out of the program's own routes.

`python -m tools.openapi` runs the program on mocks and reads the routes it gives to the gateway; with `--check` it writes
nothing and exits 1 when the file is out of date. The gateway gets another document in its own dialect
(components/openapi.py), which knows neither answers nor examples.
"""

from __future__ import annotations

import ast
import json
import runpy
import sys
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import pulumi
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from components.integrations import Enqueue, Fixed
from components.routes import ANY, Route, content, operation_ids
from components.schemas import named, read_schemas
from tests.support.program import ROOT, run_program, stack_config
from tools.written import keep

FILE: Final = ROOT / "openapi.json"
PROBLEM: Final = "Problem"
SCHEME: Final = "bearer"
KEY: Final = "apiKey"
METHODS: Final = ("get", "post", "put", "patch", "delete")
"""What `ANY` stands for in a description, which has no word for it."""

TITLES: Final = {
    200: "OK",
    201: "Created",
    202: "Accepted: it is done later",
    204: "No Content",
    400: "The body or a parameter is refused",
    401: "No token",
    403: "The token or the API key is refused",
    404: "No such item",
    412: "If-Match is stale",
    413: "The body is larger than 10 MB",
    415: "The body is not application/json",
    422: "The Idempotency-Key was used for another request",
    428: "If-Match is missing",
    429: "More requests than the throttle or the quota lets through",
    500: "A fault on this side",
    502: "A malformed answer of the function",
    503: "Come back later; Retry-After says when",
    504: "No answer within 29 seconds",
}
EVERYWHERE: Final = (429, 500, 502, 503, 504)
"""What any route may answer: the throttle, and faults."""

HEADERS: Final = {
    "ETag": "The item's version in quotes",
    "Location": "The new item, relative to the request's URL",
    "Retry-After": "Seconds",
}


PARAMETERS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("path", "id"): {"description": "The item's id"},
    ("query", "limit"): {
        "description": "Items on a page, 20 where it is left out",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100},
    },
    ("query", "cursor"): {"description": "`nextCursor` of the page before"},
    ("header", "Idempotency-Key"): {
        "description": "The request's own key: repeated within a day, it is done once and answered alike",
        "schema": {"type": "string", "pattern": "^[!-~]([ -~]{0,126}[!-~])?$"},
    },
    ("header", "If-Match"): {"description": "The ETag of the item that was read, or `*`"},
}
"""What people and clients are told of a parameter besides: API Gateway's import takes no more than a type."""


def routes() -> Sequence[Route]:
    """The routes of `__main__.py`, from a run of the program on mocks."""
    found: dict[str, Any] = {}
    config = {**stack_config("dev"), "sandpiper:packaging": {"build": False}}
    run_program(
        lambda: found.update(runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")),
        config=config,
    )
    described: Sequence[Route] = found["front"].routes
    return described


def document(given: Sequence[Route]) -> dict[str, Any]:
    """OpenAPI 3.1 as plain data: every route with each status it may answer."""
    ids = operation_ids(given)
    paths: dict[str, Any] = {}
    for route in given:
        methods = METHODS if route.method == ANY else (route.method,)
        for method in methods:
            name = ids[route.endpoint] if len(methods) == 1 else f"{ids[route.endpoint]}_{method}"
            # A greedy variable is API Gateway's own; for clients it is one variable.
            paths.setdefault(route.path.replace("+}", "}"), {})[method] = _operation(route, name)
    read = read_schemas(ROOT / "schemas")
    schemas = {**read.bodies, **read.answers}
    _check(read.answers)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sandpiper",
            "version": "0.1.0",
            "description": "The items API. docs/outputs.md has the whole contract.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The stack's output apiUrl"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                KEY: {"type": "apiKey", "name": "x-api-key", "in": "header"},
            },
        },
    }


def _check(answers: Mapping[str, Any]) -> None:
    """Raise pulumi.RunError, in one line, for a schema of answers that is none, or that refers to one that is not there."""
    for name, schema in answers.items():
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise pulumi.RunError(
                f"schemas/answers/{name}.json: {error.json_path}: {error.message}"
            ) from None
        for other in named(schema):
            if other not in answers:
                raise pulumi.RunError(
                    f"schemas/answers/{name}.json: there is no schemas/answers/{other}.json"
                )


def _operation(route: Route, operation_id: str) -> dict[str, Any]:
    asked = route.asked(operation_id)
    for parameter in asked["parameters"]:
        if known := PARAMETERS.get((parameter["in"], parameter["name"])):
            parameter.update(known)
    operation = {
        **asked,
        "summary": _summary(route),
        "responses": {str(status): _answer(route, status) for status in sorted(_statuses(route))},
    }
    # One requirement with all its schemes: a caller meets each of them.
    guards = ([] if route.public else [SCHEME]) + ([KEY] if route.api_key else [])
    return {**operation, "security": [{name: [] for name in guards}]} if guards else operation


def _statuses(route: Route) -> Iterator[int]:
    yield from route.answers
    yield from EVERYWHERE
    if not route.public:
        yield from (401, 403)
    if route.body:
        yield from (400, 413)
    elif route.query or route.required:
        yield 400
    if isinstance(route.target, Enqueue):
        yield 415


def _answer(route: Route, status: int) -> dict[str, Any]:
    described: dict[str, Any] = {"description": TITLES.get(status, HTTPStatus(status).phrase)}
    schema = route.answers.get(status) if status < 400 else PROBLEM
    if status == 413:
        # API Gateway lets nobody change this one: {"message": ...}.
        return described
    if schema:
        kind = "application/problem+json" if status >= 400 else "application/json"
        described["content"] = content(schema, kind)
    named = [
        *(["ETag"] if schema == "Item" else []),
        *(["Location"] if status == 201 else []),
        *(["Retry-After"] if status == 503 else []),
    ]
    if named:
        described["headers"] = {
            name: {"description": HEADERS[name], "schema": {"type": "string"}} for name in named
        }
    return described


def _summary(route: Route) -> str:
    """The first sentence of the handler's own docstring, after `POST /items:`; the target's where no function stands."""
    if isinstance(route.target, Enqueue | Fixed):
        return route.target.summary
    file = ROOT / "handlers" / f"{route.target.logical_name.replace('-', '_')}.py"
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    sentence = " ".join(said.split("\n\n")[0].split()).removeprefix(f"{route.endpoint}: ")
    return sentence[:1].upper() + sentence[1:].split(". ")[0].rstrip(".")


def text(data: Mapping[str, Any]) -> str:
    """The file's text."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or with `--check` compare it; return the exit code."""
    about = "The description of the REST API for people and clients."
    try:
        return keep(
            lambda: {FILE: text(document(routes()))}, "tools.openapi", about, arguments, root=ROOT
        )
    except pulumi.RunError as mistake:
        print(mistake, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
