"""Queries as GetMetricData and alarms have them: metrics and expressions that name each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sandbox.workers import metric_math, metric_statistics
from sandbox.workers.metric_math import Moments, Node, Scope, Unread, Value
from sandbox.workers.metric_store import STORE, Key, key_of

Record = dict[str, Any]
Windows = Sequence[tuple[float, float]]
Grid = Callable[[float], Windows]
"""The windows of a period, oldest first."""


class Queries:
    """Queries that belong together. Raises Unread where an expression is not read, or names what there is not."""

    def __init__(self, given: Iterable[Mapping[str, Any]]) -> None:
        self.given: dict[str, Mapping[str, Any]] = {str(each["Id"]): each for each in given}
        self.nodes: dict[str, Node] = {}
        """Those of the queries that are expressions."""
        for name, each in self.given.items():
            if text := each.get("Expression"):
                self.nodes[name] = metric_math.compiled(str(text))
                for other in metric_math.identifiers(str(text)):
                    if other not in self.given:
                        raise Unread(f"{name} names {other}, which is no query here")
            elif not metric_statistics.is_known(self.stat(name)):
                raise Unread(f"the statistic {self.stat(name)} is not simulated")

    def reads(self) -> set[Key]:
        """The metrics that the queries read."""
        return {self.key(name) for name in self.given if name not in self.nodes}

    def period(self) -> int:
        """Seconds of the shortest period among them."""
        periods = [int(self.metric(name).get("Period") or 0) for name in self.given]
        own = [int(each.get("Period") or 0) for each in self.given.values()]
        return min((each for each in (*periods, *own) if each), default=60)

    def values(self, grid: Grid) -> _Values:
        """What they give over windows."""
        return _Values(self, grid)

    def metric(self, name: str) -> Mapping[str, Any]:
        """The metric that a query reads, with statistic and period; nothing for an expression."""
        return self.given[name].get("MetricStat") or {}

    def stat(self, name: str) -> str:
        """The statistic that a query reads."""
        return str(self.metric(name).get("Stat") or "Average")

    def key(self, name: str) -> Key:
        """The series that a query reads."""
        metric = self.metric(name).get("Metric") or {}
        dimensions = {str(d["Name"]): str(d["Value"]) for d in metric.get("Dimensions") or []}
        return key_of(str(metric.get("Namespace")), str(metric.get("MetricName")), dimensions)


class _Values:
    """The values of queries, each worked out once."""

    def __init__(self, queries: Queries, grid: Grid) -> None:
        self._queries, self._grid = queries, grid
        self._found: dict[str, Value] = {}
        self._open: set[str] = set()
        self.moments = [start for start, _ in grid(queries.period())]
        self.samples: Moments = {}
        """How many values each moment's metric holds."""

    def series(self, name: str) -> Moments:
        """One query's result as a series. Raises Unread."""
        return metric_math.as_series(self._value(name), self.moments)

    def all_series(self, name: str) -> list[Moments]:
        """One query's result as the series it consists of. Raises Unread."""
        value = self._value(name)
        return value if isinstance(value, list) else [metric_math.as_series(value, self.moments)]

    def _value(self, name: str) -> Value:
        if name not in self._found:
            if name not in self._queries.given:
                raise Unread(f"{name} is no query here")
            if name in self._open:
                raise Unread(f"{name} names itself")
            self._open.add(name)
            node = self._queries.nodes.get(name)
            self._found[name] = node(self._scope()) if node else self._measured(name)
            self._open.discard(name)
        return self._found[name]

    def _scope(self) -> Scope:
        return Scope(self.moments, self._value, self._metrics, self._period)

    def _metrics(self, part: str) -> list[Moments]:
        names = [n for n in self._queries.given if n not in self._queries.nodes and part in n]
        return [self.series(name) for name in names]

    def _period(self, name: str) -> float:
        if name not in self._queries.given:
            raise Unread("PERIOD wants the id of a query")
        return float(self._queries.metric(name).get("Period") or self._queries.period())

    def _measured(self, name: str) -> Moments:
        queries, found = self._queries, Moments()
        key, statistic = queries.key(name), queries.stat(name)
        single = statistic not in ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
        for start, end in self._grid(self._period(name)):
            bucket = STORE.summary(key, start, end, single=single)
            value = None if bucket is None else metric_statistics.value(bucket, statistic)
            if bucket is not None and value is not None and math.isfinite(value):
                found[start] = value
                self.samples[start] = self.samples.get(start, 0.0) + bucket.count
        return found
