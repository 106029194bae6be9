"""An OpenAPI document becomes a plan of an API."""

from __future__ import annotations

import copy
import json

from sandbox.openapi import read
from sandbox.openapi.gateway import for_emulator
from sandbox.openapi.schemas import stored
from tests.sandbox.openapi_support import DOCUMENT, X


def test_document_becomes_a_plan() -> None:
    plan = read(json.dumps(DOCUMENT))
    methods = {(method.path, method.verb): method for method in plan.methods}
    post, options, get = (
        methods[key]
        for key in (("/orders", "POST"), ("/orders", "OPTIONS"), ("/orders/{id}", "GET"))
    )
    assert (plan.title, plan.version) == ("orders", "1.0")
    assert (post.authorization, post.authorizer, post.models) == (
        "CUSTOM",
        "gate",
        {"application/json": "Order"},
    )
    assert (post.validator, post.operation_name) == ("all", "create")
    assert list(post.responses) == ["201"]
    assert get.parameters == {
        "method.request.path.id": True,
        "method.request.querystring.page": False,
    }
    assert get.authorization == "NONE"
    assert options.integration["type"] == "MOCK"
    assert options.integration_responses["204"]["responseParameters"] == {
        "method.response.header.Access-Control-Allow-Origin": "'*'"
    }
    assert plan.authorizers["gate"]["identitySource"] == "method.request.header.Authorization"
    assert plan.authorizers["gate"]["type"] == "TOKEN"


def test_any_method_api_key_and_iam_are_understood() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["components"]["securitySchemes"] |= {
        "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
        "iam": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            f"{X}authtype": "awsSigv4",
        },
    }
    document["paths"]["/all/{rest+}"] = {
        f"{X}any-method": {
            "security": [{"key": [], "iam": []}],
            "responses": {},
            f"{X}integration": {
                "type": "http_proxy",
                "httpMethod": "ANY",
                "uri": "https://example.org/{rest}",
                "requestParameters": {"integration.request.path.rest": "method.request.path.rest"},
            },
        }
    }
    [method] = [m for m in read(json.dumps(document)).methods if m.path == "/all/{rest+}"]
    assert (method.verb, method.authorization, method.api_key_required) == ("ANY", "AWS_IAM", True)
    assert method.integration["type"] == "HTTP_PROXY"


def test_schema_written_in_place_becomes_a_model_of_its_own() -> None:
    document = copy.deepcopy(DOCUMENT)
    schema = {"type": "object", "required": ["a"]}
    document["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]["schema"] = (
        schema
    )
    plan = read(json.dumps(document))
    [name] = set(plan.models) - {"Order", "Line"}
    assert name.startswith("MODEL")
    assert plan.models[name] == schema


def test_models_refer_by_url_and_lose_what_api_gateway_does_not_enforce() -> None:
    order = stored(DOCUMENT["components"]["schemas"]["Order"], "api1")
    assert order["properties"]["lines"] == {
        "type": "array",
        "items": {"$ref": "https://apigateway.amazonaws.com/restapis/api1/models/Line"},
    }
    line = stored(DOCUMENT["components"]["schemas"]["Line"], "api1")
    assert line["properties"] == {"minItems": {"type": "integer"}}


def test_template_of_another_media_type_is_put_where_the_emulator_looks() -> None:
    text = '{"detail":"$context.error.validationErrorString"}'
    response = {
        "statusCode": "400",
        "responseParameters": {"gatewayresponse.header.A": "'a'"},
        "responseTemplates": {"application/problem+json": text},
    }
    made = for_emulator(response)
    assert made["responseTemplates"] == {"application/json": '{"detail":"$context.error.message"}'}
    assert made["responseParameters"] == {
        "gatewayresponse.header.A": "'a'",
        "gatewayresponse.header.Content-Type": "'application/problem+json'",
    }
