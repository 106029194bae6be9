"""EventBridge: buses, what is kept of them, rules and what they start."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies import aws, destinations, documents, links, patterns
from policies.documents import Statement
from policies.encryption import key_of
from policies.model import Registered, Stack, rule

DEFAULT, PUT = "default", "events:PutEvents"
LONGEST_PATTERN, LONGEST_TEMPLATE, MOST_PATHS = 4_096, 8_192, 100
MOST_TARGETS = 5
INPUTS = ("input", "inputPath", "inputTransformer")

_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.-]+)>")
_GIVEN = "aws.events."
"""What a placeholder begins with that EventBridge fills in by itself."""


@rule
def bus_is_private(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Encrypted with our key; what cannot be decrypted waits in a queue; nobody from elsewhere puts events in."""
    for bus in stack.all(aws.EVENT_BUS):
        if stack.at(key_of(stack, bus), aws.KEY) is None:
            yield bus, "set kmsKeyIdentifier to the data key"
        if stack.at(str(bus.get("deadLetterConfig.arn")), aws.QUEUE) is None:
            yield bus, "set deadLetterConfig to a queue of this stack: what it cannot read is lost"
    for policy in stack.all(aws.EVENT_BUS_POLICY):
        for said in documents.of(policy.get("policy")):
            if said.allows and not said.only_if("StringEquals", "aws:SourceAccount"):
                yield policy, "lets somebody in without naming the account (aws:SourceAccount)"


@rule
def archive_keeps_a_bus_of_this_stack(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A replay goes back to the archive's own bus only; what is kept is encrypted as the bus is."""
    for archive in stack.all(aws.EVENT_ARCHIVE):
        bus = stack.at(str(archive.get("eventSourceArn")), aws.EVENT_BUS)
        if bus is None:
            yield archive, "eventSourceArn is no bus of this stack"
        days = archive.get("retentionDays")
        if not isinstance(days, int) or days < 0:
            yield archive, f"retentionDays is {days}; say days, or 0 for ever"
        if stack.at(str(archive.get("kmsKeyIdentifier")), aws.KEY) is None:
            yield archive, "set kmsKeyIdentifier to the data key"
        if (text := archive.get("eventPattern")) is not None:
            yield from ((archive, problem) for problem in _pattern(text))


@rule
def events_are_put_in_one_name(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Whoever may use a bus may else say that anybody said it, and rules believe the source."""
    for policy in stack.all(aws.ROLE_POLICY):
        for said in documents.of(policy.get("policy")):
            puts = said.allows and PUT in said.actions and not _delivers(stack, policy, said)
            if puts and len(said.only_if("StringEquals", "events:source")) != 1:
                yield policy, "may put events in anybody's name; name one source (events:source)"


@rule
def rule_chooses_by_pattern(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A pattern that names its source, on a bus of this stack; points in time are the scheduler's."""
    for one in stack.all(aws.EVENT_RULE):
        if one.get("scheduleExpression") is not None:
            yield one, "scheduleExpression is the scheduler's business; use a schedule"
        if one.get("isEnabled") is not None:
            yield one, "isEnabled is deprecated; say state"
        if one.get("state") not in {"ENABLED", "DISABLED"}:
            yield one, f"state is {one.get('state')}; say ENABLED or DISABLED"
        yield from ((one, problem) for problem in _pattern(one.get("eventPattern")))
        if not pattern_of(one).get("source"):
            yield one, "its pattern must name the source, or it takes everybody's events"
        bus = one.get("eventBusName")
        if bus not in {None, DEFAULT} and not _bus(stack, one):
            yield one, f"its bus {bus} is not of this stack"


@rule
def rule_starts_something(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """One to five targets, each told which bus its rule is on."""
    for one in stack.all(aws.EVENT_RULE):
        mine = targets_of(stack, one)
        if not 1 <= len(mine) <= MOST_TARGETS:
            yield one, f"has {len(mine)} targets; say 1 to {MOST_TARGETS}"
        for target in mine:
            if (target.get("eventBusName") or DEFAULT) != (one.get("eventBusName") or DEFAULT):
                yield target, "eventBusName must be its rule's; AWS looks for the rule there"
    for target in stack.all(aws.EVENT_TARGET):
        if links.rule_of(stack, target) is None:
            yield target, f"belongs to no rule of this stack ({target.get('rule')})"


@rule
def target_gives_up_somewhere(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Finite retries and age, then a queue; by the target's own policy, since a role would stand in its way."""
    for target in stack.all(aws.EVENT_TARGET):
        yield from ((target, text) for text in destinations.unbounded(target, "retryPolicy"))
        if stack.at(str(target.get("deadLetterConfig.arn")), aws.QUEUE) is None:
            yield target, "set deadLetterConfig to a queue of this stack, or events are lost"
        if target.get("roleArn") is not None:
            yield (
                target,
                "roleArn is for other kinds of targets; permissions and policies decide here",
            )


@rule
def target_input_is_taken(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """One way to say the input; every placeholder has its path, and what comes of the template is JSON."""
    for target in stack.all(aws.EVENT_TARGET):
        said = [key for key in INPUTS if target.get(key) is not None]
        if len(said) > 1:
            yield target, f"says {' and '.join(said)}; AWS takes one of them"
        transformer = target.get("inputTransformer")
        if transformer is not None:
            yield from ((target, problem) for problem in _template(transformer))


@rule
def target_waits_for_its_permission(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """An event that comes before the function lets the rule in goes to the dead letters at once."""
    for target in stack.all(aws.EVENT_TARGET):
        one, started = links.rule_of(stack, target), links.invoked(stack, str(target.get("arn")))
        if one is not None and started is not None:
            name = started.function.get("name")
            given = stack.having(aws.PERMISSION, function=name, sourceArn=one.output("arn"))
            yield from stack.not_awaited(target, given)


@rule
def bucket_and_rule_know_each_other(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """S3 tells EventBridge of a bucket only when it is asked to, and always of all that happens there."""
    heard = {name for one in stack.all(aws.EVENT_RULE) for name in buckets(one)}
    telling = {
        str(n.get("bucket")) for n in stack.having(aws.BUCKET_NOTIFICATION, eventbridge=True)
    }
    for one in stack.all(aws.EVENT_RULE):
        if "aws.s3" in (pattern_of(one).get("source") or ()) and not buckets(one):
            yield one, "hears of every bucket; its pattern must name one in detail.bucket.name"
        for name in sorted(buckets(one) - telling):
            yield one, f"waits for events of {name}, whose notification does not set eventbridge"
    for notification in stack.having(aws.BUCKET_NOTIFICATION, eventbridge=True):
        if str(notification.get("bucket")) not in heard:
            yield notification, "tells EventBridge of the bucket, and no rule of this stack listens"


def targets_of(stack: Stack, one: Registered) -> list[Registered]:
    """The targets of a rule."""
    return [t for t in stack.all(aws.EVENT_TARGET) if links.rule_of(stack, t) is one]


def pattern_of(one: Registered) -> Mapping[str, Any]:
    """A rule's pattern as data; empty where it is none."""
    return documents.json_object(one.get("eventPattern")) or {}


def buckets(one: Registered) -> set[str]:
    """Names of the buckets whose events a rule waits for."""
    return {name for name in _at(one, "bucket", "name") if isinstance(name, str)}


def keys(one: Registered) -> list[str]:
    """Prefixes of the objects whose events a rule of S3 waits for; every key, the empty one, where it names none."""
    said = _at(one, "object", "key")
    found = [str(k.get("prefix", "")) if isinstance(k, Mapping) else str(k) for k in said]
    return found or [""]


def _at(one: Registered, *steps: str) -> list[Any]:
    value: Any = pattern_of(one).get("detail")
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, list) else []


def _delivers(stack: Stack, policy: Registered, said: Statement) -> bool:
    """By this right Lambda puts outcomes of the function down; their source is Lambda's own."""
    known = destinations.delivered_as(stack, links.role_named(stack, policy.get("role")))
    return all((PUT, resource) in known for resource in said.resources)


def _bus(stack: Stack, one: Registered) -> Registered | None:
    return stack.answering("name", str(one.get("eventBusName")), aws.EVENT_BUS)


def _pattern(text: object) -> Iterator[str]:
    if len(str(text or "")) > LONGEST_PATTERN:
        yield f"its pattern is longer than {LONGEST_PATTERN} characters"
    yield from (
        f"its pattern: {problem}"
        for problem in patterns.wrong(documents.json_object(text), patterns.OF_EVENTS)
    )


def _template(transformer: Mapping[str, Any]) -> Iterator[str]:
    template: str = transformer.get("inputTemplate") or ""
    paths: Mapping[str, str] = transformer.get("inputPaths") or {}
    named = {n for n in _PLACEHOLDER.findall(template) if not n.startswith(_GIVEN)}
    for name in sorted(named - paths.keys()):
        yield f"its template names <{name}>, which inputPaths does not"
    for name in sorted(paths.keys() - named):
        yield f"inputPaths names {name}, which its template does not"
    if not all(path.startswith("$") for path in paths.values()) or len(paths) > MOST_PATHS:
        yield f"inputPaths are {MOST_PATHS} JSON paths at most, each beginning with $"
    if not 0 < len(template) <= LONGEST_TEMPLATE:
        yield f"its template has {len(template)} characters; 1 to {LONGEST_TEMPLATE} are taken"
    try:
        json.loads(_PLACEHOLDER.sub("0", template))
    except ValueError:
        yield "its template makes no JSON, which is what Lambda takes"


RULES = (
    bus_is_private,
    archive_keeps_a_bus_of_this_stack,
    events_are_put_in_one_name,
    rule_chooses_by_pattern,
    rule_starts_something,
    target_gives_up_somewhere,
    target_input_is_taken,
    target_waits_for_its_permission,
    bucket_and_rule_know_each_other,
)
