"""A small OpenAPI document with a bit of everything, in API Gateway's dialect."""

from __future__ import annotations

from typing import Any

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
