"""What acts in a role, and which service therefore must be able to assume it."""

from __future__ import annotations

from collections.abc import Iterator

from policies import aws, chats, graphql_apis, log_subscriptions, service_integrations, things
from policies.model import Registered, Stack

LAMBDA, SCHEDULER, GATEWAY = (
    "lambda.amazonaws.com",
    "scheduler.amazonaws.com",
    "apigateway.amazonaws.com",
)

_NAMED = (
    (aws.FUNCTION, "role", LAMBDA),
    (aws.SCHEDULE, "target.roleArn", SCHEDULER),
    (aws.ACCOUNT, "cloudwatchRoleArn", GATEWAY),
    (aws.DATA_SOURCE, "serviceRoleArn", graphql_apis.SERVICE),
    (aws.GRAPHQL_API, "logConfig.cloudwatchLogsRoleArn", graphql_apis.SERVICE),
    (aws.CANARY, "executionRoleArn", LAMBDA),
    (aws.SLACK_CHANNEL, "iamRoleArn", chats.SERVICE),
    (aws.LOG_SUBSCRIPTION, "roleArn", log_subscriptions.SERVICE),
)
"""Type, where it names its role, and the service that acts in it."""


def users(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """(role, the service that must be able to assume it) for everything that uses a role of the stack."""
    for type_, path, service in _NAMED:
        for resource in stack.all(type_):
            yield from _used(stack, resource.get(path), service)
    for one in stack.all(aws.TOPIC_RULE):
        for arn in things.roles(one):
            yield from _used(stack, arn, things.SERVICE)
    for integration in service_integrations.services(stack):
        yield from _used(stack, integration.integration.get("credentials"), GATEWAY)


def _used(stack: Stack, arn: object, service: str) -> Iterator[tuple[Registered, str]]:
    role = stack.at(str(arn), aws.ROLE)
    if role is not None:
        yield role, service
