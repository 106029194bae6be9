"""Rules over queues and their consumers."""

from collections.abc import Iterator
from typing import Final

from settings import wiring
from settings.draft import Draft
from settings.mistakes import Mistake, Path
from settings.text import refused
from settings.triggers import QueueSettings

VISIBILITY_FACTOR: Final = 6
"""Times the consumer's timeout that AWS advises for a queue's visibility timeout."""

UNDELAYED_BATCH: Final = 10
"""Messages that a queue hands over at once; Lambda waits a batching window for more."""

FIFO_KEYS: Final = ("deduplication_scope", "fifo_throughput_limit")
"""Keys that say something of FIFO queues only."""


def visibility(queue: QueueSettings, timeout: int) -> int:
    """Return a queue's visibility timeout in seconds, its own or else the advised one for a consumer's timeout."""
    given = queue.visibility_timeout_seconds
    return advised(queue, timeout) if given is None else given


def advised(queue: QueueSettings, timeout: int) -> int:
    """Return 6 times the consumer's timeout plus the batching window, in seconds.

    Source: Lambda developer guide, using Lambda with SQS.
    """
    return VISIBILITY_FACTOR * timeout + queue.maximum_batching_window_in_seconds


def _path(queue: str, field: str) -> Path:
    return ("triggers", "queues", queue, field)


def queue_outlasts_consumer(draft: Draft) -> Iterator[Mistake]:
    """AWS refuses a mapping whose function may run longer than its messages stay hidden."""
    for name, queue in draft.triggers.queues.items():
        consumer = wiring.QUEUE_CONSUMERS[name]
        timeout, given = draft.consumer(name).timeout, queue.visibility_timeout_seconds
        if given is not None and given < timeout:
            what = f"must be at least {timeout} seconds, the timeout of {consumer}"
            remedy = f"leave the key out for {advised(queue, timeout)}"
            yield Mistake(
                _path(name, "visibility_timeout_seconds"),
                refused(what, given, remedy),
                because=(draft.origin(consumer, "timeout"),),
            )


def large_batch_waits(draft: Draft) -> Iterator[Mistake]:
    """AWS refuses a batch above 10 without a window."""
    for name, queue in draft.triggers.queues.items():
        window = queue.maximum_batching_window_in_seconds
        if queue.batch_size > UNDELAYED_BATCH and not window and name not in wiring.FIFO_QUEUES:
            what = (
                f"must be 1 to 300 seconds when batch_size is above {UNDELAYED_BATCH}, as "
                f"{queue.batch_size} is"
            )
            yield Mistake(
                _path(name, "maximum_batching_window_in_seconds"),
                refused(what, window),
                because=(_path(name, "batch_size"),),
            )


def fifo_batches_do_not_wait(draft: Draft) -> Iterator[Mistake]:
    """Lambda takes neither a larger batch nor a window for a FIFO queue."""
    for name in wiring.FIFO_QUEUES:
        queue = draft.triggers.queues[name]
        if queue.batch_size > UNDELAYED_BATCH:
            what = f"must be 1 to {UNDELAYED_BATCH} messages for {name}, a FIFO queue"
            yield Mistake(_path(name, "batch_size"), refused(what, queue.batch_size))
        if window := queue.maximum_batching_window_in_seconds:
            what = f"must be 0 for {name}, a FIFO queue"
            yield Mistake(_path(name, "maximum_batching_window_in_seconds"), refused(what, window))


def fifo_keys_are_of_fifo_queues(draft: Draft) -> Iterator[Mistake]:
    """SQS refuses them on a standard queue."""
    for name, queue in draft.triggers.queues.items():
        for key in FIFO_KEYS:
            if key in queue.model_fields_set and name not in wiring.FIFO_QUEUES:
                yield Mistake(_path(name, key), f"must be left out for {name}, a standard queue")


def fifo_groups_have_quotas_of_their_own(draft: Draft) -> Iterator[Mistake]:
    """SQS counts by message group only where it looks for repeats by message group."""
    for name in wiring.FIFO_QUEUES:
        queue = draft.triggers.queues[name]
        by_group = queue.fifo_throughput_limit == "perMessageGroupId"
        if by_group and queue.deduplication_scope != "messageGroup":
            what = f"must be perQueue where deduplication_scope is {queue.deduplication_scope}"
            yield Mistake(
                _path(name, "fifo_throughput_limit"),
                refused(what, queue.fifo_throughput_limit),
                because=(_path(name, "deduplication_scope"),),
            )


def queue_fits_reserved(draft: Draft) -> Iterator[Mistake]:
    """A queue that may run more calls than its consumer has reserved turns messages into throttles."""
    for name, queue in draft.triggers.queues.items():
        consumer = wiring.QUEUE_CONSUMERS[name]
        reserved = draft.consumer(name).reserved_concurrent_executions
        most = queue.maximum_concurrency
        if reserved == 1:
            what = f"must be 2 or more: a queue starts {consumer}, and AWS lets no queue run fewer calls at once"
            yield Mistake(
                draft.origin(consumer, "reserved_concurrent_executions"), refused(what, reserved)
            )
        elif reserved is not None and most is not None and most > reserved:
            what = f"must be at most {reserved}, reserved_concurrent_executions of {consumer}"
            yield Mistake(
                _path(name, "maximum_concurrency"),
                refused(what, most),
                because=(draft.origin(consumer, "reserved_concurrent_executions"),),
            )


def message_lives_to_dead_letter(draft: Draft) -> Iterator[Mistake]:
    """A message that expires before its last receive is lost without a trace."""
    for name, queue in draft.triggers.queues.items():
        consumer = wiring.QUEUE_CONSUMERS[name]
        hidden = visibility(queue, draft.consumer(name).timeout)
        needed = hidden * queue.max_receive_count + queue.delay_seconds
        if queue.message_retention_seconds <= needed:
            what = (
                f"must be more than {needed} seconds, the time of {queue.max_receive_count} receives: a message that "
                "expires earlier never reaches the dead-letter queue"
            )
            others = (
                "max_receive_count",
                "visibility_timeout_seconds",
                "maximum_batching_window_in_seconds",
                "delay_seconds",
            )
            yield Mistake(
                _path(name, "message_retention_seconds"),
                refused(what, queue.message_retention_seconds),
                because=(
                    *(_path(name, field) for field in others),
                    draft.origin(consumer, "timeout"),
                ),
            )


def dead_letter_outlives_queue(draft: Draft) -> Iterator[Mistake]:
    """A moved message keeps its first timestamp, so a shorter retention could drop it on arrival."""
    for name, queue in draft.triggers.queues.items():
        retention = queue.dead_letter_retention_seconds
        if retention < queue.message_retention_seconds:
            what = (
                f"must be at least message_retention_seconds, {queue.message_retention_seconds}: a message's age "
                "counts from its first sending"
            )
            yield Mistake(
                _path(name, "dead_letter_retention_seconds"),
                refused(what, retention),
                because=(_path(name, "message_retention_seconds"),),
            )


def advice(draft: Draft) -> Iterator[Mistake]:
    """Yield what AWS takes and advises against."""
    for name, queue in draft.triggers.queues.items():
        consumer = wiring.QUEUE_CONSUMERS[name]
        timeout, given = draft.consumer(name).timeout, queue.visibility_timeout_seconds
        if given is not None and given < advised(queue, timeout):
            what = (
                f"should be at least {advised(queue, timeout)} seconds, {VISIBILITY_FACTOR} times the timeout of "
                f"{consumer} plus the batching window: a throttled batch is delivered twice otherwise"
            )
            yield Mistake(_path(name, "visibility_timeout_seconds"), refused(what, given))


RULES: Final = (
    queue_outlasts_consumer,
    large_batch_waits,
    fifo_batches_do_not_wait,
    fifo_keys_are_of_fifo_queues,
    fifo_groups_have_quotas_of_their_own,
    queue_fits_reserved,
    message_lives_to_dead_letter,
    dead_letter_outlives_queue,
)
