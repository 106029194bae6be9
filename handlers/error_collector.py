"""Error lines of other functions' logs -> state table: a row per kind of error, with how often, when
first and when last.

Errors are of one kind when function, type and the shape of the text agree: numbers, identifiers and
quoted texts in it may differ. CloudWatch Logs delivers at least once; a delivery that comes again
counts nothing. This function's own lines must never reach it: it would feed itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from typing import Any, NamedTuple

from common import aws, correlation, ids, logs, records, state, warming

_LIFETIME = 90 * 86_400  # seconds after its last error that a row is kept
_LONGEST_SHAPE = 300  # characters
_KNOWN_DELIVERIES = 50  # of a row; one is repeated within minutes, if at all
_LAST_STAMP = 253_402_300_800_000  # milliseconds: the year 10000
_DIGITS = 16  # of hashes: 64 bits

# From the most special to the most general.
_SHAPES = (
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"\barn:[^\s'\",)]+"), "<arn>"),
    (re.compile(r"\bhttps?://[^\s'\",)]+"), "<url>"),
    (re.compile(r"[^\s@'\"<>]+@[^\s@'\"<>]+"), "<address>"),
    (re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`"), "<text>"),
    (re.compile(r"\b(?=[0-9A-Za-z_-]*[0-9])[0-9A-Za-z_-]{12,}"), "<id>"),
    (re.compile(r"\d+(?:\.\d+)*"), "<n>"),
)

aws.prepare("dynamodb")


class Incident(NamedTuple):
    """One line's error."""

    function: str
    kind: str
    shape: str
    request_id: str
    correlation_id: str  # "" where the line has none
    at: float  # seconds since 1970

    @property
    def key(self) -> str:
        """The id of its row."""
        text = f"{self.function}\n{self.kind}\n{self.shape}"
        return f"incident#{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}"


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """How many lines and kinds of errors the delivery had. Raises the first error at the end, after
    the other rows: Lambda then tries the delivery again.
    """
    logs.begin(context, event)
    content = records.of_logs(event)
    group = str(content.get("logGroup", ""))
    if group == os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME"):
        # An error here would be the next line to be delivered.
        logs.warning("own lines are not collected", lines=len(content["logEvents"]))
        return {"lines": 0, "incidents": 0}
    kinds: dict[str, list[Incident]] = {}
    for line in content["logEvents"]:
        if _is_measurement(line):
            continue
        incident = read(line, group)
        kinds.setdefault(incident.key, []).append(incident)
    _record(kinds, _delivery(content))
    logs.info("errors collected", lines=len(content["logEvents"]), incidents=len(kinds), of=group)
    return {"lines": len(content["logEvents"]), "incidents": len(kinds)}


def _record(kinds: dict[str, list[Incident]], delivery: str) -> None:
    unexpected: list[Exception] = []
    for incidents in kinds.values():
        with correlation.carried(_latest(incidents).correlation_id):
            try:
                _count(incidents, delivery)
            except Exception as error:
                unexpected.append(error)
                logs.error("incident not recorded", cause=error)
    if unexpected:
        raise unexpected[0]


def _count(incidents: list[Incident], delivery: str) -> None:
    key = incidents[0].key
    state.amend(key, lambda row: counted(row, incidents, delivery))
    for belongs_to in sorted({incident.correlation_id for incident in incidents} - {""}):
        with correlation.carried(belongs_to):
            logs.info("incident recorded", incident=key)


def _latest(incidents: list[Incident]) -> Incident:
    return max(incidents, key=lambda incident: incident.at)


def _delivery(content: dict[str, Any]) -> str:
    """The same for a delivery that comes again, and for no other: lines have ids of their own."""
    named = [content.get("logGroup"), content.get("logStream")]
    named += [line.get("id") for line in content["logEvents"] if isinstance(line, dict)]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:_DIGITS]


def read(line: object, group: str) -> Incident:
    """The error of a log line, whatever the line is: JSON of ours, of Lambda's runtime, or text."""
    line = line if isinstance(line, dict) else {}
    text = str(line.get("message", ""))
    content = _content(text)
    error = content.get("error")
    error = error if isinstance(error, dict) else {}
    said = error.get("message") or content.get("errorMessage") or content.get("message") or text
    stamp = line.get("timestamp")
    is_stamp = isinstance(stamp, int) and 0 < stamp < _LAST_STAMP
    return Incident(
        function=str(content.get("function") or group.rpartition("/")[2])[:_LONGEST_SHAPE],
        kind=str(error.get("type") or content.get("errorType") or "")[:_LONGEST_SHAPE],
        shape=shape(str(said)),
        request_id=str(content.get("requestId") or "")[:_LONGEST_SHAPE],
        correlation_id=correlation.valid(content.get("correlation_id")),
        at=stamp / 1000 if is_stamp else time.time(),
    )


def _is_measurement(line: object) -> bool:
    """Whether a line is of metrics: where only errors are logged, those are of that level, too."""
    return isinstance(line, dict) and "_aws" in _content(str(line.get("message", "")))


def _content(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def shape(text: str) -> str:
    """The text without what differs from one error to the next of its kind."""
    text = text[: 4 * _LONGEST_SHAPE]  # of a megabyte only its beginning says what it is
    for pattern, name in _SHAPES:
        text = pattern.sub(name, text)
    return text[:_LONGEST_SHAPE]


def counted(row: dict[str, Any], incidents: list[Incident], delivery: str) -> dict[str, Any] | None:
    """The row with these incidents of one kind in it; None when it has this delivery already."""
    known = [entry["S"] for entry in row.get("deliveries", {"L": []})["L"]]
    if delivery in known:
        return None
    moments = [ids.instant(incident.at) for incident in incidents]
    latest = _latest(incidents)
    count = int(row.get("count", {"N": "0"})["N"]) + len(incidents)
    return {
        "function": {"S": latest.function},
        "errorType": {"S": latest.kind},
        "shape": {"S": latest.shape},
        "count": {"N": str(count)},
        "firstSeen": {"S": min([*moments, row.get("firstSeen", {"S": "9"})["S"]])},
        "lastSeen": {"S": max([*moments, row.get("lastSeen", {"S": ""})["S"]])},
        "requestId": {"S": latest.request_id},
        **({correlation.NAME: {"S": latest.correlation_id}} if latest.correlation_id else {}),
        "deliveries": {"L": [{"S": one} for one in [*known, delivery][-_KNOWN_DELIVERIES:]]},
        "expiresAt": {"N": str(int(time.time()) + _LIFETIME)},
    }
