"""AWS Chatbot: channels of Slack and Teams, which are beyond this machine."""

from __future__ import annotations

from typing import Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, tags

_BEYOND: Final = "nothing is posted: a chat is beyond this machine"


@resource(
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration",
    ignored=REGION,
    not_simulated=_BEYOND,
)
def slack_channel(r: Resource) -> Outputs:
    return _made(r, "slack-channel") | {"slackChannelName": "", "slackTeamName": ""}


@resource(
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration",
    ignored=REGION,
    not_simulated=_BEYOND,
)
def teams_channel(r: Resource) -> Outputs:
    return _made(r, "microsoft-teams-channel")


def _made(r: Resource, kind: str) -> Outputs:
    name = r.take("configurationName")
    arn = f"arn:aws:chatbot::{r.aws.account}:chat-configuration/{kind}/{name}"
    return {"id": arn, "chatConfigurationArn": arn, "tagsAll": tags(r)}
