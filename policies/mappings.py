"""Event source mappings: filters, windows, and what only one kind of source takes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from policies import aws, documents, links, patterns
from policies.model import Registered, Stack, rule

MOST_FILTERS, LONGEST_FILTER = 5, 4_096
KEYS = {
    aws.QUEUE: frozenset({"body"}),
    aws.TABLE: frozenset({"dynamodb", "eventName"}),
    aws.DATA_STREAM: frozenset({"data", "partitionKey"}),
}
"""Source -> what a filter may ask about; of other names no record has any, and none would pass."""
MOST_READERS = 2
"""Readers of one shard of a table's stream; with more they wait for each other (DynamoDB developer guide)."""


@rule
def mapping_filter_is_taken(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """What no filter lets through is gone: deleted from a queue, passed over in a stream."""
    for mapping in stack.all(aws.EVENT_SOURCE_MAPPING):
        filters = mapping.get("filterCriteria.filters") or []
        if len(filters) > MOST_FILTERS:
            yield mapping, f"has {len(filters)} filters; {MOST_FILTERS} are taken"
        source = _source(stack, mapping)
        for written in filters:
            text = str(written.get("pattern") or "")
            if len(text) > LONGEST_FILTER:
                yield mapping, f"a filter is longer than {LONGEST_FILTER} characters"
            said = documents.json_object(text)
            for problem in patterns.wrong(said, patterns.OF_MAPPINGS):
                yield mapping, f"filter: {problem}"
            if source is not None and said:
                yield from ((mapping, problem) for problem in _of_source(source.type, said))


@rule
def mapping_names_its_place_and_window(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A tumbling window is one shard's; a point in time to begin at is Kinesis' alone."""
    for mapping in stack.all(aws.EVENT_SOURCE_MAPPING):
        window = mapping.get("tumblingWindowInSeconds") or 0
        if not 0 <= window <= 900:
            yield mapping, f"tumblingWindowInSeconds is {window}; it must be 0 to 900"
        if window and (mapping.get("parallelizationFactor") or 1) > 1:
            yield mapping, "a tumbling window excludes a parallelizationFactor above 1"
        position, time = mapping.get("startingPosition"), mapping.get("startingPositionTimestamp")
        if position == "AT_TIMESTAMP" and not links.source(stack, mapping, aws.DATA_STREAM):
            yield mapping, "AT_TIMESTAMP is for Kinesis only"
        if (position == "AT_TIMESTAMP") != (time is not None):
            yield mapping, "startingPositionTimestamp goes with AT_TIMESTAMP, and with nothing else"


@rule
def mapping_asks_for_one_way_to_poll(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Pollers of its own exclude a bound; a key for filters needs filters, and the key's consent."""
    for mapping in stack.all(aws.EVENT_SOURCE_MAPPING):
        if mapping.get("provisionedPollerConfig") and mapping.get("scalingConfig"):
            yield mapping, "provisionedPollerConfig and scalingConfig exclude each other"
        key = mapping.get("kmsKeyArn")
        if key is not None and not _lambda_may_read_filters(stack, str(key)):
            yield mapping, "kmsKeyArn: that key's policy must let lambda.amazonaws.com decrypt"


@rule
def fifo_mapping_is_what_sqs_takes(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Ten messages at most, and no window to wait for more: order stands above size."""
    for mapping in stack.all(aws.EVENT_SOURCE_MAPPING):
        queue = links.source(stack, mapping, aws.QUEUE)
        if queue is None or not queue.get("fifoQueue"):
            continue
        if (mapping.get("batchSize") or 10) > 10:
            yield mapping, f"batchSize is {mapping.get('batchSize')}; a FIFO queue gives 10 at most"
        if mapping.get("maximumBatchingWindowInSeconds"):
            yield mapping, "maximumBatchingWindowInSeconds is for standard queues only"


@rule
def queue_has_one_reader(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A message goes to one reader: of two functions each gets what the other one should have had, and takes it away."""
    read: dict[str, list[Registered]] = defaultdict(list)
    for mapping in stack.all(aws.EVENT_SOURCE_MAPPING):
        if (queue := links.source(stack, mapping, aws.QUEUE)) is not None:
            read[queue.urn].append(mapping)
    for urn, mappings in read.items():
        if len({str(mapping.get("functionName")) for mapping in mappings}) > 1:
            names = " and ".join(sorted(mapping.name for mapping in mappings))
            yield (
                stack.by_urn[urn],
                f"{names} share its messages; one queue for each, behind one topic",
            )


@rule
def changes_have_two_readers_at_most(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A third reader of a table's stream throttles the other two; fan out behind one of them instead."""
    read = Counter(
        table.urn
        for mapping in stack.all(aws.EVENT_SOURCE_MAPPING)
        if (table := links.source(stack, mapping, aws.TABLE)) is not None
    )
    for urn, count in read.items():
        if count > MOST_READERS:
            yield stack.by_urn[urn], f"{count} mappings read its stream; {MOST_READERS} are served"


def _source(stack: Stack, mapping: Registered) -> Registered | None:
    found = (links.source(stack, mapping, type_) for type_ in KEYS)
    return next((source for source in found if source is not None), None)


def _of_source(type_: str, said: object) -> Iterator[str]:
    named = _names(said)
    for name in sorted(named - KEYS[type_]):
        yield f"filter: '{name}' is no part of such a record; say {', '.join(sorted(KEYS[type_]))}"
    if type_ == aws.TABLE and patterns.uses(said, patterns.NUMERIC):
        yield "filter: numbers of DynamoDB are texts; numeric never matches them"


def _names(said: object) -> set[str]:
    if not isinstance(said, dict):
        return set()
    inner: set[str] = set().union(*(_names(part) for part in said.get(patterns.OR, ())))
    return (set(said) - {patterns.OR}) | inner


def _lambda_may_read_filters(stack: Stack, arn: str) -> bool:
    key = stack.at(arn, aws.KEY)
    return key is not None and any(
        s.allows and s.is_for("lambda.amazonaws.com") and "kms:Decrypt" in s.actions
        for s in documents.of(key.get("policy"))
    )


RULES = (
    mapping_filter_is_taken,
    mapping_names_its_place_and_window,
    mapping_asks_for_one_way_to_poll,
    fifo_mapping_is_what_sqs_takes,
    queue_has_one_reader,
    changes_have_two_readers_at_most,
)
