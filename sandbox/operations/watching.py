"""What the commands `alarms`, `metrics` and `traces` print."""

from __future__ import annotations

import json
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sandbox.operations.alarming import Alarm
    from sandbox.operations.measuring import Metric
    from sandbox.operations.tracing import Span, Trace

_BARS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 40
"""Columns of a waterfall."""
_NAME: Final = 44


def alarms(options: Namespace) -> int:
    """`alarms`: those that ring first, with their reasons."""
    from sandbox.operations.commands import operations

    does = operations(options)
    found = [each for each in does.alarms() if options.name in each.name]
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
        return 0
    if not found:
        print(_none("alarms", options.name))
        return 0
    width = max(len(each.name) for each in found)
    for each in found:
        print(_alarm(each, width))
        if each.rings:
            print(f"  {each.reason}")
    counts = Counter(each.state for each in found)
    print(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
    return 0


def _alarm(alarm: Alarm, width: int) -> str:
    from sandbox.operations.commands import age

    state = "NO DATA" if alarm.state == "INSUFFICIENT_DATA" else alarm.state
    since = f"for {age(time.time() - alarm.since)}" if alarm.since else ""
    line = f"{state:<7} {alarm.severity:<6} {alarm.name:<{width}}  {since:<10} {alarm.runbook}"
    return line.rstrip()


def metrics(options: Namespace) -> int:
    """`metrics`: the last minutes of each, as a line of bars."""
    from sandbox.operations.commands import operations

    found = operations(options).metrics(options.name)
    if options.json:
        told = [{**asdict(each), "total": each.total, "last": each.last} for each in found]
        print(json.dumps(told, indent=2))
        return 0
    if not found:
        print(_none("metrics", options.name))
    width = max((len(each.name) for each in found), default=0)
    place = None
    for each in found:
        if place != (each.namespace, each.dimensions):
            place = (each.namespace, each.dimensions)
            print(" ".join([each.namespace, *(f"{k}={v}" for k, v in each.dimensions.items())]))
        print(f"  {_metric(each, width)}")
    return 0


def _none(what: str, name: str) -> str:
    return f"no {what} with {name!r} in the name" if name else f"no {what}"


def _metric(metric: Metric, width: int) -> str:
    word = "sum" if metric.statistic == "Sum" else "most"
    told = "nothing lately" if metric.last is None else f"{word} {_number(metric.total)}"
    return f"{metric.name:<{width}} {bars(metric.values)} {told}"


def bars(values: Sequence[float | None]) -> str:
    """Values as a line of bars; a minute without any is a space."""
    known = [value for value in values if value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    steps = len(_BARS) - 1
    return "".join(
        " "
        if value is None
        else _BARS[round((value - low) / (high - low) * steps) if high > low else 0]
        for value in values
    )


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"


def traces(options: Namespace) -> int:
    """`traces`: the latest, newest first; with an id the whole of one, and what followed from it."""
    from sandbox.operations.commands import operations

    does = operations(options)
    if not options.id:
        found = does.traces(most=options.max)
        if options.json:
            print(json.dumps([asdict(each) for each in found], indent=2))
            return 0
        print("\n".join(_summary(each) for each in found) or "no traces")
        return 0
    related = does.related_traces(options.id)
    if options.json:
        print(json.dumps([asdict(each) for each in related], indent=2))
        return 0
    for place, each in enumerate(related):
        print("\n".join([*([""] if place else []), *tree(each)]))
    return 0


def _summary(trace: Trace) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(trace.start))
    status = f" {trace.status}" if trace.status and trace.title.partition(" ")[2] else ""
    called = ", ".join(trace.functions)
    parts = [f"{clock}  {trace.id}  {trace.milliseconds:7.0f} ms  {trace.title}{status}"]
    if called and called != trace.title:
        parts.append(f"({called})")
    if trace.error:
        parts.append(f"! {trace.error}")
    return " ".join(" ".join(parts).splitlines())


def tree(trace: Trace) -> list[str]:
    """A trace as lines: its head, then each thing in it with its part of the whole."""
    lines = [_summary(trace)]
    if trace.causes:
        lines.append(f"  after {', '.join(trace.causes)}")
    whole = max(trace.end - trace.start, 1e-6)
    for depth, span in _indented(trace.spans, 1):
        name = f"{'  ' * depth}{_title(span)}"
        lines.append(f"{name:<{_NAME}} {_bar(span, trace.start, whole)} {_told(span)}".rstrip())
    return lines


def _indented(spans: Sequence[Span], depth: int) -> Iterator[tuple[int, Span]]:
    for span in spans:
        yield depth, span
        yield from _indented(span.children, depth + 1)


def _title(span: Span) -> str:
    """A call of Lambda and the function's own work have one name in X-Ray."""
    if span.kind == "AWS::Lambda":
        return f"{span.name} (call)"
    return f"{span.name} (function)" if span.kind == "AWS::Lambda::Function" else span.name


def _bar(span: Span, start: float, whole: float) -> str:
    first = min(_WIDTH - 1, int((span.start - start) / whole * _WIDTH))
    last = min(_WIDTH, max(first + 1, round((span.end - start) / whole * _WIDTH)))
    return f"|{' ' * max(first, 0)}{'=' * (last - max(first, 0))}{' ' * (_WIDTH - last)}|"


def _told(span: Span) -> str:
    parts = [f"{span.milliseconds:8.1f} ms"]
    parts += [f"{name}={value}" for name, value in span.annotations.items()]
    if span.error:
        parts.append(f"! {span.error.splitlines()[0]}")
    return " ".join(parts)
