"""The application's own event bus (EVENTS_BUS_NAME): what happened, for whoever wants to know."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from common import aws, correlation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST = 10  # events of one call, a limit of EventBridge
LARGEST = 256 * 1024  # bytes of all events of one call, as EventBridge counts them
_TIME_BYTES = 14  # what it counts for an event's time

Entry = dict[str, Any]


def entry(source: str, kind: str, detail: Mapping[str, Any], *, time: float | None = None) -> Entry:
    """An event to send: `kind` is its detail-type ("Item Changed"), `time` when it happened, in
    seconds since 1970 (else when the bus takes it). The detail gets the correlation id. The same
    detail is the same text each time; Decimals in it are numbers.
    """
    told = {**correlation.member(), **detail}
    made: Entry = {"Source": source, "DetailType": kind, "Detail": _json(told)}
    return made if time is None else {**made, "Time": time}


def _json(detail: Mapping[str, Any]) -> str:
    try:
        return json.dumps(detail, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except TypeError:
        from common import decimals  # not every detail has one

        return decimals.dumps(detail)


def size(event: Entry) -> int:
    """How many bytes EventBridge counts for it."""
    texts = (event["Source"], event["DetailType"], event["Detail"])
    return sum(len(text.encode()) for text in texts) + (_TIME_BYTES if "Time" in event else 0)


def send(events: Sequence[Entry]) -> int:
    """Send events in their order; how many the bus has surely taken, from the first one on.

    An event that the bus refused ends the count, though later ones of the same call may have been
    taken: who sends the rest again sends those twice. Raises what boto3 raised for a first call.
    """
    taken = 0
    for group in _groups(events):
        try:
            codes = put(group)
        except Exception:
            if not taken:
                raise
            return taken
        if any(codes):
            return taken + next(position for position, code in enumerate(codes) if code)
        taken += len(group)
    return taken


def put(events: Sequence[Entry]) -> list[str]:
    """Send up to ten events in one call: the error code of each, "" for one that was taken. Raises
    what boto3 raises.
    """
    name = os.environ["EVENTS_BUS_NAME"]
    answer = aws.client("events").put_events(
        Entries=[{**event, "EventBusName": name} for event in events]
    )
    return [str(result.get("ErrorCode") or "") for result in answer["Entries"]]


def _groups(events: Sequence[Entry]) -> Iterator[list[Entry]]:
    group: list[Entry] = []
    bytes_ = 0
    for event in events:
        more = size(event)
        if group and (len(group) == MOST or bytes_ + more > LARGEST):
            yield group
            group, bytes_ = [], 0
        group.append(event)
        bytes_ += more
    if group:
        yield group
