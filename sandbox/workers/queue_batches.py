"""One mapping of a queue: batches read, filtered, handed to its function, and what becomes of each message."""

import json
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Final

Record = dict[str, Any]

_AT_ONCE: Final = 8
"""Batches of one mapping in flight, where nothing is said; Lambda starts with five and adds more while there is work."""
_THROTTLED_SECONDS: Final = 0.5
_REPORTS: Final = "ReportBatchItemFailures"


def redrive(queue: Record) -> tuple[str, int]:
    """The dead-letter queue of a queue, and the receive count at which messages go there; "" and 0 for none."""
    try:
        policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
        return str(policy.get("deadLetterTargetArn", "")), int(policy.get("maxReceiveCount", 0))
    except (ValueError, TypeError, AttributeError):
        return "", 0


def poller(module: ModuleType, _original: Callable[[], bool]) -> Callable[[], bool]:
    """What takes the place of MiniStack's round over all mappings of queues; it answers whether one took a batch."""

    def poll() -> bool:
        from ministack.core.responses import request_scope

        took = False
        for account, region, mapping in module._iter_all_esms():
            source = str(mapping.get("EventSourceArn", ""))
            if ":sqs:" in source and mapping.get("Enabled", True):
                with request_scope(account, region):
                    took = _Reading(module, mapping, source).read() or took
        return took

    return poll


class _Reading:
    """A mapping and its queue, for one round."""

    def __init__(self, module: ModuleType, mapping: Record, source: str) -> None:
        from ministack.services import sqs

        self._module, self._sqs, self._mapping, self._source = module, sqs, mapping, source
        self._queue = sqs._queue_by_arn(source)
        self._url = sqs._queue_url_for_account(source.split(":")[4], source.rpartition(":")[2])

    def read(self) -> bool:
        """Start the function with as many batches as there are and as may be in flight."""
        module, mapping, mark = self._module, self._mapping, self._mapping["UUID"]
        function, config = module._get_func_record_for_qualifier(
            mapping["FunctionName"], mapping.get("Qualifier")
        )
        if function is None or self._queue is None:
            return False
        if module._esm_backoff_until.get(mark, 0) > time.time():
            return False
        took = False
        while module._esm_inflight.get(mark, 0) < self._limit(function, config):
            batch = self._batch()
            if not batch:
                return took
            took = True
            if due := self._due(batch):
                module._dispatch_esm_batch(mark, self._call, function, due)
        return took

    def _limit(self, function: Record, config: Record) -> int:
        limit = int((self._mapping.get("ScalingConfig") or {}).get("MaximumConcurrency") or 0)
        reserved = self._module._reserved_concurrency(function, config)
        limit = limit or _AT_ONCE
        return limit if reserved is None else min(limit, int(reserved))

    def _batch(self) -> list[Record]:
        """What is there, received ten by ten, up to the mapping's batch size."""
        size, batch = int(self._mapping.get("BatchSize") or 10), list[Record]()
        while len(batch) < size:
            got = self._sqs._receive_messages_for_esm(self._url, size - len(batch))
            if not got:
                break
            batch += got
        return batch

    def _due(self, batch: Sequence[Record]) -> list[tuple[Record, Record]]:
        """Messages and their records, without those that a filter drops: these leave the queue at once."""
        pairs = [(message, self._record(message)) for message in batch]
        wanted = self._module._apply_filter_criteria([r for _, r in pairs], self._mapping)
        marks = {record["messageId"] for record in wanted}
        self._delete([m for m, r in pairs if r["messageId"] not in marks])
        return [(m, r) for m, r in pairs if r["messageId"] in marks]

    def _delete(self, messages: Sequence[Record]) -> None:
        handles = {message["receipt_handle"] for message in messages}
        if handles:
            self._sqs._delete_messages_for_esm(self._url, handles)

    def _call(self, function: Record, due: Sequence[tuple[Record, Record]]) -> None:
        mapping, mark = self._mapping, self._mapping["UUID"]
        # A throttled batch is called again while its messages are its own.
        until = min(message["visible_at"] for message, _ in due)
        until = time.time() + (until - time.time()) / 2
        # A later receive changes a message's own handle; what was read is deleted by the handle it was read with.
        event = {"Records": [record for _, record in due]}
        result = self._module._execute_function(function, event)
        while result.get("throttle") and time.time() < until:
            time.sleep(_THROTTLED_SECONDS)
            result = self._module._execute_function(function, event)
        marks = {record["messageId"] for _, record in due}
        failed = marks if result.get("error") else self._named(result.get("body"), marks)
        done = {r["receiptHandle"] for _, r in due if r["messageId"] not in failed}
        if done:
            self._sqs._delete_messages_for_esm(self._url, done)
        if result.get("error"):
            pause = self._module._ESM_BACKOFF_SECONDS
            self._module._esm_backoff_until[mark] = time.time() + pause
        else:
            self._module._esm_backoff_until.pop(mark, None)
        mapping["LastProcessingResult"] = (
            "FAILED"
            if failed == marks
            else f"OK - {len(done)} records"
            + (f", {len(failed)} partial failures" if failed else "")
        )

    def _named(self, body: Any, marks: set[str]) -> set[str]:
        """The messages that an answer names as failed: all of them where it makes no sense."""
        if _REPORTS not in (self._mapping.get("FunctionResponseTypes") or []):
            return set()
        return named(body, marks)

    def _record(self, message: Record) -> Record:
        first = message.get("first_receive_at") or time.time()
        system = message.get("sys") or {}
        attributes = {
            "ApproximateReceiveCount": str(message.get("receive_count", 1)),
            "SentTimestamp": str(int(message["sent_at"] * 1000)),
            "SenderId": str(system.get("SenderId") or self._source.split(":")[4]),
            "ApproximateFirstReceiveTimestamp": str(int(first * 1000)),
        }
        more = {
            "AWSTraceHeader": system.get("AWSTraceHeader"),
            "DeadLetterQueueSourceArn": system.get("DeadLetterQueueSourceArn"),
            "MessageGroupId": message.get("group_id"),
            "MessageDeduplicationId": message.get("dedup_id"),
            "SequenceNumber": message.get("seq"),
        }
        attributes |= {key: str(value) for key, value in more.items() if value}
        record = {
            "messageId": message["id"],
            "receiptHandle": message["receipt_handle"],
            "body": message["body"],
            "attributes": attributes,
            "messageAttributes": self._module._sqs_message_attributes_to_camel_case(
                message.get("message_attributes") or {}
            ),
            "md5OfBody": message.get("md5_body") or message.get("md5") or "",
            "eventSource": "aws:sqs",
            "eventSourceARN": self._source,
            "awsRegion": self._source.split(":")[3],
        }
        if told := message.get("md5_attrs"):
            record["md5OfMessageAttributes"] = told
        return record


def named(body: Any, marks: set[str]) -> set[str]:
    """What a partial answer names as failed among `marks`; an answer that makes no sense fails them all."""
    if isinstance(body, (str, bytes)):
        try:
            body = json.loads(body) if body else None
        except ValueError:
            return marks
    if body is None:
        return set()
    if not isinstance(body, dict):
        return marks
    failures = body.get("batchItemFailures") or []
    found = [each.get("itemIdentifier") if isinstance(each, dict) else None for each in failures]
    return set(found) if all(each in marks for each in found) else marks
