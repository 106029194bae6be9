"""Alarms in a chat: Amazon Q Developer in chat applications (AWS Chatbot) posts them in Slack."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.grants import Statement
from components.place import Place
from components.service_roles import service_role
from components.topics import Topic
from components.watching import Severity
from settings import ObservabilitySettings


def tell(
    settings: ObservabilitySettings,
    notices: Mapping[Severity, Topic],
    place: Place,
    opts: pulumi.ResourceOptions,
) -> None:
    """A channel for each severity that the stack file names one for.

    Whoever writes in the channel may look at alarms and nothing else.
    """
    workspace = settings.slack_workspace_id
    channels = {"page": settings.page.slack_channel_id, "ticket": settings.ticket.slack_channel_id}
    wanted = {severity: channel for severity, channel in channels.items() if channel}
    if workspace is None or not wanted:
        return
    role, rights = service_role(
        "chat",
        # DescribeAlarms knows alarms as a resource, and shows the others as if they were not there.
        [
            Statement(
                ["cloudwatch:DescribeAlarms"], [place.arn("cloudwatch", f"alarm:{place.prefix}-*")]
            )
        ],
        service="chatbot.amazonaws.com",
        description="What people may look at from the chat",
        opts=opts,
        conditions={"StringEquals": {"aws:SourceAccount": place.account}},
    )
    for severity, topic in notices.items():
        if severity in wanted:
            aws.chatbot.SlackChannelConfiguration(
                f"{severity}-chat",
                aws.chatbot.SlackChannelConfigurationArgs(
                    configuration_name=f"{place.prefix}-{severity}",
                    iam_role_arn=role.arn,
                    slack_team_id=workspace,
                    slack_channel_id=wanted[severity],
                    sns_topic_arns=[topic.arn],
                    # Without one the guardrail would be AdministratorAccess.
                    guardrail_policy_arns=[
                        f"arn:{place.partition}:iam::aws:policy/CloudWatchReadOnlyAccess"
                    ],
                    logging_level="ERROR",
                ),
                pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[rights])),
            )
