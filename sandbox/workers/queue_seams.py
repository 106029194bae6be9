"""Queues: messages that stay in place while others come, and mappings that read them as Lambda's pollers do.

MiniStack rewrites a queue's list while a sender appends to it, and what came in between is gone. Its poller leaves messages
that a filter drops in flight where the function fails, takes an answer that names unknown messages for a success, and reads
no FIFO queue in parallel. Sources: Lambda developer guide, "Handling errors for an SQS event source" (which answers count as
a failure of the whole batch), "Scaling for SQS" (FIFO: as many at a time as there are message groups); SQS developer guide,
"FIFO queue delivery logic".
"""

import itertools
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from sandbox.workers import queue_batches
from sandbox.workers.lambda_seams import LAMBDA
from sandbox.workers.seams import Seam

SQS: Final = "ministack.services.sqs"
_LOST: Final = "messages that come while others go are lost, and long queues are slow"
_ROUGH: Final = "queues start functions with coarser failures"
Record = dict[str, Any]

_turn = threading.RLock()
"""Held by whoever takes messages out of a queue; those who add one only append."""


def seams() -> list[Seam]:
    """Return the seams of queues."""
    return [
        Seam(SQS, "_expire_retained", ("q",), _LOST, _expiring),
        Seam(SQS, "_dlq_sweep", ("q",), _LOST, _sweeping, needs=("_queue_by_arn", "esm_wake")),
        Seam(SQS, "_collect_msgs", ("q", "max_n", "vis_timeout"), _LOST, _collecting),
        Seam(SQS, "_act_delete_message", ("data", "qurl"), _LOST, _deleting, needs=("_get_q",)),
        Seam(SQS, "_act_purge_queue", ("data", "qurl"), _LOST, _in_turn),
        Seam(
            SQS,
            "_delete_messages_for_esm",
            ("queue_url", "receipt_handles"),
            _LOST,
            _deleting_read,
        ),
        Seam(
            LAMBDA,
            "_poll_sqs",
            (),
            _ROUGH,
            queue_batches.poller,
            needs=("_iter_all_esms", "_apply_filter_criteria", "_dispatch_esm_batch"),
        ),
    ]


def drop(queue: Record, gone: Callable[[Record], bool], most: int | None = None) -> list[Record]:
    """Take the messages out that are `gone`, at most so many; what is appended meanwhile stays."""
    with _turn:
        messages: list[Record] = queue["messages"]
        found = (index for index, each in enumerate(messages) if gone(each))
        places = list(itertools.islice(found, most))
        taken = [messages[index] for index in places]
        for index in reversed(places):
            del messages[index]
        return taken


def _expiring(_module: ModuleType, _original: Any) -> Callable[[Record], None]:
    def expire(q: Record) -> None:
        limit = time.time() - int(q["attributes"].get("MessageRetentionPeriod") or 345_600)
        drop(q, lambda m: m.get("enqueued_at", m.get("sent_at", limit + 1)) <= limit)

    return expire


def _sweeping(module: ModuleType, _original: Any) -> Callable[[Record], None]:
    def sweep(q: Record) -> None:
        letters, most = queue_batches.redrive(q)
        target = module._queue_by_arn(letters) if letters else None
        if target is None or not most:
            return
        now = time.time()
        source = q["attributes"].get("QueueArn", "")
        for message in drop(
            q, lambda m: m.get("receive_count", 0) >= most and m["visible_at"] <= now
        ):
            moved = {**message, "receipt_handle": None, "visible_at": now}
            if target.get("is_fifo"):
                moved["enqueued_at"] = now
            moved["sys"] = {"DeadLetterQueueSourceArn": source, **message.get("sys", {})}
            target["messages"].append(moved)
            module.esm_wake.set()

    return sweep


def _collecting(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def collect(q: Record, max_n: int, vis_timeout: int) -> list[Record]:
        with _turn:
            if q["is_fifo"]:
                return list(original(q, max_n, vis_timeout))
            now = time.time()
            visible = (m for m in q["messages"] if m.get("visible_at", 0) <= now)
            taken = list(itertools.islice(visible, max_n))
            for message in taken:
                module._ensure_msg_fields(message)
                message["receipt_handle"] = module.new_uuid()
                message["visible_at"] = now + vis_timeout
                message["receive_count"] += 1
                if message.get("first_receive_at") is None:
                    message["first_receive_at"] = now
            return taken

    return collect


def _deleting(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def delete(data: Record, qurl: str) -> Any:
        handle = data.get("ReceiptHandle", "")
        queue = module._get_q(data.get("QueueUrl", qurl), "sqs:DeleteMessage")
        if handle and drop(queue, lambda m: m["receipt_handle"] == handle, 1):
            return {}
        # Without its message the original changes nothing and says what is wrong.
        return original(data, qurl)

    return delete


def _in_turn(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def act(data: Record, qurl: str) -> Any:
        with _turn:
            return original(data, qurl)

    module._HANDLERS["PurgeQueue"] = act
    return act


def _deleting_read(module: ModuleType, _original: Any) -> Callable[[str, set[str]], None]:
    def delete(queue_url: str, receipt_handles: set[str]) -> None:
        queue = module._get_q(queue_url)
        drop(queue, lambda m: m.get("receipt_handle") in receipt_handles, len(receipt_handles))

    return delete
