"""The dashboard's body, in CloudWatch's structure: alarms on top, then a row for each thing that is watched.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pulumi

from components.watching import Graph, Kind, Metric, Severity, Watched

COLUMNS: Final = 24
"""How wide the grid of every dashboard is."""
MOST_ALARMS: Final = 100
"""What one alarm widget holds."""
MOST_WIDGETS: Final = 500
"""What one dashboard holds."""

SECTIONS: Final[Mapping[Kind, str]] = {
    "service": "Service",
    "api": "APIs",
    "function": "Functions",
    "queue": "Queues",
    "stream": "Streams",
    "table": "Tables",
}
"""Kinds of what is watched, from the top of the page to its foot, and what they are called there."""
SEVERITIES: Final[Mapping[Severity, str]] = {
    "page": "Page: somebody is needed now",
    "ticket": "Ticket: somebody is needed on a working day",
}

NAME_WIDTH, ROW_HEIGHT, MOST_IN_A_ROW = 3, 5, 4
ALARMS_IN_A_ROW, HIGHEST_ALARMS = 6, 5

Widget = dict[str, Any]


def body(
    watched: Sequence[Watched],
    *,
    alarms: Mapping[str, pulumi.Input[str]],
    region: str,
    title: str,
) -> dict[str, Any]:
    """The dashboard of what is watched; `alarms` maps the short name of each alarm that exists to its ARN.

    The states of all alarms stand on top, those that page first. A thing's row begins with its name and its runbooks,
    and its graphs stand beside them, with the limits of the alarms where there are any; a thing without graphs has no row.
    Raises ValueError over 500 widgets.
    """
    page = _Page()
    page.put(_text(f"# {title}"), COLUMNS, 1)
    page.feed()
    for severity, said in SEVERITIES.items():
        for heading, names in _states(watched, severity, said):
            arns = [alarms[name] for name in names if name in alarms]
            if arns:
                page.put(_alarms(heading, arns), COLUMNS, _alarms_height(len(arns)))
                page.feed()
    for kind, heading in SECTIONS.items():
        rows = [one for one in watched if one.kind == kind and one.graphs]
        if rows:
            page.put(_text(f"## {heading}"), COLUMNS, 1)
            page.feed()
        for one in rows:
            _row(page, one, alarms, region)
    if len(page.widgets) > MOST_WIDGETS:
        raise ValueError(f"a dashboard holds {MOST_WIDGETS} widgets, not {len(page.widgets)}")
    return {"start": "-PT3H", "periodOverride": "auto", "widgets": page.widgets}


class _Page:
    """Widgets from the left to the right and from the top to the foot."""

    def __init__(self) -> None:
        self.widgets: list[Widget] = []
        self._x = self._y = self._height = 0

    def put(self, widget: Widget, width: int, height: int) -> None:
        """Place a widget at the right of the last one."""
        at = {"x": self._x, "y": self._y, "width": width, "height": height}
        self.widgets.append({**widget, **at})
        self._x += width
        self._height = max(self._height, height)

    def feed(self, x: int = 0) -> None:
        """Go below the last row, to a column."""
        self._y += self._height
        self._x, self._height = x, 0


def _states(
    watched: Sequence[Watched], severity: Severity, said: str
) -> Iterator[tuple[str, Sequence[str]]]:
    """Title and alarms of each alarm widget: functions apart from the rest, no more in one than it holds."""
    for are_functions, of in ((False, "service, APIs, data"), (True, "functions")):
        names = [
            alarm.name
            for one in watched
            if (one.kind == "function") is are_functions
            for alarm in _speaking(one)
            if alarm.severity == severity
        ]
        for first in range(0, len(names), MOST_ALARMS):
            more = f" from {first + 1}" if first else ""
            yield f"{said} ({of}{more})", names[first : first + MOST_ALARMS]


def _speaking(one: Watched) -> Iterator[Any]:
    """The alarms that tell somebody: parts of a composite alarm are seen in it."""
    yield from one.composites
    yield from (alarm for alarm in one.alarms if not alarm.quiet)


def _alarms_height(count: int) -> int:
    # Three rows of alarms take two units. Those that ring come first, so what does not fit, and is scrolled to, is calm.
    rows = -(-count // ALARMS_IN_A_ROW)
    return min(1 + -(-2 * rows // 3), HIGHEST_ALARMS)


def _row(page: _Page, one: Watched, alarms: Mapping[str, pulumi.Input[str]], region: str) -> None:
    """One thing: its name at the left, its graphs beside it, at most four side by side."""
    lines = -(-len(one.graphs) // MOST_IN_A_ROW)
    page.put(_text(_named(one, alarms)), NAME_WIDTH, ROW_HEIGHT * lines)
    left = list(one.graphs)
    for line, count in enumerate(_shares(len(left), lines), start=1):
        widths = _shares(COLUMNS - NAME_WIDTH, count)
        for graph, width in zip(left[:count], widths, strict=True):
            page.put(_graph(graph, region, limits=bool(alarms)), width, ROW_HEIGHT)
        del left[:count]
        page.feed(x=NAME_WIDTH if line < lines else 0)


def _shares(width: int, parts: int) -> list[int]:
    """A whole number in equal parts, the larger ones first."""
    return [width // parts + (place < width % parts) for place in range(parts)]


def _named(one: Watched, alarms: Mapping[str, pulumi.Input[str]]) -> str:
    declared = [*one.composites, *one.alarms]
    runbooks = dict.fromkeys(alarm.runbook for alarm in declared if alarm.name in alarms)
    return "\n\n".join([f"### {one.name}", *["Runbooks: " + ", ".join(runbooks)] * bool(runbooks)])


def _text(markdown: str) -> Widget:
    return {"type": "text", "properties": {"markdown": markdown, "background": "transparent"}}


def _alarms(title: str, arns: Sequence[pulumi.Input[str]]) -> Widget:
    properties = {"title": title, "alarms": list(arns), "sortBy": "stateUpdatedTimestamp"}
    return {"type": "alarm", "properties": properties}


def _graph(graph: Graph, region: str, *, limits: bool) -> Widget:
    properties: dict[str, Any] = {
        "title": graph.title,
        "region": region,
        "view": "timeSeries",
        "stacked": False,
        "period": 60,
        "metrics": [_line(label, metric) for label, metric in graph.lines],
        "yAxis": {"left": {"min": 0, "label": graph.unit, "showUnits": False}},
    }
    if limits and graph.limit is not None:
        properties["annotations"] = {"horizontal": [{"label": "alarm", "value": graph.limit}]}
    return {"type": "metric", "properties": properties}


def _line(label: str, metric: Metric) -> list[Any]:
    named = [part for pair in metric.dimensions.items() for part in pair]
    return [metric.namespace, metric.name, *named, {"label": label, "stat": metric.statistic}]
