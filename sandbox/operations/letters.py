"""What lies in the queues that nobody takes from, and why: read, not received, so that nothing changes by looking."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.clients import Clients
from sandbox.errors import Mistake
from sandbox.operations import peeking, targets
from sandbox.state import State

_BATCHES: Final = ("DDBStreamBatchInfo", "KinesisBatchInfo")


@dataclass(frozen=True)
class Letter:
    """A message that nobody could do anything with.

    `kind`: `message` (of a queue), `invocation` (asynchronous), `batch` (of a stream), `event` (of a rule), `schedule`,
    `publication` (of a topic), `device` (what a rule of AWS IoT could not pass on), or `unknown`. `source`: the queue,
    function, rule, schedule or topic it comes from.
    `condition`: in AWS's words. `error`: type and text, as far as anything tells them. `receives`: how often it was
    received, or its function called. `age`: seconds since it was sent.
    """

    queue: str
    id: str
    kind: str
    source: str
    condition: str
    error: str
    receives: int
    age: float
    body: str
    attributes: Mapping[str, str]
    """Its message attributes, as text."""
    records: str = ""
    """Of a batch: shard, how many records, first and last sequence number."""


@dataclass(frozen=True)
class Place:
    """A queue in which letters lie; `sources`: ARNs of the queues that send theirs there."""

    name: str
    url: str
    arn: str
    sources: tuple[str, ...]

    def origin(self, system: Mapping[str, str]) -> str:
        """The ARN of the queue that a letter was moved from, by its system attributes; "" where nothing tells."""
        alone = self.sources[0] if len(self.sources) == 1 else ""
        return system.get("DeadLetterQueueSourceArn") or alone


def places(aws: Clients, state: State) -> list[Place]:
    """The queues that letters go to: those that another queue names in its redrive policy, and those nobody reads."""
    sqs = aws.client("sqs")
    queues = targets.every(state, "queue")
    target: dict[str, str] = {}
    for outputs in queues.values():
        asked = sqs.get_queue_attributes(QueueUrl=outputs["url"], AttributeNames=["RedrivePolicy"])
        policy = (asked.get("Attributes") or {}).get("RedrivePolicy")
        if policy:
            target[outputs["arn"]] = json.loads(policy)["deadLetterTargetArn"]
    pages = aws.client("lambda").get_paginator("list_event_source_mappings").paginate()
    read = {each.get("EventSourceArn") for page in pages for each in page["EventSourceMappings"]}
    return [
        Place(name, found["url"], found["arn"], sources)
        for name, found in sorted(queues.items())
        if (sources := tuple(arn for arn, dead in target.items() if dead == found["arn"]))
        or (found["arn"] not in target and found["arn"] not in read)
    ]


def place(aws: Clients, state: State, name: str) -> Place:
    """The queue of letters of that name, or behind the queue of that name. Raises `Mistake` where there is neither."""
    arn = targets.named(state, "queue", name)["arn"]
    known = places(aws, state)
    for each in known:
        if arn == each.arn or arn in each.sources:
            return each
    there = ", ".join(each.name for each in known)
    raise Mistake(
        f"queue '{name}' has no dead-letter queue, and is none; there are: {there}", code=2
    )


def read(aws: Clients, state: State, name: str = "") -> list[Letter]:
    """The letters of one queue, or of all of them, oldest first within each; none is received by it."""
    found = [place(aws, state, name)] if name else places(aws, state)
    return [letter_of(state, each, message) for each in found for message in read_at(aws, each)]


def read_at(aws: Clients, each: Place) -> list[Any]:
    """The messages in a queue as they lie there, received by somebody or not."""
    found = peeking.messages(aws.endpoint, "sqs", QueueUrl=each.url)
    of_queue = [
        m for regions in found.values() for queues in regions.values() for m in queues.values()
    ]
    return [message for messages in of_queue for message in messages]


def letter_of(state: State, at: Place, message: Mapping[str, Any]) -> Letter:
    """A letter out of a message, received or only looked at."""
    system = message.get("Attributes") or {}
    given = message.get("MessageAttributes") or {}
    attributes = {name: str(each.get("StringValue", "")) for name, each in given.items()}
    count = message.get("ReceiveCount") or system.get("ApproximateReceiveCount") or 0
    sent = int(system.get("SentTimestamp") or 0) / 1000
    told = _told(state, at, message["Body"], system, attributes)
    return Letter(
        queue=at.name,
        id=str(message["MessageId"]),
        kind=told.get("kind", "unknown"),
        source=told.get("source", ""),
        condition=told.get("condition", ""),
        error=told.get("error", ""),
        receives=int(told.get("calls", count)),
        age=round(max(0.0, time.time() - sent), 1),
        body=message["Body"],
        attributes=attributes,
        records=told.get("records", ""),
    )


def _told(
    state: State,
    at: Place,
    text: str,
    system: Mapping[str, str],
    attributes: Mapping[str, str],
) -> dict[str, Any]:
    """What a letter says of itself."""
    if came := at.origin(system):
        source = targets.name_of(state, "queue", came)
        return {"kind": "message", "source": source, "condition": "MaxReceiveCountExceeded"}
    body = object_of(text)
    if isinstance(context := body.get("requestContext"), dict) and "functionArn" in context:
        return _of_function(state, body, context)
    code = attributes.get("ERROR_CODE", "")
    if "RULE_ARN" in attributes or "SCHEDULE_ARN" in attributes:
        kind = "event" if "RULE_ARN" in attributes else "schedule"
        arn = attributes.get("RULE_ARN") or attributes["SCHEDULE_ARN"]
        error = f"{code}: {attributes.get('ERROR_MESSAGE', '')}".strip(": ")
        condition = attributes.get("EXHAUSTED_RETRY_CONDITION", "")
        return {
            "kind": kind,
            "source": arn.rpartition("/")[2],
            "condition": condition,
            "error": error,
        }
    if body.get("Type") == "Notification" and "TopicArn" in body:
        source = targets.name_of(state, "topic", str(body["TopicArn"]))
        return {
            "kind": "publication",
            "source": source,
            "error": attributes.get("ErrorMessage", ""),
        }
    if "ruleName" in body and "base64OriginalPayload" in body:
        return {"kind": "device", "source": str(body["ruleName"]), "error": _of_actions(body)}
    return {"error": attributes.get("ErrorMessage", "")}


def _of_actions(body: Mapping[str, Any]) -> str:
    """Which actions of a rule failed, and why."""
    failures = body.get("failures")
    return "; ".join(
        f"{each.get('failedAction', '')}: {each.get('errorMessage', '')}"
        for each in (failures if isinstance(failures, list) else [])
        if isinstance(each, dict)
    )


def _of_function(
    state: State, body: Mapping[str, Any], context: Mapping[str, Any]
) -> dict[str, Any]:
    answer = body.get("responsePayload")
    error = ""
    if isinstance(answer, dict):
        parts = (str(answer.get(key) or "") for key in ("errorType", "errorMessage"))
        error = ": ".join(part for part in parts if part)
    return {
        "kind": "batch" if batch_of(body) else "invocation",
        "source": _function_name(state, str(context["functionArn"])),
        "condition": context.get("condition", ""),
        "error": error,
        "calls": context.get("approximateInvokeCount", 0),
        "records": _records(batch_of(body)),
    }


def _function_name(state: State, arn: str) -> str:
    """The function's name in the program; its own in AWS where the stack has it no longer, or switched off."""
    try:
        return targets.function_of(state, arn).name
    except Mistake:
        return targets.unqualified(arn)


def batch_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where the records of a batch lie; empty where a letter's body tells of none."""
    return next((body[key] for key in _BATCHES if isinstance(body.get(key), dict)), {})


def _records(info: Mapping[str, Any]) -> str:
    if not info:
        return ""
    count, first, last = (
        info.get(key, "?") for key in ("batchSize", "startSequenceNumber", "endSequenceNumber")
    )
    many = f"record {first}" if count == 1 else f"{count} records {first} to {last}"
    return f"{info.get('shardId', '?')}: {many}"


def object_of(text: str) -> dict[str, Any]:
    """A JSON object, or an empty one where the text is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
