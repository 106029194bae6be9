"""What an execution role must allow besides a function's own grants, because of how the function is set up."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi

from components.grants import Statement
from settings import FunctionSettings

NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda does in the role to reach a VPC (Lambda developer guide, execution role permissions for VPC)."""

DELIVERY = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
}
"""Service in an ARN -> the action by which Lambda delivers there (Lambda developer guide, asynchronous invocation)."""


def statements(
    settings: FunctionSettings, *, arn: str, log_group: pulumi.Input[str]
) -> Iterator[Statement]:
    """The role's own statements for a function with this ARN, which logs to this group."""
    # No CreateLogGroup: a late invocation would bring a deleted group back, without retention.
    yield Statement(
        ["logs:CreateLogStream", "logs:PutLogEvents"], [pulumi.Output.concat(log_group, ":*")]
    )
    if settings.tracing_mode == "Active":
        # X-Ray knows no resources: AWS offers nothing narrower than "*".
        yield Statement(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])
    if settings.vpc_config is not None:
        yield from _network(arn)
    if settings.file_system_config is not None:
        yield Statement(
            ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
            ["*"],
            {"StringEquals": {"elasticfilesystem:AccessPointArn": settings.file_system_config.arn}},
        )
    if settings.dead_letter is not None:
        yield from deliver(settings.dead_letter)


def deliver(arn: str) -> Iterator[Statement]:
    """Let Lambda put events down at a given queue, topic, function, bus or bucket."""
    service = arn.split(":")[2]
    if service == "s3":
        yield Statement(["s3:PutObject"], [f"{arn}/*"])
        yield Statement(["s3:ListBucket"], [arn])
    else:
        yield Statement([DELIVERY[service]], [arn])


def _network(arn: str) -> Iterator[Statement]:
    # Lambda asks for these before any interface exists, so AWS accepts no narrower resource than "*".
    yield Statement(NETWORK, ["*"])
    # The rights are Lambda's: the function's own code gets none of them.
    yield Statement(NETWORK, ["*"], {"ArnEquals": {"lambda:SourceFunctionArn": arn}}, effect="Deny")
