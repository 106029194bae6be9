"""Plain values as DynamoDB's attributes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def of(value: object) -> dict[str, Any]:
    """The attribute of what JSON can hold, or of a Decimal. Raises TypeError for anything else, and
    ValueError for a number that is none (NaN, infinity).

    A float is written as short as it can be: what JSON said is what is stored.
    """
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | float | Decimal):
        return {"N": _number(value)}
    if isinstance(value, list | tuple):
        return {"L": [of(member) for member in value]}
    if isinstance(value, dict):
        return {"M": {str(name): of(member) for name, member in value.items()}}
    raise TypeError(f"{type(value).__name__} is no attribute")


def row(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A row of plain values."""
    return {name: of(value) for name, value in values.items()}


def _number(value: float | Decimal) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{number} is no number of DynamoDB")
    return str(number)
