"""Who belongs to whom: from a function to its role, from a route to its function, from a queue to its dead letters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from policies import aws, documents, gateways
from policies.documents import Statement
from policies.model import Registered, Stack

WARMING = {"warming": True}
"""The event by which a function is kept warm."""

DELIVERED_TO = frozenset({"sqs", "sns"})
"""Services that a rule of EventBridge delivers to by the resource's own policy; Lambda has permissions instead."""

CARRIED_TO = frozenset({"logs", "kinesis", "firehose"})
"""Services that CloudWatch Logs carries lines to in a role, or by the leave of another account."""

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)


@dataclass(frozen=True)
class Place:
    """Where a function runs, read from its ARN; every part is empty where it has none yet."""

    partition: str = ""
    region: str = ""
    account: str = ""


@dataclass(frozen=True)
class Invoked:
    """A function as something calls it; `alias` is None where the bare function is called."""

    function: Registered
    alias: Registered | None


@dataclass(frozen=True)
class Target:
    """What a resource says it starts.

    `kind` is one of api, authorizer, target (of a load balancer), resolver, upload, queue, stream, topic, rule, log,
    pool, schedule, warming.
    """

    kind: str
    by: Registered
    arn: str


@dataclass(frozen=True)
class Start:
    """Something that makes AWS invoke a function; `by` is the resource that says so."""

    kind: str
    by: Registered
    invoked: Invoked


@dataclass(frozen=True)
class Destination:
    """Where AWS puts the outcome of `by` down, in a role: `outcome` is one of failure, success, dead letter."""

    by: Registered
    arn: str
    outcome: str


def invoked(stack: Stack, arn: str) -> Invoked | None:
    """The function, and the alias if it is called by one, behind a function's or an alias's ARN."""
    found = stack.at(arn, aws.FUNCTION, aws.ALIAS)
    if found is None:
        return None
    if found.type == aws.FUNCTION:
        return Invoked(found, None)
    function = named_function(stack, found.get("functionName"))
    return Invoked(function, found) if function else None


def named_function(stack: Stack, name: object) -> Registered | None:
    """The function with this physical name."""
    return next(iter(stack.having(aws.FUNCTION, name=name)), None)


def starts(stack: Stack) -> Iterator[Start]:
    """Everything in the stack that makes AWS invoke a function of the stack."""
    for target in targets(stack):
        function = invoked(stack, target.arn)
        if function is not None:
            yield Start(target.kind, target.by, function)


def targets(stack: Stack) -> Iterator[Target]:
    """Everything in the stack that names a function to start, whether there is one or not."""
    for kind, by, arn in gateways.started(stack):
        yield Target(kind, by, arn)
    yield from _by_bucket_or_mapping(stack)
    yield from _by_schedule(stack)
    yield from _by_message(stack)
    for pool in stack.all(aws.USER_POOL):
        for arn in dict.fromkeys((pool.get("lambdaConfig") or {}).values()):
            if service_of(arn) == "lambda":
                yield Target("pool", pool, str(arn))


def service_of(arn: object) -> str:
    """The service that an ARN belongs to (`sqs`); empty for what is no ARN."""
    parts = str(arn).split(":")
    return parts[2] if len(parts) > 5 and parts[0] == "arn" else ""


def warms(schedule: Registered) -> bool:
    """It sends a warming event, or what was meant as one."""
    return "warming" in (documents.json_object(schedule.get("target.input")) or {})


def source(stack: Stack, mapping: Registered, type_: str) -> Registered | None:
    """What an event source mapping reads from, if it is of this type. A stream belongs to its table, fan-out to its stream."""
    arn = str(mapping.get("eventSourceArn"))
    consumer = stack.at(arn, aws.STREAM_CONSUMER)
    return stack.at(str(consumer.get("streamArn")) if consumer else arn, type_)


def rule_of(stack: Stack, target: Registered) -> Registered | None:
    """The rule of EventBridge that a target belongs to."""
    return stack.answering("name", str(target.get("rule")), aws.EVENT_RULE)


def group_of(stack: Stack, subscription: Registered) -> Registered | None:
    """The log group whose lines a subscription carries on."""
    return stack.answering("name", str(subscription.get("logGroup")), aws.LOG_GROUP)


def role_of(stack: Stack, function: Registered) -> Registered | None:
    """The execution role."""
    return stack.at(str(function.get("role")), aws.ROLE)


def acts_in_a_foreign_role(stack: Stack, function: Registered) -> bool:
    """Its role was given from outside: what it may do is not said here, and not ours to judge."""
    role = str(function.get("role"))
    return role_of(stack, function) is None and _ROLE_ARN.fullmatch(role) is not None


def place_of(function: Registered) -> Place:
    """Partition, region and account of a function."""
    parts = function.output("arn").split(":")
    return Place(parts[1], parts[3], parts[4]) if len(parts) > 4 else Place()


def role_named(stack: Stack, name: object) -> Registered | None:
    """The role with this physical name."""
    named = (r for r in stack.all(aws.ROLE) if name in {r.output("name"), r.output("id")} - {""})
    return next(named, None)


def policies_of(stack: Stack, role: Registered | None) -> list[Registered]:
    """The inline policies of a role."""
    if role is None:
        return []
    names = {role.output("name"), role.output("id")}
    return [p for p in stack.all(aws.ROLE_POLICY) if p.get("role") in names]


def rights(stack: Stack, role: Registered | None) -> list[Statement]:
    """Every statement that a role's policies give it."""
    return [s for p in policies_of(stack, role) for s in documents.of(p.get("policy"))]


def may(held: list[Statement], action: str, resource: str) -> bool:
    """Some statement allows exactly this action on exactly this resource."""
    return any(s.allows and action in s.actions and resource in s.resources for s in held)


def environment(function: Registered) -> dict[str, str]:
    """A function's environment variables."""
    return dict(function.get("environment.variables") or {})


def dead_letters(stack: Stack) -> dict[str, int]:
    """ARN of each queue that another one redrives to -> the receives before that happens."""
    found: dict[str, int] = {}
    for queue in stack.all(aws.QUEUE):
        redrive = documents.json_object(queue.get("redrivePolicy"))
        if redrive is not None:
            found[str(redrive.get("deadLetterTargetArn"))] = int(redrive.get("maxReceiveCount", 0))
    return found


def failure_destinations(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """(resource, ARN) of everything that AWS drops failures into by way of a role."""
    for destination in destinations(stack):
        if destination.outcome != "success":
            yield destination.by, destination.arn


def destinations(stack: Stack) -> Iterator[Destination]:
    """Every place where AWS puts down an outcome in the role of whoever had it."""
    for type_, path, outcome in _DESTINATIONS:
        for resource in stack.all(type_):
            arn = resource.get(path)
            if isinstance(arn, str) and arn:
                yield Destination(resource, arn, outcome)
    for one in stack.all(aws.TOPIC_RULE):
        url = str(one.get("errorAction.sqs.queueUrl"))
        if queue := stack.answering("url", url, aws.QUEUE):
            yield Destination(one, queue.output("arn"), "failure")


_DESTINATIONS = (
    (aws.EVENT_SOURCE_MAPPING, "destinationConfig.onFailure.destinationArn", "failure"),
    (aws.EVENT_INVOKE, "destinationConfig.onFailure.destination", "failure"),
    (aws.EVENT_INVOKE, "destinationConfig.onSuccess.destination", "success"),
    (aws.SCHEDULE, "target.deadLetterConfig.arn", "dead letter"),
    (aws.FUNCTION, "deadLetterConfig.targetArn", "dead letter"),
)


def actor(stack: Stack, resource: Registered) -> Registered | None:
    """The stack's role in which AWS puts down what a function, mapping, asynchronous invocation or schedule ended in."""
    if resource.type == aws.SCHEDULE:
        return stack.at(str(resource.get("target.roleArn")), aws.ROLE)
    if resource.type == aws.TOPIC_RULE:
        return stack.at(str(resource.get("errorAction.sqs.roleArn")), aws.ROLE)
    function = acting(stack, resource)
    return role_of(stack, function) if function else None


def acting(stack: Stack, resource: Registered) -> Registered | None:
    """The function that a mapping or a configuration of asynchronous invocations belongs to, or the function itself."""
    if resource.type == aws.FUNCTION:
        return resource
    if resource.type == aws.EVENT_SOURCE_MAPPING:
        target = invoked(stack, str(resource.get("functionName")))
        return target.function if target else None
    return named_function(stack, resource.get("functionName"))


def _by_bucket_or_mapping(stack: Stack) -> Iterator[Target]:
    for notification in stack.all(aws.BUCKET_NOTIFICATION):
        for entry in notification.get("lambdaFunctions") or []:
            yield Target("upload", notification, str(entry.get("lambdaFunctionArn")))
    for mapping in stack.all(aws.EVENT_SOURCE_MAPPING):
        kind = "queue" if source(stack, mapping, aws.QUEUE) else "stream"
        yield Target(kind, mapping, str(mapping.get("functionName")))


def _by_schedule(stack: Stack) -> Iterator[Target]:
    for schedule in stack.all(aws.SCHEDULE):
        kind = "warming" if warms(schedule) else "schedule"
        yield Target(kind, schedule, str(schedule.get("target.arn")))


def _by_message(stack: Stack) -> Iterator[Target]:
    for subscription in stack.having(aws.SUBSCRIPTION, protocol="lambda"):
        yield Target("topic", subscription, str(subscription.get("endpoint")))
    for target in stack.all(aws.EVENT_TARGET):
        if service_of(target.get("arn")) not in DELIVERED_TO:
            yield Target("rule", target, str(target.get("arn")))
    for subscription in stack.all(aws.LOG_SUBSCRIPTION):
        # A stream or another account's destination takes lines without any function.
        if service_of(subscription.get("destinationArn")) not in CARRIED_TO:
            yield Target("log", subscription, str(subscription.get("destinationArn")))
