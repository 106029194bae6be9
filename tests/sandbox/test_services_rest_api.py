"""A REST API from its document, called over HTTP as a client would."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any, NamedTuple

import pulumi
import pytest

from sandbox.resources import RestartNeeded
from tests.sandbox.services_support import ACCOUNT, REGION, Made, clients, make

X = "x-amazon-apigateway-"
ORIGIN = "https://app.example"
FUNCTION = """
def handler(event, context):
    import json
    body = {key: event[key] for key in ("resource", "httpMethod", "pathParameters", "stageVariables")}
    body["caller"] = event["requestContext"].get("authorizer", {}).get("principalId")
    return {"statusCode": 200, "headers": {"X-Own": "1"}, "body": json.dumps(body)}
"""
AUTHORIZER = """
def handler(event, context):
    token = event["authorizationToken"]
    effect = "Allow" if token == "Bearer good" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"].split("/")[0] + "/*"}
    return {"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def call(url: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
    data = (
        None
        if body is None
        else body.encode()
        if isinstance(body, str)
        else json.dumps(body).encode()
    )
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    if data is not None:
        named.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, data, named, method=method)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            return Answer(answer.status, dict(answer.headers), answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read().decode())


def integration(function: Made) -> dict[str, Any]:
    return {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": function["qualifiedInvokeArn"],
        "passthroughBehavior": "when_no_match",
    }


def document(function: Made, authorizer: Made) -> dict[str, Any]:
    problem = '{"title":$context.error.messageString,"type":"$context.error.responseType"}'
    cors = {"gatewayresponse.header.Access-Control-Allow-Origin": f"'{ORIGIN}'"}
    allowed = {
        "Access-Control-Allow-Origin": ORIGIN,
        "Access-Control-Allow-Methods": "POST,OPTIONS",
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": "orders", "version": "1.0"},
        f"{X}request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        f"{X}request-validator": "all",
        f"{X}binary-media-types": ["image/png"],
        "paths": {
            "/": {"get": {"responses": {}, f"{X}integration": integration(function)}},
            "/orders": {
                "post": {
                    "security": [{"gate": []}],
                    "requestBody": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Order"}}
                        }
                    },
                    "responses": {"200": {"description": "ok"}},
                    f"{X}integration": integration(function),
                },
                "options": {
                    "responses": {
                        "204": {
                            "description": "cors",
                            "headers": {name: {"schema": {"type": "string"}} for name in allowed},
                        }
                    },
                    f"{X}integration": {
                        "type": "mock",
                        "passthroughBehavior": "when_no_match",
                        "requestTemplates": {"application/json": '{"statusCode":204}'},
                        "responses": {
                            "default": {
                                "statusCode": "204",
                                "responseParameters": {
                                    f"method.response.header.{k}": f"'{v}'"
                                    for k, v in allowed.items()
                                },
                            }
                        },
                    },
                },
            },
            "/orders/{id}": {
                "get": {
                    "parameters": [
                        {
                            "name": "id",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string"},
                        },
                        {
                            "name": "page",
                            "in": "query",
                            "required": True,
                            "schema": {"type": "string"},
                        },
                    ],
                    "responses": {"200": {"description": "ok"}},
                    f"{X}integration": integration(function),
                }
            },
            "/all/{rest+}": {
                f"{X}any-method": {"responses": {}, f"{X}integration": integration(function)}
            },
        },
        "components": {
            "schemas": {
                "Order": {
                    "type": "object",
                    "required": ["sku"],
                    "additionalProperties": False,
                    "properties": {
                        "sku": {"type": "string", "minLength": 1},
                        "line": {"$ref": "#/components/schemas/Line"},
                    },
                },
                "Line": {
                    "type": "object",
                    "properties": {"count": {"type": "integer", "minimum": 1}},
                },
            },
            "securitySchemes": {
                "gate": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    f"{X}authtype": "custom",
                    f"{X}authorizer": {
                        "type": "token",
                        "authorizerUri": authorizer["invokeArn"],
                        "authorizerResultTtlInSeconds": 60,
                    },
                }
            },
        },
        f"{X}gateway-responses": {
            "DEFAULT_4XX": {
                "responseParameters": cors,
                "responseTemplates": {"application/problem+json": problem},
            },
            "MISSING_AUTHENTICATION_TOKEN": {"statusCode": "404", "responseParameters": cors},
        },
    }


class Api(NamedTuple):
    function: Made
    authorizer: Made
    rest: Made
    deployment: Made
    stage: Made
    url: str


@pytest.fixture(scope="module")
def api() -> Api:
    role = f"arn:aws:iam::{ACCOUNT}:role/{make('iam/role:Role', 'api', assumeRolePolicy=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'lambda.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]})).id}"

    def function(name: str, text: str) -> Made:
        code = pulumi.AssetArchive({"main.py": pulumi.StringAsset(text)})
        return make(
            "lambda/function:Function",
            name,
            code=code,
            role=role,
            runtime="python3.13",
            handler="main.handler",
            publish=True,
        )

    own, gate = function("orders", FUNCTION), function("gate", AUTHORIZER)
    rest = make(
        "apigateway/restApi:RestApi",
        "orders",
        body=json.dumps(document(own, gate)),
        failOnWarnings=True,
        endpointConfiguration={"types": "REGIONAL"},
        minimumCompressionSize="1024",
        tags={"a": "1"},
    )
    deployment = make(
        "apigateway/deployment:Deployment", "orders", restApi=rest.id, triggers={"sha": "1"}
    )
    stage = make(
        "apigateway/stage:Stage",
        "dev",
        restApi=rest.id,
        deployment=deployment.id,
        stageName="dev",
        variables={"color": "red"},
        xrayTracingEnabled=True,
        accessLogSettings={
            "destinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:g",
            "format": "$context.requestId",
        },
        tags={"a": "1"},
    )
    return Api(own, gate, rest, deployment, stage, stage["invokeUrl"])


def test_outputs_are_those_of_the_provider(api: Api) -> None:
    assert api.rest["arn"] == f"arn:aws:apigateway:{REGION}::/restapis/{api.rest.id}"
    assert api.rest["executionArn"] == f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.rest.id}"
    assert api.rest["rootResourceId"] in [
        r["id"]
        for r in clients().client("apigateway").get_resources(restApiId=api.rest.id)["items"]
    ]
    assert api.stage["executionArn"] == f"{api.rest['executionArn']}/dev"
    assert api.stage["arn"] == f"{api.rest['arn']}/stages/dev"
    assert api.url == f"{clients().endpoint}/_aws/execute-api/{api.rest.id}/dev"
    assert api.rest.notes == ["answers are not compressed"]
    assert api.stage.notes == [
        "access logs are not written",
        "tracing is recorded: a sandbox has no X-Ray",
    ]


def test_route_reaches_its_function(api: Api) -> None:
    answer = call(f"{api.url}/orders/7?page=1")
    assert answer.status == 200
    assert answer.headers["X-Own"] == "1"
    assert answer.json["pathParameters"] == {"id": "7"}
    assert answer.json["stageVariables"] == {"color": "red"}
    assert call(f"{api.url}/").json["resource"] == "/"


def test_any_method_of_a_greedy_path_reaches_its_function(api: Api) -> None:
    answer = call(f"{api.url}/all/a/b", "PATCH", {})
    assert (answer.status, answer.json["pathParameters"]) == (200, {"rest": "a/b"})


def test_authorized_order_is_taken_and_knows_its_caller(api: Api) -> None:
    answer = call(
        f"{api.url}/orders", "POST", {"sku": "a", "line": {"count": 1}}, Authorization="Bearer good"
    )
    assert (answer.status, answer.json["caller"]) == (200, "me")


@pytest.mark.parametrize(
    "body", ["{", {}, {"sku": ""}, {"sku": "a", "more": 1}, {"sku": "a", "line": {"count": 0}}, []]
)
def test_body_that_breaks_the_model_is_400(api: Api, body: Any) -> None:
    answer = call(f"{api.url}/orders", "POST", body, Authorization="Bearer good")
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.json["type"] == "BAD_REQUEST_BODY"


def test_missing_parameter_is_400(api: Api) -> None:
    answer = call(f"{api.url}/orders/7")
    assert (answer.status, answer.json["type"]) == (400, "BAD_REQUEST_PARAMETERS")


def test_order_without_a_token_is_401_and_with_a_bad_one_403(api: Api) -> None:
    assert call(f"{api.url}/orders", "POST", {"sku": "a"}).status == 401
    answer = call(f"{api.url}/orders", "POST", {"sku": "a"}, Authorization="Bearer bad")
    assert (answer.status, answer.json["type"]) == (403, "ACCESS_DENIED")


def test_preflight_is_answered_without_a_function(api: Api) -> None:
    answer = call(f"{api.url}/orders", "OPTIONS", Origin=ORIGIN)
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Methods"] == "POST,OPTIONS"


def test_unknown_route_gets_the_status_of_its_gateway_response(api: Api) -> None:
    answer = call(f"{api.url}/nowhere")
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (404, ORIGIN)


def test_throttle_lets_its_burst_through_and_no_more(api: Api) -> None:
    settings = make(
        "apigateway/methodSettings:MethodSettings",
        "all",
        restApi=api.rest.id,
        stageName="dev",
        methodPath="*/*",
        settings={
            "throttlingRateLimit": 0.5,
            "throttlingBurstLimit": 3,
            "metricsEnabled": True,
            "loggingLevel": "ERROR",
            "dataTraceEnabled": False,
        },
    )
    assert settings.notes == ["the gateway's execution logs and metrics are not written"]
    assert settings.id == f"{api.rest.id}-dev-*/*"
    statuses = [call(f"{api.url}/all/burst").status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    settings.update(settings={"throttlingRateLimit": 1000, "throttlingBurstLimit": 500})
    time.sleep(0.01)
    assert [call(f"{api.url}/all/burst").status for _ in range(5)] == [200] * 5
    stage = clients().client("apigateway").get_stage(restApiId=api.rest.id, stageName="dev")
    assert stage["methodSettings"]["*/*"]["throttlingBurstLimit"] == 500
    assert stage["methodSettings"]["*/*"]["loggingLevel"] == "OFF"
    settings.delete()
    assert (
        clients()
        .client("apigateway")
        .get_stage(restApiId=api.rest.id, stageName="dev")["methodSettings"]
        == {}
    )


def test_throttle_of_one_method_leaves_the_others(api: Api) -> None:
    settings = make(
        "apigateway/methodSettings:MethodSettings",
        "one",
        restApi=api.rest.id,
        stageName="dev",
        methodPath="orders/{id}/GET",
        settings={"throttlingRateLimit": 0.1, "throttlingBurstLimit": 1, "cachingEnabled": False},
    )
    assert [call(f"{api.url}/orders/1?page=1").status for _ in range(2)] == [200, 429]
    assert call(f"{api.url}/").status == 200
    settings.delete()


def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the calls that write, from now on."""
    client = clients().client("apigateway")
    names: list[str] = []
    send = client._make_api_call

    def spy(operation: str, parameters: dict[str, Any]) -> Any:
        if not operation.startswith("Get"):
            names.append(operation)
        return send(operation, parameters)

    monkeypatch.setattr(client, "_make_api_call", spy)
    return names


def test_update_with_the_same_document_writes_nothing_to_its_methods(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = written(monkeypatch)
    api.rest.update(body=api.rest.inputs["body"])
    assert set(names) <= {"UpdateRestApi", "TagResource", "PutGatewayResponse"}


def test_update_changes_what_differs_and_keeps_the_id(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, old_id = json.loads(api.rest.inputs["body"]), api.rest.id
    body = json.loads(api.rest.inputs["body"])
    del body["paths"]["/all/{rest+}"]
    del body["paths"]["/orders"]["options"]
    body["paths"]["/orders/{id}/lines"] = body["paths"]["/"]
    del body["paths"]["/orders/{id}"]["get"]["parameters"][1]
    body["components"]["schemas"]["Order"]["properties"]["note"] = {"type": "string"}
    body[f"{X}gateway-responses"].pop("MISSING_AUTHENTICATION_TOKEN")
    names = written(monkeypatch)
    api.rest.update(body=json.dumps(body), tags={"b": "2"})
    assert (names.count("PutMethod"), names.count("DeleteMethod"), names.count("UpdateModel")) == (
        2,
        1,
        1,
    )
    monkeypatch.undo()
    deployed = api.deployment.id
    api.deployment.update(triggers={"sha": "2"})
    assert api.deployment.id != deployed
    api.stage.update(deployment=api.deployment.id, variables={"size": "big"}, tags={"b": "2"})
    assert api.rest.id == old_id
    assert call(f"{api.url}/orders/7").status == 200
    assert call(f"{api.url}/orders/7").json["stageVariables"] == {"size": "big"}
    assert call(f"{api.url}/orders/7/lines").status == 200
    assert call(f"{api.url}/all/a").status == 403
    assert call(f"{api.url}/orders", "OPTIONS").status == 403
    assert (
        call(
            f"{api.url}/orders", "POST", {"sku": "a", "note": "n"}, Authorization="Bearer good"
        ).status
        == 200
    )
    tags = clients().client("apigateway").get_tags
    assert tags(resourceArn=api.rest["arn"])["tags"] == {"b": "2"}
    assert tags(resourceArn=api.stage["arn"])["tags"] == {"b": "2"}
    api.rest.update(body=json.dumps(before))
    api.stage.update(variables={"color": "red"})
    api.deployment.update(triggers={"sha": "3"})
    api.stage.update(deployment=api.deployment.id)
    assert call(f"{api.url}/all/a").status == 200
    assert call(f"{api.url}/nowhere").status == 404


def test_changed_authorizer_forgets_what_the_old_one_allowed(api: Api) -> None:
    good = {"Authorization": "Bearer good"}
    assert call(f"{api.url}/orders", "POST", {"sku": "a"}, **good).status == 200
    before = json.loads(api.rest.inputs["body"])
    body = json.loads(api.rest.inputs["body"])
    body["components"]["securitySchemes"]["gate"][f"{X}authorizer"][
        "identityValidationExpression"
    ] = "Bearer better"
    api.rest.update(body=json.dumps(body))
    assert call(f"{api.url}/orders", "POST", {"sku": "a"}, **good).status == 401
    api.rest.update(body=json.dumps(before))
    assert call(f"{api.url}/orders", "POST", {"sku": "a"}, **good).status == 200


def test_settings_that_cannot_change_in_place_need_a_restart(api: Api) -> None:
    with pytest.raises(
        RestartNeeded, match="binaryMediaTypes of an API cannot change in place here"
    ):
        api.rest.update(binaryMediaTypes=["*/*"])


def test_resource_policy_is_written_out_and_enforced() -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": "execute-api:/*",
            },
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": "execute-api:/*/GET/closed",
            },
        ],
    }
    mock = {
        "responses": {"200": {"description": "ok"}},
        f"{X}integration": {
            "type": "mock",
            "requestTemplates": {"application/json": '{"statusCode":200}'},
            "responses": {"default": {"statusCode": "200"}},
        },
    }
    body = {
        "openapi": "3.0.1",
        "info": {"title": "p", "version": "1"},
        f"{X}policy": policy,
        "paths": {"/open": {"get": mock}, "/closed": {"get": mock}},
    }
    rest = make("apigateway/restApi:RestApi", "policed", body=json.dumps(body))
    deployment = make("apigateway/deployment:Deployment", "policed", restApi=rest.id)
    stage = make(
        "apigateway/stage:Stage",
        "policed",
        restApi=rest.id,
        deployment=deployment.id,
        stageName="s",
    )
    assert call(f"{stage['invokeUrl']}/open").status == 200
    assert call(f"{stage['invokeUrl']}/closed").status == 403
    for thing in (stage, deployment, rest):
        thing.delete()
        thing.delete()
    assert rest.id not in [r["id"] for r in clients().client("apigateway").get_rest_apis()["items"]]


def test_account_role_is_recorded_and_taken_back() -> None:
    account = make(
        "apigateway/account:Account", "account", cloudwatchRoleArn="arn:aws:iam::0:role/r"
    )
    read = clients().client("apigateway").get_account
    assert read()["cloudwatchRoleArn"] == "arn:aws:iam::0:role/r"
    assert account.notes == ["the role is recorded: the gateway writes no logs"]
    account.update(cloudwatchRoleArn="arn:aws:iam::0:role/other")
    assert read()["cloudwatchRoleArn"] == "arn:aws:iam::0:role/other"
    account.delete()
    assert not read().get("cloudwatchRoleArn")
