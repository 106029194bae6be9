"""What stands behind a route of the REST API: a function, a queue without a function, or the gateway itself.

Source: API Gateway developer guide, OpenAPI extension `x-amazon-apigateway-integration`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.function import ServerlessFunction
from components.messaging import Queue
from components.place import Place

EXTENSION = "x-amazon-apigateway-integration"
_REQUEST_ID = "$context.requestId"
LONGEST_MILLISECONDS = 29_000
"""How long the gateway waits for what stands behind a route (API Gateway quotas)."""


@dataclass(frozen=True)
class Enqueue:
    """The request's body becomes a message of a queue, with no function in between; the answer is 202 {"messageId"}.

    The gateway sends in a role of its own, made per route. Bodies of another type than JSON are refused with 415: no
    template would turn them into a message.
    """

    queue: Queue
    summary: str = "Puts the body into a queue"


@dataclass(frozen=True)
class Fixed:
    """The gateway answers by itself, always the same: a status and a JSON body (None for an empty one)."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    summary: str = "A fixed answer"


Target = ServerlessFunction | Enqueue | Fixed
Operation = dict[str, Any]


def invoke(function: ServerlessFunction) -> Operation:
    """The part of an operation that calls a function with the whole request and answers what it answers."""
    return {
        # The document needs one; what a route says of its answers comes on top.
        "responses": {"200": {"description": "The function's own answer"}},
        EXTENSION: {
            "type": "aws_proxy",
            # How API Gateway calls Lambda, whatever the client's method is.
            "httpMethod": "POST",
            "uri": function.invoke_arn,
            "passthroughBehavior": "when_no_match",
            "timeoutInMillis": LONGEST_MILLISECONDS,
        },
    }


CORRELATION = "X-Correlation-Id"
"""By it a caller finds what came of the request, in the logs of every function."""
# The id of the request goes with the message, as functions send it (handlers/common/correlation.py).
_SEND = (
    "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
    "&MessageAttribute.1.Name=correlationId&MessageAttribute.1.Value.DataType=String"
    "&MessageAttribute.1.Value.StringValue=$context.requestId"
)


def enqueue(
    target: Enqueue, role: aws.iam.Role, place: Place, headers: Mapping[str, str]
) -> Operation:
    """The part of an operation that sends the body to a queue; `headers` go with each answer."""
    accepted = '{"messageId":"$input.path(\'$.SendMessageResponse.SendMessageResult.MessageId\')"}'
    refused = _compact(
        {"type": "about:blank", "title": "Bad Gateway", "status": 502, "requestId": _REQUEST_ID}
    )
    problem = {"Content-Type": "application/problem+json", **headers}
    named = {**headers, CORRELATION: ""}
    return {
        "responses": {
            "202": declared("Accepted", named),
            "502": declared("Bad Gateway", {**problem, CORRELATION: ""}),
        },
        EXTENSION: {
            "type": "aws",
            "httpMethod": "POST",
            "uri": pulumi.Output.concat(
                f"arn:{place.partition}:apigateway:{place.region}:sqs:path/{place.account}/",
                target.queue.queue.name,
            ),
            "credentials": role.arn,
            "passthroughBehavior": "never",
            "timeoutInMillis": LONGEST_MILLISECONDS,
            "requestParameters": {
                "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
            },
            "requestTemplates": {"application/json": _SEND},
            # Keys are patterns of the queue's status; what none matches is the default.
            "responses": {
                "2\\d{2}": _correlated(answered(202, headers, accepted)),
                "default": _correlated(answered(502, problem, refused)),
            },
        },
    }


def _correlated(response: dict[str, Any]) -> dict[str, Any]:
    parameters = response.setdefault("responseParameters", {})
    parameters[f"method.response.header.{CORRELATION}"] = "context.requestId"
    return response


def fixed(target: Fixed, headers: Mapping[str, str]) -> Operation:
    """The part of an operation that the gateway answers without asking anybody; `headers` go with it."""
    together = {**headers, **target.headers}
    body = None if target.body is None else _compact(target.body)
    return {
        "responses": {str(target.status): declared("Always the same", together)},
        EXTENSION: {
            "type": "mock",
            "passthroughBehavior": "when_no_match",
            "requestTemplates": {"application/json": f'{{"statusCode":{target.status}}}'},
            "responses": {"default": answered(target.status, together, body)},
        },
    }


def declared(description: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """A response of an operation: a header that it does not declare is dropped at import."""
    response: dict[str, Any] = {"description": description}
    if headers:
        response["headers"] = {name: {"schema": {"type": "string"}} for name in headers}
    return response


def answered(status: int, headers: Mapping[str, str], template: str | None) -> dict[str, Any]:
    """An integration's response: fixed headers, and a template of the body."""
    response: dict[str, Any] = {"statusCode": str(status)}
    if headers:
        response["responseParameters"] = {
            f"method.response.header.{name}": f"'{value}'" for name, value in headers.items()
        }
    if template is not None:
        response["responseTemplates"] = {"application/json": template}
    return response


def _compact(body: Any) -> str:
    return json.dumps(body, separators=(",", ":"))
