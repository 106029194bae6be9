"""Rights that AWS asks of a role before it moves an event: to take it from its source, and to put down a failure.

The emulator moves events whatever the role holds; AWS refuses the mapping after five silent minutes.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies import links
from policies.documents import Statement
from policies.model import Registered, Stack, rule

TAKE_MESSAGES = frozenset(
    {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ChangeMessageVisibility",
    }
)
READ_STREAM = frozenset(
    {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
)
LIST_STREAMS = "dynamodb:ListStreams"
SEND = "sqs:SendMessage"
INVOKE = "lambda:InvokeFunction"


@rule
def mapping_may_read_its_source(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Exactly the actions of an event source mapping, on exactly its source."""
    for function in stack.all(links.FUNCTION):
        held = _on(links.rights(stack, links.role_of(stack, function)))
        wanted = _wanted(stack, function)
        for action, resource in sorted(wanted - held):
            yield function, f"its event source needs {action} on {resource}"
        for action, resource in sorted(_consuming(held) - wanted):
            yield function, f"may {action} on {resource} without an event source that needs it"


@rule
def failures_may_be_put_down(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A failure destination is written with the role of the function or schedule that failed."""
    for resource, arn in links.failure_destinations(stack):
        if not links.may(links.rights(stack, _actor(stack, resource)), SEND, arn):
            yield resource, f"its role must hold {SEND} on the failure destination {arn}"


@rule
def sending_is_needed(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A role that may send to a queue of failures has failures to put there."""
    failing = {
        (actor.urn, arn)
        for r, arn in links.failure_destinations(stack)
        if (actor := _actor(stack, r))
    }
    collecting = {arn for _, arn in failing}
    for role in stack.all(links.ROLE):
        for statement in links.rights(stack, role):
            for arn in set(statement.resources) & collecting:
                if SEND in statement.actions and (role.urn, arn) not in failing:
                    yield role, f"may send to {arn}, where nothing of it ends; remove the right"


@rule
def schedule_may_start_its_target(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """EventBridge Scheduler acts in its own role: to invoke this one target, to put down failures, to use the key."""
    for schedule in stack.all(links.SCHEDULE):
        role = stack.at(str(schedule.get("target.roleArn")), links.ROLE)
        held = _on(links.rights(stack, role))
        if {pair for pair in held if pair[0].startswith("lambda:")} != {
            (INVOKE, str(schedule.get("target.arn")))
        }:
            yield schedule, f"its role must hold {INVOKE} on exactly the target"
        others = {a for a, _ in held if not a.startswith(("lambda:", "kms:"))} - {SEND}
        if others:
            yield (
                schedule,
                f"its role holds {', '.join(sorted(others))}; a schedule needs none of them",
            )


def _wanted(stack: Stack, function: Registered) -> frozenset[tuple[str, str]]:
    wanted: set[tuple[str, str]] = set()
    for mapping in stack.all(links.MAPPING):
        target = links.invoked(stack, str(mapping.get("functionName")))
        if target is None or target.function is not function:
            continue
        arn = str(mapping.get("eventSourceArn"))
        if links.source(stack, mapping, links.QUEUE):
            wanted |= {(action, arn) for action in TAKE_MESSAGES}
        else:
            wanted |= {(action, arn) for action in READ_STREAM} | {(LIST_STREAMS, "*")}
    return frozenset(wanted)


def _consuming(held: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    actions = TAKE_MESSAGES | READ_STREAM | {LIST_STREAMS}
    return frozenset(pair for pair in held if pair[0] in actions)


def _on(held: list[Statement]) -> frozenset[tuple[str, str]]:
    return frozenset((a, r) for s in held if s.allows for a in s.actions for r in s.resources)


def _actor(stack: Stack, resource: Registered) -> Registered | None:
    """The role in which AWS puts down the failures of a mapping, an asynchronous invocation or a schedule."""
    if resource.type == links.SCHEDULE:
        return stack.at(str(resource.get("target.roleArn")), links.ROLE)
    if resource.type == links.MAPPING:
        target = links.invoked(stack, str(resource.get("functionName")))
        return links.role_of(stack, target.function) if target else None
    function = links.named_function(stack, resource.get("functionName"))
    return links.role_of(stack, function) if function else None


RULES = (
    mapping_may_read_its_source,
    failures_may_be_put_down,
    sending_is_needed,
    schedule_may_start_its_target,
)
