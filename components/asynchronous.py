"""Asynchronous invocations of a function: how often they are tried, and where they end."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components import execution_role
from components.grants import Grant
from components.messaging import Queue
from settings import FunctionSettings


def rights(settings: FunctionSettings, failures: Queue) -> Grant:
    """What the function's role must be able to reach: its destinations, the failures queue where none is named."""
    given = (settings.on_success, settings.on_failure)
    named = [statement for arn in given if arn for statement in execution_role.deliver(arn)]
    default = () if settings.on_failure else failures.receive_failures().statements
    return Grant([*named, *default])


def configure(
    name: str,
    settings: FunctionSettings,
    alias: aws.lambda_.Alias,
    failures: Queue,
    policies: Sequence[aws.iam.RolePolicy],
    parent: pulumi.Resource,
) -> aws.lambda_.FunctionEventInvokeConfig:
    """Retries, age and destinations; Lambda tries at once whether the role may reach them."""
    on_failure = aws.lambda_.FunctionEventInvokeConfigDestinationConfigOnFailureArgs(
        destination=settings.on_failure or failures.arn
    )
    on_success = settings.on_success and (
        aws.lambda_.FunctionEventInvokeConfigDestinationConfigOnSuccessArgs(
            destination=settings.on_success
        )
    )
    return aws.lambda_.FunctionEventInvokeConfig(
        f"{name}-async",
        aws.lambda_.FunctionEventInvokeConfigArgs(
            function_name=alias.function_name,
            # Without the qualifier it would not cover invocations of the alias.
            qualifier=alias.name,
            maximum_retry_attempts=settings.maximum_retry_attempts,
            maximum_event_age_in_seconds=settings.maximum_event_age_in_seconds,
            destination_config=aws.lambda_.FunctionEventInvokeConfigDestinationConfigArgs(
                on_failure=on_failure, on_success=on_success or None
            ),
        ),
        pulumi.ResourceOptions(parent=parent, depends_on=policies),
    )
