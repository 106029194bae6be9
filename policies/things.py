"""AWS IoT: what devices say goes into a stream, and what does not fit goes to a queue."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies import aws, documents, links
from policies.model import Registered, Stack, rule

SERVICE = "iot.amazonaws.com"
SQL_VERSION = "2016-03-23"
"""The newest version without "beta"; the default is the oldest one."""

PUT = "kinesis:PutRecord"

_NAME = re.compile(r"[A-Za-z0-9_]{1,128}")


@rule
def topic_rule_is_one_that_iot_takes(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A name without hyphens, a version of the language, and an action that something comes of."""
    for one in stack.all(aws.TOPIC_RULE):
        if not _NAME.fullmatch(str(one.get("name") or "")):
            yield (
                one,
                "name it, by letters, digits and underscores: Pulumi's own names have hyphens",
            )
        if one.get("sqlVersion") != SQL_VERSION:
            yield one, f"sqlVersion must be {SQL_VERSION}"
        if not re.search(r"\bFROM\s+'[^']+'", str(one.get("sql") or "")):
            yield one, "its sql names no topic"
        streams = {s.output("name") for s in stack.all(aws.DATA_STREAM)}
        put = [action.get("streamName") for action in one.get("kineses") or []]
        if not put or not set(put) <= streams:
            yield one, "must put what it hears into a stream of this stack"
        if failing(stack, one) is None:
            yield one, "set errorAction to a queue of this stack, or what does not fit is lost"


@rule
def topic_rule_may_put_its_records(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AWS IoT puts one record at a time, in the rule's role; without the right, it says so in no place that we see."""
    for one in stack.all(aws.TOPIC_RULE):
        for action in one.get("kineses") or []:
            role = stack.at(str(action.get("roleArn")), aws.ROLE)
            stream = stack.answering("name", str(action.get("streamName")), aws.DATA_STREAM)
            given = documents.pairs(links.rights(stack, role), service="kinesis")
            if stream is not None and given != {(PUT, stream.output("arn"))}:
                yield one, f"its role must hold exactly {PUT} on {stream.name}"


def failing(stack: Stack, one: Registered) -> Registered | None:
    """The queue in which a rule puts down what its action refused."""
    return stack.answering("url", str(one.get("errorAction.sqs.queueUrl")), aws.QUEUE)


def roles(one: Registered) -> set[str]:
    """ARNs of the roles in which AWS IoT acts for a rule."""
    found = [action.get("roleArn") for action in one.get("kineses") or []]
    return {str(arn) for arn in (*found, one.get("errorAction.sqs.roleArn")) if arn}


RULES = (topic_rule_is_one_that_iot_takes, topic_rule_may_put_its_records)
