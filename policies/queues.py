"""Queues, topics, and the mappings that feed functions from queues and streams."""

from __future__ import annotations

from collections.abc import Iterator

from policies import aws, deliveries, documents, links
from policies.encryption import key_of
from policies.model import Registered, Stack, rule

FOURTEEN_DAYS = 1_209_600
LEAST_RECEIVES = 5
"""A crash costs every message of its batch a receive; with fewer, good messages end among the dead."""
OUTAGE_SECONDS = 300
"""How long something that a consumer needs may be down without losing it a message."""
VISIBILITY_FACTOR = 6
"""Visibility timeout over function timeout, as the Lambda developer guide advises for queues."""
PARTIAL = ["ReportBatchItemFailures"]
STREAM_ONLY = (
    "startingPosition",
    "bisectBatchOnFunctionError",
    "maximumRetryAttempts",
    "maximumRecordAgeInSeconds",
    "parallelizationFactor",
    "tumblingWindowInSeconds",
    "destinationConfig",
)
RANGES = {
    "maximumRetryAttempts": (0, 10_000),
    "maximumRecordAgeInSeconds": (60, 604_800),
    "parallelizationFactor": (1, 10),
    "batchSize": (1, 10_000),
    "maximumBatchingWindowInSeconds": (0, 300),
}
"""Limits of CreateEventSourceMapping; -1, "for ever", is outside on purpose."""


@rule
def queue_is_private(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Encrypted with our key (AWS's own cannot be opened for other services), TLS only."""
    for queue in stack.all(aws.QUEUE):
        if stack.at(key_of(stack, queue), aws.KEY) is None:
            yield queue, "set kmsMasterKeyId to the data key"
        policies = stack.having(aws.QUEUE_POLICY, queueUrl=queue.output("url"))
        arns = [queue.output("arn")]
        if not any(
            documents.refuses_plain_http(p.get("policy"), arns, ["sqs:*"]) for p in policies
        ):
            yield queue, "its policy must deny sqs:* without TLS"


@rule
def topic_is_private(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Encrypted with our key, TLS only, and open to services of this account only."""
    for topic in stack.all(aws.TOPIC):
        arn = topic.output("arn")
        if stack.at(key_of(stack, topic), aws.KEY) is None:
            yield topic, "set kmsMasterKeyId to the data key"
        said = [p.get("policy") for p in stack.having(aws.TOPIC_POLICY, arn=arn)]
        if not any(documents.refuses_plain_http(text, [arn], ["sns:Publish"]) for text in said):
            yield topic, "its policy must deny sns:Publish without TLS"
        for statement in (s for text in said for s in documents.of(text) if s.allows):
            if not statement.only_if("StringEquals", "aws:SourceAccount"):
                yield (
                    topic,
                    "its policy lets somebody publish without naming the account (aws:SourceAccount)",
                )


@rule
def consumed_queue_has_dead_letters(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A poison message must leave the queue, late enough for innocents, and stay long enough to be looked at."""
    receives = links.dead_letters(stack)
    for mapping, queue, _ in _queue_mappings(stack):
        redrive = documents.json_object(queue.get("redrivePolicy")) or {}
        target = stack.at(str(redrive.get("deadLetterTargetArn")), aws.QUEUE)
        if target is None or target is queue:
            yield (
                queue,
                f"{mapping.name} reads it; its redrivePolicy must name a dead-letter queue of this stack",
            )
    for arn, count in receives.items():
        queue = stack.at(arn, aws.QUEUE)
        if queue is not None and count < LEAST_RECEIVES:
            yield (
                queue,
                f"gets messages after {count} receives; maxReceiveCount must be {LEAST_RECEIVES} or more",
            )
    for queue in _queues_of_failures(stack):
        if queue.get("messageRetentionSeconds") != FOURTEEN_DAYS:
            yield (
                queue,
                f"failures wait here; set messageRetentionSeconds to {FOURTEEN_DAYS} (14 days)",
            )


@rule
def queue_hides_messages_long_enough(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AWS refuses less than the consumer's timeout, and advises six times that plus the batching window."""
    for mapping, queue, function in _queue_mappings(stack):
        window = mapping.get("maximumBatchingWindowInSeconds") or 0
        least = VISIBILITY_FACTOR * int(function.get("timeout") or 3) + window
        # SQS's own default is 30 s.
        if (queue.get("visibilityTimeoutSeconds") or 30) < least:
            yield queue, f"visibilityTimeoutSeconds must be at least {least} for {function.name}"


@rule
def queue_outlasts_an_outage(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """While something behind the consumer is down, good messages come and go: they must not end among the dead."""
    for _, queue, _ in _queue_mappings(stack):
        redrive = documents.json_object(queue.get("redrivePolicy")) or {}
        lasts = int(redrive.get("maxReceiveCount", 0)) * int(
            queue.get("visibilityTimeoutSeconds") or 30
        )
        if stack.rehearsal and redrive and lasts < OUTAGE_SECONDS:
            yield (
                queue,
                f"gives up after {lasts} s; visibilityTimeoutSeconds times maxReceiveCount must be {OUTAGE_SECONDS} s",
            )


@rule
def queue_mapping_is_what_sqs_takes(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Partial batch answers, and none of the settings that only streams know."""
    for mapping, _, _ in _queue_mappings(stack):
        if mapping.get("functionResponseTypes") != PARTIAL:
            yield (
                mapping,
                "set functionResponseTypes to ReportBatchItemFailures, or one failure repeats its whole batch",
            )
        for key in STREAM_ONLY:
            if mapping.get(key) is not None:
                yield mapping, f"{key} is for streams only; AWS refuses it for a queue"
        if (mapping.get("batchSize") or 10) > 10 and not mapping.get(
            "maximumBatchingWindowInSeconds"
        ):
            yield mapping, "a batchSize above 10 needs maximumBatchingWindowInSeconds of at least 1"
        concurrency = mapping.get("scalingConfig.maximumConcurrency")
        if concurrency is not None and not 2 <= concurrency <= 1000:
            yield mapping, f"maximumConcurrency is {concurrency}; AWS takes 2 to 1000"
        yield from _outside(mapping)


@rule
def stream_mapping_gives_up_in_time(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """With the defaults, one poison record holds up its shard until it is a day old, and then is lost."""
    for mapping in stack.all(aws.EVENT_SOURCE_MAPPING):
        if not links.source(stack, mapping, aws.QUEUE):
            yield from ((mapping, text) for text in _endless(stack, mapping))
            yield from _outside(mapping)


@rule
def mapping_reads_this_stack_once(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AWS refuses a second mapping of one source and one function; a source elsewhere has rights we cannot see."""
    seen: set[tuple[object, object]] = set()
    for mapping in stack.all(aws.EVENT_SOURCE_MAPPING):
        table = links.source(stack, mapping, aws.TABLE)
        others = (links.source(stack, mapping, type_) for type_ in (aws.QUEUE, aws.DATA_STREAM))
        if table is None and not any(others):
            yield mapping, "reads nothing of this stack"
        if table is not None and not table.get("streamEnabled"):
            yield table, f"{mapping.name} reads its stream; set streamEnabled"
        pair = (mapping.get("eventSourceArn"), mapping.get("functionName"))
        if pair in seen:
            yield mapping, "another mapping joins the same source and function"
        seen.add(pair)


def _queue_mappings(stack: Stack) -> Iterator[tuple[Registered, Registered, Registered]]:
    """(mapping, queue, function) for every mapping that reads a queue."""
    for mapping in stack.all(aws.EVENT_SOURCE_MAPPING):
        queue = links.source(stack, mapping, aws.QUEUE)
        target = links.invoked(stack, str(mapping.get("functionName")))
        if queue is not None and target is not None:
            yield mapping, queue, target.function


def _queues_of_failures(stack: Stack) -> Iterator[Registered]:
    arns = deliveries.collectors(stack)
    for queue in stack.all(aws.QUEUE):
        if queue.output("arn") in arns:
            yield queue


def _endless(stack: Stack, mapping: Registered) -> Iterator[str]:
    for key in ("maximumRetryAttempts", "maximumRecordAgeInSeconds"):
        if mapping.get(key) is None:
            yield f"set {key}; the default is to try until the record is a day old"
    if mapping.get("bisectBatchOnFunctionError") is not True:
        yield "set bisectBatchOnFunctionError, or good records fail with the poison one"
    destination = str(mapping.get("destinationConfig.onFailure.destinationArn"))
    if stack.at(destination, aws.QUEUE) is None:
        yield "set destinationConfig.onFailure to a queue of this stack, or failed records are lost"
    if mapping.get("functionResponseTypes") != PARTIAL:
        yield "set functionResponseTypes to ReportBatchItemFailures"
    if mapping.get("startingPosition") not in {"TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"}:
        yield "startingPosition must be TRIM_HORIZON or LATEST, or AT_TIMESTAMP for Kinesis"


def _outside(mapping: Registered) -> Iterator[tuple[Registered, str]]:
    for key, (least, most) in RANGES.items():
        value = mapping.get(key)
        if value is not None and not least <= value <= most:
            yield mapping, f"{key} is {value}; it must be {least} to {most}"


RULES = (
    queue_is_private,
    topic_is_private,
    consumed_queue_has_dead_letters,
    queue_hides_messages_long_enough,
    queue_outlasts_an_outage,
    queue_mapping_is_what_sqs_takes,
    stream_mapping_gives_up_in_time,
    mapping_reads_this_stack_once,
)
