"""Which environment serves which call.

An idle environment is used again. Below a few per function a new one starts at once, as on AWS;
above that a call waits a moment for one to come free before it starts another, because handlers of
a local application answer within milliseconds: as long as a start takes here and now, and one start
at a time, for two hundred at once keep a small machine busy for seconds. It never waits longer: a
handler that calls its own function would wait for itself.
"""

import logging
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
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
"""How long a call beyond that waits at least; about what starting an environment takes on an idle machine."""
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
        self._starting = 0
        self._patience = PATIENCE_SECONDS
        self._make: Any = None

    def lease(self, make: Any) -> Environment | None:
        """Return an idle environment, or None: then the caller starts one in `starting`. Count it as busy."""
        with self._changed:
            self.last_used = time.monotonic()
            retired: list[Environment] = []
            if make != self._make:
                retired, self._idle, self._make = self._idle, [], make
            came = time.monotonic()
            while not self._idle and not self._may_start(came):
                self._changed.wait(PATIENCE_SECONDS)
            self._busy += 1
            leased = self._idle.pop() if self._idle else None
            self._starting += leased is None
        _close(retired)
        return leased

    def _may_start(self, came: float) -> bool:
        """Whether a call that came then starts an environment of its own."""
        if self._busy < EAGER:
            return True
        return not self._starting and time.monotonic() - came >= self._patience

    @contextmanager
    def starting(self) -> Generator[None]:
        """Around the start of an environment that `lease` did not have."""
        began = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._starting -= 1
                self._patience = max(PATIENCE_SECONDS, time.monotonic() - began)
                self._changed.notify()

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
            failure: CallError | None = None
            fresh = environment is None
            if environment is None:
                with fleet.starting():
                    environment = Environment(self._nursery, self._archives, function)
                    failure = _loaded(environment, call["id"], function.timeout)
            answer, healthy = _serve(environment, function, call, failure, fresh=fresh)
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
                with fleet.starting():
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


def _loaded(environment: Environment, request_id: str, timeout: float) -> CallError | None:
    """Load the handler; why that failed, or None."""
    try:
        environment.load(request_id, timeout)
    except CallError as failure:
        return failure
    return None


def _serve(
    environment: Environment,
    function: Function,
    call: dict[str, Any],
    failure: CallError | None,
    *,
    fresh: bool,
) -> tuple[Answer, bool]:
    """Call the handler, unless loading it has failed, and collect what it logged."""
    init_lines = environment.take_log() if fresh and failure is None else []
    started = time.monotonic()
    body, error = None, False
    if failure is None:
        call["deadline"] = time.time() + function.timeout
        try:
            body = environment.invoke(call, function.timeout)
        except CallError as raised:
            failure = raised
    if failure is not None:
        body, error = failure.document, True
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
    return answer, failure is None or not failure.fatal


def _close(environments: list[Environment]) -> None:
    for environment in environments:
        environment.close()
