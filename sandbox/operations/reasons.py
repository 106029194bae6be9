"""Why letters are where they are, as far as only the log of the function that took them tells."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sandbox import functions
from sandbox.clients import Clients
from sandbox.functions import Event
from sandbox.operations import targets
from sandbox.operations.letters import Letter, batch_of, object_of
from sandbox.state import State

_LEVELS: Final = ("ERROR", "WARN", "WARNING", "CRITICAL", "FATAL")
"""Of the lines that tell why something failed."""


def explained(aws: Clients, state: State, letters: Iterable[Letter]) -> list[Letter]:
    """The letters, those that tell no reason with what their function logged of them last.

    SQS knows none of a message, and the record of a batch holds none.
    """
    found = list(letters)
    said = _of_messages(aws, state, found) | _of_batches(aws, state, found)
    return [replace(each, error=each.error or said.get(each.id, "")) for each in found]


def _of_messages(aws: Clients, state: State, letters: Iterable[Letter]) -> dict[str, str]:
    silent = {each.id: each for each in letters if each.kind == "message" and not each.error}
    if not silent:
        return {}
    since = int((time.time() - max(each.age for each in silent.values()) - 1) * 1000)
    said: dict[str, str] = {}
    readers = _consumers(aws, state, {each.source for each in silent.values()})
    for event in functions.read(aws, readers, since):
        line = event.parsed
        if isinstance(line, dict) and (ident := str(line.get("messageId"))) in silent:
            said[ident] = _reason(event) or said.get(ident, "")
    return said


def _consumers(aws: Clients, state: State, queues: set[str]) -> list[functions.Function]:
    client = aws.client("lambda")
    arns = [
        outputs["arn"] for name, outputs in targets.every(state, "queue").items() if name in queues
    ]
    mappings = [
        mapping
        for arn in arns
        for mapping in client.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    ]
    return [targets.function_of(state, mapping["FunctionArn"]) for mapping in mappings]


def _of_batches(aws: Clients, state: State, letters: Iterable[Letter]) -> dict[str, str]:
    """A line that names a record of the batch, else the last one that tells of an error before it was given up."""
    known = functions.find(state)
    said: dict[str, str] = {}
    for letter in letters:
        if letter.kind != "batch" or letter.error or letter.source not in known:
            continue
        info = batch_of(object_of(letter.body))
        until = (time.time() - letter.age + 1) * 1000
        lines = [
            event
            for event in functions.read(aws, [known[letter.source]], _arrival(info))
            if event.time <= until and _reason(event)
        ]
        own = [event for event in lines if _names(event, info)]
        if lines:
            said[letter.id] = _reason((own or lines)[-1])
    return said


def _arrival(info: Mapping[str, Any]) -> int:
    """When the first record came, in milliseconds since 1970."""
    try:
        came = datetime.fromisoformat(str(info.get("approximateArrivalOfFirstRecord")))
    except ValueError:
        return 0
    return int(came.timestamp() * 1000)


def _names(event: Event, info: Mapping[str, Any]) -> bool:
    """Whether a line's `eventId` is of a record of the batch; only those of Kinesis hold a sequence number."""
    line = event.parsed
    ident = str(line.get("eventId", "")) if isinstance(line, dict) else ""
    shard, _, number = ident.partition(":")
    if shard != info.get("shardId") or not number.isdecimal():
        return False
    return int(info["startSequenceNumber"]) <= int(number) <= int(info["endSequenceNumber"])


def _reason(event: Event) -> str:
    """The error that a line of a log tells of; empty where it tells of none."""
    line = event.parsed
    if not isinstance(line, dict):
        first = event.text.partition("\n")[0]
        return first.removeprefix("[ERROR]").strip() if first.startswith("[ERROR]") else ""
    if line.get("level") not in _LEVELS:
        return ""
    error = line.get("error")
    told = error if isinstance(error, dict) else {}
    kind = str(told.get("type") or line.get("errorType") or line.get("code") or "")
    text = str(told.get("message") or line.get("errorMessage") or line.get("reason") or "")
    return ": ".join(part for part in (kind, text) if part) or str(line.get("message") or "")
