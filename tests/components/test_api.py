"""ApiFront: what can be asked, by whom, how often, and what is deployed when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.api import Fixed, Route
from components.openapi import ANY_METHOD
from policies import gateways
from policies.api import PUBLIC, UNDESCRIBED
from settings import ApiSettings, wiring
from tests.support.program import Run
from tests.support.tiny import source, tiny

REST_API, STAGE = "aws:apigateway/restApi:RestApi", "aws:apigateway/stage:Stage"
DEPLOYMENT = "aws:apigateway/deployment:Deployment"
INTEGRATION = "x-amazon-apigateway-integration"
GATEWAY = "x-amazon-apigateway-gateway-responses"


def described(run: Run) -> dict[str, Any]:
    """The API's description."""
    (api,) = run.all(REST_API)
    body = json.loads(str(api.get("body")))
    assert isinstance(body, dict)
    return body


def operations(run: Run) -> dict[str, dict[str, Any]]:
    """`GET /items` -> its operation, preflights left out."""
    (api,) = run.all(REST_API)
    found = gateways.operations(api)
    return {endpoint: o for endpoint, o in found if not endpoint.startswith("OPTIONS ")}


def fingerprint(run: Run) -> str:
    """What tells the stage to serve a new deployment."""
    (deployment,) = run.all(DEPLOYMENT)
    return str(deployment.get("triggers.description"))


def test_api_has_exactly_these_routes_each_with_its_function(run: Run) -> None:
    found = {
        endpoint: operation[INTEGRATION].get("uri", "").rsplit(f"sandpiper-{run.stack}-")[-1]
        for endpoint, operation in operations(run).items()
    }
    assert found.keys() == wiring.REST_ROUTES.keys(), (
        "another route? REST_ROUTES in settings/wiring.py"
    )
    queue = "arn:aws:apigateway:us-west-2:sqs:path/123456789012/notifications-queue-0123456"
    assert found["POST /notifications"] == queue
    for endpoint, name in wiring.REST_ROUTES.items():
        assert name is None or found[endpoint] == f"{name}:live/invocations", endpoint


def test_only_health_is_open_to_everybody(run: Run) -> None:
    open_ = {endpoint for endpoint, o in operations(run).items() if not o.get("security")}
    assert "GET /health" in open_
    assert open_ == set(PUBLIC), "another public route? PUBLIC in policies/api.py, and why"


def test_every_other_route_asks_who_is_calling(run: Run) -> None:
    asked = {endpoint: o.get("security") for endpoint, o in operations(run).items()}
    known = described(run)["components"]["securitySchemes"]
    for endpoint, security in asked.items():
        named = [name for requirement in security or () for name in requirement]
        assert set(named) <= set(known), endpoint
        assert named == [] or set(named) - {"api_key"}, f"{endpoint}: a key says who pays only"
    assert asked["GET /items"] == [{"jwt": []}]
    assert asked["POST /notifications"] == [{"jwt": []}, {"api_key": []}]


def test_bodies_are_checked_against_their_schemas(run: Run) -> None:
    for endpoint, operation in operations(run).items():
        if endpoint.startswith(("POST ", "PUT ", "PATCH ")) and endpoint not in UNDESCRIBED:
            assert operation["requestBody"]["required"] is True, endpoint
    bodies = {endpoint: o.get("requestBody") for endpoint, o in operations(run).items()}
    item = {"schema": {"$ref": "#/components/schemas/ItemInput"}}
    for endpoint in ("POST /items", "PUT /items/{id}"):
        assert bodies[endpoint]["content"] == {"application/json": item}
    schema = described(run)["components"]["schemas"]["ItemInput"]
    assert schema["required"] == ["name", "price"]
    assert schema["additionalProperties"] is False


def test_listing_takes_limit_and_cursor_and_items_their_id(run: Run) -> None:
    named = {
        endpoint: [(p["name"], p["in"], p["required"]) for p in operation["parameters"]]
        for endpoint, operation in operations(run).items()
    }
    assert named["GET /items"] == [("limit", "query", False), ("cursor", "query", False)]
    assert named["GET /items/{id}"] == [("id", "path", True)]


def test_authorizer_reads_the_authorization_header_and_is_remembered_as_settings_say(
    dev: Run, custom: Run
) -> None:
    for run, seconds in ((dev, 60), (custom, 0)):
        scheme = described(run)["components"]["securitySchemes"]["jwt"]
        authorizer = scheme["x-amazon-apigateway-authorizer"]
        assert scheme["name"] == "Authorization"
        assert authorizer["type"] == "token"
        assert authorizer["authorizerResultTtlInSeconds"] == seconds


def test_gateway_answers_problems_in_the_words_of_rfc_9457(run: Run) -> None:
    for kind, answer in described(run)[GATEWAY].items():
        template = answer["responseTemplates"]["application/json"]
        said = json.loads(template.replace("$context.error.messageString", '"why"'))
        assert {"type", "title", "detail", "requestId"} <= said.keys(), kind
        assert said.get("status") == (int(answer["statusCode"]) if "statusCode" in answer else None)
        header = answer["responseParameters"]["gatewayresponse.header.Content-Type"]
        assert header == "'application/problem+json'"


def test_browsers_of_a_named_origin_are_answered(dev: Run) -> None:
    for path, methods in described(dev)["paths"].items():
        answer = methods["options"][INTEGRATION]["responses"]["default"]["responseParameters"]
        assert (
            answer["method.response.header.Access-Control-Allow-Origin"]
            == "'http://localhost:3000'"
        )
        named = answer["method.response.header.Access-Control-Allow-Methods"].strip("'").split(",")
        routed = {method.upper() for method in methods if method != ANY_METHOD}
        assert set(named) == routed or (ANY_METHOD in methods and routed < set(named)), path
    refused = described(dev)[GATEWAY]["UNAUTHORIZED"]["responseParameters"]
    assert (
        refused["gatewayresponse.header.Access-Control-Allow-Origin"] == "'http://localhost:3000'"
    )


def test_without_origins_no_browser_is_answered(custom: Run) -> None:
    assert not [
        path for path, methods in described(custom)["paths"].items() if "options" in methods
    ]
    assert "Access-Control" not in json.dumps(described(custom))


def test_throttle_and_compression_come_from_the_stack_file(dev: Run, custom: Run) -> None:
    type_ = "aws:apigateway/methodSettings:MethodSettings"
    settings = custom.one(type_, "api-method-settings")
    assert settings.get("settings.throttlingRateLimit") == 12.5
    assert settings.get("settings.throttlingBurstLimit") == 7
    assert custom.one(REST_API, "api-rest").get("minimumCompressionSize") == "1000"
    assert described(custom)["x-amazon-apigateway-minimum-compression-size"] == 1000
    settings = dev.one(type_, "api-method-settings")
    assert settings.get("settings.throttlingRateLimit") >= 1000
    assert settings.get("settings.throttlingBurstLimit") >= 500


def test_log_role_of_the_account_is_ours_only_where_asked_and_then_stays(
    dev: Run, custom: Run
) -> None:
    type_ = "aws:apigateway/account:Account"
    assert dev.all(type_) == []
    (account,) = custom.all(type_)
    assert account.retain_on_delete
    role = custom.one("aws:iam/role:Role", "api-account-logs-role")
    assert role.retain_on_delete
    assert "apigateway.amazonaws.com" in role.get("assumeRolePolicy")
    assert account.urn in custom.one(STAGE, "api-stage").depends_on


def test_each_function_is_permitted_once_however_many_routes_it_serves() -> None:
    run = tiny(lambda parts: parts.front(parts.function("a"), "GET /a", "GET /b", "POST /c"))
    permissions = run.all("aws:lambda/permission:Permission")
    assert sorted(p.name for p in permissions) == ["a-front-permission", "gate-front-permission"]
    assert {str(p.get("sourceArn")).split(":")[-1] for p in permissions} == {
        "sandpiper-tiny-front/*/*",
        "sandpiper-tiny-front/authorizers/*",
    }


def test_new_route_is_deployed_and_a_new_size_of_a_function_is_not() -> None:
    first = fingerprint(tiny(lambda parts: parts.front(parts.function("a"), "GET /a")))
    routed = tiny(lambda parts: parts.front(parts.function("a"), "GET /a", "GET /b"))
    resized = tiny(lambda parts: parts.front(parts.function("a", memory_size=999), "GET /a"))
    assert resized.one("aws:lambda/function:Function", "a-function").get("memorySize") == 999
    assert fingerprint(resized) == first
    assert fingerprint(routed) != first


def test_new_code_of_a_function_is_no_new_deployment_of_the_api() -> None:
    first = tiny(lambda parts: parts.front(parts.function("a", code=source("1")), "GET /a"))
    second = tiny(lambda parts: parts.front(parts.function("a", code=source("2")), "GET /a"))
    assert fingerprint(first) == fingerprint(second)


def test_logs_can_be_switched_off() -> None:
    off = ApiSettings(access_log_enabled=False, logging_level="OFF")
    run = tiny(lambda parts: parts.front(parts.function("a"), "GET /a", settings=off))
    names = {group.name for group in run.all("aws:cloudwatch/logGroup:LogGroup")}
    assert names == {"a-logs", "gate-logs"}
    assert run.one(STAGE, "front-stage").get("accessLogSettings") is None


def test_url_ends_without_a_slash(run: Run) -> None:
    assert run.outputs["apiUrl"].startswith("https://")
    assert not run.outputs["apiUrl"].endswith("/")


@pytest.mark.parametrize("endpoint", ["GET /health", "GET /items"])
def test_route_reads_its_method_and_path(endpoint: str) -> None:
    route = Route(endpoint, Fixed(200))
    assert f"{route.method.upper()} {route.path}" == endpoint
