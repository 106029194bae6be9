"""A schedule, fired now: with its own target, input, role, retries and dead-letter queue."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox import functions
from sandbox.clients import Clients
from sandbox.functions import Event, Function
from sandbox.operations import targets
from sandbox.state import State

_POLL_SECONDS: Final = 0.1
_GRACE_SECONDS: Final = 15.0
"""What a run may take beyond the function's timeout: the scheduler's clock, a cold start, a busy machine."""


@dataclass(frozen=True)
class Run:
    """One run of a schedule's target. `status`: `success`, `error`, `timeout`, or empty where nothing was heard of it.

    `log`: the lines of the function, Lambda's own about a good run left out.
    """

    schedule: str
    function: str
    request: str
    status: str
    log: list[Any]


def tick(aws: Clients, state: State, name: str, *, wait: float | None = None) -> Run:
    """Fire a schedule, enabled or not, through the scheduler itself: a schedule for this once with the same target.

    Waits until the function has run, at most its timeout and 15 s, or `wait` seconds. A run that fails is tried again
    as the function's own settings say; the first one is answered. Raises `Mistake` for an unknown schedule.
    """
    known = targets.named(state, "schedule", name)
    scheduler = aws.client("scheduler")
    found = scheduler.get_schedule(Name=known["name"], GroupName=known["groupName"])
    function = targets.function_of(state, found["Target"]["Arn"])
    tail = functions.Tail(aws, [function], int(time.time() * 1000))
    scheduler.create_schedule(
        Name=f"{known['name'][:50]}-now-{secrets.token_hex(4)}",
        GroupName=known["groupName"],
        ScheduleExpression=time.strftime("at(%Y-%m-%dT%H:%M:%S)", time.gmtime()),
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target=found["Target"],
    )
    until = time.monotonic() + (_patience(aws, function) if wait is None else wait)
    events: list[Event] = []
    while not (run := _first(name, function, events)).status and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        events += tail.read()
    return run


def _patience(aws: Clients, function: Function) -> float:
    settings = aws.client("lambda").get_function_configuration(FunctionName=function.target)
    return float(settings["Timeout"]) + _GRACE_SECONDS


def _first(schedule: str, function: Function, events: Sequence[Event]) -> Run:
    """The first run that these lines tell of; the lines of a run come all at once, when it is over."""
    start = next((event for event in events if _begins(event)), None)
    request = _request(start) if start else ""
    own = [
        event for event in events if not request or request in event.text or not event.of_platform
    ]
    status = _status(own, request)
    return Run(
        schedule, function.name, request, status, [e.parsed for e in own if not e.of_platform]
    )


def _begins(event: Event) -> bool:
    return event.text.startswith("START RequestId:") or '"platform.start"' in event.text


def _request(event: Event) -> str:
    return event.request or event.text.partition("RequestId: ")[2].partition(" ")[0]


def _status(events: Sequence[Event], request: str) -> str:
    for event in events:
        if event.request == request and "status" in (record := event.parsed["record"]):
            return {"success": "success", "timeout": "timeout"}.get(record["status"], "error")
    if not any(event.text.startswith("REPORT RequestId:") for event in events):
        return ""
    if any("Task timed out after" in event.text for event in events):
        return "timeout"
    failed = any(event.text.startswith("[ERROR]") or " Error: " in event.text for event in events)
    return "error" if failed else "success"
