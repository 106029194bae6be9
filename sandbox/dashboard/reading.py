"""A dashboard's body, read: what its widgets show, and where they stand in its grid of 24 columns.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COLUMNS = 24


@dataclass(frozen=True)
class Line:
    """One metric of a graph, as a key of what was read of it; `dimensions` are pairs of name and value."""

    label: str
    namespace: str
    name: str
    statistic: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a widget stands, in units of the grid."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Words:
    """A text widget."""

    place: Place
    markdown: str

    @property
    def heading(self) -> tuple[int, str]:
        """Depth and text of its heading, as `## Queues` -> (2, "Queues"); depth 0 without one."""
        first = self.markdown.partition("\n")[0]
        marks = len(first) - len(first.lstrip("#"))
        return (marks, first[marks:].strip()) if first[marks:].startswith(" ") else (0, "")

    @property
    def rest(self) -> list[str]:
        """Its lines below the heading."""
        lines = [line.strip() for line in self.markdown.splitlines()]
        return [line for line in lines[1 if self.heading[0] else 0 :] if line]


@dataclass(frozen=True)
class Alarms:
    """An alarm widget: the ARNs of what it shows."""

    place: Place
    title: str
    arns: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """A metric widget. `limits`: its horizontal lines by label; `untold`: how many of its lines are expressions."""

    place: Place
    title: str
    unit: str
    lines: tuple[Line, ...]
    limits: tuple[tuple[str, float], ...]
    untold: int = 0


@dataclass(frozen=True)
class Other:
    """A widget of a type that is not drawn."""

    place: Place
    title: str


Widget = Words | Alarms | Graph | Other


def read(body: str) -> list[Widget]:
    """The widgets of a body. Raises ValueError where it is none."""
    try:
        return [_widget(widget) for widget in json.loads(body)["widgets"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not the body of a dashboard: {error!r}") from error


def lines(widgets: Sequence[Widget]) -> list[Line]:
    """All metrics of all graphs, each once."""
    return list(dict.fromkeys(one for w in widgets if isinstance(w, Graph) for one in w.lines))


def _widget(widget: Mapping[str, Any]) -> Widget:
    place = Place(
        int(widget.get("x", 0)),
        int(widget.get("y", 0)),
        int(widget.get("width", 6)),
        int(widget.get("height", 6)),
    )
    said = widget.get("properties") or {}
    title = str(said.get("title", ""))
    match widget.get("type"):
        case "text":
            return Words(place, str(said.get("markdown", "")))
        case "alarm":
            return Alarms(place, title, tuple(said.get("alarms", ())))
        case "metric":
            return _graph(place, title, said)
        case other:
            return Other(place, f"{title} ({other})".strip())


def _graph(place: Place, title: str, said: Mapping[str, Any]) -> Graph:
    metrics = said.get("metrics") or []
    shown = list(_lines(metrics, str(said.get("stat", "Average"))))
    untold = sum(isinstance(one, Mapping) for metric in metrics for one in metric[:1])
    limits = [
        (str(one.get("label", "")), float(one["value"]))
        for one in (said.get("annotations") or {}).get("horizontal", ())
        if isinstance(one, Mapping)
    ]
    unit = str(((said.get("yAxis") or {}).get("left") or {}).get("label", ""))
    return Graph(place, title, unit, tuple(shown), tuple(limits), untold)


def _lines(metrics: Sequence[Sequence[Any]], statistic: str) -> Iterator[Line]:
    """Every metric but expressions; `.` repeats what stands above, `...` all that is left."""
    above: list[str] = []
    for metric in metrics:
        options = metric[-1] if metric and isinstance(metric[-1], Mapping) else {}
        parts = [str(part) for part in metric if not isinstance(part, Mapping)]
        if not parts:
            continue
        if parts[0] == "...":
            last = parts[1:]
            parts = [*above[: len(above) - len(last)], *last]
        parts = [
            above[at] if part == "." and at < len(above) else part for at, part in enumerate(parts)
        ]
        above = parts
        if len(parts) < 2 or options.get("visible") is False:
            continue
        yield Line(
            str(options.get("label", parts[1])),
            parts[0],
            parts[1],
            str(options.get("stat", statistic)),
            tuple(zip(parts[2::2], parts[3::2], strict=False)),
        )
