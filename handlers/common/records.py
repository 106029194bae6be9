"""Events by what sends them. A function that is started by something else than it is made for fails:
an event that is not understood must reach the failures queue, never pass as done.

Each reader returns what the handler works on, or raises ForeignEventError, which names the shape of
what came and nothing of its content.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Record = dict[str, Any]

# The member that holds a record's own part, by source.
_PARTS: dict[str, tuple[str, type]] = {
    "aws:s3": ("s3", dict),
    "aws:sqs": ("body", str),
    "aws:dynamodb": ("dynamodb", dict),
    "aws:kinesis": ("kinesis", dict),
    "aws:sns": ("Sns", dict),
}
# What a request has, of whichever API: one of them at least.
_OF_REQUESTS = frozenset(
    {
        *("requestContext", "httpMethod", "resource", "path", "rawPath", "routeKey", "body"),
        *("headers", "multiValueHeaders", "pathParameters", "rawQueryString"),
        *("queryStringParameters", "multiValueQueryStringParameters"),
    }
)
_STREAMS = {"aws:dynamodb": "dynamodb", "aws:kinesis": "kinesis"}
# Lambda takes 6 MB of an event; what CloudWatch Logs packs into one is far less. A stranger's bytes
# may unpack to a thousand times their size.
_LONGEST_LOGS = 32 * 1024 * 1024  # bytes
_SCHEDULERS = ("aws.scheduler", "aws.events")
_MOST_NAMES = 8  # of an event's members, in the text of an error
_LONGEST_NAME = 40  # characters


class ForeignEventError(ValueError):
    """The event comes from something that this function is not for."""


def of(event: object, source: str) -> list[Record]:
    """The records of an event of this source ("aws:s3", "aws:sqs", "aws:dynamodb", "aws:kinesis" or
    "aws:sns"), one at least; none for the test event that S3 sends when a notification is made, and
    at the end of a stream's window.

    Raises ForeignEventError when a single record is of something else, or lacks the source's part.
    """
    if source == "aws:s3" and _is_s3_test(event):
        return []
    if source in _STREAMS and _is_end_of_window(event, source):
        return []
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not records:
        raise _foreign(event, f"records of {source}")
    part, kind = _PARTS[source]
    for record in records:
        if _source(record) != source or not isinstance(record.get(part), kind):
            raise _foreign(event, f"records of {source}")
    return records


def outcome(event: Record, failed: str = "") -> dict[str, Any]:
    """A stream's answer: where to start again (ReportBatchItemFailures), "" when all is done.

    Within a tumbling window Lambda also asks for a state, which these functions do not need.
    """
    failures = [{"itemIdentifier": failed}] if failed else []
    answer: dict[str, Any] = {"batchItemFailures": failures}
    return {**answer, "state": {}} if "window" in event else answer


def of_bus(event: object, source: str, *types: str) -> Record:
    """An EventBridge event of this `source` and, where types are given, of one of these
    `detail-type`s, its `detail` an object.
    """
    if isinstance(event, dict) and event.get("source") == source:
        known = not types or event.get("detail-type") in types
        if known and isinstance(event.get("detail"), dict):
            return event
    raise _foreign(event, f"an event of {source}")


def of_logs(event: object) -> Record:
    """What a CloudWatch Logs subscription sent, unpacked: {"messageType", "logGroup", "logStream",
    "logEvents": [{"id", "timestamp", "message"}], ...}. Of a control message, which only tries the
    way, `logEvents` is empty.
    """
    packed = event.get("awslogs") if isinstance(event, dict) else None
    data = packed.get("data") if isinstance(packed, dict) else None
    if not isinstance(data, str):
        raise _foreign(event, "log lines")
    try:
        content = json.loads(_unpacked(base64.b64decode(data, validate=True)))
    except (ValueError, zlib.error, RecursionError):
        raise ForeignEventError("awslogs.data is not JSON in gzip in base64") from None
    if not isinstance(content, dict) or not isinstance(content.get("logEvents"), list):
        raise ForeignEventError("awslogs.data holds no logEvents")
    if content.get("messageType") == "CONTROL_MESSAGE":
        return {**content, "logEvents": []}
    return content


def of_user_pool(event: object, *triggers: str) -> Record:
    """A Cognito event of one of these `triggerSource`s, with its user's attributes."""
    if isinstance(event, dict) and str(event.get("triggerSource")) in triggers:
        request = event.get("request")
        if isinstance(request, dict) and isinstance(request.get("userAttributes"), dict):
            return event
    raise _foreign(event, f"a user pool's {' or '.join(triggers)}")


def of_schedule(event: object, *members: str) -> Mapping[str, Any]:
    """The constant input of a schedule, {} when it has none. It may have these members only: what
    has others was not written for this function.
    """
    if not isinstance(event, dict):
        raise _foreign(event, "a schedule's input")
    if event.get("detail-type") == "Scheduled Event" and str(event.get("source")) in _SCHEDULERS:
        return {}  # what a scheduler sends on its own when no input is given
    if not event.keys() <= set(members):
        raise _foreign(event, "a schedule's input")
    return event


def may_be_request(event: object) -> bool:
    """Whether an event may be an HTTP request, if an odd one: it has a part of one, and nothing of a
    WebSocket or of an authorizer. What is no object, or empty, may be anything.
    """
    if not isinstance(event, dict) or not event:
        return True
    place = event.get("requestContext")
    of_socket = isinstance(place, dict) and "connectionId" in place
    return bool(_OF_REQUESTS & event.keys()) and not of_socket and "authorizationToken" not in event


def kind(event: object) -> str:
    """What an event is, as far as its shape tells, for a log line: "records of aws:sqs"."""
    if not isinstance(event, dict):
        return type(event).__name__
    records = event.get("Records")
    if isinstance(records, list):
        sources = sorted({_short(_source(record)) for record in records})
        return f"records of {', '.join(sources[:_MOST_NAMES])}" if sources else "no records"
    for name in ("source", "triggerSource", "eventSource"):
        if isinstance(event.get(name), str):
            return f"{name} {_short(event[name])}"
    names = sorted(_short(name) for name in event)[:_MOST_NAMES]
    return f"members {', '.join(names)}" if names else "an empty object"


def _foreign(event: object, wanted: str) -> ForeignEventError:
    return ForeignEventError(f"this function takes {wanted}, not {kind(event)}")


def _is_s3_test(event: object) -> bool:
    # {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": ..., "Bucket": ...}
    return isinstance(event, dict) and event.get("Event") == "s3:TestEvent"


def _is_end_of_window(event: object, source: str) -> bool:
    """Whether a tumbling window ends: its last invocation has no records."""
    if not isinstance(event, dict) or event.get("isFinalInvokeForWindow") is not True:
        return False
    service = str(event.get("eventSourceARN")).split(":")[2:3]
    return event.get("Records") == [] and service == [_STREAMS[source]]


def _source(record: object) -> str:
    """The source of a record; SNS alone begins its names with capitals."""
    if not isinstance(record, dict):
        return "nothing known"
    return str(record.get("eventSource") or record.get("EventSource") or "nothing known")


def _short(name: object) -> str:
    text = str(name)
    shown = text if text.isprintable() else ascii(text)
    return shown[:_LONGEST_NAME]


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    content = unpacker.decompress(data, _LONGEST_LOGS)
    if not unpacker.eof:
        raise ValueError("cut off, or too long")
    return content
