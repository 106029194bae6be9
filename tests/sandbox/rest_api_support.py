"""A REST API in the emulator, and calls of it over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple

import pulumi

from tests.sandbox.functions_support import role
from tests.sandbox.services_support import ACCOUNT, REGION, Made, make

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


def build(name: str) -> Api:
    """An API of its own for the tests of one file."""
    arn = role(name)["arn"]

    def function(title: str, text: str) -> Made:
        code = pulumi.AssetArchive({"main.py": pulumi.StringAsset(text)})
        given = {"runtime": "python3.13", "handler": "main.handler", "publish": True}
        return make("lambda/function:Function", f"{name}-{title}", code=code, role=arn, **given)

    own, gate = function("own", FUNCTION), function("gate", AUTHORIZER)
    rest = make(
        "apigateway/restApi:RestApi",
        name,
        body=json.dumps(document(own, gate)),
        failOnWarnings=True,
        endpointConfiguration={"types": "REGIONAL"},
        minimumCompressionSize="1024",
        tags={"a": "1"},
    )
    deployment = make(
        "apigateway/deployment:Deployment", name, restApi=rest.id, triggers={"sha": "1"}
    )
    stage = make(
        "apigateway/stage:Stage",
        name,
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
