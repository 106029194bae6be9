"""API keys, usage plans and domains of a REST API, seen over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from sandbox.resources import REGISTRY, Resource
from tests.sandbox.functions_support import archive, execution_role
from tests.sandbox.rest_api_support import X, call
from tests.sandbox.services_support import Made, clients, make

FUNCTION = 'def handler(event, context):\n    return {"statusCode": 200, "body": "fine"}\n'


class Shop(NamedTuple):
    rest: Made
    stage: Made

    @property
    def url(self) -> str:
        return f"{self.stage['invokeUrl']}/orders"


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    function = make(
        "lambda/function:Function",
        "keyed",
        code=archive(FUNCTION),
        role=execution_role()["arn"],
        runtime="python3.13",
        handler="main.handler",
        publish=True,
    )
    target = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": function["qualifiedInvokeArn"],
        "passthroughBehavior": "when_no_match",
    }
    operation = {"security": [{"key": []}], "responses": {}, f"{X}integration": target}
    body = {
        "openapi": "3.0.1",
        "info": {"title": "keyed", "version": "1.0"},
        "paths": {"/orders": {"get": operation, "post": operation}},
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}
        },
    }
    rest = make("apigateway/restApi:RestApi", "keyed", body=json.dumps(body))
    deployment = make("apigateway/deployment:Deployment", "keyed", restApi=rest.id)
    stage = make(
        "apigateway/stage:Stage",
        "keyed",
        restApi=rest.id,
        deployment=deployment.id,
        stageName="dev",
    )
    yield Shop(rest, stage)
    rest.delete()


def _plan(shop: Shop, name: str, **inputs: Any) -> tuple[Made, Made, Made]:
    key = make("apigateway/apiKey:ApiKey", name, value=f"{name}-" + "k" * 20)
    given = {"apiStages": [{"apiId": shop.rest.id, "stage": "dev"}], **inputs}
    plan = make("apigateway/usagePlan:UsagePlan", name, **given)
    held = make(
        "apigateway/usagePlanKey:UsagePlanKey",
        name,
        usagePlanId=plan.id,
        keyId=key.id,
        keyType="API_KEY",
    )
    return key, plan, held


def test_only_a_key_of_a_plan_opens_the_route(shop: Shop) -> None:
    key, plan, held = _plan(shop, "open")
    loose = make("apigateway/apiKey:ApiKey", "loose", value="l" * 20)
    assert call(shop.url).status == 403
    assert call(shop.url, X_Api_Key="wrong" * 5).status == 403
    assert call(shop.url, X_Api_Key=loose["value"]).status == 403
    assert call(shop.url, X_Api_Key=key["value"]).text == "fine"
    held.delete()
    assert call(shop.url, X_Api_Key=key["value"]).status == 403
    for each in (plan, key, loose):
        each.delete()


def test_quota_is_429_for_its_key_alone(shop: Shop) -> None:
    key, *rest = _plan(shop, "counted", quotaSettings={"limit": 2, "period": "DAY"})
    other, *others = _plan(shop, "uncounted")
    answers = [call(shop.url, X_Api_Key=key["value"]) for _ in range(3)]
    assert [each.status for each in answers] == [200, 200, 429]
    assert answers[2].json == {"message": "Limit Exceeded"}
    assert call(shop.url, X_Api_Key=other["value"]).status == 200
    for each in (*reversed(rest), key, *reversed(others), other):
        each.delete()


def test_throttle_of_a_plan_is_429_and_lifts(shop: Shop) -> None:
    key, *rest = _plan(shop, "slow", throttleSettings={"burstLimit": 1, "rateLimit": 2.0})
    answers = [call(shop.url, X_Api_Key=key["value"]) for _ in range(5)]
    assert answers[0].status == 200
    assert {"message": "Too Many Requests"} in [each.json for each in answers if each.status == 429]
    time.sleep(0.6)
    assert call(shop.url, X_Api_Key=key["value"]).status == 200
    for each in (*reversed(rest), key):
        each.delete()


def test_throttle_of_one_method_leaves_the_others(shop: Shop) -> None:
    limit = {"path": "/orders/GET", "burstLimit": 1, "rateLimit": 0.1}
    stages = [{"apiId": shop.rest.id, "stage": "dev", "throttles": [limit]}]
    key, *rest = _plan(shop, "method", apiStages=stages)
    gets = [call(shop.url, X_Api_Key=key["value"]).status for _ in range(3)]
    posts = [call(shop.url, "POST", {}, X_Api_Key=key["value"]).status for _ in range(3)]
    assert (gets, posts) == ([200, 429, 429], [200, 200, 200])
    for each in (*reversed(rest), key):
        each.delete()


def test_changed_limit_makes_a_plan_that_counts_anew(shop: Shop) -> None:
    key, plan, held = _plan(shop, "changed", quotaSettings={"limit": 1, "period": "DAY"})
    assert [call(shop.url, X_Api_Key=key["value"]).status for _ in range(2)] == [200, 429]
    before = plan.id
    plan.update(description="only its text")
    assert plan.id == before
    plan.update(quotaSettings={"limit": 3, "period": "DAY"})
    held.update(usagePlanId=plan.id)
    assert [call(shop.url, X_Api_Key=key["value"]).status for _ in range(4)] == [200, 200, 200, 429]
    for each in (held, plan, key):
        each.delete()


def test_key_changes_in_place_and_can_be_switched_off(shop: Shop) -> None:
    key, plan, held = _plan(shop, "switched")
    before = key.id
    key.update(description="new", tags={"a": "1"})
    assert (key.id, key["tagsAll"]) == (before, {"a": "1"})
    key.update(enabled=False)
    held.update(keyId=key.id)
    assert call(shop.url, X_Api_Key=key["value"]).status == 403
    for each in (held, plan, key):
        each.delete()


def test_value_of_a_key_is_secret_and_found_again(shop: Shop) -> None:
    key = make("apigateway/apiKey:ApiKey", "generated")
    entry = REGISTRY[key.type]
    assert entry.secret_outputs == {"value"}
    assert entry.recall is not None
    again = entry.recall(Resource(key.type, "x", "urn:x", key.inputs, clients(), {"id": key.id}))
    assert again == {"value": key["value"]}
    assert len(key["value"]) >= 20
    with pytest.raises(ValueError, match="20 to 128"):
        key.update(value="short")
    key.delete()


def test_domain_reaches_its_api_by_host(shop: Shop) -> None:
    key, plan, held = _plan(shop, "domain")
    domain = make(
        "apigateway/domainName:DomainName",
        "own",
        domainName="api.example.com",
        regionalCertificateArn="arn:aws:acm:us-west-2:000000000000:certificate/a",
        endpointConfiguration={"types": "REGIONAL"},
        securityPolicy="TLS_1_2",
    )
    mapping = make(
        "apigateway/basePathMapping:BasePathMapping",
        "own",
        domainName=domain.id,
        restApi=shop.rest.id,
        stageName="dev",
        basePath="v1",
    )
    assert domain["regionalDomainName"]
    assert domain["regionalZoneId"]
    url, sent = (
        f"{clients().endpoint}/v1/orders",
        {"Host": "api.example.com", "X_Api_Key": key["value"]},
    )
    assert call(url, **sent).text == "fine"
    domain.update(securityPolicy="TLS_1_0")
    assert call(url, **sent).text == "fine"
    domain.update(tags={"a": "1"})
    mapping.update(basePath="v2")
    assert call(url.replace("v1", "v2"), **sent).text == "fine"
    for each in (mapping, domain, held, plan, key):
        each.delete()


def test_client_certificate_is_one(shop: Shop) -> None:
    from cryptography import x509

    made = make("apigateway/clientCertificate:ClientCertificate", "own", description="d")
    pem = made["pemEncodedCertificate"]
    assert x509.load_pem_x509_certificate(pem.encode()).subject.rfc4514_string() == "CN=ApiGateway"
    made.update(description="e")
    assert made["pemEncodedCertificate"] == pem
