"""Metric math, as far as alarms use it: what an expression names, and its value when each metric has one.

CloudWatch works on series; an alarm's threshold is asked of one number, so one number for each metric is enough here.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Number = float | None
"""A value, or None where CloudWatch would have none: nothing was said, or something was divided by 0."""

ID = re.compile(r"[a-z][A-Za-z0-9_]{0,254}")
"""What CloudWatch takes as the id of a query."""

_OPERATORS: Final[Mapping[type[ast.AST], Callable[[Any, Any], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OF_SEVERAL: Final[Mapping[str, Callable[[list[float]], float]]] = {
    "SUM": sum,
    "MAX": max,
    "MIN": min,
    "AVG": lambda values: sum(values) / len(values),
}
BAND = "ANOMALY_DETECTION_BAND"
EVERY = "METRICS"
FUNCTIONS = frozenset({"IF", "FILL", "ABS", EVERY, BAND, *_OF_SEVERAL})
"""The functions that expressions here may use; CloudWatch has more."""
_WORDS = re.compile(r"\b(AND|OR)\b|&&|\|\|")


def problems(text: str, ids: set[str]) -> Iterator[str]:
    """What CloudWatch would refuse in an expression over these ids."""
    tree = _tree(text)
    if tree is None:
        yield f"'{text}' is no expression"
        return
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    for name in sorted(called - FUNCTIONS):
        yield f"'{text}' calls {name}, which is not among {', '.join(sorted(FUNCTIONS))}"
    for name in sorted(names(text) - called - ids):
        yield f"'{text}' speaks of {name}, which no query is called"


def names(text: str) -> set[str]:
    """The ids that an expression uses."""
    tree = _tree(text)
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} if tree else set[str]()
    return used - FUNCTIONS


def value(text: str, values: Mapping[str, Number]) -> Number:
    """The value of an expression; None where CloudWatch has none. ValueError for what is not understood."""
    tree = _tree(text)
    if tree is None:
        raise ValueError(f"no expression: {text}")
    return _value(tree.body, values)


def _tree(text: str) -> ast.Expression | None:
    plain = _WORDS.sub(lambda m: " and " if m[0] in {"AND", "&&"} else " or ", text)
    try:
        return ast.parse(plain.strip(), mode="eval")
    except SyntaxError:
        return None


def _value(node: ast.expr, values: Mapping[str, Number]) -> Number:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _both(operator.mul, -1.0, _value(inner, values))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _both(_OPERATORS[type(op)], _value(left, values), _value(right, values))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            return _both(_OPERATORS[type(op)], _value(left, values), _value(right, values))
        case ast.BoolOp(op=op, values=parts):
            every = isinstance(op, ast.And)
            found = [bool(_value(part, values)) for part in parts]
            return float(all(found) if every else any(found))
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(name, args, values)
        case _:
            raise ValueError(f"not understood: {ast.unparse(node)}")


def _call(name: str, args: list[ast.expr], values: Mapping[str, Number]) -> Number:
    if name == "IF" and len(args) == 3:
        return _value(args[1] if _value(args[0], values) else args[2], values)
    if name == "FILL" and len(args) == 2:
        said = _value(args[0], values)
        return _value(args[1], values) if said is None else said
    if name == "ABS" and len(args) == 1:
        said = _value(args[0], values)
        return None if said is None else abs(said)
    if name in _OF_SEVERAL and len(args) == 1:
        known = [number for number in _several(args[0], values) if number is not None]
        return float(_OF_SEVERAL[name](known)) if known else None
    raise ValueError(f"not understood: {name} of {len(args)}")


def _several(node: ast.expr, values: Mapping[str, Number]) -> list[Number]:
    match node:
        case ast.List(elts=elements):
            return [_value(element, values) for element in elements]
        case ast.Call(func=ast.Name(id="METRICS"), args=[]):
            return [*values.values()]
        case _:
            return [_value(node, values)]


def _both(do: Callable[[Any, Any], float], left: Number, right: Number) -> Number:
    if left is None or right is None or (do is operator.truediv and right == 0):
        return None
    return float(do(left, right))
