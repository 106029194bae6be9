"""Chat channels that hear of alarms: they are told, and may look at them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies import aws, documents, links
from policies.model import Registered, Stack, rule

SERVICE = "chatbot.amazonaws.com"
READING = "cloudwatch:DescribeAlarms"
ANYTHING = ("AdministratorAccess", "PowerUserAccess")


@rule
def chat_is_told_and_only_looks(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Without guardrails a channel may do whatever its members' roles may: AWS's default is AdministratorAccess."""
    for channel in stack.all(aws.SLACK_CHANNEL):
        topics = channel.get("snsTopicArns") or []
        if not topics or not all(stack.at(str(arn), aws.TOPIC) for arn in topics):
            yield channel, "snsTopicArns must name topics of this stack"
        guards = [str(arn) for arn in channel.get("guardrailPolicyArns") or []]
        if not guards or any(arn.endswith(ANYTHING) for arn in guards):
            yield channel, "guardrailPolicyArns must name what its members may do at most"
        role = stack.at(str(channel.get("iamRoleArn")), aws.ROLE)
        if role is None:
            yield channel, "iamRoleArn must be a role of this stack"
        elif documents.pairs(links.rights(stack, role)) != granted(stack, role) or not granted(
            stack, role
        ):
            yield channel, "its role must be able to ask for alarms of this stack, and no more"


def granted(stack: Stack, role: Registered | None) -> set[tuple[str, str]]:
    """(action, resource) that the role of a channel may hold: it may look at alarms by the stack's names."""
    if role is None or not stack.having(aws.SLACK_CHANNEL, iamRoleArn=role.output("arn")):
        return set()
    held = documents.pairs(links.rights(stack, role), service="cloudwatch")
    form = re.compile(r"arn:aws[a-z-]*:cloudwatch:[a-z0-9-]+:\d{12}:alarm:[\w-]+-\*", re.ASCII)
    return {(action, arn) for action, arn in held if action == READING and form.fullmatch(arn)}


RULES = (chat_is_told_and_only_looks,)
