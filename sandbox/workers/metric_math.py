"""Metric math: expressions over time series, as CloudWatch evaluates them.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics". A series is a mapping of moments to values, an
array a list of series, a scalar a number. Arithmetic, comparisons, AND, OR, NOT and the functions below are read; what is not
raises `Unread`. Two series are joined where both have a value; a function over an array takes what there is.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Moments = dict[float, float]
Value = float | Moments | list[Moments] | str

_TOKEN: Final = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(\"[^\"]*\"|'[^']*')|(&&|\|\||[<>=!]=|[-+*/^()<>,\[\]]))"
)
_ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "AND": lambda a, b: bool(a) and bool(b),
    "OR": lambda a, b: bool(a) or bool(b),
}
_BINDS: Final = (
    ("OR", "||"),
    ("AND", "&&"),
    ("==", "!="),
    ("<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "/"),
    ("^",),
)
"""Operators, those that bind least first."""
_MOST_DEEP: Final = 50


class Unread(ValueError):
    """An expression that is not read here."""


@dataclass(frozen=True)
class Scope:
    """What an expression is evaluated over."""

    moments: Sequence[float]
    """All moments of the range: where FILL fills, and where a scalar becomes a series."""
    look_up: Callable[[str], Value]
    """The value of another query, by its id. Raises Unread."""
    metrics: Callable[[str], list[Moments]]
    """The series of all metrics whose id has the given part."""
    period: Callable[[str], float]


Node = Callable[[Scope], Value]


def compiled(expression: str) -> Node:
    """The expression as a function of its scope. Raises Unread."""
    return _Reader(expression).whole()


def identifiers(expression: str) -> set[str]:
    """The ids that an expression names; they begin with a small letter."""
    return {word for _, word, _, _ in _TOKEN.findall(expression) if word[:1].islower()}


def as_series(value: Value, moments: Sequence[float]) -> Moments:
    """A result as one series. Raises Unread where it is several."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        if len(value) == 1:
            return value[0]
        raise Unread("the expression gives several series where one is wanted")
    if isinstance(value, str):
        raise Unread("the expression gives a text")
    return dict.fromkeys(moments, float(value)) if math.isfinite(value) else {}


class _Reader:
    """A reader by precedence."""

    def __init__(self, expression: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._deep = 0
        place = 0
        while expression[place:].strip():
            found = _TOKEN.match(expression, place)
            if not found:
                raise Unread(f"not understood: {expression[place:].strip()[:40]}")
            kinds = ("number", "name", "text", "sign")
            at = next(i for i, group in enumerate(found.groups()) if group is not None)
            self._tokens.append((kinds[at], found[at + 1]))
            place = found.end()

    def whole(self) -> Node:
        node = self._operation(0)
        if self._tokens:
            raise Unread(f"not understood: {self._tokens[0][1]}")
        return node

    def _take(self, *signs: str) -> str | None:
        if self._tokens and self._tokens[0][1] in signs and self._tokens[0][0] != "text":
            return self._tokens.pop(0)[1]
        return None

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise Unread(f"{sign} is missing")

    def _operation(self, level: int) -> Node:
        if level == len(_BINDS):
            return self._single()
        left = self._operation(level + 1)
        while sign := self._take(*_BINDS[level]):
            right = self._operation(level + 1)
            name = {"&&": "AND", "||": "OR"}.get(sign, sign)
            left = _joined(_ARITHMETIC[name], left, right)
        return left

    def _single(self) -> Node:
        self._deep += 1
        if self._deep > _MOST_DEEP:
            raise Unread("the expression is nested too deeply")
        try:
            if self._take("-"):
                inner = self._single()
                return lambda scope: mapped(operator.neg, inner(scope))
            if self._take("NOT"):
                inner = self._single()
                return lambda scope: mapped(operator.not_, inner(scope))
            if self._take("("):
                inner = self._operation(0)
                self._expect(")")
                return inner
            if self._take("["):
                parts = self._list("]")
                return lambda scope: [_one(part(scope), scope) for part in parts]
            return self._word()
        finally:
            self._deep -= 1

    def _word(self) -> Node:
        kind, text = self._tokens.pop(0) if self._tokens else ("", "")
        if kind == "number":
            number = float(text)
            return lambda _scope: number
        if kind == "text":
            return lambda _scope: text[1:-1]
        if kind != "name":
            raise Unread(f"not understood: {text}" if text else "the expression ends too early")
        if text == "PERIOD":
            self._expect("(")
            _, named = self._tokens.pop(0) if self._tokens else ("", "")
            self._expect(")")
            return lambda scope: scope.period(named)
        if self._take("("):
            return _call(text, self._list(")"))
        if text[:1].isupper():
            return lambda _scope: text
        return lambda scope: scope.look_up(text)

    def _list(self, end: str) -> list[Node]:
        parts: list[Node] = []
        while not self._take(end):
            if parts:
                self._expect(",")
            parts.append(self._operation(0))
        return parts


def _joined(operate: Callable[[float, float], float], left: Node, right: Node) -> Node:
    return lambda scope: _both(operate, left(scope), right(scope))


def _both(operate: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if isinstance(left, list) or isinstance(right, list):
        return [_of_two(operate, a, b) for a, b in _paired(left, right)]
    if isinstance(left, dict) or isinstance(right, dict):
        return _of_two(operate, left, right)
    return _safe(operate, _number(left), _number(right))


def _of_two(operate: Callable[[float, float], float], left: Value, right: Value) -> Moments:
    """One series of two, or of one and a number."""
    if isinstance(left, dict) and isinstance(right, dict):
        return _kept({t: _safe(operate, at, right[t]) for t, at in left.items() if t in right})
    if isinstance(left, dict):
        number = _number(right)
        return _kept({t: _safe(operate, at, number) for t, at in left.items()})
    if isinstance(right, dict):
        number = _number(left)
        return _kept({t: _safe(operate, number, at) for t, at in right.items()})
    raise Unread("an operator wants a series here")


def _number(value: Value) -> float:
    if not isinstance(value, int | float):
        raise Unread("an operator wants numbers")
    return value


def _paired(left: Any, right: Any) -> list[tuple[Any, Any]]:
    if not isinstance(left, list):
        return [(left, each) for each in right]
    if not isinstance(right, list):
        return [(each, right) for each in left]
    if len(left) != len(right):
        raise Unread("arrays of different length")
    return list(zip(left, right, strict=True))


def _safe(operate: Callable[[float, float], float], left: float, right: float) -> float:
    """A division by zero has no value."""
    try:
        return float(operate(left, right))
    except (ZeroDivisionError, OverflowError, TypeError, ValueError):
        return math.nan


def _kept(series: Moments) -> Moments:
    return {t: at for t, at in series.items() if math.isfinite(at)}


def mapped(change: Callable[[float], float], value: Value) -> Value:
    """Each number of a value, changed. Raises Unread."""
    if isinstance(value, list):
        return [_changed(change, each) for each in value]
    return _changed(change, value) if isinstance(value, dict) else float(change(_number(value)))


def _changed(change: Callable[[float], float], series: Moments) -> Moments:
    return {t: float(change(at)) for t, at in series.items()}


def _one(value: Value, scope: Scope) -> Moments:
    return as_series(value, scope.moments)


def _call(name: str, parts: list[Node]) -> Node:
    """A call of a function. The names of those known are in `metric_functions`."""
    from sandbox.workers import metric_functions

    function = metric_functions.FUNCTIONS.get(name)
    if function is None:
        raise Unread(f"{name} is not simulated")
    return lambda scope: function(scope, [part(scope) for part in parts])
