"""JSON request bodies, read strictly. Only the functions that read one pay for this module."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from common.http import Problem

if TYPE_CHECKING:
    from common.http import Request

# Characters. The longest valid item is 56,000 of them when a client escapes every character (12 per
# character outside the basic plane); beyond that, parsing would be work done for nobody.
LONGEST = 65_536


class _Repeated(Exception):
    pass


def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object whose numbers are Decimals.

    Raises Problem 400 for everything else: no body, no JSON, no object, a repeated member, NaN,
    nesting too deep, too long. The Content-Type is not asked: the gateway routes by path and method
    alone.
    """
    text = request.body()
    if not text.strip():
        raise Problem(400, "The request has no body.")
    return parse(text)


def parse(text: str, *, noun: str = "body", longest: int = LONGEST) -> dict[str, Any]:
    """As `json_object`, of any text; `noun` is what a refusal calls it."""
    if len(text) > longest:
        raise Problem(400, f"The {noun} is longer than {longest} characters.")
    try:
        value = json.loads(
            text,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_members,
        )
    except _Repeated:
        raise Problem(400, f"The {noun} repeats a member.") from None
    except RecursionError:
        raise Problem(400, f"The {noun} is nested too deeply.") from None
    except (ValueError, ArithmeticError):
        raise Problem(400, f"The {noun} is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Problem(400, f"The {noun} must be a JSON object.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # Which of two members counts differs between parsers: what one checks, the next may not
        # see.
        raise _Repeated
    return members
