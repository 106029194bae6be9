"""Rights that AWS asks of a role before it moves an event: to take it from its source, to start a function in time.

The emulator moves events whatever the role holds; AWS refuses the mapping after five silent minutes.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies import aws, documents, links
from policies.destinations import SEND
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
READ_DATA = frozenset(
    {
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    }
)
LIST_DATA, SUBSCRIBE = "kinesis:ListStreams", "kinesis:SubscribeToShard"
OWN_USE = frozenset({"sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"})
"""What handlers call themselves as well: to see how much waits, to say when a message comes back."""
INVOKE = "lambda:InvokeFunction"


@rule
def mapping_may_read_its_source(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Exactly the actions of an event source mapping, on exactly its source."""
    for function in stack.all(aws.FUNCTION):
        if links.acts_in_a_foreign_role(stack, function):
            continue
        held = documents.pairs(links.rights(stack, links.role_of(stack, function)))
        wanted = _wanted(stack, function)
        for action, resource in sorted(wanted - held):
            yield function, f"its event source needs {action} on {resource}"
        own = _own_calls(stack, function, held)
        for action, resource in sorted(_consuming(held) - wanted - own):
            yield function, f"may {action} on {resource} without an event source that needs it"


@rule
def schedule_may_start_its_target(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """EventBridge Scheduler acts in its own role: to invoke its targets, to put down failures, to use the key."""
    for schedule in stack.all(aws.SCHEDULE):
        sharing = _of_one_role(stack, schedule)
        if len(sharing) > 1 and not all(links.warms(s) for s in sharing):
            yield schedule, "shares its role; only warming schedules may"
        role = stack.at(str(schedule.get("target.roleArn")), aws.ROLE)
        held = documents.pairs(links.rights(stack, role))
        started = {(INVOKE, str(s.get("target.arn"))) for s in sharing}
        if {pair for pair in held if pair[0].startswith("lambda:")} != started:
            yield schedule, f"its role must hold {INVOKE} on exactly the target"
        others = {a for a, _ in held if not a.startswith(("lambda:", "kms:"))} - {SEND}
        if others:
            yield (
                schedule,
                f"its role holds {', '.join(sorted(others))}; a schedule needs none of them",
            )


@rule
def warming_only_warms(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """The event that handlers know, to the letter: any other one would be taken for work, again and again."""
    for schedule in stack.all(aws.SCHEDULE):
        if not links.warms(schedule):
            continue
        event = documents.json_object(schedule.get("target.input")) or {}
        # In Python 1 equals True; in JSON, and for handlers, it does not.
        if event != links.WARMING or event.get("warming") is not True:
            yield schedule, 'its input must be {"warming": true}'
        target = links.invoked(stack, str(schedule.get("target.arn")))
        name = target.function.get("name") if target else None
        if stack.having(aws.PROVISIONED, functionName=name):
            yield schedule, "warms what provisioned concurrency keeps warm; choose one of the two"


def _of_one_role(stack: Stack, schedule: Registered) -> list[Registered]:
    """The schedules that act in the role of this one."""
    arn = schedule.get("target.roleArn")
    return [s for s in stack.all(aws.SCHEDULE) if s.get("target.roleArn") == arn]


def _wanted(stack: Stack, function: Registered) -> set[tuple[str, str]]:
    wanted: set[tuple[str, str]] = set()
    for mapping in stack.all(aws.EVENT_SOURCE_MAPPING):
        target = links.invoked(stack, str(mapping.get("functionName")))
        if target is None or target.function is not function:
            continue
        arn = str(mapping.get("eventSourceArn"))
        if links.source(stack, mapping, aws.QUEUE):
            wanted |= {(action, arn) for action in TAKE_MESSAGES}
        elif stream := links.source(stack, mapping, aws.DATA_STREAM):
            wanted |= {(action, stream.output("arn")) for action in READ_DATA} | {(LIST_DATA, "*")}
            if stack.at(arn, aws.STREAM_CONSUMER):
                wanted.add((SUBSCRIBE, arn))
        else:
            wanted |= {(action, arn) for action in READ_STREAM} | {(LIST_STREAMS, "*")}
    return wanted


def _consuming(held: set[tuple[str, str]]) -> set[tuple[str, str]]:
    actions = TAKE_MESSAGES | READ_STREAM | READ_DATA | {LIST_STREAMS, LIST_DATA, SUBSCRIBE}
    return {pair for pair in held if pair[0] in actions}


def _own_calls(
    stack: Stack, function: Registered, held: set[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Rights on a queue for which a handler is told of it, rather than fed from it."""
    told = set(links.environment(function).values())
    return {
        (action, arn)
        for action, arn in held
        if action in OWN_USE
        and (queue := stack.at(arn, aws.QUEUE)) is not None
        and queue.output("url") in told
    }


RULES = (
    mapping_may_read_its_source,
    schedule_may_start_its_target,
    warming_only_warms,
)
