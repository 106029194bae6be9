"""Patterns by which AWS sorts out events: what each service would refuse of them, refused here.

Sources: EventBridge user guide, "Event patterns"; Lambda developer guide, "Event filtering"; SNS developer guide,
"Filter policy constraints".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, cast

import pulumi

Pattern = Mapping[str, Any]
"""Nested names down to lists: a value matches that is in the list, or meets an operator in it (`{"prefix": "a"}`)."""

LONGEST = 4096
"""Characters of a pattern."""
MOST_FILTERS = 5
"""Filters of one event source mapping; a record passes that matches one of them."""
MOST_KEYS, MOST_COMBINATIONS = 5, 150
"""Of a filter policy of SNS: leaves, and the product of their numbers of values."""


def check(where: str, pattern: Pattern) -> None:
    """Raise pulumi.RunError for a pattern that no service takes; `where` begins the line."""
    for path, leaf in _leaves(pattern):
        parent, _, name = path.rpartition(".")
        if name in _OPERATORS:
            wanted = f"must stand in a list, as in [{{{name!r}: ...}}]"
            raise _wrong(where, parent, wanted, {name: leaf})
        if not isinstance(leaf, list | tuple) or not leaf:
            raise _wrong(where, path, "must be a list with at least one value", leaf)
    if (length := len(json.dumps(pattern, default=_unknown))) > LONGEST:
        raise _wrong(where, "", f"must be at most {LONGEST} characters of JSON", length)


def check_filters(where: str, filters: Sequence[Pattern]) -> None:
    """Raise pulumi.RunError for what an event source mapping does not take."""
    if len(filters) > MOST_FILTERS:
        raise _wrong(where, "", f"must be at most {MOST_FILTERS} filters", len(filters))
    for one in filters:
        check(where, one)


def check_policy(where: str, filter_policy: Pattern) -> None:
    """Raise pulumi.RunError for what SNS does not take as a filter policy."""
    check(where, filter_policy)
    sizes = [len(leaf) for _, leaf in _leaves(filter_policy)]
    if len(sizes) > MOST_KEYS:
        raise _wrong(where, "", f"must have at most {MOST_KEYS} keys", len(sizes))
    if prod(sizes) > MOST_COMBINATIONS:
        raise _wrong(where, "", f"must be at most {MOST_COMBINATIONS} combinations", prod(sizes))


_OPERATORS = frozenset(
    {
        "anything-but",
        "cidr",
        "equals-ignore-case",
        "exists",
        "numeric",
        "prefix",
        "suffix",
        "wildcard",
    }
)


def _leaves(pattern: Pattern, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in pattern.items():
        below = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from _leaves(cast("Pattern", value), below)
        else:
            yield below, value


def _unknown(output: object) -> str:
    """Stands for what only AWS will say, such as a bucket's name."""
    del output
    return ""


def _wrong(where: str, path: str, what: str, got: object) -> pulumi.RunError:
    place = f"{where}: {path}" if path else where
    return pulumi.RunError(f"{place} {what} (got {got!r})")
