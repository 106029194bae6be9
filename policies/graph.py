"""What starts what, as one graph: triggers, functions, and what functions may write. Nothing leads back to where it began.

A loop costs its owner money until somebody notices; Lambda itself stops only some of them, after 16 rounds. Callers of
APIs and of WebSockets are outside: what an answer makes them do is theirs.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any

from policies import aws, deliveries, documents, event_rules, links
from policies.model import Registered, Stack, rule

WRITES = {
    "sqs:SendMessage": aws.QUEUE,
    "sns:Publish": aws.TOPIC,
    "events:PutEvents": aws.EVENT_BUS,
    "kinesis:PutRecord": aws.DATA_STREAM,
    "kinesis:PutRecords": aws.DATA_STREAM,
    **dict.fromkeys(
        (
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:BatchWriteItem",
        ),
        aws.TABLE,
    ),
}
"""Action -> the type of what is written to; there, somebody may be waiting."""
NOTIFIED = (
    ("lambdaFunctions", "lambdaFunctionArn"),
    ("queues", "queueArn"),
    ("topics", "topicArn"),
)
"""What a bucket's notification tells, and by which key it names it."""
OBJECTS = {
    "s3:PutObject": ("s3:ObjectCreated", "Object Created"),
    "s3:DeleteObject": ("s3:ObjectRemoved", "Object Deleted"),
}
"""Action -> what it makes S3 tell: a notification (as this begins), a rule of EventBridge (as its detail-type)."""

Edges = dict[str, set[str]]
"""URN, or a filter of a notification (`_filter`) -> what it reaches in one step."""


@rule
def nothing_starts_itself(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """No way from a function through what it writes, and what that starts, back to the function."""
    edges = reached(stack)
    told: set[frozenset[str]] = set()
    # By name: a program registers in another order each time, and a loop is told by one of its functions only.
    for function in sorted(stack.all(aws.FUNCTION), key=lambda each: each.name):
        way = _way_back(edges, function.urn)
        if way and frozenset(way) not in told:
            told.add(frozenset(way))
            yield function, f"starts itself: {' -> '.join(_called(stack, node) for node in way)}"


def reached(stack: Stack) -> Edges:
    """What each function, queue, topic, bus, table, stream and log group passes something on to."""
    edges: Edges = defaultdict(set)
    for start in links.starts(stack):
        if (source := _source(stack, start)) is not None:
            edges[source.urn].add(start.invoked.function.urn)
    for delivery in deliveries.deliveries(stack):
        source, target = stack.at(delivery.source), stack.at(delivery.arn)
        if source is not None and target is not None:
            edges[_teller(stack, source).urn].add(target.urn)
    for queue, dead in _redriven(stack):
        edges[queue.urn].add(dead.urn)
    for filter_, _, _, told in _filters(stack):
        edges[filter_].add(told.urn)
    for function in stack.all(aws.FUNCTION):
        edges[function.urn] |= _written(stack, function)
    return edges


def _redriven(stack: Stack) -> Iterator[tuple[Registered, Registered]]:
    for queue in stack.all(aws.QUEUE):
        redrive = documents.json_object(queue.get("redrivePolicy")) or {}
        if dead := stack.at(str(redrive.get("deadLetterTargetArn")), aws.QUEUE):
            yield queue, dead


def _source(stack: Stack, start: links.Start) -> Registered | None:
    """What makes a trigger go off; None for APIs and points in time. Buckets are looked at by prefix, with who writes them."""
    match start.kind:
        case "queue" | "stream":
            types = (aws.QUEUE, aws.TABLE, aws.DATA_STREAM)
            found = (links.source(stack, start.by, type_) for type_ in types)
            return next((source for source in found if source is not None), None)
        case "topic":
            return stack.at(str(start.by.get("topic")), aws.TOPIC)
        case "rule":
            one = links.rule_of(stack, start.by)
            return _teller(stack, one) if one else None
        case "log":
            return links.group_of(stack, start.by)
        case _:
            return None


def _teller(stack: Stack, source: Registered) -> Registered:
    """The bus behind a rule; a rule of the account's own bus, and everything else, stands for itself."""
    if source.type != aws.EVENT_RULE:
        return source
    name = str(source.get("eventBusName"))
    return stack.answering("name", name, aws.EVENT_BUS) or source


def _written(stack: Stack, function: Registered) -> set[str]:
    held = documents.pairs(links.rights(stack, links.role_of(stack, function)))
    found = {
        owner.urn
        for action, resource in held
        if action in WRITES and (owner := stack.at(resource, WRITES[action])) is not None
    }
    for action, resource in held:
        if action == "lambda:InvokeFunction" and (called := links.invoked(stack, resource)):
            found.add(called.function.urn)
        if action in OBJECTS and (bucket := stack.at(resource.removesuffix("*"), aws.BUCKET)):
            prefix = resource.removeprefix(f"{bucket.output('arn')}/").removesuffix("*")
            found |= set(_waiting(stack, bucket, prefix, action))
    group = stack.answering("name", str(function.get("loggingConfig.logGroup")), aws.LOG_GROUP)
    return found | ({group.urn} if group else set())


def _waiting(stack: Stack, bucket: Registered, prefix: str, action: str) -> Iterator[str]:
    """What starts when this is done to an object under a prefix: filters of notifications, URNs of rules."""
    name, (event, detail_type) = bucket.output("bucket"), OBJECTS[action]
    for filter_, notification, entry, _ in _filters(stack):
        listens = any(str(one).startswith((event, "s3:*")) for one in entry.get("events") or [])
        mine = notification.get("bucket") == name and listens
        if mine and _meet(prefix, entry.get("filterPrefix") or ""):
            yield filter_
    for one in stack.all(aws.EVENT_RULE):
        types = event_rules.pattern_of(one).get("detail-type") or [detail_type]
        # What is no plain text may match.
        listens = any(said == detail_type or not isinstance(said, str) for said in types)
        waited = event_rules.keys(one) if name in event_rules.buckets(one) and listens else []
        if any(_meet(prefix, key) for key in waited):
            yield one.urn


def _filters(stack: Stack) -> Iterator[tuple[str, Registered, Mapping[str, Any], Registered]]:
    """(its name in the graph, notification, filter, whom it tells): filters that differ by suffix only have one name."""
    for notification in stack.all(aws.BUCKET_NOTIFICATION):
        for kind, key in NOTIFIED:
            for entry in notification.get(kind) or []:
                told = _told(stack, str(entry.get(key)))
                if told is not None:
                    prefix = entry.get("filterPrefix") or "every key"
                    yield f"{notification.name} ({prefix})\n{told.urn}", notification, entry, told


def _called(stack: Stack, node: str) -> str:
    return stack.by_urn[node].name if node in stack.by_urn else node.partition("\n")[0]


def _told(stack: Stack, arn: str) -> Registered | None:
    called = links.invoked(stack, arn)
    return called.function if called else stack.at(arn)


def _meet(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _way_back(edges: Edges, start: str) -> list[str]:
    """The shortest way from a node back to it, both ends named; empty where there is none."""
    before: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for following in sorted(edges.get(node, ())):
            if following == start:
                way = [start, node]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return way[::-1]
            if following not in before:
                before[following] = node
                waiting.append(following)
    return []


RULES = (nothing_starts_itself,)
