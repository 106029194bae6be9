"""What a request did, as X-Ray keeps it: who is traced now, and the documents of the latest traces.

Sources: X-Ray developer guide, "X-Ray concepts" (tracing header), "X-Ray segment documents". Unlike X-Ray, the sandbox
records every trace, unless the header of a request says that it is not sampled.
"""

from __future__ import annotations

import contextvars
import json
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

HEADER: Final = "x-amzn-trace-id"
MOST_TRACES: Final = 2_000
"""Traces that are kept, the latest."""
MOST_BYTES: Final = 8 * 1024 * 1024
"""And their documents, as JSON."""
_LONGEST: Final = 64 * 1024
"""Bytes of one document (X-Ray quotas)."""
_ROOT: Final = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")

Document = dict[str, Any]


@dataclass(frozen=True)
class Context:
    """A tracing header. `sampled` None leaves the decision to the next service; `parent` is empty at the beginning."""

    root: str
    parent: str = ""
    sampled: bool | None = None

    def __str__(self) -> str:
        parent = f";Parent={self.parent}" if self.parent else ""
        sampled = "" if self.sampled is None else f";Sampled={int(self.sampled)}"
        return f"Root={self.root}{parent}{sampled}"

    def below(self, parent: str) -> Context:
        """The same trace for what a recorded segment calls."""
        return replace(self, parent=parent, sampled=True)


def new(*, sampled: bool | None = None) -> Context:
    """A trace that begins now."""
    return Context(f"1-{int(time.time()):08x}-{secrets.token_hex(12)}", sampled=sampled)


def read(header: str | None) -> Context | None:
    """What a tracing header says; None for none, or for one that names no trace."""
    parts = {
        name.strip().lower(): value.strip()
        for name, _, value in (part.partition("=") for part in (header or "").split(";"))
    }
    root, parent = parts.get("root", ""), parts.get("parent", "")
    if not _ROOT.fullmatch(root):
        return None
    sampled = {"1": True, "0": False}.get(parts.get("sampled", ""))
    return Context(root, parent if re.fullmatch(r"[0-9a-f]{16}", parent) else "", sampled)


_current: contextvars.ContextVar[Context | None] = contextvars.ContextVar("_current", default=None)


def current() -> Context | None:
    """The trace of what is done now."""
    return _current.get()


def follow(context: Context | None) -> None:
    """Let what this request does from now on belong to the trace."""
    _current.set(context)


@contextmanager
def within(context: Context | None) -> Iterator[None]:
    """What is done inside belongs to the trace."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def new_id() -> str:
    """An id of a segment."""
    return secrets.token_hex(8)


def cause(kind: str, message: str) -> Document:
    """The part of a document that says why something failed."""
    exception = {"id": new_id(), "type": kind, "message": message}
    return {"working_directory": "/var/task", "exceptions": [exception]}


@dataclass
class _Trace:
    documents: dict[str, str] = field(default_factory=dict)
    size: int = 0


class Store:
    """The documents of the latest traces, as text: they are read far less often than written."""

    def __init__(self, most_traces: int = MOST_TRACES, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_traces, most_bytes
        self._traces: OrderedDict[str, _Trace] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def put(self, document: Mapping[str, Any]) -> None:
        """Keep a document; one with the same id takes the place of its former state."""
        self.put_text(str(document["trace_id"]), str(document["id"]), json.dumps(document))

    def put_text(self, trace: str, ident: str, text: str) -> None:
        """The same for a document as JSON."""
        with self._lock:
            found = self._traces.get(trace)
            if found is None:
                found = self._traces[trace] = _Trace()
            grown = len(text) - len(found.documents.get(ident, ""))
            found.documents[ident] = text
            found.size += grown
            self._size += grown
            while len(self._traces) > self._most[0] or (
                self._size > self._most[1] and len(self._traces) > 1
            ):
                self._size -= self._traces.popitem(last=False)[1].size

    def names(self) -> list[str]:
        """The ids of all traces, oldest first."""
        with self._lock:
            return list(self._traces)

    def documents(self, trace: str) -> list[Document]:
        """What was said of one trace."""
        with self._lock:
            found = self._traces.get(trace)
            texts = list(found.documents.values()) if found else []
        return [json.loads(text) for text in texts]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._traces.clear()
            self._size = 0


store: Final = Store()
"""The traces of this emulator."""


def take(text: str) -> str | None:
    """Keep a document that somebody sent; why not, where it is none."""
    if len(text.encode()) > _LONGEST:
        return "MaxSegmentSize: the document is larger than 64 KB"
    try:
        found = json.loads(text)
    except ValueError:
        return "ParseError: Invalid segment. ErrorCode: Unparsable"
    if not isinstance(found, dict):
        return "ParseError: Invalid segment. ErrorCode: Unparsable"
    missing = [name for name in ("name", "id", "trace_id", "start_time") if not found.get(name)]
    if missing:
        return f"ParseError: Invalid segment. ErrorCode: MissingField {', '.join(missing)}"
    if not _ROOT.fullmatch(str(found["trace_id"])):
        return "ParseError: Invalid segment. ErrorCode: InvalidTraceId"
    store.put_text(found["trace_id"], str(found["id"]), text)
    return None
