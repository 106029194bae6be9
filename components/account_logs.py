"""The one role with which API Gateway writes logs: one per account and region, whoever owns it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.service_roles import service_role

# The role serves every API of the account and region, whose groups are not known here; API Gateway refuses a narrower one.
_WRITES_ALL_LOGS = {
    "Effect": "Allow",
    "Action": [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "logs:GetLogEvents",
        "logs:FilterLogEvents",
    ],
    "Resource": "*",
}


def own_account_log_role(name: str, parent: pulumi.Resource) -> aws.apigateway.Account:
    """The log role of API Gateway for the whole account and region; it stays when this stack is destroyed."""
    kept = pulumi.ResourceOptions(parent=parent, retain_on_delete=True)
    role, rights = service_role(
        f"{name}-account-logs",
        [_WRITES_ALL_LOGS],
        service="apigateway.amazonaws.com",
        description="API Gateway writes its logs with this role, for every API of the account and region",
        opts=kept,
    )
    return aws.apigateway.Account(
        f"{name}-account",
        aws.apigateway.AccountArgs(cloudwatch_role_arn=role.arn),
        pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[rights])),
    )
