"""Subsegments of X-Ray: what a function did within its invocation, and how long it took.

Lambda records the invocation; what is below it is sent here, in X-Ray's published format, as one
UDP datagram to the daemon that Lambda runs beside each function. Nothing is sent, and hardly
anything done, where the invocation is not sampled. Nothing here ever fails or holds up a function.
"""

from __future__ import annotations

import functools
import json
import os
import re
import time
import traceback
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from common import correlation

if TYPE_CHECKING:
    import socket

_FORMAT = b'{"format": "json", "version": 1}\n'
_LARGEST = 60_000  # bytes of a document; a datagram has 65,507
_MOST_FRAMES = 30
_LONGEST = 1_000  # characters of an annotation, X-Ray's limit, and of an exception's text
_LONGEST_NAME = 200
_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429
_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_ID = re.compile(r"[0-9a-f]{16}")
_NOT_IN_NAMES = re.compile(r"[^\w .:/%&#=+\\@-]")

Document = dict[str, Any]
_open: ContextVar[step | None] = ContextVar("open", default=None)


class _Trace(NamedTuple):
    """The trace that an invocation belongs to; `parent` is "" where nothing is to be recorded."""

    root: str
    parent: str


def root() -> str:
    """The id of the invocation's trace ("1-..."), sampled or not; "" without one."""
    return _trace(os.environ.get("_X_AMZN_TRACE_ID", "")).root


def header() -> str:
    """X-Amzn-Trace-Id for a call, which makes what it causes part of the innermost open step; ""
    where nothing is recorded.
    """
    current = _open.get()
    return current.header() if current is not None else ""


def annotate(**values: str | float | bool) -> None:
    """Annotations of the innermost open step, by which traces are searched."""
    current = _open.get()
    if current is not None and current.document:
        current.document["annotations"].update(_annotations(values))


class step:  # noqa: N801 - used as a function, `with tracing.step("resize"):`
    """A part of the work as a subsegment, with annotations: text, numbers or bools, no personal
    data. An exception that passes is recorded, and passes.
    """

    __slots__ = ("_token", "document")

    def __init__(self, name: str, /, **annotations: str | float | bool) -> None:
        self._token: Any = None
        trace = _trace(os.environ.get("_X_AMZN_TRACE_ID", ""))
        self.document: Document = {}  # empty where nothing is recorded
        if not trace.parent or "AWS_XRAY_DAEMON_ADDRESS" not in os.environ:
            return
        above = _open.get()
        inside = above is not None and above.document.get("trace_id") == trace.root
        self.document = {
            "type": "subsegment",
            "id": os.urandom(8).hex(),
            "trace_id": trace.root,
            "parent_id": above.document["id"] if above and inside else trace.parent,
            "name": _NOT_IN_NAMES.sub("", name)[:_LONGEST_NAME],
            "start_time": time.time(),
            "annotations": _annotations({"correlation_id": correlation.current(), **annotations}),
        }

    def __enter__(self) -> Self:
        self._token = _open.set(self)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        _open.reset(self._token)
        self.end(error)

    def header(self) -> str:
        """X-Amzn-Trace-Id that makes what a call causes part of this step; "" where nothing is
        recorded.
        """
        if not self.document:
            return ""
        given = os.environ.get("_X_AMZN_TRACE_ID", "").split(";")
        # What else is in it (Lineage) is how Lambda finds loops.
        kept = [part for part in given if not part.startswith(("Root=", "Parent="))]
        return ";".join(
            [f"Root={self.document['trace_id']}", f"Parent={self.document['id']}", *kept]
        )

    def end(self, error: BaseException | None = None) -> None:
        """Send it; once."""
        document, self.document = self.document, {}
        if document:
            try:
                document["end_time"] = time.time()
                if error is not None:
                    document.update(_failure(error))
                _send(document)
            except Exception:  # noqa: S110 - a trace is less than the work it tells of
                pass


def remote(method: str, url: str) -> step:
    """A call of an HTTP API as a step; `answered` says how it ended."""
    from urllib.parse import urlsplit

    called = step("")
    if called.document:
        parts = urlsplit(url)
        host = parts.hostname or "unknown"
        called.document["name"] = host
        called.document["namespace"] = "remote"
        # Path and query may be secret: they are in webhooks' addresses.
        request = {"method": method, "url": f"{parts.scheme}://{host}/"}
        called.document["http"] = {"request": request}
    return called


def answered(status: int) -> None:
    """How the innermost open call ended: its HTTP status."""
    current = _open.get()
    if current is not None and current.document:
        current.document.setdefault("http", {})["response"] = {"status": status}
        current.document.update(flags(status))


def flags(status: int) -> Document:
    """What X-Ray calls an answer of this status: an error, a fault, throttled, or nothing."""
    if status == _TOO_MANY_REQUESTS:
        return {"error": True, "throttle": True}
    if status >= _SERVER_ERROR:
        return {"fault": True}
    return {"error": True} if status >= 400 else {}


@functools.lru_cache(maxsize=4)
def _trace(given: str) -> _Trace:
    found = [part.partition("=") for part in given.split(";")]
    parts = {name: value for name, _, value in found}
    root, parent = parts.get("Root", ""), parts.get("Parent", "")
    known = _ROOT.fullmatch(root) is not None
    sampled = known and parts.get("Sampled") == "1" and _ID.fullmatch(parent)
    return _Trace(root if known else "", parent if sampled else "")


def _annotations(values: dict[str, Any]) -> Document:
    return {
        re.sub(r"\W", "_", name, flags=re.ASCII): value
        if isinstance(value, bool | int | float)
        else _clean(str(value))
        for name, value in values.items()
        if value not in ("", None)
    }


def _failure(error: BaseException) -> Document:
    """An exception as X-Ray has it. Who asked wrongly is told so by a status below 500."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    told = {
        "id": os.urandom(8).hex(),
        "type": type(error).__name__,
        "message": _clean(str(error)),
        "remote": False,
        "stack": [
            {"path": os.path.basename(frame.filename), "line": frame.lineno, "label": frame.name}  # noqa: PTH119
            for frame in reversed(frames)
        ],
    }
    status = getattr(error, "status", None)
    kind = flags(status) if isinstance(status, int) else {"fault": True}
    return {**kind, "cause": {"exceptions": [told]}}


def _clean(text: str) -> str:
    from common import logs  # which imports this

    return logs.clean(text[: 4 * _LONGEST])[:_LONGEST]


def _send(document: Document) -> None:
    content = json.dumps(document).encode()
    if len(content) > _LARGEST:
        content = json.dumps({k: v for k, v in document.items() if k != "cause"}).encode()
    _socket().sendto(_FORMAT + content, _address(os.environ["AWS_XRAY_DAEMON_ADDRESS"]))


@functools.cache
def _socket() -> socket.socket:
    import socket  # by now botocore or http.client has imported it

    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(0)  # sent at once, or not at all
    return made


@functools.cache
def _address(given: str) -> tuple[str, int]:
    """Host and port of "127.0.0.1:2000" or "tcp:127.0.0.1:2000 udp:127.0.0.2:2001"."""
    places = given.split()
    place = next((each for each in places if each.startswith("udp:")), places[0])
    host, _, port = place.removeprefix("udp:").rpartition(":")
    return host, int(port)
