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
from components.triggers import TriggerContext
from settings import ReceiverSettings, TopicSettings

Scope = Literal["MessageAttributes", "MessageBody"]


@dataclass(frozen=True)
class TopicMessage:
    """A message of a topic starts a function; `filter_policy` lets through some only, by
    attribute or by the message's JSON.
    """

    topic: Topic
    function: ServerlessFunction
    filter_policy: Pattern | None = None
    scope: Scope = "MessageAttributes"

    def connect(self, context: TriggerContext) -> None:
        """Permission, then the subscription."""
        name = f"{self.function.logical_name}-{self.topic.component}"
        permission = context.start(
            self.function, name, principal=self.topic.service, source_arn=self.topic.arn
        )
        args = aws.sns.TopicSubscriptionArgs(
            topic=self.topic.arn, protocol="lambda", endpoint=self.function.arn
        )
        _filter(name, args, self.filter_policy, self.scope)
        _subscribe(name, args, self.topic, context, permission)


@dataclass(frozen=True)
class QueueSubscription:
    """A message of a topic goes into a queue as it is; the queue's `senders` name the topic."""

    topic: Topic
    queue: Queue
    filter_policy: Pattern | None = None
    scope: Scope = "MessageAttributes"

    def connect(self, context: TriggerContext) -> None:
        """The subscription. Raises pulumi.RunError where the queue takes nothing from the topic."""
        name = f"{self.topic.component}-{self.queue.component}"
        if self.topic not in self.queue.senders:
            raise pulumi.RunError(
                f"{self.queue.component}: takes nothing from topic {self.topic.component}; name it in the "
                "queue's senders, or in its admit(...)"
            )
        args = aws.sns.TopicSubscriptionArgs(
            topic=self.topic.arn, protocol="sqs", endpoint=self.queue.arn, raw_message_delivery=True
        )
        _filter(name, args, self.filter_policy, self.scope)
        _subscribe(name, args, self.topic, context, self.queue.policy)


@dataclass(frozen=True)
class Subscribers:
    """Subscribers that a stack file names: people by e-mail, services by HTTPS, queues of other stacks, mobile devices."""

    topic: Topic
    settings: TopicSettings | ReceiverSettings

    def connect(self, context: TriggerContext) -> None:
        """One subscription each; people confirm theirs by the link they are sent."""
        for protocol in ("email", "https", "sqs", "application"):
            endpoints: Sequence[str] = getattr(self.settings, protocol, ())
            for position, endpoint in enumerate(endpoints, start=1):
                name = f"{self.topic.component}-{protocol}-{position}"
                args = aws.sns.TopicSubscriptionArgs(
                    topic=self.topic.arn, protocol=protocol, endpoint=endpoint
                )
                if protocol == "email":
                    # SNS never gives up on a mailbox: a dead-letter queue would stay empty.
                    aws.sns.TopicSubscription(f"{name}-subscription", args, context.after())
                else:
                    _subscribe(name, args, self.topic, context)


@dataclass(frozen=True)
class LogLines:
    """Lines that functions log start another one, those that fit `pattern` (CloudWatch's, `{ $.level = "ERROR" }`)."""

    logging: Sequence[ServerlessFunction]
    function: ServerlessFunction
    pattern: str

    def connect(self, context: TriggerContext) -> None:
        """A permission and a filter for each. Raises pulumi.RunError for a function that would read its own lines."""
        for logging in self.logging:
            self._listen(logging, context)

    def _listen(self, logging: ServerlessFunction, context: TriggerContext) -> None:
        name = f"{self.function.logical_name}-{logging.logical_name}"
        if logging is self.function:
            raise pulumi.RunError(
                f"{name}: a function cannot be started by what it logs itself; take it out of the functions that are "
                "listened to"
            )
        group = logging.log_group
        permission = context.start(
            self.function,
            name,
            principal="logs.amazonaws.com",
            source_arn=pulumi.Output.concat(group.arn, ":*"),
            of_this_account=True,
        )
        aws.cloudwatch.LogSubscriptionFilter(
            f"{name}-filter",
            aws.cloudwatch.LogSubscriptionFilterArgs(
                log_group=group.name,
                destination_arn=self.function.arn,
                filter_pattern=self.pattern,
            ),
            # CloudWatch Logs tries the function when it is told of it.
            context.after(permission),
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
    context: TriggerContext,
    *first: pulumi.Resource,
) -> None:
    args.redrive_policy = json_text({"deadLetterTargetArn": context.undelivered(topic).arn})
    aws.sns.TopicSubscription(
        f"{name}-subscription", args, context.after(*first, context.failures.policy)
    )
