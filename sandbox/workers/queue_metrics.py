"""What SQS counts of its queues, under AWS/SQS: what comes and goes as it does so, what lies there every few seconds.

Source: SQS developer guide, "Available CloudWatch metrics for Amazon SQS". A queue that has been empty for a while, or was
never used, is not looked at: on AWS it sleeps after six hours.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers.metric_store import MINUTE, STORE, WIDTH

NAMESPACE: Final = "AWS/SQS"
_PAUSE: Final = max(WIDTH, 0.2)
_AWAKE: Final = 15 * MINUTE
_OFTEN: Final = 3
"""A message received more often than so goes to the back of its queue: the age is that of the others."""

logger = logging.getLogger("sandbox.workers")
Record = dict[str, Any]


def add(queue: str, metric: str, value: float, unit: str = "Count") -> None:
    """Add a value to a metric of a queue, by its name."""
    STORE.add((NAMESPACE, metric, (("QueueName", queue),)), value, unit)


def sent(queue: str, body: str) -> None:
    """A message has come into a queue."""
    add(queue, "NumberOfMessagesSent", 1)
    add(queue, "SentMessageSize", len(body.encode()), "Bytes")


def of_topic(arn: str, metric: str) -> None:
    """Add one to a metric of a topic: what SNS sends on comes into queues, among others."""
    STORE.add(("AWS/SNS", metric, (("TopicName", arn.rpartition(":")[2]),)), 1, "Count")


class Sampler:
    """The thread that looks into the queues; it begins with the first of them."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._thread: threading.Thread | None = None
        self._used: dict[str, float] = {}

    def begin(self) -> None:
        """Look into the queues from now on."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="queue-metrics", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(_PAUSE)
            try:
                self.look(time.time())
            except Exception as error:
                # A queue that goes while it is looked at is looked at no more.
                logger.debug("queues could not be looked into: %s", error)

    def look(self, now: float) -> None:
        """Take the numbers of every queue in use."""
        for queue in list(self._module._queues._data.values()):
            arn = str(queue["attributes"].get("QueueArn", ""))
            messages = list(queue["messages"])
            if messages:
                self._used[arn] = now
            if now - self._used.get(arn, -_AWAKE) < _AWAKE:
                _measure(arn.rpartition(":")[2], messages, now)


def _measure(name: str, messages: list[Record], now: float) -> None:
    visible = delayed = 0
    for message in messages:
        if message.get("visible_at", 0) <= now:
            visible += 1
        elif not message.get("receive_count"):
            delayed += 1
    add(name, "ApproximateNumberOfMessagesVisible", visible)
    add(name, "ApproximateNumberOfMessagesDelayed", delayed)
    add(name, "ApproximateNumberOfMessagesNotVisible", len(messages) - visible - delayed)
    add(name, "ApproximateAgeOfOldestMessage", round(_oldest(messages, now)), "Seconds")


def _oldest(messages: list[Record], now: float) -> float:
    rare = [each for each in messages if each.get("receive_count", 0) <= _OFTEN] or messages
    return max((now - _sent(each, now) for each in rare), default=0.0)


def _sent(message: Mapping[str, Any], now: float) -> float:
    return float(message.get("sent_at") or now)


def name_of(queue: Mapping[str, Any]) -> str:
    """The name of a queue by the emulator's record of it."""
    return str(queue["attributes"].get("QueueArn", "")).rpartition(":")[2]
