"""A REST API changes in place: only what differs is written, and the id stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.resources import RestartNeeded
from tests.sandbox.rest_api_support import Api, X, build, call
from tests.sandbox.services_support import clients, make


@pytest.fixture(scope="module")
def api() -> Api:
    return build("changing")


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
    stored = clients().client("apigateway").get_rest_api(restApiId=rest.id)["policy"]
    assert f"{rest['executionArn']}/*/GET/closed" in stored
    assert rest.notes == []
    rest.update(description="d", disableExecuteApiEndpoint=True, minimumCompressionSize="5")
    read = clients().client("apigateway").get_rest_api
    there = read(restApiId=rest.id)
    assert (there["description"], there["minimumCompressionSize"]) == ("d", 5)
    rest.update(minimumCompressionSize=None)
    assert "minimumCompressionSize" not in read(restApiId=rest.id)
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
