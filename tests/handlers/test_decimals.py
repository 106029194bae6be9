"""Numbers of a request, which are Decimals, in an answer: none is lost, none is a text."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import bodies, decimals, http


def _written(value: Any) -> str:
    body = http.answer(200, {"n": value})["body"]
    assert isinstance(body, str)
    return body.removeprefix('{"n": ').removesuffix("}")


@pytest.mark.parametrize(
    ("given", "written"),
    [
        *(("0", "0"), ("-0.0", "0"), ("0E-7", "0"), ("7", "7"), ("-7.00", "-7"), ("1E+2", "100")),
        *(("0.1", "0.1"), ("19.90", "19.90"), ("-1.5E-9", "-1.5E-9")),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("1E+999999999", "1E+999999999"),
        ("0E+999999999", "0E+999999999"),
        ("1E-999999999", "1E-999999999"),
    ],
)
def test_a_decimal_is_a_number_with_every_digit(given: str, written: str) -> None:
    assert _written(Decimal(given)) == written


def test_decimals_stand_anywhere_and_texts_are_left_alone() -> None:
    body = {"a": [Decimal("1.0"), {"b": Decimal("2.5")}], "c": '1.0"', "d": 1, "e": None}
    text = http.answer(200, body)["body"]
    assert text == '{"a": [1, {"b": 2.5}], "c": "1.0\\"", "d": 1, "e": null}'


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_of_json_is_a_mistake(value: str) -> None:
    with pytest.raises(ValueError, match="not JSON serializable"):
        decimals.dumps({"n": Decimal(value)})


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x"])
def test_other_types_are_still_mistakes_and_told_once(value: object) -> None:
    with pytest.raises(TypeError, match="is not JSON serializable") as refused:
        http.answer(200, {"n": value})
    assert refused.value.__context__ is None


def test_what_a_handler_reads_it_may_answer(context: Any) -> None:
    @http.endpoint
    def handler(request: http.Request) -> http.Answer:
        return http.answer(200, bodies.json_object(request))

    body = '{"quantity": 2, "weight": 0.10, "huge": 1E+400}'
    answer = handler({"body": body}, context)
    assert (answer["statusCode"], answer["body"]) == (200, body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.text() | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), _JSON))
def test_any_answer_is_read_back_as_it_was_meant(body: dict[str, Any]) -> None:
    text = http.answer(200, body)["body"]
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == body
