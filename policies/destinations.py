"""Where outcomes end: dead letters, on-failure and on-success destinations. AWS writes them in the role of who failed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies import aws, links
from policies.links import Destination
from policies.model import Registered, Stack, rule

SEND = "sqs:SendMessage"
MOST_RETRIES, AGES = 185, (60, 86_400)
"""What a retry policy of EventBridge and of its Scheduler may say: retries, and seconds of an event's age (API references)."""

FORMS = {
    "sqs": re.compile(r"[\w-]{1,80}", re.ASCII),
    "sns": re.compile(r"[\w-]{1,256}", re.ASCII),
    "lambda": re.compile(r"function:[\w-]{1,64}(?::[\w$-]{1,128})?", re.ASCII),
    "events": re.compile(r"event-bus/[\w./-]{1,256}", re.ASCII),
    "s3": re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII),
}
"""Service -> what its ARN ends in. A dot in a queue's or topic's name would be a FIFO one's, which Lambda does not take."""

TAKEN = {
    (aws.FUNCTION, "dead letter"): ("sqs", "sns"),
    (aws.EVENT_INVOKE, "failure"): ("sqs", "sns", "lambda", "events", "s3"),
    (aws.EVENT_INVOKE, "success"): ("sqs", "sns", "lambda", "events"),
    (aws.EVENT_SOURCE_MAPPING, "failure"): ("sqs", "sns", "s3"),
    (aws.SCHEDULE, "dead letter"): ("sqs",),
    (aws.TOPIC_RULE, "failure"): ("sqs",),
}
"""Services that AWS delivers each outcome to (Lambda developer guide, asynchronous invocation, stream mappings)."""

DELIVERY = {
    "sqs": ((SEND, ""),),
    "sns": (("sns:Publish", ""),),
    "lambda": (("lambda:InvokeFunction", ""),),
    "events": (("events:PutEvents", ""),),
    "s3": (("s3:PutObject", "/*"), ("s3:ListBucket", "")),
}
"""Service -> the actions by which AWS delivers there, each with what follows the destination's ARN in the grant."""


@rule
def destination_is_one_that_aws_takes(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """The service fits the outcome, queues and topics are standard ones of the same region, and nothing feeds itself."""
    for destination in links.destinations(stack):
        taken = TAKEN[destination.by.type, destination.outcome]
        parts = destination.arn.split(":", 5)
        told = f"its {destination.outcome} destination {destination.arn}"
        if len(parts) < 6 or parts[2] not in taken or not FORMS[parts[2]].fullmatch(parts[5]):
            yield (
                destination.by,
                f"{told} must be the ARN of a standard {' or '.join(taken)} target",
            )
            continue
        source = _source(stack, destination.by)
        region = links.place_of(source).region if source else ""
        if region and parts[3] not in {region, ""}:
            yield destination.by, f"{told} must be in {region}, as the function is"
        target = links.invoked(stack, destination.arn)
        if target is not None and target.function is source:
            yield destination.by, f"{told} is the function itself"


@rule
def destination_may_be_reached(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AWS delivers in the role of the function or schedule, and refuses a destination that the role may not write."""
    for destination in links.destinations(stack):
        source = links.acting(stack, destination.by)
        if source is not None and links.acts_in_a_foreign_role(stack, source):
            continue
        held = links.rights(stack, links.actor(stack, destination.by))
        for action, resource in sorted(needed(destination.arn)):
            if not links.may(held, action, resource):
                text = f"must hold {action} on {resource}, its {destination.outcome} destination"
                yield destination.by, f"its role {text}"


@rule
def sending_is_needed(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A role that may send to a queue of failures has outcomes to put there."""
    ending = {
        (role.urn, d.arn)
        for d in links.destinations(stack)
        if (role := links.actor(stack, d.by)) is not None
    }
    collecting = {arn for _, arn in links.failure_destinations(stack)}
    for role in stack.all(aws.ROLE):
        for statement in links.rights(stack, role):
            for arn in set(statement.resources) & collecting:
                if SEND in statement.actions and (role.urn, arn) not in ending:
                    yield role, f"may send to {arn}, where nothing of it ends; remove the right"


def unbounded(resource: Registered, policy: str) -> Iterator[str]:
    """What is wrong with the retry policy at this path of a resource, one line each: retries and age must be finite."""
    retries = resource.get(f"{policy}.maximumRetryAttempts")
    age = resource.get(f"{policy}.maximumEventAgeInSeconds")
    if not isinstance(retries, int) or not 0 <= retries <= MOST_RETRIES:
        yield f"maximumRetryAttempts is {retries}; say 0 to {MOST_RETRIES}"
    if not isinstance(age, int) or not AGES[0] <= age <= AGES[1]:
        yield f"maximumEventAgeInSeconds is {age}; say {AGES[0]} to {AGES[1]}"


def needed(arn: str) -> frozenset[tuple[str, str]]:
    """(action, resource) by which AWS delivers to a destination; empty where it could be none."""
    parts = arn.split(":")
    ways = DELIVERY.get(parts[2], ()) if len(parts) > 2 else ()
    return frozenset((action, arn + suffix) for action, suffix in ways)


def delivered_as(stack: Stack, role: Registered | None) -> dict[tuple[str, str], list[Destination]]:
    """(action, resource) -> the destinations for which AWS needs it in this role."""
    found: dict[tuple[str, str], list[Destination]] = {}
    for destination in links.destinations(stack):
        if role is not None and links.actor(stack, destination.by) is role:
            for pair in needed(destination.arn):
                found.setdefault(pair, []).append(destination)
    return found


def _source(stack: Stack, by: Registered) -> Registered | None:
    """The function whose outcomes these are; for a schedule, the one that it starts."""
    if by.type == aws.SCHEDULE:
        target = links.invoked(stack, str(by.get("target.arn")))
        return target.function if target else None
    return links.acting(stack, by)


RULES = (destination_is_one_that_aws_takes, destination_may_be_reached, sending_is_needed)
