"""Validation of items: every refused body is 400 and names the place; money is never a float."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import create_item
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import fields, http, items
from common.bodies import LONGEST, json_object

_GOOD = {"name": "n", "price": "1"}
_BASE64 = base64.b64encode(json.dumps(_GOOD).encode()).decode()
_CENTS = st.integers(min_value=0, max_value=10**14 - 1)
_NAUGHTY = (
    "\u202etxet",
    "\u200b",
    "Ω≈ç√∫µ",
    "田中さんにあげて下さい",
    "👩‍👩‍👧‍👦",
    "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O",
    "<script>alert(1)</script>",
    "'; DROP TABLE items; --",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "%s%n%x%d",
    "../../etc/passwd",
    "null",
    "NaN",
    "0x7fffffff",
    "\ufeffbom",
    "\uffff",
    "ﷺ",
    '"\\"',
    "1;drop",
    "()",
    "[object Object]",
    "\u2028line",
)
_BAD_PRICES = (
    *(None, True, False, [], {}, [1], {"N": "1"}),
    *(
        "",
        " ",
        "-1",
        "+1",
        "1.",
        ".5",
        "1.234",
        "1e2",
        "1,5",
        "\u0663",
        "NaN",
        "Infinity",
        "1 ",
    ),
    *("1" * 13, "9" * 4000, "1\n", "0.000", "--1", "1_000", "0x1", "$ 1"),
)
_BAD_NUMBERS = (
    *("-1", "-0.01", "1.234", "1e-3", "1e13", "1000000000000", "1e999999", "1e-99999999"),
    *("0.1000000000000000055511151231257827", "1" * 5000, "0." + "1" * 5000, "999999999999.995"),
)
_NOT_JSON = (
    *("", " ", "{", "nope", "NaN", '{"name": NaN}', "{'name': 1}", "\ufeff{}", "{} {}", "\x00"),
    *('{"price": 01}', '{"price": 1e99999999999999999999}', '{"name": "\x00"}', "[" * 60_000),
    *('{"a":' * 10_000, '{"name":"a","name":"b","price":1}', '{"name": Infinity}', "{}" + "\x00"),
)
_NOT_OBJECTS = ("null", "true", "1", '"text"', "[]", '[{"name": "n", "price": 1}]')


def _request(body: Any, **members: Any) -> http.Request:
    return http.Request({"body": body, **members})


def _parse(body: dict[str, Any]) -> dict[str, Any]:
    return items.parse(json_object(_request(json.dumps(body))))


def _pointers(body: dict[str, Any]) -> list[str]:
    with pytest.raises(http.Problem) as refused:
        _parse(body)
    assert refused.value.status == 400
    return [error["pointer"] for error in refused.value.errors]


@given(cents=_CENTS, as_text=st.booleans())
def test_a_price_goes_through_the_table_and_back_to_the_cent(cents: int, as_text: bool) -> None:
    text = f"{cents // 100}.{cents % 100:02d}"
    raw = f'{{"name": "n", "price": {json.dumps(text) if as_text else text}}}'
    fields = items.parse(json_object(_request(raw)))
    assert type(fields["price"]) is Decimal
    number = items.attributes(fields)["price"]["N"]
    # DynamoDB drops zeros at the end of a number.
    stored = format(Decimal(number).normalize(), "f")
    row = items.attributes(fields) | {
        "price": {"N": stored},
        "id": {"S": "i"},
        "version": {"N": "1"},
        "createdAt": {"S": "c"},
        "updatedAt": {"S": "u"},
    }
    assert items.from_row(row)["price"] == text


@pytest.mark.parametrize(
    ("number", "price"),
    [
        ("0", "0.00"),
        ("-0", "0.00"),
        ("-0.0", "0.00"),
        ("1e2", "100.00"),
        ("1.50000", "1.50"),
        ("0.1", "0.10"),
        ("999999999999.99", "999999999999.99"),
        ("1E-2", "0.01"),
        ("0e99999999", "0.00"),
        ("2." + "0" * 5000, "2.00"),
    ],
)
def test_a_json_number_counts_by_its_value(number: str, price: str) -> None:
    fields = items.parse(json_object(_request(f'{{"name": "n", "price": {number}}}')))
    assert items.attributes(fields)["price"]["N"] == price


@pytest.mark.parametrize(
    ("text", "price"),
    [("0", "0.00"), ("7.5", "7.50"), ("007.50", "7.50"), ("9" * 12, "9" * 12 + ".00")],
)
def test_a_price_written_as_text_is_stored_to_the_cent(text: str, price: str) -> None:
    assert items.attributes(_parse(_GOOD | {"price": text}))["price"]["N"] == price


@pytest.mark.parametrize("price", _BAD_PRICES)
def test_a_price_that_is_no_plain_amount_is_refused(price: Any) -> None:
    assert _pointers({"name": "n", "price": price}) == ["/price"]


@pytest.mark.parametrize("number", _BAD_NUMBERS)
def test_a_number_that_is_no_amount_is_refused(number: str) -> None:
    with pytest.raises(http.Problem) as refused:
        items.parse(json_object(_request(f'{{"name": "n", "price": {number}}}')))
    assert refused.value.errors[0]["pointer"] == "/price"


@given(st.floats())
def test_a_float_that_reaches_the_check_is_refused_like_any_wrong_type(value: float) -> None:
    with pytest.raises(fields.Refused):
        items.price(value)


@pytest.mark.parametrize(
    "member",
    [
        *({"name": name} for name in ("", " ", "\t", "x" * 201, 1, None, ["n"], "a\x00", "a\nb")),
        *({"name": name} for name in ("\x7f", "\x85", "\ud800", "a\udfffb")),
        *({"description": text} for text in (1, "x" * 2001, "\x00", "\x1b[31m", "\ud83d", ["d"])),
        *({"tags": tags} for tags in (None, "tag", {}, [1], [""], [" "], ["x" * 51], ["t"] * 51)),
        *({"tags": tags} for tags in ([None], [["t"]], ["\n"], ["\udc00"])),
    ],
)
def test_a_member_out_of_bounds_is_refused_at_its_place(member: dict[str, Any]) -> None:
    assert _pointers(_GOOD | member) == [f"/{name}" for name in member]


@pytest.mark.parametrize(
    "member",
    [
        *({"name": name} for name in ("x", "x" * 200, " kept ", "😀" * 200)),
        *({"description": text} for text in ("", "x" * 2000, "a\r\n\tb", None)),
        *({"tags": tags} for tags in ([], ["t"] * 50, ["x" * 50], ["same", "same"])),
    ],
)
def test_a_member_at_its_bound_is_kept_as_sent(member: dict[str, Any]) -> None:
    fields = _parse(_GOOD | member)
    assert {name: fields[name] for name in member} == member


def test_unknown_and_missing_members_are_all_named_at_once() -> None:
    assert _pointers({"nmae": 1, "a/b~c": 2, "x" * 99: 3, "\ud800": 4}) == [
        "/nmae",
        "/a~1b~0c",
        "/" + "x" * 50,
        "/?",
        "/name",
        "/price",
    ]


@pytest.mark.parametrize("field", ["id", "version", "createdAt", "collection", "ttl", "__proto__"])
def test_what_the_server_decides_cannot_be_sent(field: str) -> None:
    assert _pointers(_GOOD | {field: "1"}) == [f"/{field}"]


@pytest.mark.parametrize("text", _NAUGHTY)
def test_naughty_strings_are_kept_to_the_letter(call: Any, table: Any, text: str) -> None:
    body = {"name": text, "price": 1, "description": text, "tags": [text]}
    answer = call(create_item, "api_create_item", body=json.dumps(body))
    assert answer["statusCode"] == 201
    item = answer["json"]
    assert (item["name"], item["description"], item["tags"]) == (text, text, [text])


@pytest.mark.parametrize("body", [*_NOT_JSON, *_NOT_OBJECTS, " " * (LONGEST + 1), None, 7, {}])
def test_a_body_that_is_no_json_object_is_400(call: Any, aws: Any, body: Any) -> None:
    answer = call(create_item, "api_create_item", body=body)
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (
        400,
        "application/problem+json",
    )
    assert aws.names() == []


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_pythons_own_numbers_are_no_json(constant: str) -> None:
    with pytest.raises(http.Problem, match="not valid JSON"):
        json_object(_request(f'{{"price": {constant}}}'))


def test_a_body_longer_than_any_item_is_400(call: Any, aws: Any) -> None:
    body = json.dumps(_GOOD) + " " * LONGEST
    assert call(create_item, "api_create_item", body=body)["statusCode"] == 400


def test_the_longest_item_fits_with_every_character_escaped(call: Any, table: Any) -> None:
    item: dict[str, Any] = {"name": "😀" * 200, "price": "1", "description": "😀" * 2000}
    item["tags"] = ["😀" * 50] * 50
    body = json.dumps(item, ensure_ascii=True)
    assert call(create_item, "api_create_item", body=body)["statusCode"] == 201


@pytest.mark.parametrize("body", ["!!!", "e30", "/w==", "😀", _BASE64[:8] + "\n!" + _BASE64[8:]])
def test_a_base64_body_that_is_no_text_is_400(call: Any, aws: Any, body: str) -> None:
    answer = call(create_item, "api_create_item", body=body, isBase64Encoded=True)
    assert answer["statusCode"] == 400


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/xml", "x\r\ny"])
def test_a_body_is_read_whatever_its_content_type(
    call: Any, table: Any, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type}
    assert call(create_item, "api_create_item", headers=headers)["statusCode"] == 201


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.text()
    | _JSON.map(json.dumps)
    | st.fixed_dictionaries({}, optional=dict.fromkeys(items._CHECKS, _JSON)).map(json.dumps)
)
def test_no_body_at_all_is_answered_with_5xx(call: Any, table: Any, body: str) -> None:
    assert call(create_item, "api_create_item", body=body)["statusCode"] in (201, 400)
