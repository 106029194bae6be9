"""Listing items: pages, limits and cursors."""

from __future__ import annotations

from typing import Any

import list_items
import pytest

from common import cursor

_CURSOR_KEY = "cursor-key-of-the-tests-0123456789"


@pytest.fixture
def cursor_key(aws: Any) -> None:
    aws.on("GetSecretValue", lambda _: {"SecretString": _CURSOR_KEY})


def test_pages_hold_every_item_once_and_none_is_empty(
    create: Any, call: Any, aws: Any, cursor_key: None
) -> None:
    made = [create(name=f"item {number}")["id"] for number in range(4)]
    seen: list[str] = []
    query: dict[str, list[str]] = {"limit": ["2"]}
    for _ in range(2):
        answer = call(list_items, "api_list_items", multiValueQueryStringParameters=query)
        page = answer["json"]
        assert len(page["items"]) == 2
        seen += [item["id"] for item in page["items"]]
        query["cursor"] = [page["nextCursor"]]
    assert seen == made
    assert page["nextCursor"] is None
    assert set(aws.names()) == {"PutItem", "Query", "GetSecretValue"}
    assert aws.calls[-1][1]["IndexName"] == "by-collection"


def test_an_empty_table_is_one_empty_page(call: Any, table: Any) -> None:
    answer = call(list_items, "api_list_items")
    assert answer["json"] == {"items": [], "nextCursor": None}


def test_a_page_goes_on_where_a_query_ended_early(
    create: Any, call: Any, table: Any, cursor_key: None
) -> None:
    made = [create()["id"] for _ in range(5)]
    table.page = 2
    answer = call(list_items, "api_list_items", multiValueQueryStringParameters={"limit": ["4"]})
    assert [item["id"] for item in answer["json"]["items"]] == made[:4]
    assert answer["json"]["nextCursor"]


@pytest.mark.parametrize(
    "limit", ["0", "101", "-1", "1.5", "ten", "1e1", " 5", "\u0665", "01", "1000"]
)
def test_a_limit_outside_1_to_100_is_400(call: Any, table: Any, aws: Any, limit: str) -> None:
    query = {"limit": [limit]}
    answer = call(list_items, "api_list_items", multiValueQueryStringParameters=query)
    assert answer["statusCode"] == 400
    assert aws.names() == []


@pytest.mark.parametrize("limit", ["1", "9", "10", "99", "100"])
def test_a_limit_of_1_to_100_is_asked_for(call: Any, table: Any, aws: Any, limit: str) -> None:
    query = {"limit": [limit]}
    answer = call(list_items, "api_list_items", multiValueQueryStringParameters=query)
    assert answer["statusCode"] == 200
    assert aws.calls[0][1]["Limit"] == int(limit) + 1


@pytest.mark.parametrize("name", ["limit", "cursor"])
def test_a_query_parameter_given_twice_is_400(call: Any, table: Any, name: str) -> None:
    query = {name: ["5", "6"]}
    answer = call(list_items, "api_list_items", multiValueQueryStringParameters=query)
    assert answer["statusCode"] == 400
    assert "more than once" in answer["json"]["detail"]


def test_empty_query_parameters_count_as_absent(call: Any, table: Any) -> None:
    query = {"limit": [""], "cursor": [""]}
    answer = call(list_items, "api_list_items", multiValueQueryStringParameters=query)
    assert answer["statusCode"] == 200


def test_query_parameters_are_read_where_only_single_values_are_given(
    create: Any, call: Any, cursor_key: None
) -> None:
    for _ in range(3):
        create()
    answer = call(
        list_items,
        "api_list_items",
        multiValueQueryStringParameters=None,
        queryStringParameters={"limit": "1"},
    )
    assert len(answer["json"]["items"]) == 1


@pytest.mark.parametrize("forged", ["x", "é", "A" * 5000, "eyJpZCI6IjEifQ==", "..", "\x00", "A"])
def test_a_forged_cursor_is_400_and_asks_the_table_nothing(
    call: Any, aws: Any, cursor_key: None, forged: str
) -> None:
    query = {"cursor": [forged]}
    answer = call(list_items, "api_list_items", multiValueQueryStringParameters=query)
    assert answer["statusCode"] == 400
    assert "Query" not in aws.names()


def test_a_cursor_signed_over_a_key_that_no_item_has_is_400(
    call: Any, aws: Any, cursor_key: None
) -> None:
    query = {"cursor": [cursor.seal("../other", _CURSOR_KEY)]}
    answer = call(list_items, "api_list_items", multiValueQueryStringParameters=query)
    assert answer["statusCode"] == 400


def test_a_cursor_of_a_newer_key_is_honoured_after_one_refetch(
    call: Any, aws: Any, table: Any
) -> None:
    keys = iter(["the-key-before-rotation", _CURSOR_KEY, _CURSOR_KEY])
    aws.on("GetSecretValue", lambda _: {"SecretString": next(keys)})
    query = {"cursor": [cursor.seal("a", _CURSOR_KEY)]}
    answer = call(list_items, "api_list_items", multiValueQueryStringParameters=query)
    assert answer["statusCode"] == 200
    assert aws.names() == ["GetSecretValue", "GetSecretValue", "Query"]
