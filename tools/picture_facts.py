"""What the picture of the architecture shows, read from the resources of one run: sources, functions, what these touch."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from policies import aws, deliveries, documents, event_rules, graph, links
from policies.model import Registered, Stack
from settings.runtimes import FAMILIES
from settings.wiring import SWITCHED, handlers

COLOURS: Final[Mapping[str, str]] = {
    aws.FUNCTION: "function",
    aws.REST_API: "front",
    aws.API: "front",
    aws.TABLE: "data",
    aws.BUCKET: "data",
    aws.QUEUE: "message",
    aws.TOPIC: "message",
    aws.EVENT_BUS: "message",
    aws.DATA_STREAM: "message",
    aws.SECRET: "secret",
}
"""Type -> the colour of what is drawn for it; also the order in which they stand beside a function."""

READS: Final = frozenset(
    {
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "s3:GetObject",
        "s3:ListBucket",
        "secretsmanager:GetSecretValue",
        "sqs:GetQueueAttributes",
    }
)
QUIET_SERVICES: Final = frozenset({"kms", "logs", "xray", "ec2"})
QUIET: Final = frozenset(
    {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
        "kinesis:ListStreams",
        "kinesis:SubscribeToShard",
        "lambda:ListAliases",
        "lambda:ListVersionsByFunction",
    }
)
"""Rights that draw nothing: those to encrypt and log, and those to take what the arrow on the left brings."""

OUTSIDE: Final = {"PARTNER_URL": "partner", "PROBE_HOST": "host of a network"}
"""Variable of a function -> what it calls outside AWS, for which it needs no right."""

_NAMED: Final = {"provided": "Go", "nodejs": "Node.js"}
_SUFFIXES: Final = {
    aws.REST_API: "REST API",
    "HTTP": "HTTP API",
    "WEBSOCKET": "WebSocket API",
}


@dataclass(frozen=True)
class Chip:
    """Something that a function touches. `reads`: it only looks; `starts`: it starts something in its turn."""

    text: str
    colour: str
    reads: bool = False
    starts: bool = False


@dataclass(frozen=True)
class Function:
    """A function as it is drawn; `remark` says by which key of the stack file it is there, `off` that it is not."""

    name: str
    label: str
    chips: tuple[Chip, ...]
    remark: str = ""
    off: bool = False


@dataclass(frozen=True)
class Facts:
    """A run, looked at for the picture. `off`: functions that are there for the picture only."""

    stack: Stack
    off: Collection[str] = ()
    functions: dict[str, Function] = field(default_factory=dict[str, Function], init=False)

    def __post_init__(self) -> None:
        found = [self._function(one) for one in self.stack.all(aws.FUNCTION)]
        self.functions.update({one.name: one for one in sorted(found, key=lambda one: one.name)})

    @functools.cached_property
    def waited_for(self) -> frozenset[str]:
        """URNs of what functions write to and something else is started by."""
        stack, starting = self.stack, graph.reached(self.stack)
        kinds = (aws.QUEUE, aws.TOPIC, aws.EVENT_BUS, aws.TABLE, aws.DATA_STREAM)
        dead = deliveries.collectors(stack)
        return frozenset(
            one.urn
            for one in stack.all(*kinds)
            if any(stack.by_urn[to].output("arn") not in dead for to in starting.get(one.urn, ()))
        )

    def feeders(
        self, source: Registered, sources: Collection[str] = ()
    ) -> tuple[tuple[str, str], ...]:
        """(name, colour) of all that put something into a queue, topic, bus, table or stream.

        `sources`: of events, those that a rule waits for; who may only send others is left out.
        """
        found: set[tuple[str, str]] = set()
        for function in self.stack.all(aws.FUNCTION):
            for said in links.rights(self.stack, links.role_of(self.stack, function)):
                owners = [self._owner(arn) for arn in said.resources]
                limited = set(said.only_if("StringEquals", "events:source"))
                if (
                    source in owners
                    and {*said.actions} & {*graph.WRITES}
                    and not (limited and sources and not limited & {*sources})
                ):
                    found.add((named(function), "function"))
        for one in deliveries.deliveries(self.stack):
            teller = self.stack.at(one.source)
            if one.arn == source.output("arn") and not one.fails and teller is not None:
                found.add((titled(teller), COLOURS.get(teller.type, "message")))
        return tuple(sorted(found, key=lambda one: (one[1], one[0])))

    def chip(self, resource: Registered, *, reads: bool = False) -> Chip:
        """What is drawn for something that a function touches."""
        starts = not reads and (resource.type == aws.FUNCTION or resource.urn in self.waited_for)
        return Chip(titled(resource), COLOURS[resource.type], reads, starts)

    def _owner(self, arn: str) -> Registered | None:
        return self.stack.at(arn.removesuffix("*"), *COLOURS)

    def _function(self, function: Registered) -> Function:
        name = named(function)
        family = str(function.get("runtime") or "image").rstrip("0123456789.x").split(".")[0]
        other = _NAMED.get(family, "" if family == "python" else family)
        section, key = SWITCHED.get(name, ("", ""))
        off = name in self.off
        remark = f"{'off until' if off else 'on by'} {section}.{key}" if section else ""
        label = f"{name} ({other})" if other else name
        chips = sorted(set(self._chips(function)), key=lambda c: (c.reads, _rank(c.colour), c.text))
        return Function(name, label, tuple(chips), remark, off)

    def _chips(self, function: Registered) -> Iterator[Chip]:
        held = documents.pairs(links.rights(self.stack, links.role_of(self.stack, function)))
        told = self._owners(held, {*graph.WRITES, *graph.OBJECTS})
        read = self._owners(held, READS) - told - {one.urn for one in self._read_by(function)}
        dead = deliveries.collectors(self.stack)
        for urn in told:
            if self.stack.by_urn[urn].output("arn") not in dead:
                yield self.chip(self.stack.by_urn[urn])
        yield from (self.chip(self.stack.by_urn[urn], reads=True) for urn in read)
        known = {*graph.WRITES, *graph.OBJECTS, *READS, *QUIET}
        for action, arn in held:
            if action not in known and action.split(":")[0] not in QUIET_SERVICES:
                yield self._other(action, arn)
        variables = links.environment(function)
        yield from (Chip(text, "outside") for key, text in OUTSIDE.items() if key in variables)
        yield from self._asked(variables.get("API_URL", ""))

    def _owners(self, held: Collection[tuple[str, str]], actions: Collection[str]) -> set[str]:
        found = (self._owner(arn) for action, arn in held if action in actions)
        return {owner.urn for owner in found if owner is not None}

    def _asked(self, url: str) -> Iterator[Chip]:
        for stage in self.stack.all(aws.REST_STAGE):
            api = self.stack.answering("id", str(stage.get("restApi")), aws.REST_API)
            if api is not None and url and url == stage.output("invokeUrl"):
                yield self.chip(api, reads=True)

    def _other(self, action: str, arn: str) -> Chip:
        match action:
            case "lambda:InvokeFunction" if called := links.invoked(self.stack, arn):
                return self.chip(called.function)
            case "lambda:DeleteFunction":
                return Chip("old versions", "function")
            case "ses:SendEmail":
                return Chip("mail", "outside")
            case "execute-api:ManageConnections":
                return Chip(_SUFFIXES["WEBSOCKET"], "front")
            case _:
                raise ValueError(f"tools/picture_facts.py draws nothing for {action}; say what")

    def _read_by(self, function: Registered) -> Iterator[Registered]:
        """What a function's own triggers hand it."""
        stack = self.stack
        for start in links.starts(stack):
            if start.invoked.function is not function:
                continue
            for type_ in (aws.QUEUE, aws.TABLE, aws.DATA_STREAM):
                if found := links.source(stack, start.by, type_):
                    yield found
            if start.kind == "upload":
                bucket = stack.answering("bucket", str(start.by.get("bucket")), aws.BUCKET)
                yield from [bucket] if bucket else []
            if start.kind == "rule":
                yield from triggering_buckets(stack, start.by)


def triggering_buckets(stack: Stack, target: Registered) -> list[Registered]:
    """The buckets whose events a rule's target is told."""
    rule = links.rule_of(stack, target)
    names = event_rules.buckets(rule) if rule else []
    found = (stack.answering("bucket", name, aws.BUCKET) for name in names)
    return [one for one in found if one is not None]


def named(function: Registered) -> str:
    """A function's name as the stack file has it."""
    return function.name.removesuffix("-function")


def titled(resource: Registered) -> str:
    """`items table` for `items-table`; fronts by their kind."""
    if resource.type == aws.FUNCTION:
        return named(resource)
    if resource.type == aws.API:
        return _SUFFIXES[str(resource.get("protocolType"))]
    if resource.type in _SUFFIXES:
        return _SUFFIXES[resource.type]
    return " ".join(resource.name.rsplit("-", 1))


def built_elsewhere() -> list[str]:
    """Functions that are there once the stack file says where their code is."""
    return [name for name, family in handlers().items() if not FAMILIES[family].built_here]


def when(expression: str, zone: str) -> str:
    """`daily, 03:00 UTC`: a schedule in words; as it is written where there are none for it."""
    if found := re.fullmatch(r"rate\((\d+) (\w+)\)", expression):
        return f"every {found[1]} {found[2]}"
    found = re.fullmatch(r"cron\((\d+) (\d+) [*?] \* (\S+) \*\)", expression)
    if found is None:
        return expression
    day = "daily" if found[3] in "*?" else found[3].capitalize()
    place = zone.rpartition("/")[2].replace("_", " ")
    return f"{day}, {int(found[2]):02}:{int(found[1]):02} {place}"


def _rank(colour: str) -> int:
    return [*dict.fromkeys(COLOURS.values()), "outside"].index(colour)
