"""What starts the functions of the picture, grouped as a reader sees them: who waits, queues, and what happens later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from policies import aws, documents, event_rules, links, service_integrations
from policies.model import Registered, Stack
from tools.picture_facts import Chip, Facts, named, titled, triggering_buckets, when

WAITED, QUEUED, LATER = "waited", "queued", "later"

RANK: Final = (
    "pool",
    "HTTP",
    "AWS_IAM",
    "direct",
    "rest",
    "WEBSOCKET",
    "NONE",
    "resolver",
    "target",
    "queue",
    aws.TABLE,
    "upload",
    "object",
    "topic",
    "event",
    aws.DATA_STREAM,
    "log",
    "schedule",
)
"""Kinds from the top of the picture to its foot: those who come from the same outside stand together."""

Feeders = tuple[tuple[str, str], ...]
"""(name, colour) of what stands elsewhere in the picture and feeds a source."""


@dataclass(frozen=True)
class Source:
    """What starts functions: `outside` brings something to it, or `feeders` do; `ends` is where failures wait.

    `passed`: what it hands on without a function, as (route, what to); it stands after the first `before` functions.
    """

    kind: str
    title: str
    note: str
    colour: str
    outside: str = ""
    feeders: Feeders = ()
    functions: tuple[str, ...] = ()
    passed: tuple[tuple[str, Chip], ...] = ()
    before: int = 0
    ends: tuple[str, ...] = ()

    @property
    def zone(self) -> str:
        """In which part of the picture it stands."""
        if self.kind == "queue":
            return QUEUED
        return WAITED if RANK.index(self.kind) < RANK.index("queue") else LATER


def sources(facts: Facts) -> list[Source]:
    """All of them from top to foot; neighbours that start the same function have it at their common edge."""
    stack = facts.stack
    started: dict[Source, list[str]] = defaultdict(list)
    ends: dict[Source, set[str]] = defaultdict(set)
    for source, function, by in _starts(facts):
        if function not in started[source]:
            started[source].append(function)
        ends[source] |= set(_ends(stack, source, by, function))
    found = sorted(started, key=lambda one: (RANK.index(one.kind), one.title, one.note))
    whole = [
        replace(one, functions=tuple(started[one]), ends=tuple(sorted(ends[one]))) for one in found
    ]
    return list(_adjoining(whole))


def _adjoining(found: list[Source]) -> Iterator[Source]:
    for place, one in enumerate(found):
        above = {name for other in found[max(place - 1, 0) : place] for name in other.functions}
        below = {name for other in found[place + 1 : place + 2] for name in other.functions}
        groups = (
            [name for name in one.functions if name in above],
            [name for name in one.functions if name not in above | below],
            [name for name in one.functions if name in below - above],
        )
        before = len(groups[0]) + len(groups[1])
        yield replace(
            one, functions=tuple(name for group in groups for name in group), before=before
        )


def _starts(facts: Facts) -> Iterator[tuple[Source, str, Registered]]:
    """(source, function, the resource that joins them), functions of a source in the order they are drawn."""
    stack, idle = facts.stack, {*facts.functions}
    starts = [start for start in links.starts(stack) if start.kind != "warming"]
    for start in sorted(_by_name(starts), key=_in_its_source):
        name = named(start.invoked.function)
        idle.discard(name)
        yield _source(facts, start), name, start.by
    for url in sorted(stack.all(aws.FUNCTION_URL), key=lambda one: one.name):
        function = links.named_function(stack, url.get("functionName"))
        if function is not None:
            idle.discard(named(function))
            yield _url(str(url.get("authorizationType"))), named(function), url
    for name in sorted(idle):
        called = Source("direct", "Lambda itself", "invoked by ARN", "front", "program")
        yield called, name, stack.resources[0]


def _by_name(starts: Iterable[links.Start]) -> list[links.Start]:
    # A REST API's own order is that of its description; everything else comes in the order of its registration.
    return sorted(
        starts, key=lambda s: "" if s.by.type == aws.REST_API else named(s.invoked.function)
    )


def _in_its_source(start: links.Start) -> bool:
    return start.kind == "authorizer"


def _url(authorization: str) -> Source:
    if authorization == "NONE":
        return Source("NONE", "webhook URL", "the caller signs", "front", "partner")
    return Source("AWS_IAM", "function URL", "signed for IAM", "front", "program")


def _source(facts: Facts, start: links.Start) -> Source:
    read = _SOURCES.get(start.kind)
    if read is None:
        raise ValueError(f"tools/picture_sources.py has no place for {start.kind} {start.by.name}")
    return read(facts, start.by)


def _queue(facts: Facts, mapping: Registered) -> Source:
    queue = _read(facts.stack, mapping, aws.QUEUE)
    note = "SQS FIFO, in order" if queue.get("fifoQueue") else "SQS, in batches"
    return Source("queue", titled(queue), note, "message", feeders=_fed(facts, queue))


def _topic(facts: Facts, subscription: Registered) -> Source:
    topic = facts.stack.at(str(subscription.get("topic")), aws.TOPIC) or subscription
    return Source("topic", titled(topic), "SNS", "message", feeders=_fed(facts, topic))


def _schedule(_facts: Facts, one: Registered) -> Source:
    said = when(str(one.get("scheduleExpression")), str(one.get("scheduleExpressionTimezone")))
    return Source("schedule", said, "EventBridge Scheduler", "outside", "clock")


def _front(facts: Facts, api: Registered) -> Source:
    if api.type == aws.REST_API:
        passed = tuple(
            (service.endpoint, facts.chip(queue))
            for queue in facts.stack.all(aws.QUEUE)
            for service in _handing_on(facts.stack, queue)
        )
        note = "keys, quotas, firewall"
        return Source("rest", titled(api), note, "front", "program", passed=passed)
    if api.get("protocolType") == "HTTP":
        return Source("HTTP", titled(api), "checks the pool's token", "front", "person")
    return Source("WEBSOCKET", titled(api), "topics, both ways", "front", "browser")


def _stream(facts: Facts, mapping: Registered) -> Source:
    table = links.source(facts.stack, mapping, aws.TABLE)
    if table is not None:
        fed = _fed(facts, table)
        return Source(aws.TABLE, titled(table), "stream of changes", "data", feeders=fed)
    stream = _read(facts.stack, mapping, aws.DATA_STREAM)
    return Source(aws.DATA_STREAM, titled(stream), "Kinesis, in order", "message", "device")


def _upload(facts: Facts, notification: Registered) -> Source:
    entries = notification.get("lambdaFunctions") or []
    prefixes = sorted({str(entry.get("filterPrefix") or "*") for entry in entries})
    name = str(notification.get("bucket"))
    bucket = facts.stack.answering("bucket", name, aws.BUCKET) or notification
    return Source("upload", titled(bucket), f"{', '.join(prefixes)} by S3 itself", "data", "file")


def _rule(facts: Facts, target: Registered) -> Source:
    stack = facts.stack
    rule = links.rule_of(stack, target) or target
    buckets = triggering_buckets(stack, target)
    if buckets:
        note = f"{', '.join(sorted(event_rules.keys(rule)))} by EventBridge"
        return Source("object", titled(buckets[0]), note, "data", "file")
    bus = stack.answering("name", str(rule.get("eventBusName")), aws.EVENT_BUS) or rule
    taken = event_rules.pattern_of(rule).get("source") or []
    fed = facts.feeders(bus, [str(one) for one in taken])
    kept = [
        f"archive of {days} days" if (days := archive.get("retentionDays")) else "archive for ever"
        for archive in stack.all(aws.EVENT_ARCHIVE)
        if archive.get("eventSourceArn") == bus.output("arn")
    ]
    return Source("event", titled(bus), ", ".join(kept), "message", feeders=fed)


def _lines(facts: Facts, _subscription: Registered) -> Source:
    stack = facts.stack
    heard = [links.group_of(stack, one) for one in stack.all(aws.LOG_SUBSCRIPTION)]
    groups = {group.output("name") for group in heard if group}
    speaking = sorted(
        named(one)
        for one in stack.all(aws.FUNCTION)
        if str(one.get("loggingConfig.logGroup")) in groups
    )
    fed = tuple((name, "function") for name in speaking)
    return Source("log", "log lines", "of level ERROR", "outside", feeders=fed)


def _fed(facts: Facts, source: Registered) -> Feeders:
    passing = [(titled(service.api), "front") for service in _handing_on(facts.stack, source)]
    return (*passing, *facts.feeders(source))


def _handing_on(stack: Stack, queue: Registered) -> list[service_integrations.Service]:
    """The routes of a front that put what they are sent into a queue, without a function."""
    end = f"/{queue.output('name')}"
    found = service_integrations.services(stack)
    return [service for service in found if str(service.integration.get("uri")).endswith(end)]


def _read(stack: Stack, mapping: Registered, type_: str) -> Registered:
    found = links.source(stack, mapping, type_)
    if found is None:
        raise ValueError(f"{mapping.name} reads from nothing of this stack")
    return found


def _ends(stack: Stack, source: Source, by: Registered, function: str) -> Iterator[str]:
    """Names of the queues in which what fails waits; none where a caller is told."""
    if source.zone == WAITED:
        return
    if source.kind == "queue":
        queue = _read(stack, by, aws.QUEUE)
        redrive = documents.json_object(queue.get("redrivePolicy")) or {}
        arns = [str(redrive.get("deadLetterTargetArn"))]
    else:
        arns = [
            one.arn
            for one in links.destinations(stack)
            if one.outcome != "success" and _is_of(stack, one.by, by, function)
        ]
    for arn in arns:
        if (queue := stack.at(arn, aws.QUEUE)) is not None:
            yield queue.name.removesuffix("-queue")


def _is_of(stack: Stack, one: Registered, by: Registered, function: str) -> bool:
    if one is by:
        return True
    owner = links.acting(stack, one) if one.type == aws.EVENT_INVOKE else None
    return by.type != aws.EVENT_SOURCE_MAPPING and owner is not None and named(owner) == function


_SOURCES: Final[Mapping[str, Callable[[Facts, Registered], Source]]] = {
    "api": _front,
    "authorizer": _front,
    "pool": lambda _, __: Source("pool", "user pool", "sign-up confirmed", "front", "person"),
    "resolver": lambda _, __: Source("resolver", "GraphQL API", "AppSync", "front", "program"),
    "target": lambda _, __: Source("target", "load balancer", "in a network", "front", "program"),
    "queue": _queue,
    "stream": _stream,
    "upload": _upload,
    "topic": _topic,
    "rule": _rule,
    "log": _lines,
    "schedule": _schedule,
}
"""Kind of a start -> how its source is read from the resource that says so."""
