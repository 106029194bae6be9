"""Subscriptions of topics: what they choose, what becomes of what cannot be delivered."""

from __future__ import annotations

import math
from collections.abc import Iterator

from policies import aws, documents, links, patterns
from policies.model import Registered, Stack, rule

PROTOCOLS = {
    "lambda": "lambda",
    "sqs": "sqs",
    "email": "",
    "email-json": "",
    "https": "",
    "application": "sns",
}
"""Protocol -> the service of its endpoint's ARN. Not http, which is not encrypted; not sms, which costs and is not asked for."""
RAW = frozenset({"sqs", "https"})
SCOPES = frozenset({None, "MessageAttributes", "MessageBody"})
MOST_KEYS, MOST_COMBINATIONS = 5, 150
"""Limits of a filter policy (SNS developer guide): its names, and the product of how many values each has."""
BY_HAND = frozenset({"email", "email-json"})
"""Somebody's mailbox: SNS gives up on none, and there is nothing to send again."""


@rule
def subscription_is_one_that_sns_takes(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A protocol that is encrypted, an endpoint that fits it, a topic of this stack; once each."""
    seen: set[tuple[object, ...]] = set()
    for subscription in stack.all(aws.SUBSCRIPTION):
        yield from ((subscription, text) for text in _unfit(subscription))
        topic = stack.at(str(subscription.get("topic")), aws.TOPIC)
        if topic is None:
            yield subscription, "its topic is not of this stack"
        elif topic.get("fifoTopic") and subscription.get("protocol") != "sqs":
            yield subscription, "a FIFO topic reaches queues only"
        whole = tuple(subscription.get(key) for key in ("topic", "protocol", "endpoint"))
        if whole in seen:
            yield subscription, "another subscription joins the same topic and endpoint"
        seen.add(whole)


@rule
def subscription_keeps_what_it_cannot_deliver(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """SNS gives up at once where it may not deliver, and after its retries elsewhere; then the message waits in a queue."""
    for subscription in stack.all(aws.SUBSCRIPTION):
        if subscription.get("protocol") in BY_HAND:
            continue
        redrive = documents.json_object(subscription.get("redrivePolicy")) or {}
        if stack.at(str(redrive.get("deadLetterTargetArn")), aws.QUEUE) is None:
            yield (
                subscription,
                "set redrivePolicy to a queue of this stack, or what is not delivered is lost",
            )


@rule
def subscription_filter_is_taken(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Lists of values, operators that SNS knows, five names and 150 combinations at most."""
    for subscription in stack.all(aws.SUBSCRIPTION):
        scope, text = subscription.get("filterPolicyScope"), subscription.get("filterPolicy")
        if scope not in SCOPES:
            yield (
                subscription,
                f"filterPolicyScope is {scope}; say MessageAttributes or MessageBody",
            )
        if text is None:
            if scope is not None:
                yield subscription, "filterPolicyScope without a filterPolicy differs for ever"
            continue
        said = documents.json_object(text)
        nested = scope == "MessageBody"
        problems = list(patterns.wrong(said, patterns.OF_TOPICS, nested=nested))
        yield from ((subscription, f"filterPolicy: {problem}") for problem in problems)
        if said is None or problems:
            continue
        found = list(patterns.leaves(said))
        if len(found) > MOST_KEYS:
            yield subscription, f"filterPolicy has {len(found)} names; {MOST_KEYS} are taken"
        combinations = math.prod(len(values) * depth for depth, values in found)
        if combinations > MOST_COMBINATIONS:
            yield (
                subscription,
                f"filterPolicy makes {combinations} combinations; {MOST_COMBINATIONS} are taken",
            )


@rule
def subscription_waits_for_its_permission(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """What is published before the function lets SNS in goes to the dead letters."""
    for subscription in stack.having(aws.SUBSCRIPTION, protocol="lambda"):
        target = links.invoked(stack, str(subscription.get("endpoint")))
        if target is not None:
            name, topic = target.function.get("name"), subscription.get("topic")
            yield from stack.not_awaited(
                subscription, stack.having(aws.PERMISSION, function=name, sourceArn=topic)
            )


def _unfit(subscription: Registered) -> Iterator[str]:
    protocol, endpoint = subscription.get("protocol"), str(subscription.get("endpoint"))
    if protocol not in PROTOCOLS:
        yield f"protocol is {protocol}; say one of {', '.join(PROTOCOLS)}"
    elif PROTOCOLS[protocol] and links.service_of(endpoint) != PROTOCOLS[protocol]:
        yield f"its endpoint must be an ARN of {PROTOCOLS[protocol]}"
    if protocol == "https" and not endpoint.startswith("https://"):
        yield "its endpoint must be an https:// address"
    if subscription.get("rawMessageDelivery") and protocol not in RAW:
        yield f"rawMessageDelivery is for {', '.join(sorted(RAW))} only"


RULES = (
    subscription_is_one_that_sns_takes,
    subscription_keeps_what_it_cannot_deliver,
    subscription_filter_is_taken,
    subscription_waits_for_its_permission,
)
