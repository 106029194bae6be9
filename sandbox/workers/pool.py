"""Which environment serves which call.

An idle environment is used again. Below a few per function a new one starts at once, as on AWS;
above that a call waits a moment for one to come free before it starts another, because handlers of
a local application answer within milliseconds. It never waits longer: a handler that calls its own
function would wait for itself.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from sandbox.workers import memory
from sandbox.workers.archives import Archives
from sandbox.workers.environment import CallError, Environment
from sandbox.workers.functions import Function
from sandbox.workers.nursery import Nursery

EAGER = 4
"""Environments of one function that start without waiting for an idle one."""
PATIENCE_SECONDS = 0.03
"""How long a call beyond that waits; about what starting an environment takes."""
SURPLUS_SECONDS = 30.0
"""Idle time after which an environment goes that is not its function's last one."""
IDLE_SECONDS = 900.0
"""Idle time after which the last one goes; AWS keeps one for some minutes as well."""
_HOUSEKEEPING_SECONDS = 2.0

logger = logging.getLogger("sandbox.workers")


@dataclass
class Answer:
    """How one call went."""

    body: Any
    error: bool
    log_stream: str
    lines: list[str]
    """What the handler logged, one element per log event."""
    init_lines: list[str] = field(default_factory=list)
    duration_ms: float = 0.0
    init_ms: float | None = None
    memory_mb: int = 0


class Fleet:
    """The environments of one version of one function."""

    def __init__(self, slot: tuple[str, str]) -> None:
        self.function_arn = slot[0]
        self.last_used = time.monotonic()
        self._changed = threading.Condition()
        self._idle: list[Environment] = []
        self._busy = 0
        self._make: Any = None

    def lease(self, make: Any) -> Environment | None:
        """Return an idle environment, or None: then the caller starts one. Count it as busy."""
        with self._changed:
            self.last_used = time.monotonic()
            retired: list[Environment] = []
            if make != self._make:
                retired, self._idle, self._make = self._idle, [], make
            give_up = time.monotonic() + PATIENCE_SECONDS
            while not self._idle and self._busy >= EAGER:
                remaining = give_up - time.monotonic()
                if remaining <= 0 or not self._changed.wait(remaining):
                    break
            self._busy += 1
            leased = self._idle.pop() if self._idle else None
        _close(retired)
        return leased

    def release(self, environment: Environment | None) -> None:
        """Take a leased environment back; None when there is none to keep."""
        with self._changed:
            self._busy -= 1
            self.last_used = time.monotonic()
            current = environment is not None and environment.make == self._make
            if environment is not None and current:
                environment.last_used = self.last_used
                self._idle.append(environment)
            self._changed.notify()
        if environment is not None and not current:
            environment.close()

    def trim(self, *, keep_last: bool) -> None:
        """Close what has been idle too long, all but the last one early."""
        now = time.monotonic()
        with self._changed:
            kept: list[Environment] = []
            closed: list[Environment] = []
            for place, environment in enumerate(reversed(self._idle)):
                last = keep_last and place == 0 and self._busy == 0
                limit = IDLE_SECONDS if last else SURPLUS_SECONDS
                fresh = now - environment.last_used < limit
                (kept if fresh else closed).append(environment)
            self._idle = kept[::-1]
            if not kept and not self._busy:
                self._make = None  # It holds the function's archive.
        _close(closed)


class Pool:
    """Environments of all functions."""

    def __init__(self, nursery: Nursery, archives: Archives) -> None:
        self._nursery = nursery
        self._archives = archives
        self._lock = threading.Lock()
        self._fleets: dict[tuple[str, str], Fleet] = {}
        self._reaper: threading.Thread | None = None

    def run(self, function: Function, call: dict[str, Any]) -> Answer:
        """Serve one call, in a running environment or a new one.

        `call` has id, arn, event, variables and headers; its deadline (epoch seconds) is added
        when the handler really starts.
        """
        fleet = self._fleet(function.slot)
        environment = fleet.lease(function.make)
        keep = None
        try:
            fresh = environment is None
            if environment is None:
                environment = Environment(self._nursery, self._archives, function)
            answer, healthy = _serve(environment, function, call, fresh=fresh)
            keep = environment if healthy else None
            return answer
        finally:
            if environment is not None and keep is None:
                environment.close()
            fleet.release(keep)

    def warm(self, function: Function) -> None:
        """Start one environment ahead of the first call; raises `CallError` when it cannot load."""
        fleet = self._fleet(function.slot)
        environment = fleet.lease(function.make)
        try:
            if environment is None:
                environment = Environment(self._nursery, self._archives, function)
                environment.load("", function.timeout)
        except BaseException:
            if environment is not None:
                environment.close()
            fleet.release(None)
            raise
        fleet.release(environment)

    def reap(self) -> None:
        """Close environments that have been idle too long; a function's newest stays longest."""
        with self._lock:
            newest: dict[str, Fleet] = {}
            for fleet in self._fleets.values():
                rival = newest.get(fleet.function_arn)
                if rival is None or rival.last_used < fleet.last_used:
                    newest[fleet.function_arn] = fleet
            fleets = list(self._fleets.values())
        for fleet in fleets:
            fleet.trim(keep_last=newest[fleet.function_arn] is fleet)

    def _fleet(self, slot: tuple[str, str]) -> Fleet:
        with self._lock:
            fleet = self._fleets.get(slot)
            if fleet is None:
                fleet = self._fleets[slot] = Fleet(slot)
            if self._reaper is None:
                self._reaper = threading.Thread(target=self._keep_reaping, daemon=True)
                self._reaper.start()
            return fleet

    def _keep_reaping(self) -> None:
        while True:
            time.sleep(_HOUSEKEEPING_SECONDS)
            try:
                self.reap()
                memory.trim()
            except Exception:
                logger.exception("closing idle Lambda environments failed")


def _serve(
    environment: Environment, function: Function, call: dict[str, Any], *, fresh: bool
) -> tuple[Answer, bool]:
    """Load the handler if need be, call it, and collect what it logged."""
    init_lines: list[str] = []
    started = time.monotonic()
    healthy = True
    try:
        if fresh:
            environment.load(call["id"], function.timeout)
            init_lines = environment.take_log()
            started = time.monotonic()
        call["deadline"] = time.time() + function.timeout
        body, error = environment.invoke(call, function.timeout), False
    except CallError as failure:
        body, error, healthy = failure.document, True, not failure.fatal
    answer = Answer(
        body=body,
        error=error,
        log_stream=environment.log_stream,
        lines=environment.take_log(),
        init_lines=init_lines,
        duration_ms=(time.monotonic() - started) * 1000,
        init_ms=environment.init_ms if fresh else None,
        memory_mb=environment.memory_kib // 1024,
    )
    return answer, healthy


def _close(environments: list[Environment]) -> None:
    for environment in environments:
        environment.close()
