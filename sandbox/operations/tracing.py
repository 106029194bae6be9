"""The traces of a running stack, as trees of what was done, each with the traces that messages of it began."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sandbox.clients import Clients
from sandbox.errors import Mistake

LATEST: Final = 50
_AT_ONCE: Final = 5
"""Traces of one BatchGetTraces."""
_SPAN_SECONDS: Final = 86_400
"""The most that GetTraceSummaries looks over."""
_FLAGS: Final = ("fault", "throttle", "error")


@dataclass(frozen=True)
class Span:
    """Something that was done. `kind`: its origin (`AWS::Lambda`) or namespace (`aws`, `remote`), empty for a step.

    `start`, `end`: seconds since the epoch. `error`: why it failed, or empty. `children`: what was done inside.
    """

    name: str
    kind: str
    start: float
    end: float
    error: str
    annotations: Mapping[str, Any]
    children: tuple[Span, ...]

    @property
    def milliseconds(self) -> float:
        """How long it took."""
        return (self.end - self.start) * 1000

    def walk(self) -> Iterator[Span]:
        """It and all inside."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Trace:
    """What one request or event did. `title`: the request, or the function that it began with. `status`: of its answer.

    `error`: the first failure in it, or empty. `causes`: ids of the traces whose messages began it; `effects`: of those
    that its own messages began.
    """

    id: str
    title: str
    status: int | None
    start: float
    end: float
    error: str
    functions: tuple[str, ...]
    spans: tuple[Span, ...]
    causes: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()

    @property
    def milliseconds(self) -> float:
        """From its beginning to the end of the last thing in it."""
        return (self.end - self.start) * 1000

    def walk(self) -> Iterator[Span]:
        """Everything in it."""
        for span in self.spans:
            yield from span.walk()


@dataclass
class Reader:
    """Reads traces; `names` are functions' own names by those that they have in AWS."""

    aws: Clients
    names: Mapping[str, str]
    _read: dict[str, Trace] = field(default_factory=dict)

    def latest(self, most: int = LATEST) -> list[Trace]:
        """The latest traces, newest first."""
        ids = [each["Id"] for each in self._summaries()]
        return [found for found in self._traces(ids[:most]) if found]

    def one(self, ident: str) -> Trace:
        """A trace by its id, or by the only end or beginning that fits; with its effects. Raises Mistake."""
        ids = [each["Id"] for each in self._summaries()]
        found = [i for i in ids if i == ident] or [
            i for i in ids if i.startswith(ident) or i.endswith(ident)
        ]
        if len(found) != 1:
            why = f"{len(found)} traces have such an id" if found else "there is no such trace"
            raise Mistake(f"{ident}: {why}; `traces` lists the latest", code=2)
        return self.related(found[0])[0]

    def related(self, ident: str) -> list[Trace]:
        """A trace and all that follow from its messages, each with its effects, in the order of their beginnings."""
        [first] = self._traces([ident])
        # What follows from a trace begins after it, with a function that read a message.
        later = [
            each["Id"]
            for each in reversed(self._summaries(since=first.start - 1))
            if each.get("EntryPoint", {}).get("Type") == "AWS::Lambda" and each["Id"] != ident
        ]
        others = self._traces(later)
        found, at = {ident: first}, [first]
        while at:
            parent = at.pop(0)
            for other in others:
                if parent.id in other.causes and other.id not in found:
                    found[other.id] = other
                    at.append(other)
        return [_with_effects(each, others) for each in found.values()]

    def _summaries(self, since: float = 0.0) -> list[Mapping[str, Any]]:
        """Newest first."""
        now = time.time()
        start = max(since, now + 60 - _SPAN_SECONDS)
        page = self.aws.client("xray").get_trace_summaries(StartTime=start, EndTime=now + 60)
        return list(reversed(page["TraceSummaries"]))

    def _traces(self, ids: Sequence[str]) -> list[Trace]:
        client = self.aws.client("xray")
        told: dict[str, Mapping[str, Any]] = {}
        for place in range(0, len(ids), _AT_ONCE):
            page = client.batch_get_traces(TraceIds=list(ids[place : place + _AT_ONCE]))
            told |= {each["Id"]: each for each in page["Traces"]}
        return [self._trace(told[ident]) for ident in ids if ident in told]

    def _trace(self, told: Mapping[str, Any]) -> Trace:
        documents = [json.loads(each["Document"]) for each in told["Segments"]]
        roots = self._tree(documents)
        every = [span for root in roots for span in root.walk()]
        links = [link["trace_id"] for each in documents for link in each.get("links") or []]
        first = next(each for each in documents if each["start_time"] == roots[0].start)
        handlers = [span.name for span in every if span.kind == "AWS::Lambda::Function"]
        request = (first.get("http") or {}).get("request") or {}
        path = str(request.get("url", "")).partition("amazonaws.com")[2]
        return Trace(
            id=told["Id"],
            title=f"{request['method']} {path}" if request.get("method") else roots[0].name,
            status=((first.get("http") or {}).get("response") or {}).get("status"),
            start=roots[0].start,
            end=max(span.end for span in every),
            error=next((span.error for span in reversed(every) if span.error), ""),
            functions=tuple(dict.fromkeys(handlers)),
            spans=tuple(roots),
            causes=tuple(dict.fromkeys(links)),
        )

    def _tree(self, documents: Sequence[Mapping[str, Any]]) -> list[Span]:
        """The segments that have no parent in the trace, each with all below it."""
        inside = [each for top in documents for each in _walk(top)]
        known = {each["id"] for each in inside}
        below: dict[str, list[Mapping[str, Any]]] = {}
        for each in documents:
            if each.get("parent_id") in known:
                below.setdefault(each["parent_id"], []).append(each)
        tops = [each for each in documents if each.get("parent_id") not in known]
        return [self._span(each, below) for each in tops]

    def _span(self, told: Mapping[str, Any], below: Mapping[str, Any]) -> Span:
        inner: list[Mapping[str, Any]] = [
            *(told.get("subsegments") or []),
            *below.get(told["id"], []),
        ]
        inner.sort(key=lambda each: each["start_time"])
        name = str(told["name"])
        if name == "Lambda" and (called := (told.get("aws") or {}).get("function_name")):
            name = f"Lambda {self.names.get(called, called)}"
        return Span(
            name=self.names.get(name, name),
            kind=str(told.get("origin") or told.get("namespace") or ""),
            start=told["start_time"],
            end=told.get("end_time", told["start_time"]),
            error=_error(told),
            annotations=told.get("annotations") or {},
            children=tuple(self._span(each, below) for each in inner),
        )


def _with_effects(trace: Trace, others: Sequence[Trace]) -> Trace:
    effects = tuple(other.id for other in others if trace.id in other.causes)
    return replace(trace, effects=effects)


def _walk(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield document
    for inner in document.get("subsegments") or []:
        yield from _walk(inner)


def _error(told: Mapping[str, Any]) -> str:
    """Why it failed: the exception, else the status, else the word."""
    flag = next((name for name in _FLAGS if told.get(name)), "")
    cause = told.get("cause")
    exceptions = cause.get("exceptions") if isinstance(cause, Mapping) else None
    if exceptions:
        return ": ".join(
            part for part in (exceptions[0].get("type"), exceptions[0].get("message")) if part
        )
    status = ((told.get("http") or {}).get("response") or {}).get("status")
    return f"{flag} {status}" if flag and status else flag
