"""A trace as X-Ray keeps it, read as one tree, with what must hold of any."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.box import Box
from tests.support.effects import eventually

SLACK = 0.005
"""Seconds by which clocks of two processes, read one after the other, may seem to differ."""
_CALLED = "AWS::Lambda"
"""Origin of a segment that says that a function was called, not what it did."""
_ASYNCHRONOUS = ("events", "lambda", "sns")
"""Calls that do not wait for the function that they start."""

Document = Mapping[str, Any]


@dataclass
class Segment:
    """A segment or subsegment, and all that names it as parent."""

    document: Document
    children: list[Segment] = field(default_factory=list["Segment"])

    @property
    def start(self) -> float:
        return self.document["start_time"]

    @property
    def end(self) -> float:
        return self.document["end_time"]

    @property
    def milliseconds(self) -> float:
        return (self.end - self.start) * 1000

    def walk(self) -> Iterator[Segment]:
        """It and all below."""
        yield self
        for child in self.children:
            yield from child.walk()

    def find(self, **members: Any) -> Segment:
        """The only one below, or itself, whose document has these members."""
        (found,) = [s for s in self.walk() if members.items() <= s.document.items()]
        return found


def tree(box: Box, trace: str, *names: str) -> Segment:
    """The root of a trace, once segments of these names are in it.

    Fails where ids repeat, where not one alone has no parent, or where one ends after its parent.
    """

    def whole() -> list[Document]:
        found: list[Document] = list(_documents(box, trace))
        there = {each["name"] for each in found if each.get("origin") not in (None, _CALLED)}
        return found if there >= set(names) else []

    documents = eventually(whole)
    every = {each["id"]: Segment(each) for each in documents}
    assert len(every) == len(documents), "ids repeat"
    roots: list[Segment] = []
    for segment in every.values():
        document = segment.document
        assert document["trace_id"] == trace, document
        parent = every.get(document.get("parent_id", ""))
        (parent.children if parent else roots).append(segment)
    (root,) = roots
    for segment in root.walk():
        for child in segment.children:
            assert segment.start - SLACK <= child.start <= child.end, child.document
            later = "origin" in child.document and segment.document["name"] in _ASYNCHRONOUS
            assert later or child.end <= segment.end + SLACK, child.document
    return root


def _documents(box: Box, trace: str) -> Iterator[dict[str, Any]]:
    """All of a trace, those inside of others with the trace and the parent that AWS leaves to their place."""
    found = box.client("xray").batch_get_traces(TraceIds=[trace])["Traces"]
    waiting = [json.loads(segment["Document"]) for each in found for segment in each["Segments"]]
    while waiting:
        document = waiting.pop()
        yield document
        for inner in document.get("subsegments", []):
            assert inner.get("parent_id", document["id"]) == document["id"], inner
            waiting.append({"trace_id": trace, **inner, "parent_id": document["id"]})
