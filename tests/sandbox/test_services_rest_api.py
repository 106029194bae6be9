"""A REST API from its document, called over HTTP as a client would."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.sandbox.rest_api_support import ORIGIN, Api, X, build, call
from tests.sandbox.services_support import ACCOUNT, REGION, clients, make


@pytest.fixture(scope="module")
def api() -> Api:
    return build("called")


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
    assert api.stage.notes == []


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
        methodPath="~1orders~1{id}/GET",
        settings={"throttlingRateLimit": 0.1, "throttlingBurstLimit": 1, "cachingEnabled": False},
    )
    assert [call(f"{api.url}/orders/1?page=1").status for _ in range(2)] == [200, 429]
    assert call(f"{api.url}/").status == 200
    settings.delete()


def test_features_of_integrations_that_do_not_run_are_said() -> None:
    integration = {
        "type": "http",
        "httpMethod": "GET",
        "uri": "https://example.org",
        "timeoutInMillis": 50,
    }
    operation = {"responses": {}, f"{X}integration": integration}
    body = {
        "openapi": "3.0.1",
        "info": {"title": "t", "version": "1"},
        f"{X}api-key-source": "AUTHORIZER",
        "paths": {"/": {"get": operation}},
    }
    rest = make("apigateway/restApi:RestApi", "integrations", body=json.dumps(body))
    assert rest.notes == [
        "API keys are read from the x-api-key header only",
        "integration timeouts are recorded: a function's own timeout ends a request",
        "mapping templates of AWS and HTTP integrations do not run, SQS excepted",
    ]
    rest.delete()
