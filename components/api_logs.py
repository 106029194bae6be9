"""What the stages of all APIs log: one line of JSON per request or message, into a group of the stack's own."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi_aws as aws

REST_FORMAT: Mapping[str, str] = {
    "requestId": "$context.requestId",
    "ip": "$context.identity.sourceIp",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "integrationError": "$context.integrationErrorMessage",
    "authorizerError": "$context.authorizer.error",
    # AUTHORIZER_FAILURE where the authorizer itself has failed; its refusals are called otherwise.
    "errorType": "$context.error.responseType",
}

HTTP_FORMAT: Mapping[str, str] = {
    **{name: REST_FORMAT[name] for name in ("requestId", "ip", "requestTime", "httpMethod")},
    # The route, not the path: a stranger's path may hold anything.
    "routeKey": "$context.routeKey",
    **{name: REST_FORMAT[name] for name in ("status", "responseLength", "responseLatency")},
    **{name: REST_FORMAT[name] for name in ("integrationError", "authorizerError", "errorType")},
}

SOCKET_FORMAT: Mapping[str, str] = {
    **{name: REST_FORMAT[name] for name in ("requestId", "ip", "requestTime")},
    "eventType": "$context.eventType",
    "routeKey": "$context.routeKey",
    "connectionId": "$context.connectionId",
    "status": "$context.status",
    **{name: REST_FORMAT[name] for name in ("integrationError", "authorizerError", "errorType")},
}


def line(fields: Mapping[str, str], api: str) -> str:
    """An access log format: one line of JSON, which begins with the API's title."""
    return json.dumps({"api": api, **fields})


def access_log_settings(
    group: aws.cloudwatch.LogGroup | None, fields: Mapping[str, str], api: str
) -> aws.apigatewayv2.StageAccessLogSettingsArgs | None:
    """The access log of an HTTP or WebSocket stage; None for none."""
    if group is None:
        return None
    return aws.apigatewayv2.StageAccessLogSettingsArgs(
        destination_arn=group.arn, format=line(fields, api)
    )
