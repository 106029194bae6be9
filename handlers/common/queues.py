"""Batches of a queue, of which each message fails alone (ReportBatchItemFailures).

When a message that failed comes back depends on why. Its own fault will not pass: it comes back at
once, so that its receives are used up and it lies in the dead-letter queue within seconds. What
nobody expected gets growing pauses. Where a service is down or busy nothing is changed: the queue's
own visibility timeout, as often as a message may be received, outlasts the trouble.
"""

from __future__ import annotations

import threading
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from common import aws, correlation, logs, records
from common.deadline import Deadline
from common.jitter import jittered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Record = dict[str, Any]

MOST = 10  # entries of a batch call of SQS, SNS and EventBridge

_THREADS = 8  # a client has ten connections
_POISON_SECONDS = 1
_LONGEST_PAUSE = 900  # seconds
_MOST_DOUBLINGS = 10


class Poison(Exception):
    """The message itself is wrong: it fails however often it comes. The text says why and quotes
    nothing of it.
    """


class Later(Exception):
    """Not yet, for a reason that is no failure: the message shall come back in `seconds`, which
    double with its receives up to there.
    """

    def __init__(self, detail: str, *, seconds: float) -> None:
        super().__init__(detail)
        self.seconds = seconds


class EntryError(Exception):
    """An entry of a batch call was refused; for `aws.error_code` the same as a refused call."""

    def __init__(self, code: str) -> None:
        super().__init__(f"entry refused: {code}")
        self.response = {"Error": {"Code": code}}


class Batch:
    """The records of one invocation, and which of them failed. Raises ForeignEventError for an
    event of anything but SQS.

    `queue_url` names the queue whose visibility is changed; without one it stays as it is.
    """

    def __init__(self, event: object, context: Any, *, queue_url: str | None = None) -> None:
        self.records: list[Record] = records.of(event, "aws:sqs")
        self.deadline = Deadline(context)
        self._queue_url = queue_url
        self._failed: dict[str, tuple[Record, int | None]] = {}

    def chunks(self) -> Iterator[list[Record]]:
        """The records by tens, as long as there is time to begin some; the rest goes back. Running
        into the timeout would send back what is done as well.
        """
        for start in range(0, len(self.records), MOST):
            if start and self.deadline.is_near():
                self.leave(self.records[start:])
                return
            yield self.records[start : start + MOST]

    def leave(self, left: Sequence[Record]) -> None:
        """These were not begun, for want of time."""
        logs.warning("out of time, messages go back to the queue", messages=len(left))
        for record in left:
            self._failed[record["messageId"]] = (record, None)

    def fail(self, record: Record, error: Exception) -> None:
        """A message failed, which is logged, under its own correlation id."""
        with correlation.carried(correlation.of_record(record)):
            self._fail(record, error)

    def _fail(self, record: Record, error: Exception) -> None:
        message = record["messageId"]
        self._failed[message] = (record, _pause(record, error))
        if isinstance(error, Later):
            logs.info("message comes back later", reason=str(error), messageId=message)
        elif isinstance(error, Poison):
            logs.error("message refused", cause=error, messageId=message)
        elif aws.is_temporary(error):
            code = aws.error_code(error)
            logs.warning("busy, message goes back", code=code, reason=str(error), messageId=message)
        else:
            logs.error("message failed", cause=error, messageId=message)

    def follow(self, record: Record, leader: Record) -> None:
        """A message that must come after one that failed comes back with it."""
        self._failed[record["messageId"]] = (record, self._failed[leader["messageId"]][1])

    def answer(self) -> dict[str, Any]:
        """What Lambda wants to know, after SQS was told when the failed messages come back."""
        self._postpone()
        logs.info("batch done", messages=len(self.records), failures=len(self._failed))
        return {"batchItemFailures": [{"itemIdentifier": message} for message in self._failed]}

    def _postpone(self) -> None:
        entries = [
            {
                "Id": str(position),
                "ReceiptHandle": record["receiptHandle"],
                "VisibilityTimeout": pause,
            }
            for position, (record, pause) in enumerate(self._failed.values())
            if pause is not None and self._queue_url
        ]
        for start in range(0, len(entries), MOST):
            try:
                aws.client("sqs").change_message_visibility_batch(
                    QueueUrl=self._queue_url, Entries=entries[start : start + MOST]
                )
            except Exception as error:
                # They come back all the same, only not when they should.
                logs.warning("visibility not changed", code=aws.error_code(error))


def each(
    event: object, context: Any, work: Callable[[Record], object], *, queue_url: str | None = None
) -> dict[str, Any]:
    """Do every message of an event by itself, one after the other; the answer for Lambda.

    In a FIFO queue the messages of a group that come after a failed one go back with it: done
    before it they would be out of order. They return together, since a group waits as long as one
    of its messages is invisible. Poison holds nobody up: it will never be done, and whoever waited
    for it would use up its own receives and follow it into the dead-letter queue.
    """
    batch = Batch(event, context, queue_url=queue_url)
    stuck: dict[str, Record] = {}
    for position, record in enumerate(batch.records):
        if position and batch.deadline.is_near():
            batch.leave(batch.records[position:])
            break
        group = _group(record)
        if group in stuck:
            batch.follow(record, stuck[group])
            continue
        try:
            with correlation.carried(correlation.of_record(record)):
                work(record)
        except Exception as error:
            batch.fail(record, error)
            if group and not isinstance(error, Poison):
                stuck[group] = record
    return batch.answer()


def at_once(function: Callable[[Any], Any], things: Sequence[Any]) -> list[Any]:
    """The function's results, or the exceptions that it raised, in the order of the things; up to
    eight are under way at a time, which is what waiting for AWS allows. A thing with a
    `correlation_id` is worked on under it.
    """
    outcomes: list[Any] = [None] * len(things)
    waiting = deque(range(len(things)))

    def work() -> None:
        while True:
            try:
                position = waiting.popleft()
            except IndexError:
                return
            try:
                thing = things[position]
                with correlation.carried(getattr(thing, "correlation_id", "")):
                    outcomes[position] = function(thing)
            except Exception as error:
                outcomes[position] = error

    # A thread begins with nothing of what its starter carries, open steps of a trace included.
    threads = [
        threading.Thread(target=copy_context().run, args=(work,))
        for _ in range(min(_THREADS, len(things)) - 1)
    ]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    return outcomes


def backoff(attempt: int, *, longest: float) -> float:
    """Seconds to wait after this attempt (the first is 1): they double from 2 to `longest`, with
    jitter.
    """
    seconds = min(longest, 2.0 ** min(attempt, _MOST_DOUBLINGS))
    return jittered(seconds)


def _pause(record: Record, error: Exception) -> int | None:
    """Seconds until the message comes back, None for as long as the queue says."""
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    if isinstance(error, Poison):
        return _POISON_SECONDS
    if isinstance(error, Later):
        return round(backoff(receives, longest=error.seconds)) or 1
    if aws.is_temporary(error):
        return None
    return round(backoff(receives, longest=_LONGEST_PAUSE))


def _group(record: Record) -> str:
    """The message group within which order counts; "" in a standard queue."""
    if not str(record.get("eventSourceARN", "")).endswith(".fifo"):
        return ""
    return str(record["attributes"]["MessageGroupId"])
