"""What a request is compared with: models by content type, policies across line ends, routes of messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.sandbox.functions_support import archive, role
from tests.sandbox.rest_api_support import X, call, integration
from tests.sandbox.services_support import Made, make
from tests.sandbox.socket_support import Socket

ECHO = """
import json
def handler(event, context):
    said = event["requestContext"].get("routeKey") or event.get("body")
    return {"statusCode": 200, "body": json.dumps({"said": said})}
"""
GATE = """
def handler(event, context):
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": ARN}
    return {"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""
EVERY = GATE.replace("ARN", '(event.get("methodArn") or event["routeArn"]).split("/")[0] + "/*"')
ONE = GATE.replace("ARN", 'event["methodArn"].split("/GET/")[0] + "/GET/one/a"')


class Functions(NamedTuple):
    own: Made
    every: Made
    one: Made


@pytest.fixture(scope="module")
def functions() -> Functions:
    arn = role("matching")["arn"]
    given = {"runtime": "python3.13", "handler": "main.handler", "publish": True, "role": arn}
    made = [
        make("lambda/function:Function", f"matching-{name}", code=archive(text), **given)
        for name, text in (("own", ECHO), ("every", EVERY), ("one", ONE))
    ]
    return Functions(*made)


def _document(functions: Functions) -> dict[str, Any]:
    own = {"responses": {}, f"{X}integration": integration(functions.own)}
    order = {"schema": {"type": "object", "required": ["sku"]}}

    def taking(content_type: str, **more: Any) -> dict[str, Any]:
        return {"post": {**own, "requestBody": {"content": {content_type: order}}, **more}}

    def gate(function: Made) -> dict[str, Any]:
        asked = {"authorizerUri": function["invokeArn"], "authorizerResultTtlInSeconds": 0}
        token = {"type": "apiKey", "name": "Authorization", "in": "header"}
        return {**token, f"{X}authtype": "custom", f"{X}authorizer": {"type": "token", **asked}}

    never = {
        "type": "mock",
        "passthroughBehavior": "never",
        "requestTemplates": {"application/json": '{"statusCode":200}'},
        "responses": {"default": {"statusCode": "200"}},
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": "matching", "version": "1"},
        f"{X}request-validators": {"all": {"validateRequestBody": True}},
        f"{X}request-validator": "all",
        "paths": {
            "/orders": taking("application/json"),
            "/lists": taking("application/vnd.list+json"),
            "/all": taking("$default"),
            "/never": taking(
                "application/json",
                responses={"200": {"description": "ok"}},
                **{f"{X}integration": never},
            ),
            **{
                f"/{name}/{{id}}": {"get": {**own, "security": [{name: []}]}}
                for name in ("every", "one")
            },
        },
        "components": {
            "securitySchemes": {"every": gate(functions.every), "one": gate(functions.one)}
        },
    }


@pytest.fixture(scope="module")
def rest(functions: Functions) -> Iterator[str]:
    body = json.dumps(_document(functions))
    api = make("apigateway/restApi:RestApi", "matching", body=body)
    deployed = make("apigateway/deployment:Deployment", "matching", restApi=api.id)
    stage = make(
        "apigateway/stage:Stage",
        "matching",
        restApi=api.id,
        deployment=deployed.id,
        stageName="dev",
    )
    yield stage["invokeUrl"]
    api.delete()


@pytest.mark.parametrize(
    ("path", "content_type", "status"),
    [
        ("/orders", "application/json", 400),
        ("/orders", "application/json; charset=utf-8", 400),
        ("/orders", "Application/JSON", 400),
        ("/orders", "", 400),
        ("/orders", "text/plain", 200),
        ("/orders", "application/json5", 200),
        ("/lists", "application/vnd.list+json", 400),
        ("/lists", "application/json", 200),
        ("/all", "text/plain", 400),
        ("/all", "application/json", 400),
        ("/never", "application/json", 400),
        ("/never", "text/plain", 415),
    ],
)
def test_a_body_is_checked_against_the_model_of_its_type(
    rest: str, path: str, content_type: str, status: int
) -> None:
    answer = call(rest + path, "POST", "{", Content_Type=content_type)
    assert answer.status == status
    if status == 200:
        assert answer.json == {"said": "{"}


def test_a_good_body_passes_by_its_model(rest: str) -> None:
    for path in ("/orders", "/all", "/never"):
        assert call(rest + path, "POST", {"sku": "a"}).status == 200


@pytest.mark.parametrize("path", ["a", "a%0Ab", "a%0A", "%0A", "%5Ba%5D"])
def test_a_policy_for_every_path_covers_line_ends(rest: str, path: str) -> None:
    assert call(f"{rest}/every/{path}", Authorization="x").status == 200


@pytest.mark.parametrize(("path", "status"), [("a", 200), ("a%0A", 403), ("b", 403), ("%0Aa", 403)])
def test_a_policy_for_one_path_covers_no_other(rest: str, path: str, status: int) -> None:
    assert call(f"{rest}/one/{path}", Authorization="x").status == status


def test_a_policy_of_an_http_api_covers_line_ends(functions: Functions) -> None:
    api = make("apigatewayv2/api:Api", "matching", protocolType="HTTP")
    gate = make(
        "apigatewayv2/authorizer:Authorizer",
        "matching",
        apiId=api.id,
        authorizerType="REQUEST",
        authorizerUri=functions.every["invokeArn"],
        authorizerPayloadFormatVersion="2.0",
        identitySources=["$request.header.Authorization"],
    )
    _route(api, functions.own, "GET /{id}", authorizationType="CUSTOM", authorizerId=gate.id)
    stage = _stage(api)
    for path in ("a", "a%0Ab"):
        assert call(f"{stage}/{path}", Authorization="x").status == 200
    api.delete()


@pytest.fixture(scope="module")
def socket(functions: Functions) -> Iterator[str]:
    """The URL of a WebSocket API whose function answers with the route that it was called by."""
    api = make("apigatewayv2/api:Api", "matching-socket", protocolType="WEBSOCKET")
    for key in ("$connect", "$disconnect", "$default", "ask"):
        route = _route(api, functions.own, key, routeResponseSelectionExpression="$default")
        made = {"apiId": api.id, "routeId": route.id, "routeResponseKey": "$default"}
        make("apigatewayv2/routeResponse:RouteResponse", key, **made)
    yield _stage(api)
    api.delete()


@pytest.mark.parametrize(
    ("frame", "route"),
    [
        ('{"action": "ask"}', "ask"),
        ('{"action": "$connect"}', "$default"),
        ('{"action": "$disconnect"}', "$default"),
        ('{"action": "$default"}', "$default"),
        ("[" * 30_000, "$default"),
        ('{"a":' * 6_000, "$default"),
        ('{"action": "x", "a": ' + "[" * 10_000 + "]" * 10_000 + "}", "$default"),
    ],
    ids=["ask", "connect", "disconnect", "default", "lists", "objects", "closed"],
)
def test_a_message_starts_the_route_it_names_but_none_of_the_connection_s_own(
    socket: str, frame: str, route: str
) -> None:
    with Socket(socket) as opened:
        opened.send(frame)
        assert json.loads(opened.receive() or "") == {"said": route}
        opened.send({"action": "ask"})
        assert json.loads(opened.receive() or "") == {"said": "ask"}


def _route(api: Made, function: Made, key: str, **inputs: Any) -> Made:
    own = make(
        "apigatewayv2/integration:Integration",
        f"matching-{key}",
        apiId=api.id,
        integrationType="AWS_PROXY",
        integrationUri=function["invokeArn"],
        integrationMethod="POST",
    )
    target = {"apiId": api.id, "routeKey": key, "target": f"integrations/{own.id}"}
    return make("apigatewayv2/route:Route", f"matching-{key}", **target, **inputs)


def _stage(api: Made) -> str:
    given = {"apiId": api.id, "name": "dev", "autoDeploy": True}
    return str(make("apigatewayv2/stage:Stage", api.id, **given)["invokeUrl"])
