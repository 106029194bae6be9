"""Steps of the work as subsegments of X-Ray: what a function did within its invocation, and how long
it took.

Nothing is done where the invocation is not sampled; where it is, `segments` is imported, which
sends them. Nothing here ever fails or holds up a function.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    from common.segments import Segment

_LENGTH = 35  # of "1-5759e988-bd862e3fe1be46a994272793"

_open: ContextVar[Segment | None] = ContextVar("open", default=None)


def given() -> dict[str, str]:
    """The members of the trace header that Lambda was called with: Root, Parent, Sampled ..."""
    header = os.environ.get("_X_AMZN_TRACE_ID", "")
    return dict(part.split("=", 1) for part in header.split(";") if "=" in part)


def root() -> str:
    """The id of the invocation's trace ("1-..."), sampled or not; "" without one."""
    found = given().get("Root", "")
    # The header may be a caller's own, of whatever form.
    return found if len(found) == _LENGTH and found.startswith("1-") else ""


def segment(name: str, annotations: dict[str, Any]) -> Segment | None:
    """A subsegment that has begun below the innermost open step; None where nothing is recorded."""
    header = os.environ.get("_X_AMZN_TRACE_ID", "")
    if "Sampled=1" not in header or "AWS_XRAY_DAEMON_ADDRESS" not in os.environ:
        return None
    try:
        from common import segments

        return segments.begin(name, annotations, _open.get())
    except Exception:
        return None  # a trace is less than the work it tells of


class step:  # noqa: N801 - used as a function is, `with tracing.step("resize"):`
    """A part of the work, with annotations: text, numbers or bools, no personal data. An exception
    that passes is recorded, and passes.
    """

    __slots__ = ("_segment", "_token")

    def __init__(self, name: str, /, **annotations: str | float | bool) -> None:
        self._segment = segment(name, annotations)

    def __enter__(self) -> Self:
        if self._segment:
            self._token = _open.set(self._segment)
        return self

    def __exit__(
        self, kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._segment:
            _open.reset(self._token)
            self._segment.end(error)

    def remote(self, method: str, url: str) -> Self:
        """The step is a call of this HTTP API."""
        if self._segment:
            self._segment.remote(method, url)
        return self


def remote(method: str, url: str) -> step:
    """A call of an HTTP API as a step, named after its host; `answered` says how it ended."""
    return step("remote").remote(method, url)


def answered(status: int) -> None:
    """How the innermost open call ended: its HTTP status."""
    if found := _open.get():
        found.answered(status)


def failed(error: BaseException) -> None:
    """An exception that was answered, not raised: its trace would show an error without a cause."""
    if found := segment("exception", {}):
        found.end(error)


def annotate(**values: str | float | bool) -> None:
    """Annotations of the innermost open step, by which traces are searched."""
    if found := _open.get():
        found.annotate(values)


def header() -> str:
    """X-Amzn-Trace-Id for a call, which makes what it causes part of the innermost open step; ""
    where nothing is recorded.
    """
    found = _open.get()
    return found.header() if found else ""
