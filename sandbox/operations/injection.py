"""Faults at a chosen call of a function: `box.fault(...)` and `python -m sandbox fault`.

The fault happens in the function's own environment (`sandbox.workers.faults`): nothing of it is in the code, nor in
what is uploaded anywhere.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sandbox import functions
from sandbox.clients import Clients
from sandbox.errors import Mistake, choice, similar
from sandbox.place import Place, write_json
from sandbox.state import State
from sandbox.workers import faults

_OWN_POINTS: Final = ("handler", "http")
"""What a fault may stand at that is no call of AWS: the handler as a whole, and its own HTTP requests."""
_REFUSALS: Final = ("throttle", "unavailable")
"""What only a service of AWS does in a way that a client understands."""


@dataclass(frozen=True)
class Fault:
    """A fault as it was asked for; used with `with`, it is gone at the end."""

    path: Path
    function: str
    do: str
    when: str
    at: str

    @property
    def fired(self) -> int:
        """How often it has happened."""
        return int((faults.read(self.path) or {"fired": 0})["fired"])

    @property
    def left(self) -> int | None:
        """How often it is still to happen: 0 for no more, None for without end."""
        left = int((faults.read(self.path) or {"left": 0})["left"])
        return None if left < 0 else left

    def clear(self) -> None:
        """Take it away."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.clear()

    def __str__(self) -> str:
        left = "without end" if self.left is None else f"{self.left} left"
        return f"{self.function}: {self.do} {self.when} {self.at}, happened {self.fired}, {left}"


def add(
    aws: Clients,
    state: State,
    place: Place,
    function: str,
    do: str = "exit",
    *,
    after: str = "",
    before: str = "",
    where: str = "",
    request: str = "",
    times: int | None = 1,
    seconds: float = 1.0,
) -> Fault:
    """Let `function` (`*`: every Python function) meet a fault; see `Box.fault`. Raises `Mistake` for what cannot be."""
    when, at = _point(after, before)
    _check(aws, do, at, times, seconds)
    wanted: Mapping[str, Any] = {
        "function": function if function == faults.EVERY else _physical(aws, state, function),
        "named": function,
        "do": do,
        "when": when,
        "at": at,
        "where": where,
        "request": request,
        "seconds": seconds,
        "left": -1 if times is None else times,
        "fired": 0,
    }
    folder = place.tmp / faults.FOLDER
    folder.mkdir(exist_ok=True)
    draft = place.tmp / f"fault-{secrets.token_hex(8)}"
    write_json(draft, wanted)
    # In order of their making: where two stand at one call, the older one comes first.
    path = draft.rename(folder / f"{_next(folder):06d}-{draft.name[-8:]}")
    return Fault(path, function, do, when, at)


def every(place: Place) -> list[Fault]:
    """All faults of a sandbox, those that have happened as well, oldest first."""
    folder = place.tmp / faults.FOLDER
    found = [(path, faults.read(path)) for path in sorted(folder.glob("*"))]
    return [
        Fault(path, fault["named"], fault["do"], fault["when"], fault["at"])
        for path, fault in found
        if fault
    ]


def clear(place: Place) -> int:
    """Take all faults away; how many there were."""
    found = every(place)
    for fault in found:
        fault.clear()
    return len(found)


def _next(folder: Path) -> int:
    numbers = [0]
    for path in folder.iterdir():
        with contextlib.suppress(ValueError):
            numbers.append(int(path.name.partition("-")[0]))
    return max(numbers) + 1


def _point(after: str, before: str) -> tuple[str, str]:
    if bool(after) == bool(before):
        raise Mistake("a fault stands after or before one call: give one of the two", code=2)
    return ("after", after) if after else ("before", before)


def _check(aws: Clients, do: str, at: str, times: int | None, seconds: float) -> None:
    if do not in faults.KINDS:
        raise Mistake(f"no fault '{do}'{choice(do, faults.KINDS)}", code=2)
    if times is not None and times < 1:
        raise Mistake(f"times: must be 1 or more (got {times})", code=2)
    if seconds < 0:
        raise Mistake(f"seconds: must be 0 or more (got {seconds})", code=2)
    service, _, operation = at.partition(":")
    if service not in _OWN_POINTS:
        _check_operation(aws, service, operation)
    elif do in _REFUSALS:
        raise Mistake(f"{do}: only a call of AWS is refused so, not '{at}'", code=2)
    elif (service == "handler") == bool(operation):
        raise Mistake(f"no call '{at}': write `handler`, or `http:POST`, or `http:*`", code=2)


def _check_operation(aws: Clients, service: str, operation: str) -> None:
    from botocore.exceptions import UnknownServiceError

    if not operation:
        raise Mistake(f"no call '{service}': write it as `dynamodb:PutItem`", code=2)
    try:
        known = aws.client(service).meta.service_model.operation_names
    except UnknownServiceError:
        raise Mistake(
            f"no service '{service}': named as boto3 names it, as `sesv2`", code=2
        ) from None
    if operation not in (faults.EVERY, *known):
        raise Mistake(f"{service} has no call '{operation}'{similar(operation, known)}", code=2)


def _physical(aws: Clients, state: State, name: str) -> str:
    """The function's own name in AWS; only an environment of Python can meet a fault."""
    target = functions.named(state, name).target
    physical = target.split(":")[6] if target.startswith("arn:") else target
    found = aws.client("lambda").get_function_configuration(FunctionName=physical)
    runtime = str(found.get("Runtime", ""))
    if not runtime.startswith("python"):
        raise Mistake(
            f"function '{name}' runs on {runtime}: only Python functions meet faults", code=2
        )
    return physical
