"""Alarms in a chat: Amazon Q Developer in chat applications (AWS Chatbot) posts them in Slack."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.grants import Statement
from components.place import Place
from components.service_roles import ServiceRole, service_role
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
    channels: dict[Severity, str | None] = {
        "page": settings.page.slack_channel_id,
        "ticket": settings.ticket.slack_channel_id,
    }
    wanted: list[tuple[Severity, str]] = [
        (severity, channel) for severity, channel in channels.items() if channel
    ]
    if workspace is None or not wanted:
        return
    role, rights = _reader(place, opts)
    ready = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[rights]))
    for severity, channel in wanted:
        aws.chatbot.SlackChannelConfiguration(
            f"{severity}-chat",
            aws.chatbot.SlackChannelConfigurationArgs(
                configuration_name=f"{place.prefix}-{severity}",
                iam_role_arn=role.arn,
                slack_team_id=workspace,
                slack_channel_id=channel,
                sns_topic_arns=[notices[severity].arn],
                # Without one the guardrail would be AdministratorAccess.
                guardrail_policy_arns=[
                    f"arn:{place.partition}:iam::aws:policy/CloudWatchReadOnlyAccess"
                ],
                logging_level="ERROR",
            ),
            ready,
        )


def _reader(place: Place, opts: pulumi.ResourceOptions) -> ServiceRole:
    # DescribeAlarms knows alarms as a resource, and shows the others as if they were not there.
    alarms = place.arn("cloudwatch", f"alarm:{place.prefix}-*")
    return service_role(
        "chat",
        [Statement(["cloudwatch:DescribeAlarms"], [alarms])],
        service="chatbot.amazonaws.com",
        description="What people may look at from the chat",
        opts=opts,
        conditions={"StringEquals": {"aws:SourceAccount": place.account}},
    )
