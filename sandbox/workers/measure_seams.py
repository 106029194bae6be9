"""Where services are counted: queues, topics, streams, and what log events hold. MiniStack counts none of it.

Sources: those of `queue_metrics` and `log_metrics`; SNS developer guide, "Monitoring Amazon SNS topics using CloudWatch".
"""

import json
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Final

from sandbox.workers import fault_metrics, log_metrics, queue_metrics
from sandbox.workers.metric_store import STORE
from sandbox.workers.queue_metrics import Sampler, name_of
from sandbox.workers.seams import Seam

_SQS: Final = "ministack.services.sqs"
_SNS: Final = "ministack.services.sns"
_KINESIS: Final = "ministack.services.kinesis"
_UNCOUNTED: Final = "CloudWatch knows no metrics of queues, topics and streams"
_TABLE: Final = "_HANDLERS"
"""SQS finds what serves an operation in a table: what is changed is entered there too."""
# fmt: off
_FANOUT: Final = ("topic_arn", "msg_id", "message", "subject", "message_structure", "message_attributes", "message_group_id", "message_dedup_id")
# fmt: on

Record = dict[str, Any]
Answer = Callable[..., Any]


def seams() -> list[Seam]:
    """Return the seams of what is counted."""
    asked = ("data", "qurl")
    drawn = ("q", "max_n", "vis_timeout")
    read = ("queue_url", "receipt_handles")
    inside = ("stream_arn", "partition_key", "data")
    return [
        Seam(_SQS, "_act_create_queue", ("data", "_u"), _UNCOUNTED, _sampled, ("_queues", _TABLE)),
        Seam(_SQS, "_act_send_message", asked, _UNCOUNTED, _sent, ("_get_q", _TABLE)),
        Seam(_SQS, "_collect_msgs", drawn, _UNCOUNTED, _received),
        Seam(_SQS, "_act_delete_message", asked, _UNCOUNTED, _deleted, ("_get_q", _TABLE)),
        Seam(_SQS, "_act_delete_message_batch", asked, _UNCOUNTED, _deleted_many, ("_get_q",)),
        Seam(_SQS, "_delete_messages_for_esm", read, _UNCOUNTED, _deleted_read, ("_get_q",)),
        Seam(_SNS, "_fanout", _FANOUT, _UNCOUNTED, _published),
        Seam(_KINESIS, "_put_record", ("data",), _UNCOUNTED, _put_one),
        Seam(_KINESIS, "_put_records", ("data",), _UNCOUNTED, _put_many),
        Seam(_KINESIS, "put_record_internal", inside, _UNCOUNTED, _put_inside),
        Seam(
            "ministack.services.cloudwatch_logs",
            "_fanout_to_subscription_filters",
            ("group_name", "stream_name", "events"),
            "log events make no metrics",
            _logged,
            ("_metric_filters",),
        ),
    ]


def _sampled(module: ModuleType, original: Answer) -> Answer:
    sampler = Sampler(module)

    def create(data: Record, _u: str) -> Any:
        answer = original(data, _u)
        sampler.begin()
        return answer

    module._HANDLERS["CreateQueue"] = create
    return create


def _sent(module: ModuleType, original: Answer) -> Answer:
    def send(data: Record, qurl: str) -> Any:
        answer = original(data, qurl)
        name = name_of(module._get_q(data.get("QueueUrl", qurl)))
        queue_metrics.sent(name, str(data.get("MessageBody", "")))
        return answer

    module._HANDLERS["SendMessage"] = send
    return send


def _received(_module: ModuleType, original: Answer) -> Answer:
    def collect(q: Record, max_n: int, vis_timeout: int) -> Any:
        taken = original(q, max_n, vis_timeout)
        # The pollers of mappings look far more often here than on AWS: what they find empty is not counted.
        if taken:
            queue_metrics.add(name_of(q), "NumberOfMessagesReceived", len(taken))
        return taken

    return collect


def _deleted(module: ModuleType, original: Answer) -> Answer:
    def delete(data: Record, qurl: str) -> Any:
        queue = module._get_q(data.get("QueueUrl", qurl))
        before = len(queue["messages"])
        answer = original(data, qurl)
        if len(queue["messages"]) < before:
            queue_metrics.add(name_of(queue), "NumberOfMessagesDeleted", 1)
        return answer

    module._HANDLERS["DeleteMessage"] = delete
    return delete


def _deleted_many(module: ModuleType, original: Answer) -> Answer:
    def delete(data: Record, qurl: str) -> Any:
        answer = original(data, qurl)
        name = name_of(module._get_q(data.get("QueueUrl", qurl)))
        queue_metrics.add(name, "NumberOfMessagesDeleted", len(answer["Successful"]))
        return answer

    module._HANDLERS["DeleteMessageBatch"] = delete
    return delete


def _deleted_read(module: ModuleType, original: Answer) -> Answer:
    def delete(queue_url: str, receipt_handles: Any) -> Any:
        answer = original(queue_url, receipt_handles)
        name = name_of(module._get_q(queue_url))
        queue_metrics.add(name, "NumberOfMessagesDeleted", len(receipt_handles))
        return answer

    return delete


def _published(_module: ModuleType, original: Answer) -> Answer:
    def publish(topic_arn: str, *rest: Any, **named: Any) -> Any:
        queue_metrics.of_topic(topic_arn, "NumberOfMessagesPublished")
        return original(topic_arn, *rest, **named)

    return publish


def _put_one(_module: ModuleType, original: Answer) -> Answer:
    def put(data: Record) -> Any:
        answer = original(data)
        if answer[0] == 200:
            _came(data, [data])
        return answer

    return put


def _put_inside(_module: ModuleType, original: Answer) -> Answer:
    """What IoT and DynamoDB put."""

    def put(stream_arn: str, partition_key: str, data: bytes) -> bool:
        came = bool(original(stream_arn, partition_key, data))
        if came:
            _count(stream_arn.rpartition("/")[2], 1, len(data))
        return came

    return put


def _put_many(_module: ModuleType, original: Answer) -> Answer:
    def put(data: Record) -> Any:
        answer = original(data)
        if answer[0] == 200:
            told = json.loads(answer[2]).get("Records") or []
            pairs = zip(data.get("Records") or [], told, strict=False)
            _came(data, [record for record, result in pairs if "ErrorCode" not in result])
        return answer

    return put


def _came(data: Record, records: Sequence[Record]) -> None:
    """Count what came into a stream; its size is that of the data before it was encoded."""
    name = str(data.get("StreamName") or str(data.get("StreamARN", "")).rpartition("/")[2])
    texts = [str(record.get("Data", "")) for record in records]
    _count(name, len(records), sum(len(text) * 3 // 4 - text.count("=") for text in texts))


def _count(stream: str, number: int, size: int) -> None:
    at = (("StreamName", stream),)
    for metric, value, unit in (
        ("IncomingRecords", number, "Count"),
        ("IncomingBytes", size, "Bytes"),
        ("WriteProvisionedThroughputExceeded", 0, "Count"),
    ):
        STORE.add(("AWS/Kinesis", metric, at), value, unit)


def _logged(module: ModuleType, original: Answer) -> Answer:
    def tell(group_name: str, stream_name: str, events: Sequence[Record]) -> None:
        log_metrics.embedded(events)
        fault_metrics.count(events)
        filters = [each for key, each in module._metric_filters.items() if key[0] == group_name]
        if filters and events:
            log_metrics.filtered(filters, events)
        original(group_name, stream_name, events)

    return tell
