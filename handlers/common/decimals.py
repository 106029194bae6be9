"""JSON with Decimals. Only answers that hold one pay for this module."""

from __future__ import annotations

import json
import os
import re
from decimal import Decimal

# Digits; DynamoDB's numbers have at most 38. A few characters of exponent would else be gigabytes.
_MOST_DIGITS = 40


def dumps(value: object) -> str:
    """JSON text whose Decimals are numbers with every digit they have: whole ones as integers
    (2.0 is 2), huge and tiny ones with an exponent.

    A reader that makes floats of numbers loses digits beyond the 15th. Raises ValueError for NaN
    and infinity, which JSON has no word for, and TypeError as json does.
    """
    # The json module writes numbers of its own types only, so each leaves as a text that no content
    # can hold, and loses its quotes afterwards.
    mark = os.urandom(16).hex()

    def number(other: object) -> str:
        if not isinstance(other, Decimal):
            raise TypeError(f"Object of type {type(other).__name__} is not JSON serializable")
        return mark + _text(other)

    return re.sub(f'"{mark}([^"]*)"', r"\1", json.dumps(value, default=number))


def _text(number: Decimal) -> str:
    if not number.is_finite():
        raise ValueError(f"{number} is not JSON serializable")
    if number.adjusted() < _MOST_DIGITS and number == number.to_integral_value():
        return str(int(number))
    return str(number)
