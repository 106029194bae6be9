"""What listens to a topic, or to what functions log: functions, queues, and subscribers that a stack file names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from components import patterns
from components.documents import json_text
from components.function import ServerlessFunction
from components.messaging import Queue
from components.patterns import Pattern
from components.topics import Topic
from components.triggers import Wires
from settings import TopicSettings

Scope = Literal["MessageAttributes", "MessageBody"]


@dataclass(frozen=True)
class Notice:
    """A message of a topic starts a function; `policy` lets through some only, by attribute or by the message's JSON."""

    topic: Topic
    function: ServerlessFunction
    policy: Pattern | None = None
    scope: Scope = "MessageAttributes"

    def connect(self, wires: Wires) -> None:
        """Permission, then the subscription."""
        name = f"{self.function.logical_name}-{self.topic.component}"
        permission = self.function.allow(
            f"{name}-permission",
            principal=self.topic.service,
            source_arn=self.topic.arn,
            parent=wires.parent,
        )
        self.function.catch_failures()
        args = aws.sns.TopicSubscriptionArgs(
            topic=self.topic.arn, protocol="lambda", endpoint=self.function.arn
        )
        _filter(name, args, self.policy, self.scope)
        _subscribe(name, args, self.topic, wires, permission)


@dataclass(frozen=True)
class Copy:
    """A message of a topic goes into a queue as it is; the queue's `senders` name the topic."""

    topic: Topic
    queue: Queue
    policy: Pattern | None = None
    scope: Scope = "MessageAttributes"

    def connect(self, wires: Wires) -> None:
        """The subscription. Raises pulumi.RunError where the queue takes nothing from the topic."""
        name = f"{self.topic.component}-{self.queue.component}"
        if self.topic not in self.queue.senders:
            raise pulumi.RunError(
                f"{self.queue.component}: takes nothing from topic {self.topic.component}; add it to the queue's "
                "`senders`"
            )
        args = aws.sns.TopicSubscriptionArgs(
            topic=self.topic.arn, protocol="sqs", endpoint=self.queue.arn, raw_message_delivery=True
        )
        _filter(name, args, self.policy, self.scope)
        _subscribe(name, args, self.topic, wires, self.queue.policy)


@dataclass(frozen=True)
class Outside:
    """Subscribers that a stack file names: people by e-mail, services by HTTPS, queues of other stacks, mobile devices."""

    topic: Topic
    settings: TopicSettings

    def connect(self, wires: Wires) -> None:
        """One subscription each; people confirm theirs by the link they are sent."""
        for protocol in ("email", "https", "sqs", "application"):
            endpoints: Sequence[str] = getattr(self.settings, protocol)
            for position, endpoint in enumerate(endpoints, start=1):
                name = f"{self.topic.component}-{protocol}-{position}"
                args = aws.sns.TopicSubscriptionArgs(
                    topic=self.topic.arn, protocol=protocol, endpoint=endpoint
                )
                if protocol == "email":
                    # SNS never gives up on a mailbox: a dead-letter queue would stay empty.
                    aws.sns.TopicSubscription(f"{name}-subscription", args, wires.after())
                else:
                    _subscribe(name, args, self.topic, wires)


@dataclass(frozen=True)
class LogLines:
    """Lines that functions log start another one, those that fit `pattern` (CloudWatch's, `{ $.level = "ERROR" }`)."""

    logging: Sequence[ServerlessFunction]
    function: ServerlessFunction
    pattern: str

    def connect(self, wires: Wires) -> None:
        """A permission and a filter for each. Raises pulumi.RunError for a function that would read its own lines."""
        self.function.catch_failures()
        for logging in self.logging:
            self._listen(logging, wires)

    def _listen(self, logging: ServerlessFunction, wires: Wires) -> None:
        name = f"{self.function.logical_name}-{logging.logical_name}"
        if logging is self.function:
            raise pulumi.RunError(f"{name}: a function cannot be started by what it logs itself")
        group = logging.log_group
        permission = self.function.allow(
            f"{name}-permission",
            principal="logs.amazonaws.com",
            source_arn=pulumi.Output.concat(group.arn, ":*"),
            source_account=wires.place.account,
            parent=wires.parent,
        )
        aws.cloudwatch.LogSubscriptionFilter(
            f"{name}-filter",
            aws.cloudwatch.LogSubscriptionFilterArgs(
                log_group=group.name,
                destination_arn=self.function.arn,
                filter_pattern=self.pattern,
            ),
            # CloudWatch Logs tries the function when it is told of it.
            wires.after(permission),
        )


def _filter(
    name: str, args: aws.sns.TopicSubscriptionArgs, policy: Pattern | None, scope: Scope
) -> None:
    if policy is not None:
        patterns.check_policy(f"filter policy of {name}", policy)
        args.filter_policy = json_text(policy)
        args.filter_policy_scope = scope


def _subscribe(
    name: str,
    args: aws.sns.TopicSubscriptionArgs,
    topic: Topic,
    wires: Wires,
    *first: pulumi.Resource,
) -> None:
    args.redrive_policy = json_text({"deadLetterTargetArn": wires.undelivered(topic).arn})
    aws.sns.TopicSubscription(
        f"{name}-subscription", args, wires.after(*first, wires.failures.policy)
    )
