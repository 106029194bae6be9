"""Events, put into the front door of each service: what follows is what follows on AWS."""

from __future__ import annotations

import json
import mimetypes
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sandbox.clients import Clients
from sandbox.errors import Mistake
from sandbox.operations import checking, targets
from sandbox.state import State

SOURCE: Final = "sandbox"
"""Where an event comes from, unless it is said."""
_BATCH: Final = 10
"""Entries of one SendMessageBatch (SQS quotas)."""

Attributes = Mapping[str, str]
Progress = Callable[[int, int], object]
"""Gets how much is done, and of how much."""


def to_bucket(
    aws: Clients, state: State, file: Path | bytes, key: str, bucket: str, content_type: str
) -> dict[str, Any]:
    """Put a file into a bucket; where it is now. Raises `Mistake` for a file that cannot be read."""
    name = targets.named(state, "bucket", bucket)["id"]
    if isinstance(file, bytes):
        if not key:
            raise Mistake("bytes have no name: give the key of the object", code=2)
        body = file
    else:
        body = _read(file)
        key = key or f"uploads/{file.name}"
    kind = content_type or mimetypes.guess_type(key)[0] or "application/octet-stream"
    made = aws.client("s3").put_object(Bucket=name, Key=key, Body=body, ContentType=kind)
    where = {"bucket": name, "key": key, "etag": made["ETag"].strip('"')}
    return {**where, "versionId": made.get("VersionId"), "contentType": kind}


def to_queue(
    aws: Clients,
    state: State,
    queue: str,
    bodies: Sequence[Any],
    *,
    group: str = "",
    dedup: str = "",
    attributes: Attributes | None = None,
    progress: Progress = lambda _done, _of: None,
) -> list[str]:
    """Send messages, ten at a time; their ids. A body that is no text is sent as JSON.

    A FIFO queue needs a `group`; without a `dedup` each message gets an id of its own. Raises `Mistake` for a message
    that the queue refuses; those before it are sent.
    """
    url = targets.named(state, "queue", queue)["url"]
    order = _order(url.endswith(".fifo"), f"queue '{queue}'", group, dedup, len(bodies))
    texts = [checking.body(_text(each), "BODY") for each in bodies]
    given = checking.attributes(attributes or {})
    sent: list[str] = []
    for start in range(0, len(bodies), _BATCH):
        some = texts[start : start + _BATCH]
        entries = [
            {
                "Id": str(place),
                "MessageBody": text,
                "MessageAttributes": given,
                **next(order),
            }
            for place, text in enumerate(some)
        ]
        answer = aws.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
        for refused in answer.get("Failed", []):
            raise Mistake(f"{refused['Code']}: {refused.get('Message', '')}", code=2)
        sent += [each["MessageId"] for each in answer["Successful"]]
        progress(len(sent), len(bodies))
    return sent


def to_topic(
    aws: Clients,
    state: State,
    topic: str,
    message: Any,
    *,
    subject: str = "",
    group: str = "",
    dedup: str = "",
    attributes: Attributes | None = None,
) -> str:
    """Publish a message; its id."""
    arn = targets.named(state, "topic", topic)["arn"]
    order = next(_order(arn.endswith(".fifo"), f"topic '{topic}'", group, dedup, 1))
    more = {"Subject": checking.subject(subject)} if subject else {}
    made = aws.client("sns").publish(
        TopicArn=arn,
        Message=checking.body(_text(message), "MESSAGE"),
        MessageAttributes=checking.attributes(attributes or {}, topic=True),
        **more,
        **order,
    )
    return str(made["MessageId"])


def to_bus(
    aws: Clients, state: State, detail_type: str, detail: Any, source: str, bus: str
) -> dict[str, Any]:
    """Put an event on a bus; its id, and the rules that it matches: an event that none matches is lost on AWS as well."""
    name = bus if bus == "default" else targets.named(state, "bus", bus)["name"]
    client = aws.client("events")
    text = _text(detail)
    checking.event(detail_type, text, source)
    entry = {"Source": source, "DetailType": detail_type, "Detail": text, "EventBusName": name}
    made = client.put_events(Entries=[entry])["Entries"][0]
    if "EventId" not in made:
        raise Mistake(f"{made['ErrorCode']}: {made.get('ErrorMessage', '')}", code=2)
    event = {
        "id": made["EventId"],
        "source": source,
        "detail-type": detail_type,
        "detail": json.loads(text),
        "account": aws.account,
        "region": aws.region,
        "time": "2000-01-01T00:00:00Z",
        "resources": [],
    }
    rules = client.list_rules(EventBusName=name)["Rules"]
    matched = [
        rule["Name"]
        for rule in rules
        if rule.get("EventPattern")
        and rule.get("State") != "DISABLED"
        and client.test_event_pattern(EventPattern=rule["EventPattern"], Event=json.dumps(event))[
            "Result"
        ]
    ]
    return {"id": made["EventId"], "bus": name, "rules": matched}


def to_stream(aws: Clients, state: State, data: Any, key: str, stream: str) -> dict[str, Any]:
    """Put a record into a Kinesis stream; its shard and sequence number."""
    name = targets.named(state, "stream", stream)["name"]
    made = aws.client("kinesis").put_record(
        StreamName=name, Data=_text(data).encode(), PartitionKey=key or secrets.token_hex(8)
    )
    return {"stream": name, "shard": made["ShardId"], "sequence": made["SequenceNumber"]}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Mistake(f"{file}: {error.strerror}", code=2) from None


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


def _order(fifo: bool, what: str, group: str, dedup: str, count: int) -> Iterator[dict[str, str]]:  # noqa: FBT001 the kind of what takes it
    """What each message is ordered and recognised by. Raises `Mistake` where that does not fit."""
    if fifo and not group:
        raise Mistake(f"{what} keeps an order: name the message group (--group)", code=2)
    if not fifo and (group or dedup):
        raise Mistake(f"{what} keeps no order: it takes neither --group nor --dedup", code=2)
    if dedup and count > 1:
        raise Mistake(
            "--dedup: of several messages with one id all but the first are dropped", code=2
        )
    for _ in range(count):
        given = {"MessageGroupId": group, "MessageDeduplicationId": dedup or secrets.token_hex(16)}
        yield given if fifo else {}
