"""JSON Schema draft-04 as API Gateway takes it: each keyword, and which values it may have.

Real API Gateway refuses a model that breaks the draft's meta-schema; an emulator stores it and validates nothing.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

TYPES = frozenset({"array", "boolean", "integer", "number", "object", "string"})
UNKNOWN_FORMATS = frozenset({"int32", "int64", "decimal"})
COMBINED = ("allOf", "anyOf", "oneOf")
LONGEST_QUOTE = 60

# What Python's patterns have and ECMA 262 5.1, which draft-04 refers to, has not: lookbehind, named and atomic groups,
# flags and comments in parentheses, possessive quantifiers. A class of characters is one token, so `[+*]+` is none.
_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\(\?.?|[*+?}]\+", re.DOTALL)
_GROUPS = frozenset({"(?:", "(?=", "(?!"})
_CONTROL = re.compile(r"\\c[A-Za-z]")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_list(value: Any) -> bool:
    """At least one element, none of them twice."""
    if not isinstance(value, list):
        return False
    # JSON tells true from 1, which Python's sets do not.
    written = [json.dumps(part, sort_keys=True) for part in value]
    return bool(written) and len(set(written)) == len(written)


def _compiles(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    for token in _TOKEN.findall(value):
        foreign_group = token.startswith("(?") and token not in _GROUPS
        if foreign_group or token in {"\\A", "\\Z"} or token in {"*+", "++", "?+", "}+"}:
            return False
    with warnings.catch_warnings():
        # Python warns of what it may read otherwise one day.
        warnings.simplefilter("ignore")
        try:
            re.compile(_CONTROL.sub("x", value).replace("[^]", "."))
        except (re.error, OverflowError, RecursionError):
            return False
    return True


Test = Callable[[Any], bool]
_COUNT = (_is_count, "a whole number, 0 or more")
_NUMBER = (_is_number, "a number")
_FLAG = (_is_flag, "true or false")
_TEXT = (_is_text, "text")
_SCHEMAS: tuple[Test, str] = (
    lambda value: isinstance(value, list) and bool(value),
    "a list of schemas, one at least",
)

KEYWORDS: Mapping[str, tuple[Test, str]] = {
    "$ref": _TEXT,
    "additionalProperties": (
        lambda value: isinstance(value, bool | dict),
        "true, false or a schema",
    ),
    **dict.fromkeys(COMBINED, _SCHEMAS),
    "description": _TEXT,
    "enum": (_is_list, "a list of values, one at least, none twice"),
    "exclusiveMaximum": (_is_flag, "true or false, beside maximum"),
    "format": (
        lambda value: isinstance(value, str) and value not in UNKNOWN_FORMATS,
        f"a format that API Gateway knows, which {', '.join(sorted(UNKNOWN_FORMATS))} are not",
    ),
    "items": (_is_object, "a schema"),
    "maxItems": _COUNT,
    "maxLength": _COUNT,
    "maxProperties": _COUNT,
    "maximum": _NUMBER,
    "minItems": _COUNT,
    "minLength": _COUNT,
    "minProperties": _COUNT,
    "minimum": _NUMBER,
    "multipleOf": (lambda value: _is_number(value) and value > 0, "a number above 0"),
    "not": (_is_object, "a schema"),
    "pattern": (_compiles, "a regular expression (ECMA 262, 5.1)"),
    "properties": (_is_object, "an object of schemas"),
    "required": (
        lambda value: _is_list(value) and all(map(_is_text, value)),
        "a list of names, one at least, none twice; leave it out where nothing is required",
    ),
    "title": _TEXT,
    "type": (
        lambda value: isinstance(value, str) and value in TYPES,
        f"one of {', '.join(sorted(TYPES))}; leave an optional property out of required",
    ),
    "uniqueItems": _FLAG,
}
"""Keyword -> whether a value is one that the meta-schema admits, and what it must be.

API Gateway takes `minItems` and `maxItems` and does not check them: handlers must. `nullable`, `example`, `readOnly`,
`default`, `discriminator`, `exclusiveMinimum`, `const`, `if` ... are refused or dropped.
"""


def refused(keyword: str, value: Any) -> str:
    """What API Gateway would say of a keyword with this value; empty where it takes it."""
    if keyword not in KEYWORDS:
        return "is no keyword that API Gateway takes (draft-04 only)"
    admits, wanted = KEYWORDS[keyword]
    return "" if admits(value) else f"must be {wanted} (got {_quoted(value)})"


def _quoted(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 3]}..."
