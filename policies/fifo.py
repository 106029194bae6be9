"""FIFO queues: a kind of their own, with a name, settings and dead letters that other queues do not have."""

from __future__ import annotations

from collections.abc import Iterator

from policies import aws, documents
from policies.model import Registered, Stack, rule

SUFFIX = ".fifo"
ONLY = ("contentBasedDeduplication", "deduplicationScope", "fifoThroughputLimit")
"""Attributes that SQS refuses on a standard queue, even when they say no."""
SCOPES = frozenset({None, "queue", "messageGroup"})
LIMITS = frozenset({None, "perQueue", "perMessageGroupId"})


@rule
def fifo_queue_says_so(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """The name ends as the kind says; two messages of one text are two messages."""
    for queue in stack.all(aws.QUEUE):
        fifo, name = queue.get("fifoQueue"), str(queue.get("name") or "")
        if fifo is False:
            yield queue, "fifoQueue: false is refused by SQS; leave it out"
        if name and name.endswith(SUFFIX) != bool(fifo):
            yield queue, f"the name of a FIFO queue, and of no other, ends in {SUFFIX}"
        for key in ONLY:
            if not fifo and queue.get(key) is not None:
                yield queue, f"{key} is for FIFO queues only; SQS refuses it here, even to say no"
        if queue.get("contentBasedDeduplication"):
            yield queue, "contentBasedDeduplication takes two equal messages for one; send an id"
        if fifo:
            yield from ((queue, text) for text in _throughput(queue))


@rule
def dead_letters_are_of_the_same_kind(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """SQS refuses dead letters of the other kind."""
    for queue in stack.all(aws.QUEUE):
        redrive = documents.json_object(queue.get("redrivePolicy")) or {}
        dead = stack.at(str(redrive.get("deadLetterTargetArn")), aws.QUEUE)
        if dead is not None and bool(dead.get("fifoQueue")) != bool(queue.get("fifoQueue")):
            yield queue, f"{dead.name} must be FIFO if and only if this queue is"


def _throughput(queue: Registered) -> Iterator[str]:
    scope, limit = queue.get("deduplicationScope"), queue.get("fifoThroughputLimit")
    if scope not in SCOPES:
        yield f"deduplicationScope is {scope}; say queue or messageGroup"
    if limit not in LIMITS:
        yield f"fifoThroughputLimit is {limit}; say perQueue or perMessageGroupId"
    if limit == "perMessageGroupId" and scope != "messageGroup":
        yield "perMessageGroupId needs the deduplicationScope messageGroup"


RULES = (fifo_queue_says_so, dead_letters_are_of_the_same_kind)
