"""What rules say of a schema's keywords is what the meta-schema of draft-04 says, and a little more."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft4Validator

from policies.dialect_keywords import KEYWORDS, refused
from policies.dialect_schemas import schema_problems

VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    0.5,
    "",
    "text",
    "1",
    "string",
    "null",
    "int64",
    [],
    ["string"],
    ["a", "b"],
    ["a", "a"],
    [1],
    [True, 1],
    [{}],
    ["string", "null"],
    {},
    {"title": {}},
    {"type": "string"},
)
NARROWER = {
    ("type", "null"): "API Gateway's models have no null",
    ("type", "['string']"): "it keeps one of several types without a word",
    ("type", "['string', 'null']"): "it keeps one of several types without a word",
    ("format", "int64"): "it refuses this format",
    ("items", "[{}]"): "tuples go unchecked",
}
"""What draft-04 admits and API Gateway does not."""


@pytest.mark.parametrize("keyword", sorted(KEYWORDS.keys() - {"$ref"}))
def test_keyword_takes_the_values_that_the_draft_takes(keyword: str) -> None:
    draft = Draft4Validator(Draft4Validator.META_SCHEMA)
    for value in VALUES:
        # The draft lets exclusiveMaximum stand beside maximum only.
        beside = {"maximum": 1} if keyword == "exclusiveMaximum" else {}
        schema = {**beside, keyword: value}
        expected = draft.is_valid(schema) and (keyword, str(value)) not in NARROWER
        said = list(schema_problems({"components": {"schemas": {"A": schema}}}))
        assert (said == []) is expected, (keyword, value, said)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "\\S",
        "^[ -~]*$",
        "^(?:a|b)(?=c)(?!d)$",
        "[+*]+",
        "[^\\]]+",
        "\\(?P",
        "\\cJ",
        "[^]",
        "a{2,}",
        "\\u00e4\\/",
        "[[a]",
        "(a)\\1",
        "a+?",
    ],
)
def test_pattern_of_the_draft_is_taken(pattern: str) -> None:
    assert refused("pattern", pattern) == ""


def test_long_value_is_quoted_in_part() -> None:
    said = refused("minimum", "9" * 1000)
    assert re.fullmatch(r"must be a number \(got '9{56}\.\.\.\)", said)


def test_keyword_of_a_later_draft_is_named_as_such() -> None:
    assert refused("const", 1) == "is no keyword that API Gateway takes (draft-04 only)"
