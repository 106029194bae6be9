"""What API Gateway calls: functions behind APIs of its newer kinds, and one permission per function and API."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi
import pulumi_aws as aws

from components.function import ServerlessFunction


def let_call(
    name: str,
    execution_arn: pulumi.Input[str],
    *,
    routes: Iterable[ServerlessFunction | None],
    authorizers: Iterable[ServerlessFunction | None],
    parent: pulumi.Resource,
) -> None:
    """Let the API `name` call these functions; a function's resource policy holds 20 KB, so once, not per route.

    One that stands behind a route and authorizes besides has two permissions, each with a name of its own.
    """
    behind = dict.fromkeys(function for function in routes if function is not None)
    asked = dict.fromkeys(function for function in authorizers if function is not None)
    wanted = [
        *((function, "", "/*/*") for function in behind),
        *((f, "-authorizer" if f in behind else "", "/authorizers/*") for f in asked),
    ]
    for function, role, path in wanted:
        function.allow(
            f"{function.logical_name}-{name}{role}-permission",
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(execution_arn, path),
            parent=parent,
        )


def integrate(
    name: str,
    api: aws.apigatewayv2.Api,
    function: ServerlessFunction,
    *,
    milliseconds: int,
    parent: pulumi.Resource,
    payload_format_version: str | None = None,
) -> aws.apigatewayv2.Integration:
    """A function behind the HTTP or WebSocket API `name`, which waits for it `milliseconds` at most."""
    return aws.apigatewayv2.Integration(
        f"{name}-{function.logical_name}-integration",
        aws.apigatewayv2.IntegrationArgs(
            api_id=api.id,
            integration_type="AWS_PROXY",
            integration_method="POST",
            integration_uri=function.invoke_arn,
            payload_format_version=payload_format_version,
            timeout_milliseconds=milliseconds,
        ),
        pulumi.ResourceOptions(parent=parent),
    )
