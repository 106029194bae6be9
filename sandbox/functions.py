"""The functions of a running sandbox by the names their users know, and what they log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.clients import Clients
from sandbox.errors import Mistake, choice
from sandbox.state import State

_FUNCTION: Final = "aws:lambda/function:Function"
_PLATFORM: Final = ("INIT_START ", "START RequestId:", "END RequestId:", "REPORT RequestId:")
"""Lines that Lambda itself writes around each invocation."""


@dataclass(frozen=True)
class Function:
    """A function as one calls it: `target` is what to invoke, its alias where the stack exports one."""

    name: str
    target: str
    log_group: str


@dataclass(frozen=True)
class Event:
    """One log line of a function. `time` in milliseconds since 1970."""

    function: str
    time: int
    text: str
    id: str

    @property
    def of_platform(self) -> bool:
        """Whether Lambda itself wrote the line, not the handler."""
        if not self.text.startswith('{"time":') or '"type":"platform.' not in self.text:
            return self.text.startswith(_PLATFORM)
        # A timeout and a process that ended leave nothing else behind.
        return '"status":"' not in self.text or '"status":"success"' in self.text

    @property
    def request(self) -> str | None:
        """The id of the call, where Lambda itself wrote the line into a JSON log."""
        if '"type":"platform.' not in self.text or not isinstance(self.parsed, dict):
            return None
        return str((self.parsed.get("record") or {}).get("requestId") or "") or None

    @property
    def parsed(self) -> Any:
        """The line's JSON object, or the line itself."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return self.text
        return found if isinstance(found, dict) else self.text


def find(state: State) -> dict[str, Function]:
    """The functions by name: those of the export `functions`, else the declared ones by logical name."""
    exported = state.exports.get("functions")
    if isinstance(exported, Mapping) and all(isinstance(f, Mapping) for f in exported.values()):
        return {name: _exported(name, f) for name, f in exported.items()}
    records = [r for r in state.resources.values() if r.type == _FUNCTION]
    return {r.name: _declared(r.name, r.outputs) for r in records}


def named(state: State, name: str) -> Function:
    """The function of that name, or `Mistake` with the nearest one."""
    known = find(state)
    if name not in known:
        raise Mistake(f"no function '{name}'{choice(name, known)}", code=2)
    return known[name]


def _exported(name: str, outputs: Mapping[str, Any]) -> Function:
    physical = str(outputs.get("name") or name)
    target = str(outputs.get("qualifiedArn") or outputs.get("arn") or physical)
    return Function(name, target, str(outputs.get("logGroup") or f"/aws/lambda/{physical}"))


def _declared(name: str, outputs: Mapping[str, Any]) -> Function:
    physical = str(outputs.get("name") or outputs.get("functionName") or outputs["id"])
    group = (outputs.get("loggingConfig") or {}).get("logGroup") or f"/aws/lambda/{physical}"
    return Function(name, physical, str(group))


def read(aws: Clients, functions: Iterable[Function], since: int = 0) -> list[Event]:
    """The log lines from `since` (milliseconds) on, oldest first."""
    found = [event for function in functions for event in _events(aws, function, since)]
    return sorted(found, key=lambda event: event.time)


def _events(aws: Clients, function: Function, since: int) -> Iterator[Event]:
    logs, more = aws.client("logs"), {}
    alike: Counter[tuple[str, int, str]] = Counter()
    while True:
        try:
            page = logs.filter_log_events(logGroupName=function.log_group, startTime=since, **more)
        except logs.exceptions.ResourceNotFoundException:
            return
        for event in page["events"]:
            # MiniStack gives the lines of functions no event id.
            place = (event["logStreamName"], event["timestamp"], event["message"])
            alike[place] += 1
            event_id = event.get("eventId") or f"{place} {alike[place]}"
            yield Event(function.name, event["timestamp"], event["message"].rstrip("\n"), event_id)
        if not page.get("nextToken"):
            return
        more = {"nextToken": page["nextToken"]}


class Tail:
    """Follows the logs: each `read` answers the lines that came since the last one."""

    def __init__(self, aws: Clients, functions: Iterable[Function], since: int = 0) -> None:
        self._aws, self._functions, self._since = aws, list(functions), since
        self._shown: dict[str, int] = {}

    def read(self) -> list[Event]:
        """The new lines, oldest first.

        Lines of one moment do not all arrive together: the last second is read again, and not shown again.
        """
        found = read(self._aws, self._functions, self._since)
        fresh = [event for event in found if event.id not in self._shown]
        self._since = max([self._since, *(event.time - 1000 for event in fresh)])
        self._shown = {event.id: event.time for event in found if event.time >= self._since}
        return fresh


@dataclass(frozen=True)
class Invocation:
    """What a function answered. `error`: `Handled` or `Unhandled` where it failed. `log`: the end of its log."""

    payload: Any
    error: str | None
    log: str


def invoke(aws: Clients, function: Function, event: Any) -> Invocation:
    """Call a function with a JSON event and wait for its answer."""
    import base64

    answer = aws.client("lambda").invoke(
        FunctionName=function.target, Payload=json.dumps(event).encode(), LogType="Tail"
    )
    body = answer["Payload"].read()
    log = base64.b64decode(answer.get("LogResult") or b"").decode("utf-8", "replace")
    return Invocation(json.loads(body) if body else None, answer.get("FunctionError"), log)
