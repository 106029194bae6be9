"""The OpenAPI dialect: every violation is refused by its exact line."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from sandbox.openapi import DialectError, read
from sandbox.openapi.schemas import stored

X = "x-amazon-apigateway-"
LAMBDA = "arn:aws:apigateway:r:lambda:path/2015-03-31/functions/f/invocations"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "orders", "version": "1.0"},
    f"{X}request-validators": {
        "all": {"validateRequestBody": True, "validateRequestParameters": True}
    },
    f"{X}request-validator": "all",
    "paths": {
        "/orders": {
            "post": {
                "operationId": "create",
                "security": [{"gate": []}],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Order"}}
                    },
                },
                "responses": {
                    "201": {"description": "created"},
                    "default": {"description": "else"},
                },
                f"{X}integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": LAMBDA},
            },
            "options": {
                "responses": {
                    "204": {
                        "description": "cors",
                        "headers": {"Access-Control-Allow-Origin": {"schema": {"type": "string"}}},
                    }
                },
                f"{X}integration": {
                    "type": "mock",
                    "requestTemplates": {"application/json": '{"statusCode":204}'},
                    "responses": {
                        "default": {
                            "statusCode": "204",
                            "responseParameters": {
                                "method.response.header.Access-Control-Allow-Origin": "'*'"
                            },
                        }
                    },
                },
            },
        },
        "/orders/{id}": {
            "get": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {
                        "name": "page",
                        "in": "query",
                        "description": "d",
                        "schema": {"type": "string"},
                    },
                ],
                "responses": {"200": {"description": "ok"}},
                f"{X}request-validator": "all",
                f"{X}integration": {
                    "type": "aws_proxy",
                    "httpMethod": "POST",
                    "uri": LAMBDA,
                    "timeoutInMillis": 29000,
                },
            }
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
                    "lines": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"$ref": "#/components/schemas/Line"},
                    },
                    "default": {"type": "string"},
                },
            },
            "Line": {"type": "object", "properties": {"minItems": {"type": "integer"}}},
        },
        "securitySchemes": {
            "gate": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                f"{X}authtype": "custom",
                f"{X}authorizer": {
                    "type": "token",
                    "authorizerUri": LAMBDA,
                    "authorizerResultTtlInSeconds": 60,
                },
            }
        },
    },
    f"{X}gateway-responses": {
        "DEFAULT_4XX": {
            "responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
            "responseTemplates": {"application/json": '{"m":$context.error.messageString}'},
        },
        "UNAUTHORIZED": {"statusCode": "401"},
    },
}
POST = ("paths", "/orders", "post")
GET = ("paths", "/orders/{id}", "get")
MOCK = ("paths", "/orders", "options", f"{X}integration")
ORDER = ("components", "schemas", "Order")
SKU = (*ORDER, "properties", "sku")
GATE = ("components", "securitySchemes", "gate")
GONE = object()
DROPPED = "API Gateway does not take this keyword; keep it in the document for readers"
LATER = "this keyword came after JSON Schema draft 4, which API Gateway reads"
PARAMETER = "API Gateway takes name, in, required, description and the schema's type of a parameter"


def changed(path: tuple[str | int, ...], value: Any) -> str:
    document: Any = copy.deepcopy(DOCUMENT)
    place = document
    for step in path[:-1]:
        place = place[step]
    if value is GONE:
        del place[path[-1]]
    elif isinstance(place, list) and path[-1] == "+":
        place.append(value)
    else:
        place[path[-1]] = value
    return json.dumps(document)


VIOLATIONS: list[tuple[tuple[str | int, ...], Any, str]] = [
    (("openapi",), "3.1.0", "$.openapi: API Gateway reads OpenAPI 3.0 (got '3.1.0')"),
    (("info", "version"), GONE, "$.info.version: is missing"),
    (("info", "description"), "", "$.info.description: may not be empty; leave it out"),
    (
        ("security",),
        [{"gate": []}],
        "$.security: API Gateway does not read security here; put it on every operation",
    ),
    (("webhooks",), {}, "$.webhooks: API Gateway's import does not know this key"),
    ((f"{X}cors",), {}, f"$.{X}cors: no such extension of API Gateway in this place"),
    (
        (f"{X}endpoint-configuration",),
        {},
        f"$.{X}endpoint-configuration: in OpenAPI 3.0 this belongs inside servers",
    ),
    (
        (f"{X}request-validator",),
        "some",
        f"$.{X}request-validator: no request validator is named 'some'",
    ),
    (
        (f"{X}binary-media-types",),
        "image/png",
        f"$.{X}binary-media-types: must be a list of media types",
    ),
    (
        (f"{X}api-key-source",),
        "header",
        f"$.{X}api-key-source: must be HEADER or AUTHORIZER (got 'header')",
    ),
    (
        (f"{X}minimum-compression-size",),
        -2,
        f"$.{X}minimum-compression-size: must be 0 to 10485760 bytes (got -2)",
    ),
    (
        ("components", "responses"),
        {"X": {}},
        "$.components.responses: API Gateway does not follow references to it; write it where it is used",
    ),
    (
        (*ORDER[:2], "order_new"),
        {"type": "object"},
        "$.components.schemas.order_new: a model's name has letters and digits only",
    ),
    (
        (*SKU, "nullable"),
        True,
        "$.components.schemas.Order.properties.sku.nullable: API Gateway does not take nullable; make the property optional",
    ),
    ((*SKU, "example"), "a", f"$.components.schemas.Order.properties.sku.example: {DROPPED}"),
    ((*SKU, "default"), "a", f"$.components.schemas.Order.properties.sku.default: {DROPPED}"),
    (
        (*SKU, "deprecated"),
        True,
        f"$.components.schemas.Order.properties.sku.deprecated: {DROPPED}",
    ),
    (
        (*SKU, "readOnly"),
        True,
        "$.components.schemas.Order.properties.sku.readOnly: API Gateway does not take readOnly; leave the property out of the request's schema",
    ),
    (
        (*SKU, "exclusiveMinimum"),
        0,
        "$.components.schemas.Order.properties.sku.exclusiveMinimum: API Gateway does not take exclusiveMinimum; use minimum",
    ),
    (
        (*SKU, "exclusiveMaximum"),
        9,
        "$.components.schemas.Order.properties.sku.exclusiveMaximum: must be true or false beside maximum, as in JSON Schema draft 4",
    ),
    (
        (*SKU, "format"),
        "int32",
        "$.components.schemas.Order.properties.sku.format: API Gateway does not take the format int32; use minimum and maximum",
    ),
    (
        (*SKU, "type"),
        ["string", "null"],
        "$.components.schemas.Order.properties.sku.type: API Gateway keeps one of several types without a word; name one type",
    ),
    (
        (*SKU, "type"),
        "null",
        "$.components.schemas.Order.properties.sku.type: must be one of array, boolean, integer, number, object, string (got 'null')",
    ),
    ((*SKU, "const"), "a", f"$.components.schemas.Order.properties.sku.const: {LATER}"),
    (
        (*SKU, "x"),
        1,
        "$.components.schemas.Order.properties.sku.x: API Gateway's import does not know this key",
    ),
    ((*ORDER, "discriminator"), {}, f"$.components.schemas.Order.discriminator: {DROPPED}"),
    ((*ORDER, "dependentRequired"), {}, f"$.components.schemas.Order.dependentRequired: {LATER}"),
    (
        (*ORDER, "allOf"),
        [{"$ref": "#/components/schemas/Line"}],
        "$.components.schemas.Order.allOf: API Gateway does not take allOf together with $ref in one schema; write it out",
    ),
    (
        (*ORDER, "anyOf"),
        [{"nullable": True}],
        "$.components.schemas.Order.anyOf[0].nullable: API Gateway does not take nullable; make the property optional",
    ),
    (
        (*ORDER, "properties", "lines", "items"),
        {"$ref": "other.json#/Line"},
        "$.components.schemas.Order.properties.lines.items.$ref: 'other.json#/Line' names no schema under #/components/schemas of this document",
    ),
    (
        (*ORDER, "properties", "lines"),
        "string",
        "$.components.schemas.Order.properties.lines: a schema must be an object",
    ),
    (
        ("paths", "/ping"),
        {"get": DOCUMENT["paths"]["/orders/{id}"]["get"]},
        "$.paths['/ping']: API Gateway keeps this path for itself",
    ),
    (
        ("paths", "/x{id}"),
        {},
        "$.paths['/x{id}']: a variable must be a whole segment (got 'x{id}')",
    ),
    (
        ("paths", "/a b"),
        {},
        "$.paths['/a b']: a segment has letters, digits and _ - . , : only (got 'a b')",
    ),
    (("paths", "orders"), {}, "$.paths.orders: must start with a slash and not end with one"),
    (
        ("paths", "/orders/{orderId}/x"),
        {},
        "$.paths['/orders/{orderId}/x']: {orderId} stands where /orders/{id} has {id}: one place has one variable",
    ),
    (("paths", "/all/{rest+}/x"), {}, "$.paths['/all/{rest+}/x']: nothing may lie below {rest+}"),
    (("paths",), {}, "$.paths: the API has no operation"),
    (
        ("paths", "/orders", "trace"),
        {},
        "$.paths['/orders'].trace: API Gateway's import does not know this key",
    ),
    (
        (*POST, "deprecated"),
        True,
        "$.paths['/orders'].post.deprecated: API Gateway does not take deprecated",
    ),
    (
        (*POST, "callbacks"),
        {},
        "$.paths['/orders'].post.callbacks: API Gateway does not take callbacks",
    ),
    (
        (*POST, f"{X}integration"),
        GONE,
        f"$.paths['/orders'].post: {X}integration is missing: an API with such a method cannot be deployed",
    ),
    (
        (*POST, f"{X}auth"),
        {},
        f"$.paths['/orders'].post.{X}auth: no such extension of API Gateway in this place",
    ),
    ((*POST, "responses"), GONE, "$.paths['/orders'].post.responses: is missing"),
    (
        (*POST, "responses", "2XX"),
        {"description": "d"},
        "$.paths['/orders'].post.responses['2XX']: a response's key must be a status of three digits",
    ),
    (
        (*POST, "responses", "201"),
        {"$ref": "#/components/responses/X"},
        "$.paths['/orders'].post.responses['201'].$ref: API Gateway does not follow references to responses; write it out",
    ),
    (
        (*POST, "responses", "201"),
        {"description": "d", "content": {"text/plain": {"schema": {"type": "string"}}}},
        "$.paths['/orders'].post.responses['201'].content['text/plain'].schema: API Gateway does not take a response of a primitive type",
    ),
    (
        (*POST, "responses", "201", "description"),
        GONE,
        "$.paths['/orders'].post.responses['201'].description: is missing",
    ),
    (
        (*POST, "requestBody", "content", "application/json", "example"),
        {},
        f"$.paths['/orders'].post.requestBody.content['application/json'].example: {DROPPED}",
    ),
    (
        (*POST, "requestBody", "content", "application/json", "schema"),
        {"$ref": "#/components/schemas/No"},
        "$.paths['/orders'].post.requestBody.content['application/json'].schema.$ref: '#/components/schemas/No' names no schema under #/components/schemas of this document",
    ),
    (
        (*POST, "security"),
        [{"door": []}],
        "$.paths['/orders'].post.security[0].door: no such scheme under #/components/securitySchemes",
    ),
    (
        (*POST, f"{X}request-validator"),
        "some",
        f"$.paths['/orders'].post.{X}request-validator: no request validator is named 'some'",
    ),
    (
        (*GET, "parameters", "+"),
        {"$ref": "#/components/parameters/P"},
        "$.paths['/orders/{id}'].get.parameters[2].$ref: API Gateway does not follow references to parameters; write it out",
    ),
    (
        (*GET, "parameters", "+"),
        {"name": "c", "in": "cookie"},
        "$.paths['/orders/{id}'].get.parameters[2].in: must be header, path or query (got 'cookie')",
    ),
    (
        (*GET, "parameters", "+"),
        {"name": "id", "in": "query"},
        "$.paths['/orders/{id}'].get.parameters[2]: 'id' is the name of another parameter of this operation already",
    ),
    (
        (*GET, "parameters", 1, "schema", "pattern"),
        "a",
        f"$.paths['/orders/{{id}}'].get.parameters[1].schema.pattern: {PARAMETER}",
    ),
    (
        (*GET, "parameters", 1, "example"),
        "a",
        f"$.paths['/orders/{{id}}'].get.parameters[1].example: {PARAMETER}",
    ),
    (
        (*GET, f"{X}integration", "type"),
        "lambda",
        f"$.paths['/orders/{{id}}'].get.{X}integration.type: must be one of aws, aws_proxy, http, http_proxy, mock (got 'lambda')",
    ),
    (
        (*GET, f"{X}integration", "httpMethod"),
        "GET",
        f"$.paths['/orders/{{id}}'].get.{X}integration.httpMethod: must be POST: that is how a function is called, whatever the client's verb (got 'GET')",
    ),
    (
        (*GET, f"{X}integration", "uri"),
        GONE,
        f"$.paths['/orders/{{id}}'].get.{X}integration.uri: is missing",
    ),
    (
        (*GET, f"{X}integration", "timeoutInMillis"),
        30000,
        f"$.paths['/orders/{{id}}'].get.{X}integration.timeoutInMillis: must be 50 to 29000 ms (got 30000)",
    ),
    (
        (*GET, f"{X}integration", "passthroughBehavior"),
        "always",
        f"$.paths['/orders/{{id}}'].get.{X}integration.passthroughBehavior: must be one of when_no_match, when_no_templates, never (got 'always')",
    ),
    (
        (*GET, f"{X}integration", "requestParameters"),
        {"header.X": 1},
        f"$.paths['/orders/{{id}}'].get.{X}integration.requestParameters['header.X']: must be named integration.request.<place>.<name>",
    ),
    (
        (*MOCK, "responses", "default", "statusCode"),
        "200",
        f"$.paths['/orders'].options.{X}integration.responses.default.statusCode: the operation declares no response '200'",
    ),
    (
        (*MOCK, "responses", "default", "responseParameters", "method.response.header.Vary"),
        "'Origin'",
        f"$.paths['/orders'].options.{X}integration.responses.default.responseParameters['method.response.header.Vary']: the operation's response 204 declares no such header, so it would be dropped",
    ),
    (
        (*MOCK, "timeout"),
        1,
        f"$.paths['/orders'].options.{X}integration.timeout: API Gateway's import does not know this key",
    ),
    (
        (*GATE, "type"),
        "http",
        "$.components.securitySchemes.gate.type: API Gateway understands apiKey only, with extensions (got 'http')",
    ),
    (
        (*GATE, f"{X}authorizer"),
        GONE,
        f"$.components.securitySchemes.gate: needs {X}authorizer, or the header x-api-key",
    ),
    (
        (*GATE, f"{X}authtype"),
        GONE,
        f"$.components.securitySchemes.gate.{X}authtype: must be 'custom' (got None)",
    ),
    (
        (*GATE, f"{X}authorizer", "type"),
        "jwt",
        f"$.components.securitySchemes.gate.{X}authorizer.type: must be one of token, request, cognito_user_pools (got 'jwt')",
    ),
    (
        (*GATE, f"{X}authorizer", "authorizerResultTtlInSeconds"),
        3601,
        f"$.components.securitySchemes.gate.{X}authorizer.authorizerResultTtlInSeconds: must be 0 to 3600 seconds (got 3601)",
    ),
    (
        (*GATE, f"{X}authorizer", "authorizerUri"),
        GONE,
        f"$.components.securitySchemes.gate.{X}authorizer.authorizerUri: is missing",
    ),
    (
        (*GATE, f"{X}authorizer", "identitySource"),
        "method.request.header.A,method.request.header.B",
        f"$.components.securitySchemes.gate.{X}authorizer.identitySource: a token authorizer reads exactly one header (got 'method.request.header.A,method.request.header.B')",
    ),
    (
        (*GATE, f"{X}authorizer", "type"),
        "request",
        f"$.components.securitySchemes.gate.{X}authorizer.identitySource: is missing: a cached result needs something to be found by",
    ),
    (
        (f"{X}gateway-responses", "TEAPOT"),
        {},
        f"$.{X}gateway-responses.TEAPOT: no such gateway response",
    ),
    (
        (f"{X}gateway-responses", "UNAUTHORIZED", "statusCode"),
        401,
        f"$.{X}gateway-responses.UNAUTHORIZED.statusCode: must be a text like '403' (got 401)",
    ),
    (
        (f"{X}gateway-responses", "DEFAULT_4XX", "responseParameters", "gatewayresponse.header.A"),
        "*",
        f"$.{X}gateway-responses.DEFAULT_4XX.responseParameters['gatewayresponse.header.A']: must be a value in single quotes, or taken from the request (got '*')",
    ),
    (
        (f"{X}gateway-responses", "DEFAULT_4XX", "responseParameters", "header.A"),
        "'*'",
        f"$.{X}gateway-responses.DEFAULT_4XX.responseParameters['header.A']: must be named gatewayresponse.header.<name>",
    ),
    (
        (f"{X}gateway-responses", "DEFAULT_4XX", "responseTemplates", "application/json"),
        "",
        f"$.{X}gateway-responses.DEFAULT_4XX.responseTemplates['application/json']: must be a text that is not empty",
    ),
]


@pytest.mark.parametrize(
    ("path", "value", "line"), VIOLATIONS, ids=[line[:90] for *_, line in VIOLATIONS]
)
def test_violation_is_refused_by_its_line(
    path: tuple[str | int, ...], value: Any, line: str
) -> None:
    with pytest.raises(DialectError) as caught:
        read(changed(path, value))
    assert line in caught.value.lines


def test_every_mistake_gets_its_line() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["info"] = {}
    document["security"] = []
    with pytest.raises(DialectError) as caught:
        read(json.dumps(document))
    assert len(caught.value.lines) == 3
    assert str(caught.value) == "\n".join(caught.value.lines)


def test_body_that_is_not_json_is_refused() -> None:
    with pytest.raises(DialectError, match=r"^\$: the body is not JSON: "):
        read("openapi: 3.0.1")


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
