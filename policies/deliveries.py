"""What AWS puts into queues and topics by itself: fan-out, events, and what could not be delivered.

A queue or topic admits each of these by its own policy, and the key of an encrypted one does so too. The emulator asks
neither; in AWS the messages vanish, with a number in a metric.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policies import aws, documents, links
from policies.documents import Statement
from policies.model import Registered, Stack, rule

S3, SNS, EVENTS = "s3.amazonaws.com", "sns.amazonaws.com", "events.amazonaws.com"
SEND, PUBLISH = "sqs:SendMessage", "sns:Publish"
SOURCE = "aws:SourceArn"
SENDERS = {
    aws.BUCKET: S3,
    aws.TOPIC: SNS,
    aws.EVENT_RULE: EVENTS,
    aws.EVENT_BUS: EVENTS,
}
"""Type -> the service that comes on its behalf."""
EQUALS = ("ArnEquals", "ArnLike", "StringEquals")


@dataclass(frozen=True)
class Delivery:
    """`service` puts something into `arn` (a queue or topic) on behalf of `source`, as `by` says.

    `fails`: what it puts there could not be delivered elsewhere.
    """

    by: Registered
    service: str
    source: str
    arn: str
    fails: bool = False


def deliveries(stack: Stack) -> Iterator[Delivery]:
    """Everything in the stack that makes a service put something into a queue or topic."""
    yield from _of_topics(stack)
    yield from _of_rules(stack)
    for notification in stack.all(aws.BUCKET_NOTIFICATION):
        bucket = stack.answering("bucket", str(notification.get("bucket")), aws.BUCKET)
        source = bucket.output("arn") if bucket else ""
        for kind, key in (("queues", "queueArn"), ("topics", "topicArn")):
            for entry in notification.get(kind) or []:
                yield Delivery(notification, S3, source, str(entry.get(key)))


def collectors(stack: Stack) -> frozenset[str]:
    """ARNs of all queues in which failures end, however they come there."""
    return frozenset(
        {
            *links.dead_letters(stack),
            *(arn for _, arn in links.failure_destinations(stack)),
            *(delivery.arn for delivery in deliveries(stack) if delivery.fails),
        }
    )


@rule
def delivery_reaches_a_standard_target(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """S3, standard topics and the dead letters of events know no groups: a FIFO queue refuses them all.

    A queue of another stack may listen to a topic; its owner lets the topic in.
    """
    for delivery in deliveries(stack):
        owner = stack.at(delivery.arn, aws.QUEUE, aws.TOPIC)
        if links.service_of(delivery.arn) not in links.DELIVERED_TO:
            yield delivery.by, f"delivers to '{delivery.arn}', which is no queue and no topic"
        elif delivery.arn.endswith(".fifo") or (owner is not None and owner.get("fifoQueue")):
            yield delivery.by, f"delivers to {delivery.arn}, which is FIFO; name a standard queue"
        elif owner is None and (delivery.fails or delivery.service != SNS):
            yield delivery.by, f"delivers to {delivery.arn}, which is not of this stack"


@rule
def target_admits_what_is_delivered(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Its policy lets the service in, on behalf of exactly this source."""
    for delivery in deliveries(stack):
        target = stack.at(delivery.arn, aws.QUEUE, aws.TOPIC)
        if target is not None and not any(_admits(said, delivery) for said in _said(stack, target)):
            text = f"its policy must let {delivery.service} in for {delivery.source}"
            yield target, f"{text} ({delivery.by.name})"


@rule
def target_admits_nobody_else(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A service without a source is anybody's: every account has topics, rules and buckets."""
    for queue in stack.all(aws.QUEUE):
        arn = queue.output("arn")
        for said in (s for s in _said(stack, queue) if s.allows):
            if said.actions != (SEND,) or said.resources != (arn,):
                yield queue, f"its policy may allow {SEND} on the queue itself, and nothing else"
            yield from ((queue, text) for text in _unasked(stack, said))


@rule
def delivery_waits_for_its_policy(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """S3 tries its targets at once; from topics and rules, what comes before the policy is lost."""
    for delivery in deliveries(stack):
        owner = stack.at(delivery.arn, aws.QUEUE, aws.TOPIC)
        # A bus is there before a policy can name it.
        if owner is not None and delivery.by.type != aws.EVENT_BUS:
            yield from stack.not_awaited(delivery.by, _policies(stack, owner))


def _of_topics(stack: Stack) -> Iterator[Delivery]:
    for subscription in stack.all(aws.SUBSCRIPTION):
        topic = str(subscription.get("topic"))
        if subscription.get("protocol") == "sqs":
            yield Delivery(subscription, SNS, topic, str(subscription.get("endpoint")))
        redrive = documents.json_object(subscription.get("redrivePolicy")) or {}
        if redrive:
            arn = str(redrive.get("deadLetterTargetArn"))
            yield Delivery(subscription, SNS, topic, arn, fails=True)


def _of_rules(stack: Stack) -> Iterator[Delivery]:
    for target in stack.all(aws.EVENT_TARGET):
        owner = links.rule_of(stack, target)
        source = owner.output("arn") if owner else ""
        if links.service_of(target.get("arn")) in links.DELIVERED_TO:
            yield Delivery(target, EVENTS, source, str(target.get("arn")))
        if arn := target.get("deadLetterConfig.arn"):
            yield Delivery(target, EVENTS, source, str(arn), fails=True)
    for bus in stack.all(aws.EVENT_BUS):
        if arn := bus.get("deadLetterConfig.arn"):
            yield Delivery(bus, EVENTS, bus.output("arn"), str(arn), fails=True)


def _policies(stack: Stack, target: Registered) -> list[Registered]:
    if target.type == aws.QUEUE:
        return stack.having(aws.QUEUE_POLICY, queueUrl=target.output("url"))
    return stack.having(aws.TOPIC_POLICY, arn=target.output("arn"))


def _said(stack: Stack, target: Registered) -> list[Statement]:
    return [s for p in _policies(stack, target) for s in documents.of(p.get("policy"))]


def _admits(said: Statement, delivery: Delivery) -> bool:
    action = SEND if links.service_of(delivery.arn) == "sqs" else PUBLISH
    return (
        said.allows
        and said.is_for(delivery.service)
        and action in said.actions
        and delivery.arn in said.resources
        and delivery.source in _sources(said)
    )


def _sources(said: Statement) -> set[str]:
    return {arn for operator in EQUALS for arn in said.only_if(operator, SOURCE)}


def _unasked(stack: Stack, said: Statement) -> Iterator[str]:
    services = said.principals.get("Service", ())
    if len(said.principals) != 1 or len(services) != 1:
        yield "its policy lets in somebody who is not one AWS service"
        return
    named = _sources(said)
    if not named:
        yield f"its policy lets {services[0]} in for everybody; name the source ({SOURCE})"
    for arn in sorted(named):
        source = stack.at(arn)
        if source is None or source.output("arn") != arn or SENDERS.get(source.type) != services[0]:
            yield f"its policy lets {services[0]} in for {arn}, which is nothing of this stack"


RULES = (
    delivery_reaches_a_standard_target,
    target_admits_what_is_delivered,
    target_admits_nobody_else,
    delivery_waits_for_its_policy,
)
