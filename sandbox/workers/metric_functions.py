"""The functions of metric math that are known here, by name."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from sandbox.workers.metric_math import Moments, Scope, Unread, Value, as_series, mapped

Function = Callable[[Scope, list[Value]], Value]


def _summing(over: Callable[[Sequence[float]], float]) -> Function:
    """A function that makes a number of a series, and a series of an array."""

    def call(_scope: Scope, given: list[Value]) -> Value:
        if len(given) == 1 and isinstance(given[0], dict):
            return float(over(list(given[0].values()))) if given[0] else math.nan
        if len(given) == 1 and isinstance(given[0], list):
            rows = given[0]
            moments = sorted({moment for row in rows for moment in row})
            return {t: float(over([row[t] for row in rows if t in row])) for t in moments}
        numbers = [each for each in given if isinstance(each, (int, float))]
        if not numbers or len(numbers) != len(given):
            raise Unread("a function over series wants one of them, or an array")
        return float(over(numbers))

    return call


def _changing(change: Callable[[float], float]) -> Function:
    def call(_scope: Scope, given: list[Value]) -> Value:
        [value] = _so_many(given, 1, 1)
        return mapped(change, value)

    return call


def _so_many(given: list[Value], least: int, most: int) -> list[Value]:
    if not least <= len(given) <= most:
        raise Unread(f"a function has {len(given)} arguments")
    return given


def _if(_scope: Scope, given: list[Value]) -> Value:
    """`IF(condition, then, else)`: moment by moment; without a third part, what is false is left out."""
    condition, *choices = _so_many(given, 2, 3)
    if isinstance(condition, (int, float)):
        wanted = choices[: 1 if condition else 2][-1]
        return wanted if condition or len(choices) == 2 else {}
    if not isinstance(condition, dict):
        raise Unread("a condition is a number or one series")
    rows = [_row(choice, condition) for choice in choices] + [{}] * (2 - len(choices))
    chosen = {t: rows[0 if at else 1].get(t) for t, at in condition.items()}
    return {t: at for t, at in chosen.items() if at is not None}


def _row(choice: Value, moments: Iterable[float]) -> Moments:
    return choice if isinstance(choice, dict) else as_series(choice, list(moments))


def _fill(scope: Scope, given: list[Value]) -> Value:
    """`FILL(m, 0)`, `FILL(m, REPEAT)`, `FILL(m, LINEAR)`."""
    value, how = _so_many(given, 2, 2)
    if isinstance(value, list):
        return [as_series(_fill(scope, [each, how]), scope.moments) for each in value]
    series = as_series(value, scope.moments)
    if isinstance(how, str):
        return _carried(series, scope.moments) if how == "REPEAT" else _drawn(series, scope.moments)
    filler = as_series(how, scope.moments)
    return {
        t: series.get(t, filler.get(t, math.nan)) for t in scope.moments if t in {*series, *filler}
    }


def _carried(series: Moments, moments: Sequence[float]) -> Moments:
    filled: Moments = {}
    for moment in sorted(moments):
        last = next(reversed(filled.values()), None)
        if (at := series.get(moment, last)) is not None:
            filled[moment] = at
    return filled


def _drawn(series: Moments, moments: Sequence[float]) -> Moments:
    filled = dict(series)
    for moment in moments:
        before = [t for t in series if t < moment]
        after = [t for t in series if t > moment]
        if moment not in series and before and after:
            low, high = max(before), min(after)
            part = (moment - low) / (high - low)
            filled[moment] = series[low] + part * (series[high] - series[low])
    return dict(sorted(filled.items()))


def _metrics(scope: Scope, given: list[Value]) -> Value:
    [part] = _so_many(given or [""], 1, 1)
    return scope.metrics(str(part))


def _steps(scope: Scope, given: list[Value], *, by_second: bool) -> Value:
    [value] = _so_many(given, 1, 1)
    series = sorted(as_series(value, scope.moments).items())
    pairs = itertools.pairwise(series)
    return {t: (at - a) / ((t - s) if by_second else 1) for (s, a), (t, at) in pairs}


def _running(scope: Scope, given: list[Value]) -> Value:
    [value] = _so_many(given, 1, 1)
    total, summed = 0.0, Moments()
    for moment, at in sorted(as_series(value, scope.moments).items()):
        total += at
        summed[moment] = total
    return summed


def _series_of(scope: Scope, given: list[Value]) -> Value:
    [value] = _so_many(given, 1, 1)
    return as_series(value, scope.moments)


def _end(last: int) -> Function:
    def call(_scope: Scope, given: list[Value]) -> Value:
        [value] = _so_many(given, 1, 1)
        if isinstance(value, list) and value:
            return value[last]
        raise Unread("FIRST and LAST want an array")

    return call


FUNCTIONS: Final[Mapping[str, Function]] = {
    "ABS": _changing(abs),
    "AVG": _summing(statistics.fmean),
    "CEIL": _changing(math.ceil),
    "DATAPOINT_COUNT": _summing(len),
    "DIFF": lambda scope, given: _steps(scope, given, by_second=False),
    "FILL": _fill,
    "FIRST": _end(0),
    "FLOOR": _changing(math.floor),
    "IF": _if,
    "LAST": _end(-1),
    "MAX": _summing(max),
    "METRICS": _metrics,
    "MIN": _summing(min),
    "RATE": lambda scope, given: _steps(scope, given, by_second=True),
    "RUNNING_SUM": _running,
    "STDDEV": _summing(statistics.pstdev),
    "SUM": _summing(math.fsum),
    "TIME_SERIES": _series_of,
}
"""Beside these, PERIOD is read where the id stands: it is about a metric, not about its values."""
