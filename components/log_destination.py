"""Every function's log lines, sent on to where a whole company reads them."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.function import ServerlessFunction
from components.grants import Statement
from components.place import Place
from components.service_roles import ServiceRole, service_role
from settings import LogSettings

WRITES = {"kinesis": ["kinesis:PutRecord"], "firehose": ["firehose:PutRecord"]}
"""What CloudWatch Logs does at a stream, by its service."""


def ship(
    settings: LogSettings,
    functions: Sequence[ServerlessFunction],
    place: Place,
    opts: pulumi.ResourceOptions,
) -> list[aws.cloudwatch.LogSubscriptionFilter]:
    """A subscription of each function's group, where the stack file names a destination.

    A log destination of another account says itself who may write; a stream of this account is written to in a role.
    """
    target = settings.destination_arn
    if target is None:
        return []
    writer = _writer(target, place, opts)
    waits = pulumi.ResourceOptions(depends_on=[writer.rights] if writer else None)
    return [
        aws.cloudwatch.LogSubscriptionFilter(
            f"{function.logical_name}-central-filter",
            aws.cloudwatch.LogSubscriptionFilterArgs(
                log_group=function.log_group.name,
                destination_arn=target,
                filter_pattern=settings.destination_filter,
                role_arn=writer.role.arn if writer else None,
            ),
            pulumi.ResourceOptions.merge(opts, waits),
        )
        for function in functions
    ]


def _writer(target: str, place: Place, opts: pulumi.ResourceOptions) -> ServiceRole | None:
    actions = WRITES.get(target.split(":")[2])
    if actions is None:
        return None
    return service_role(
        "central-logs",
        [Statement(actions, [target])],
        service="logs.amazonaws.com",
        description="CloudWatch Logs sends the functions' log lines on",
        opts=opts,
        conditions={"StringLike": {"aws:SourceArn": place.arn("logs", "*")}},
    )
