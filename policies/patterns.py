"""Patterns by which AWS chooses events: of EventBridge rules, of SNS subscriptions, of event source mappings.

All three are JSON objects whose leaves are lists of values and operators; each knows other operators, and what it does
not know it refuses, or takes for one that never matches.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

OR = "$or"
NUMERIC, TEXT = "numeric", frozenset({"prefix", "suffix", "equals-ignore-case"})
COMMON = frozenset({*TEXT, NUMERIC, "anything-but", "exists"})
OF_EVENTS: AbstractSet[str] = COMMON | {"wildcard", "cidr"}
OF_TOPICS: AbstractSet[str] = COMMON | {"cidr"}
OF_MAPPINGS: AbstractSet[str] = COMMON
OPERATORS = OF_EVENTS | OF_TOPICS | OF_MAPPINGS
COMPARISONS = frozenset({"=", "<", "<=", ">", ">="})


def wrong(pattern: object, operators: AbstractSet[str], *, nested: bool = True) -> Iterator[str]:
    """What AWS would refuse of a pattern, one line each; without `nested`, a leaf stands right behind each name."""
    if not isinstance(pattern, Mapping) or not pattern:
        yield "a pattern must be a JSON object that names something"
        return
    named: Mapping[str, Any] = pattern
    for name, value in named.items():
        if name == OR:
            for part in value if isinstance(value, list) else [value]:
                yield from wrong(part, operators, nested=nested)
        elif name in OPERATORS and not isinstance(value, Mapping):
            # It would be read as one more name, which no event has.
            yield f"{name}: an operator stands in a list; write [{{{json.dumps(name)}: ...}}]"
        elif isinstance(value, list):
            yield from (f"{name}: {text}" for text in _leaf(value, operators))
        elif not nested or not isinstance(value, Mapping):
            yield f"{name}: must be a list of values"
        else:
            yield from (f"{name}.{text}" for text in wrong(value, operators))


def leaves(pattern: Mapping[str, Any], depth: int = 1) -> Iterator[tuple[int, list[Any]]]:
    """(how deep it lies, its values) of every leaf."""
    for name, value in pattern.items():
        if name == OR:
            for part in value:
                yield from leaves(part, depth)
        elif isinstance(value, Mapping):
            yield from leaves(value, depth + 1)
        else:
            yield depth, value


def uses(pattern: object, operator: str) -> bool:
    """The operator stands somewhere in the pattern."""
    if isinstance(pattern, Mapping):
        return operator in pattern or any(uses(value, operator) for value in pattern.values())
    return isinstance(pattern, list) and any(uses(value, operator) for value in pattern)


def _leaf(values: list[Any], operators: AbstractSet[str]) -> Iterator[str]:
    if not values:
        yield "an empty list matches nothing"
    for value in values:
        if isinstance(value, list):
            yield "a list within a list"
        elif isinstance(value, Mapping):
            yield from _operator(value, operators)


def _operator(written: Mapping[str, Any], operators: AbstractSet[str]) -> Iterator[str]:
    if len(written) != 1:
        yield "one operator at a time"
    for operator, value in written.items():
        if operator not in operators:
            yield f"'{operator}' is not one of {', '.join(sorted(operators))}"
        elif operator == NUMERIC:
            yield from _numeric(value)
        elif operator == "exists" and not isinstance(value, bool):
            yield "exists takes true or false"
        elif operator in TEXT and not isinstance(value, str | Mapping):
            yield f"{operator} takes a text"


def _numeric(value: object) -> Iterator[str]:
    parts = value if isinstance(value, list) else []
    pairs = list(zip(parts[::2], parts[1::2], strict=False))
    if len(parts) not in {2, 4} or not all(
        sign in COMPARISONS and isinstance(number, int | float) and not isinstance(number, bool)
        for sign, number in pairs
    ):
        yield f"numeric takes one or two of {', '.join(sorted(COMPARISONS))}, each with a number"
