"""What changed between two images of a table's row, both in DynamoDB's own notation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Image = Mapping[str, Mapping[str, Any]]
    Change = dict[str, dict[str, Any]]

# The row's own book-keeping changes with every write; nobody asks what it was.
KEPT = frozenset({"id", "collection", "version", "createdAt", "updatedAt"})

_ABSENT: dict[str, Any] = {"NULL": True}
_SETS = frozenset({"SS", "NS", "BS"})


def between(old: Image, new: Image) -> dict[str, Change]:
    """`{field: {"old": attribute, "new": attribute}}` of the fields that differ, by name; a field
    that was or is not there is NULL. An empty image is a row that is not there.
    """
    changes: dict[str, Change] = {}
    for field in sorted((old.keys() | new.keys()) - KEPT):
        before, after = dict(old.get(field, _ABSENT)), dict(new.get(field, _ABSENT))
        if _ordered(before) != _ordered(after):
            changes[field] = {"old": before, "new": after}
    return changes


def _ordered(attribute: Mapping[str, Any]) -> tuple[str, Any]:
    """The attribute such that equal ones compare equal: DynamoDB's sets have no order."""
    kind, content = next(iter(attribute.items()))
    if kind in _SETS:
        return kind, sorted(content)
    if kind == "L":
        return kind, [_ordered(member) for member in content]
    if kind == "M":
        return kind, {name: _ordered(member) for name, member in content.items()}
    return kind, content
