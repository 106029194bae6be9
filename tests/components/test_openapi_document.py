"""openapi.json: what people and clients read of the API follows the program's routes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from components.routes import Route
from policies import gateways
from tests.support.program import ROOT, Run
from tests.support.tiny import Parts, tiny
from tools import openapi

DOCUMENT = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def test_file_is_what_the_routes_say() -> None:
    assert openapi.main(["--check"]) == 0, "python -m tools.openapi"


def test_routes_and_their_guards_are_those_of_the_gateway(dev: Run) -> None:
    gateway: dict[str, tuple[bool, list[str]]] = {}
    for endpoint, operation in gateways.operations(
        dev.one("aws:apigateway/restApi:RestApi", "api-rest")
    ):
        method, path = endpoint.replace("+}", "}").split(" ", 1)
        for each in openapi.METHODS if method == "ANY" else [method.lower()]:
            if each != "options":
                names = [p["name"] for p in operation["parameters"]]
                gateway[f"{each.upper()} {path}"] = "security" in operation, names
    ours = {
        endpoint: ("security" in operation, [p["name"] for p in operation["parameters"]])
        for endpoint, operation in OPERATIONS.items()
    }
    assert ours == gateway


@pytest.mark.parametrize("endpoint", OPERATIONS)
def test_every_route_lists_what_stands_before_its_function(endpoint: str) -> None:
    operation = OPERATIONS[endpoint]
    listed = {int(status) for status in operation["responses"]}
    assert {429, 500, 502, 503, 504} <= listed
    assert ({401, 403} <= listed) == ("security" in operation)
    assert ({400, 413} <= listed) == ("requestBody" in operation)
    assert operation["summary"]


def test_every_reference_leads_to_a_schema_that_is_one() -> None:
    schemas: Mapping[str, Any] = DOCUMENT["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    named = {part.split('"')[0] for part in json.dumps(DOCUMENT).split("#/components/schemas/")[1:]}
    assert named == set(schemas)


def test_new_route_is_described_with_its_own_statuses() -> None:
    found: dict[str, Any] = {}

    def program(parts: Parts) -> None:
        route = Route(
            "GET /items/{id}", parts.function("get-item"), headers=["X-Trace"], answers={410: ""}
        )
        found.update(openapi.document([route])["paths"]["/items/{id}"]["get"])

    tiny(program)
    assert [p["name"] for p in found["parameters"]] == ["id", "X-Trace"]
    assert found["responses"]["410"]["content"].keys() == {"application/problem+json"}
