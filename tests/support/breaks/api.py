"""A REST API that is open, unvalidated, stale, silent or unlimited."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from policies import aws
from tests.support.breaking import Break, Mutation, document, edited, without

VALIDATORS = "x-amazon-apigateway-request-validators"


def body(change: Callable[[dict[str, Any]], object]) -> Mutation:
    """Change the API's description in place."""

    def done(written: dict[str, Any]) -> None:
        change(written)

    return document(aws.REST_API, "api-rest", done, key="body")


def part(path: str, value: Any) -> Mutation:
    """Set a part of the description, its steps joined by a blank; None takes it away."""

    def change(written: dict[str, Any]) -> None:
        *steps, last = path.split(" ")
        for step in steps:
            written = (
                written[int(step)] if isinstance(written, list) else written.setdefault(step, {})
            )
        if value is None:
            del written[last]
        else:
            written[last] = value

    return body(change)


def _a_second_api_shape(written: dict[str, Any]) -> None:
    written["paths"]["/health"]["get"]["operationId"] = "changed"


# fmt: off
BREAKS = (
    Break("api-imports-without-loss", "set failOnWarnings", edited(aws.REST_API, "api-rest", {"failOnWarnings": False})),
    Break("api-imports-without-loss", "must be a JSON object", edited(aws.REST_API, "api-rest", {"body": "openapi: 3.0.1"})),
    Break("api-imports-without-loss", "make both the same", part("info title", "other")),
    Break("api-imports-without-loss", "a number as text", edited(aws.REST_API, "api-rest", {"minimumCompressionSize": 0})),
    Break("method-asks-the-authorizer", "GET /items has no authorizer", part("paths /items get security", None)),
    Break("method-asks-the-authorizer", "DELETE /items/{id} has no", part("paths /items/{id} delete security", [])),
    Break("request-is-validated", "GET /health has no validator", part("x-amazon-apigateway-request-validator", None)),
    Break("request-is-validated", "has no validator for body", part(f"{VALIDATORS} all validateRequestBody", value=False)),
    Break("request-is-validated", "has no validator for body", part(f"{VALIDATORS} all validateRequestParameters", value=False)),
    Break("request-is-validated", "PUT /items/{id} takes a body", part("paths /items/{id} put requestBody", None)),
    Break("deployment-follows-the-description", "SHA-256", edited(aws.REST_DEPLOYMENT, "api-deployment", {"triggers": None})),
    Break("deployment-follows-the-description", "SHA-256", body(_a_second_api_shape)),
    Break("stage-is-logged-and-traced", "needs an access log", edited(aws.REST_STAGE, "api-stage", {"accessLogSettings.destinationArn": None})),
    Break("stage-is-logged-and-traced", "encrypted log group", edited(aws.LOG_GROUP, "api-access-logs", {"kmsKeyId": None})),
    Break("stage-is-logged-and-traced", "one line of JSON", edited(aws.REST_STAGE, "api-stage", {"accessLogSettings.format": json.dumps({"ip": "$context.identity.sourceIp"})})),
    Break("stage-is-logged-and-traced", "one line of JSON", edited(aws.REST_STAGE, "api-stage", {"accessLogSettings.format": json.dumps({"id": "$context.requestId"}, indent=1)})),
    Break("stage-is-logged-and-traced", "set xrayTracingEnabled", edited(aws.REST_STAGE, "api-stage", {"xrayTracingEnabled": False})),
    Break("stage-is-throttled-and-measured", "needs method settings", without(aws.METHOD_SETTINGS, "api-method-settings")),
    Break("stage-is-throttled-and-measured", "throttlingRateLimit", edited(aws.METHOD_SETTINGS, "api-method-settings", {"settings.throttlingRateLimit": None})),
    Break("stage-is-throttled-and-measured", "throttlingBurstLimit", edited(aws.METHOD_SETTINGS, "api-method-settings", {"settings.throttlingBurstLimit": -1})),
    Break("stage-is-throttled-and-measured", "metricsEnabled", edited(aws.METHOD_SETTINGS, "api-method-settings", {"settings.metricsEnabled": False})),
    Break("stage-is-throttled-and-measured", "dataTraceEnabled", edited(aws.METHOD_SETTINGS, "api-method-settings", {"settings.dataTraceEnabled": True})),
    Break("stage-is-throttled-and-measured", "loggingLevel", edited(aws.METHOD_SETTINGS, "api-method-settings", {"settings.loggingLevel": "OFF"})),
)
# fmt: on
