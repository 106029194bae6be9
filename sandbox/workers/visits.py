"""A request or a message on its way through an API Gateway stage: what traces and access logs tell of it."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.workers import traces


@dataclass
class Call:
    """A function that the gateway called; an authorizer counts as well. Seconds since the epoch."""

    function: str
    arn: str
    authorizer: bool
    id: str = field(default_factory=traces.new_id)
    started: float = field(default_factory=time.time)
    ended: float = 0.0
    context: Mapping[str, Any] = field(default_factory=dict)
    """The request context that the gateway told the function."""
    status: int = 200
    """What Lambda answered the gateway."""
    error: str = ""
    answer: Any = None

    @property
    def request(self) -> str:
        """The request id that the function was told."""
        return str(self.context.get("requestId") or "")

    @property
    def milliseconds(self) -> int:
        """How long the gateway waited."""
        return round((self.ended - self.started) * 1000)


@dataclass
class Visit:
    """One request or message. `context`: values of `$context` that are known from the beginning."""

    api_id: str
    stage: str
    account: str
    region: str
    context: dict[str, str]
    started: float = field(default_factory=time.time)
    request: Mapping[str, Any] | None = None
    """The emulator's own record of a REST request."""
    refusal: Any = None
    """The gateway's own error of a REST request."""
    calls: list[Call] = field(default_factory=list)

    @property
    def integration(self) -> Call | None:
        """The function behind the route, where one was called."""
        return next((call for call in self.calls if not call.authorizer), None)

    @property
    def authorizer(self) -> Call | None:
        """The authorizer's function, where one was called."""
        return next((call for call in self.calls if call.authorizer), None)


_visit: contextvars.ContextVar[Visit | None] = contextvars.ContextVar("_visit", default=None)


def current() -> Visit | None:
    """The visit that is under way here."""
    return _visit.get()


def enter(visit: Visit | None) -> contextvars.Token[Visit | None]:
    """Begin a visit, or (None) do what belongs to none; `leave` with the token ends it."""
    return _visit.set(visit)


def leave(token: contextvars.Token[Visit | None]) -> None:
    """Go back to what was before."""
    _visit.reset(token)


def begin(config: Mapping[str, Any], event: Any) -> Call | None:
    """Note that a function is called now, where a gateway calls it."""
    visit = _visit.get()
    if visit is None:
        return None
    told = event if isinstance(event, dict) else {}
    authorizer = told.get("type") in ("TOKEN", "REQUEST") and bool(
        told.get("methodArn") or told.get("routeArn")
    )
    call = Call(str(config.get("FunctionName")), str(config.get("FunctionArn")), authorizer)
    call.context = told.get("requestContext") or {}
    visit.calls.append(call)
    return call


def end(call: Call, result: Mapping[str, Any]) -> None:
    """Note how it ended."""
    call.ended = time.time()
    body = result.get("body")
    call.answer = body
    if result.get("throttle"):
        call.status, call.error = 429, "Rate exceeded"
    elif result.get("error"):
        told = body.get("errorMessage") if isinstance(body, dict) else body
        # An error may say nothing; that it is one, must not be lost.
        call.error = str(told or "Unhandled")
