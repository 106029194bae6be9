"""The dashboard: drawn by CloudWatch, complete, and of metrics and alarms that there are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policies import alarms, aws, documents, metrics
from policies.metrics import Metric
from policies.model import Registered, Stack, rule

MOST_WIDGETS, MOST_ALARMS, GRID = 500, 100, 24
DRAWN = (aws.FUNCTION, aws.TABLE, aws.DATA_STREAM, aws.REST_STAGE, aws.STAGE)
"""Types of which each thing has a picture; of queues, those that something takes from."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")

Body = Mapping[str, Any]


@rule
def dashboard_is_drawn(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """CloudWatch checks the body: JSON, a region for each metric, inside a grid of 24 columns."""
    for dashboard in stack.all(aws.DASHBOARD):
        if not _NAME.fullmatch(str(dashboard.get("dashboardName") or "")):
            yield dashboard, "dashboardName is letters, digits, - and _, 255 at most"
        body = documents.json_object(dashboard.get("dashboardBody"))
        if body is None:
            yield dashboard, "dashboardBody must be a JSON object"
            continue
        widgets: list[dict[str, Any]] = body.get("widgets", [])
        if not 0 < len(widgets) <= MOST_WIDGETS:
            yield dashboard, f"has {len(widgets)} widgets; 1 to {MOST_WIDGETS} are taken"
        for place, widget in enumerate(widgets):
            yield from ((dashboard, f"widget {place} {text}") for text in _undrawn(widget))


@rule
def dashboard_shows_what_there_is(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A picture of a metric that nobody writes is empty for ever, and so is the state of a foreign alarm."""
    there = metrics.there(stack)
    known = {alarm.output("arn") for alarm in alarms.every(stack)}
    for dashboard, body in _bodies(stack):
        for metric in _shown(body):
            yield from ((dashboard, text) for text in metrics.unwritten(metric, there))
        for arn in _states(body):
            if arn not in known:
                yield dashboard, f"shows the state of '{arn}', which is no alarm of this stack"


@rule
def dashboard_shows_everything(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """The state of every alarm that tells somebody, once; and a picture of each thing that has one."""
    for dashboard, body in _bodies(stack):
        counted = Counter(_states(body))
        for alarm in alarms.every(stack):
            if alarm.get("alarmActions") and counted[alarm.output("arn")] != 1:
                times = counted[alarm.output("arn")]
                yield dashboard, f"shows the state of {alarm.name} {times} times, not once"
        seen = {value for metric in _shown(body) for value in metric.dimensions.values()}
        for thing, name in _drawn(stack):
            if name not in seen:
                yield dashboard, f"has no picture of {thing.name}"


def _bodies(stack: Stack) -> Iterator[tuple[Registered, Body]]:
    for dashboard in stack.all(aws.DASHBOARD):
        body = documents.json_object(dashboard.get("dashboardBody"))
        if body is not None:
            yield dashboard, body


def _undrawn(widget: Mapping[str, Any]) -> Iterator[str]:
    properties, type_ = widget.get("properties", {}), widget.get("type")
    if type_ == "metric" and not properties.get("region"):
        yield "names no region"
    if type_ == "metric" and not properties.get("metrics"):
        yield "shows no metric"
    if type_ == "alarm" and not 0 < len(properties.get("alarms") or []) <= MOST_ALARMS:
        yield f"shows no alarm, or more than {MOST_ALARMS}"
    if type_ == "text" and not properties.get("markdown"):
        yield "says nothing"
    if widget.get("x", 0) + widget.get("width", 6) > GRID:
        yield f"is outside the grid of {GRID} columns"


def _states(body: Body) -> Iterator[str]:
    for widget in body.get("widgets", []):
        if widget.get("type") == "alarm":
            yield from widget.get("properties", {}).get("alarms") or []


def _shown(body: Body) -> Iterator[Metric]:
    """Every metric of every picture; `.` repeats what stands above it, an object at the end is its form."""
    for widget in body.get("widgets", []):
        above: list[Any] = []
        for entry in widget.get("properties", {}).get("metrics") or []:
            words = [word for word in entry if isinstance(word, str)]
            row = [
                above[at] if word == "." and at < len(above) else word
                for at, word in enumerate(words)
            ]
            above = row or above
            if len(row) >= 2:
                yield _metric(row)


def _metric(row: Sequence[str]) -> Metric:
    said = dict(zip(row[2::2], row[3::2], strict=False))
    return Metric(namespace=row[0], name=row[1], statistic="", period=0, dimensions=said)


def _drawn(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """(what must have a picture, the value of the dimension by which it is found)."""
    for thing in stack.all(aws.FUNCTION, aws.TABLE, aws.DATA_STREAM):
        yield thing, str(thing.get("name") or thing.output("name"))
    for stage in stack.all(aws.REST_STAGE):
        api = stack.answering("id", str(stage.get("restApi")), aws.REST_API)
        yield stage, str(api.get("name") if api else "")
    for stage in stack.all(aws.STAGE):
        yield stage, str(stage.get("apiId"))
    for queue in stack.all(aws.QUEUE):
        if documents.json_object(queue.get("redrivePolicy")) is not None:
            yield queue, queue.output("name")


RULES = (dashboard_is_drawn, dashboard_shows_what_there_is, dashboard_shows_everything)
