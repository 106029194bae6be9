"""Rules over queues, streams and schedules."""

from collections.abc import Iterator

from settings import wiring
from settings.draft import Draft
from settings.mistakes import Mistake
from settings.models import QueueSettings
from settings.text import got

VISIBILITY_FACTOR = 6
"""Times the consumer's timeout that AWS advises for a queue's visibility timeout."""


def visibility(queue: QueueSettings, timeout: int) -> int:
    """Return a queue's visibility timeout in seconds, by default 6 times its consumer's plus the batching window."""
    if queue.visibility_timeout_seconds is not None:
        return queue.visibility_timeout_seconds
    return VISIBILITY_FACTOR * timeout + queue.maximum_batching_window_in_seconds


def queue_outlasts_consumer(draft: Draft) -> Iterator[Mistake]:
    """AWS refuses a mapping whose function may run longer than its messages stay hidden."""
    for name, queue in draft.queues.items():
        consumer = wiring.QUEUE_CONSUMERS[name]
        timeout, given = draft.functions[consumer].timeout, queue.visibility_timeout_seconds
        if given is not None and given < timeout:
            yield Mistake(
                ("triggers", "queues", name, "visibility_timeout_seconds"),
                f"must be at least {timeout} seconds, the timeout of {consumer}; leave the key out for "
                f"{visibility(queue.model_copy(update={'visibility_timeout_seconds': None}), timeout)}{got(given)}",
                because=(draft.origin(consumer, "timeout"),),
            )


def large_batch_waits(draft: Draft) -> Iterator[Mistake]:
    """AWS refuses a batch above 10 without a window."""
    for name, queue in draft.queues.items():
        if queue.batch_size > 10 and not queue.maximum_batching_window_in_seconds:
            path = ("triggers", "queues", name)
            yield Mistake(
                (*path, "maximum_batching_window_in_seconds"),
                f"must be 1 to 300 seconds when batch_size is above 10, here {queue.batch_size}"
                f"{got(queue.maximum_batching_window_in_seconds)}",
                because=((*path, "batch_size"),),
            )


def queue_fits_reserved(draft: Draft) -> Iterator[Mistake]:
    """A queue that may run more calls than its consumer has reserved turns messages into throttles."""
    for name, queue in draft.queues.items():
        consumer = wiring.QUEUE_CONSUMERS[name]
        reserved = draft.functions[consumer].reserved_concurrent_executions
        if (
            reserved is not None
            and queue.maximum_concurrency is not None
            and queue.maximum_concurrency > reserved
        ):
            yield Mistake(
                ("triggers", "queues", name, "maximum_concurrency"),
                f"must be at most {reserved}, the reserved_concurrent_executions of {consumer}"
                f"{got(queue.maximum_concurrency)}",
                because=(draft.origin(consumer, "reserved_concurrent_executions"),),
            )


def message_lives_to_dead_letter(draft: Draft) -> Iterator[Mistake]:
    """A message that expires before its last receive is lost without a trace."""
    for name, queue in draft.queues.items():
        consumer = wiring.QUEUE_CONSUMERS[name]
        hidden = visibility(queue, draft.functions[consumer].timeout)
        needed, path = hidden * queue.max_receive_count, ("triggers", "queues", name)
        if queue.message_retention_seconds <= needed:
            yield Mistake(
                (*path, "message_retention_seconds"),
                f"must be more than {needed} seconds, {queue.max_receive_count} receives of {hidden} seconds each, or "
                f"messages expire before they reach the dead-letter queue{got(queue.message_retention_seconds)}",
                because=(
                    (*path, "max_receive_count"),
                    (*path, "visibility_timeout_seconds"),
                    (*path, "maximum_batching_window_in_seconds"),
                    draft.origin(consumer, "timeout"),
                ),
            )


def dead_letter_outlives_queue(draft: Draft) -> Iterator[Mistake]:
    """A moved message keeps its first timestamp, so a shorter retention could drop it on arrival."""
    for name, queue in draft.queues.items():
        path = ("triggers", "queues", name)
        if queue.dead_letter_retention_seconds < queue.message_retention_seconds:
            yield Mistake(
                (*path, "dead_letter_retention_seconds"),
                f"must be at least message_retention_seconds, {queue.message_retention_seconds}: the age counts from "
                f"the first sending{got(queue.dead_letter_retention_seconds)}",
                because=((*path, "message_retention_seconds"),),
            )


def advice(draft: Draft) -> Iterator[str]:
    """Yield a line for each value that AWS takes and advises against."""
    for name, queue in draft.queues.items():
        consumer = wiring.QUEUE_CONSUMERS[name]
        timeout, given = draft.functions[consumer].timeout, queue.visibility_timeout_seconds
        advised = VISIBILITY_FACTOR * timeout + queue.maximum_batching_window_in_seconds
        if given is not None and timeout <= given < advised:
            mistake = Mistake(
                ("triggers", "queues", name, "visibility_timeout_seconds"),
                f"AWS advises {advised} seconds, 6 times the timeout of {consumer} plus the batching window, else a "
                f"throttled batch is delivered twice{got(given)}",
            )
            yield mistake.line(draft.stack)


RULES = (
    queue_outlasts_consumer,
    large_batch_waits,
    queue_fits_reserved,
    message_lives_to_dead_letter,
    dead_letter_outlives_queue,
)
