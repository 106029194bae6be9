"""Event source mappings: what AWS refuses of one, and what its filters let through.

MiniStack takes any mapping, keeps half of its settings and knows a part of the filter syntax. Sources: Lambda developer
guide, "Using Lambda with Amazon SQS" (visibility timeout, batch sizes, rights), "Control which events Lambda sends to your
function" (EventBridge's syntax; data that is no JSON never matches a pattern over its fields), CreateEventSourceMapping.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Final

from sandbox.workers import rights
from sandbox.workers.lambda_seams import LAMBDA
from sandbox.workers.seams import Seam

Record = dict[str, Any]
_LARGE_BATCH: Final = 10
"""Messages that a mapping of a queue may hand over without a batching window."""
_MESSAGES: Final = 10
_RECORDS: Final = 100
"""Batch sizes where nothing is said."""
_KEPT: Final = (
    "TumblingWindowInSeconds",
    "StartingPositionTimestamp",
    "KMSKeyArn",
    "MetricsConfig",
)
"""Settings that the emulator forgets."""
_READS: Final = {
    "dynamodb": ("GetRecords", "GetShardIterator", "DescribeStream"),
    "kinesis": ("GetRecords", "GetShardIterator", "DescribeStream"),
    "sqs": ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
}


def seams() -> list[Seam]:
    """Return the seams of event source mappings."""
    return [
        Seam(
            LAMBDA,
            "_create_esm",
            ("data",),
            "mappings that AWS refuses are made",
            _judged,
            needs=("_invalid_parameter_value", "_get_func_record_for_ref", "_esms"),
        ),
        Seam(LAMBDA, "_esm_response", ("esm",), "a mapping tells the sandbox's own notes", _plain),
        Seam(LAMBDA, "_update_esm", ("esm_id", "data"), "settings are forgotten", _kept),
        Seam(
            LAMBDA,
            "_apply_filter_criteria",
            ("records", "esm"),
            "filters of mappings know less than AWS's",
            _filtered,
        ),
    ]


def stream_of(source: str) -> str:
    """The stream that a source reads: itself, or that of a consumer with a throughput of its own."""
    return source.partition("/consumer/")[0]


def _judged(module: ModuleType, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def create(data: Record) -> Any:
        fault = _fault(module, data)
        if fault:
            return module._invalid_parameter_value(fault)
        source = str(data.get("EventSourceArn", ""))
        size = _MESSAGES if ":sqs:" in source else _RECORDS
        given = {"BatchSize": size, **data, "EventSourceArn": stream_of(source)}
        status, headers, body = original(given)
        if status < 300:
            _keep(module, json.loads(body)["UUID"], {**data, "EventSourceArn": source})
            if ":kinesis:" in source:
                _anchor(module._esms[json.loads(body)["UUID"]])
            told = module._esm_response(module._esms[json.loads(body)["UUID"]])
            body = json.dumps(told).encode() if isinstance(body, bytes) else json.dumps(told)
        return status, headers, body

    return create


def _anchor(mapping: Record) -> None:
    """Remember where the mapping begins: what is written from now on is read, whenever the poller comes by."""
    from ministack.core.concurrency import esm_wake

    from sandbox.workers import shards

    mapping[shards.BEGINNINGS] = shards.positions(mapping)
    esm_wake.set()


def _kept(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def update(esm_id: str, data: Record) -> Any:
        fault = _bad_pattern(data)
        if fault:
            return module._invalid_parameter_value(fault)
        answer = original(esm_id, data)
        if answer[0] < 300:
            _keep(module, esm_id, data)
        return answer

    return update


def _plain(_module: ModuleType, original: Callable[..., Record]) -> Callable[..., Record]:
    def respond(esm: Record) -> Record:
        return {k: v for k, v in original(esm).items() if not k.startswith("Sandbox")}

    return respond


def _keep(module: ModuleType, mark: str, data: Record) -> None:
    mapping = module._esms[mark]
    mapping |= {key: data[key] for key in (*_KEPT, "EventSourceArn") if key in data}


def _fault(module: ModuleType, data: Record) -> str | None:
    """Why AWS would not make the mapping, or None."""
    source = str(data.get("EventSourceArn", ""))
    found, config, _name = module._get_func_record_for_ref(str(data.get("FunctionName", "")))
    service = (source.split(":") + [""] * 3)[2]
    if not found or not config or service not in _READS:
        return None  # The emulator says it itself.
    fault = _bad_pattern(data) or _not_readable(service, stream_of(source), config)
    return fault or (_bad_for_queue(source, config, data) if service == "sqs" else None)


def _not_readable(service: str, source: str, config: Mapping[str, Any]) -> str | None:
    role = str(config.get("Role", ""))
    for action in _READS[service]:
        if not rights.may(role, f"{service}:{action}", source):
            if service == "sqs":
                return (
                    f"The function execution role does not have permissions to call {action} on SQS"
                )
            return (
                f"Cannot access stream {source}. Please ensure the role can perform the {', '.join(_READS[service])} "
                "Actions on your stream in IAM."
            )
    return None


def _bad_for_queue(source: str, config: Mapping[str, Any], data: Record) -> str | None:
    from ministack.services import sqs

    queue = sqs._queue_by_arn(source)
    if queue is None:
        return None
    visible = int(queue["attributes"].get("VisibilityTimeout", "30"))
    timeout = int(config.get("Timeout") or 3)
    if visible < timeout:
        return f"Queue visibility timeout: {visible} seconds is less than Function timeout: {timeout} seconds"
    size, window = data.get("BatchSize") or 10, data.get("MaximumBatchingWindowInSeconds") or 0
    if queue["is_fifo"] and (size > _LARGE_BATCH or window):
        return "Batching window and batches of more than 10 are not supported for FIFO queues"
    if size > _LARGE_BATCH and not window:
        return "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
    return None


def _bad_pattern(data: Record) -> str | None:
    from ministack.services import eventbridge

    for each in (data.get("FilterCriteria") or {}).get("Filters") or []:
        _alternatives, why = eventbridge._parse_pattern_text(each.get("Pattern", ""))
        if why:
            return f"Invalid filter pattern definition. {why}"
    return None


def _filtered(
    _module: ModuleType, _original: Callable[..., list[Record]]
) -> Callable[..., list[Record]]:
    def apply(records: Sequence[Record], esm: Record) -> list[Record]:
        from ministack.services import eventbridge

        patterns = [
            eventbridge._compiled_pattern(each.get("Pattern", ""))
            for each in (esm.get("FilterCriteria") or {}).get("Filters") or []
        ]
        if not patterns:
            return list(records)
        alternatives = [each for compiled in patterns for each in compiled or []]
        return [
            record
            for record in records
            if any(eventbridge._matches_detail(_tree(record), each) for each in alternatives)
        ]

    return apply


def _tree(record: Record) -> Record:
    """A record as patterns see it: the body of a message and the data of a Kinesis record are JSON where they can be."""
    if isinstance(record.get("body"), str):
        return {**record, "body": _json(record["body"])}
    if isinstance(record.get("kinesis"), dict):
        told = {k: v for k, v in record.items() if k != "kinesis"} | record["kinesis"]
        content = base64.b64decode(told.get("data") or "").decode("utf-8", "replace")
        return {**told, "data": _json(content)}
    return record


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
