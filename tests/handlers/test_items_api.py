"""The five item functions against a table in memory, with requests as API Gateway sends them."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import urljoin

import create_item
import delete_item
import get_item
import list_items
import pytest
import update_item

from tests.handlers.conftest import load
from tests.handlers.fakes import AwsError

_ODD_IDS = (
    "",
    " ",
    "..",
    "a/b",
    "%2e%2e",
    "é",
    "a" * 65,
    "'; DROP TABLE items",
    "\x00",
    "$ne",
    "{}",
)


def _path(item_id: str) -> dict[str, Any]:
    return {"pathParameters": {"id": item_id}}


def test_a_created_item_is_answered_with_etag_and_stored_once(
    call: Any, aws: Any, table: Any
) -> None:
    answer = call(create_item, "api_create_item")
    item = answer["json"]
    assert answer["statusCode"] == 201
    assert list(item) == [
        "id",
        "name",
        "price",
        "description",
        "tags",
        "version",
        "createdAt",
        "updatedAt",
    ]
    assert (item["name"], item["price"], item["description"], item["tags"], item["version"]) == (
        "Binoculars",
        "129.90",
        "10x42",
        ["optics", "outdoor"],
        1,
    )
    assert answer["headers"]["ETag"] == '"1"'
    assert item["createdAt"] == item["updatedAt"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", item["createdAt"])
    assert aws.names() == ["PutItem"]
    row = table.rows[item["id"]]
    assert row["price"] == {"N": "129.90"}
    assert row["collection"] == {"S": "items"}
    assert row["version"] == {"N": "1"}


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("https://a1.execute-api.us-west-2.amazonaws.com/dev/items", "/dev/items"),
        ("https://api.example.com/items", "/items"),
        ("http://127.0.0.1:4566/_aws/execute-api/a1/dev/items", "/dev/items"),
        ("https://api.example.com/shop/items/", "/shop/items/"),
    ],
)
def test_location_resolves_to_the_item_under_every_prefix(
    call: Any, table: Any, asked: str, path: str
) -> None:
    answer = call(create_item, "api_create_item", requestContext={"path": path, "requestId": "r"})
    expected = f"{asked.rstrip('/')}/{answer['json']['id']}"
    assert urljoin(asked, answer["headers"]["Location"]) == expected


def test_an_item_without_description_and_tags_has_null_and_none(create: Any, call: Any) -> None:
    item = create()
    assert item["description"] is None
    assert item["tags"] == []
    assert call(get_item, "api_get_item", **_path(item["id"]))["json"] == item


def test_get_answers_the_item_with_its_etag_from_a_consistent_read(
    create: Any, call: Any, aws: Any
) -> None:
    item = create(tags=["a"], description="two\nlines")
    answer = call(get_item, "api_get_item", **_path(item["id"]))
    assert (answer["statusCode"], answer["headers"]["ETag"]) == (200, '"1"')
    assert answer["json"] == item
    assert aws.calls[-1][1]["ConsistentRead"] is True


def test_get_of_a_missing_item_is_404(call: Any, table: Any) -> None:
    answer = call(get_item, "api_get_item")
    assert answer["statusCode"] == 404
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert answer["json"] == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such item.",
        "requestId": "5f0e6c1a-3b7d-4a52-8e1f-9c2d4b6a8e01",
    }


@pytest.mark.parametrize("item_id", _ODD_IDS)
def test_an_odd_id_is_an_item_that_does_not_exist(call: Any, aws: Any, item_id: str) -> None:
    assert call(get_item, "api_get_item", **_path(item_id))["statusCode"] == 404
    assert call(update_item, "api_update_item", **_path(item_id))["statusCode"] == 404
    assert call(delete_item, "api_delete_item", **_path(item_id))["statusCode"] == 204
    assert aws.names() == []


def test_delete_answers_204_with_no_body_each_time(create: Any, call: Any, table: Any) -> None:
    item = create()
    for _ in range(2):
        answer = call(delete_item, "api_delete_item", **_path(item["id"]))
        assert (answer["statusCode"], answer["body"]) == (204, "")
    assert table.rows == {}


def test_update_replaces_every_field_and_raises_the_version(
    create: Any, call: Any, aws: Any
) -> None:
    item = create(description="old", tags=["old"])
    answer = call(update_item, "api_update_item", **_path(item["id"]))
    assert (answer["statusCode"], answer["headers"]["ETag"]) == (200, '"2"')
    new = answer["json"]
    assert (new["price"], new["description"], new["tags"], new["version"]) == (
        "119.50",
        None,
        [],
        2,
    )
    assert new["createdAt"] == item["createdAt"]
    assert new["updatedAt"] >= item["updatedAt"]
    assert aws.names() == ["PutItem", "UpdateItem"]


def test_update_keeps_a_description_that_is_sent(create: Any, call: Any, table: Any) -> None:
    item = create()
    body = json.dumps({"name": "n", "price": 1, "description": "d", "tags": ["t"]})
    answer = call(update_item, "api_update_item", body=body, **_path(item["id"]))
    assert (answer["json"]["description"], answer["json"]["tags"]) == ("d", ["t"])
    assert table.rows[item["id"]]["description"] == {"S": "d"}


@pytest.mark.parametrize(
    "tag", ['"2"', 'W/"1"', "1", '"01"', '"x"', "garbage", '"9999999999999999999"']
)
def test_a_stale_weak_or_foreign_etag_is_412(create: Any, call: Any, tag: str) -> None:
    item = create()
    answer = call(update_item, "api_update_item", headers={"If-Match": tag}, **_path(item["id"]))
    assert answer["statusCode"] == 412


@pytest.mark.parametrize("tag", ["*", " * ", '"1"', '"7", "1"', 'W/"1","1"'])
def test_an_etag_that_matches_is_accepted(create: Any, call: Any, tag: str) -> None:
    item = create()
    answer = call(update_item, "api_update_item", headers={"If-Match": tag}, **_path(item["id"]))
    assert answer["statusCode"] == 200


@pytest.mark.parametrize("tag", ["*", '"1"', "garbage"])
def test_update_of_a_missing_item_is_404_whatever_the_etag(call: Any, table: Any, tag: str) -> None:
    assert call(update_item, "api_update_item", headers={"If-Match": tag})["statusCode"] == 404


@pytest.mark.parametrize("tag", ["", "  "])
def test_update_without_if_match_is_428(create: Any, call: Any, aws: Any, tag: str) -> None:
    item = create()
    answer = call(update_item, "api_update_item", headers={"If-Match": tag}, **_path(item["id"]))
    assert answer["statusCode"] == 428
    assert aws.names() == ["PutItem"]


def test_header_names_count_in_any_case(create: Any, call: Any) -> None:
    item = create()
    lower = {"headers": {"if-match": '"1"'}, "multiValueHeaders": None}
    event = {"pathParameters": {"id": item["id"]}, "body": '{"name": "n", "price": 1}', **lower}
    assert update_item.handler(event, None)["statusCode"] == 200


def test_of_two_writers_with_one_etag_the_second_is_refused(create: Any, call: Any) -> None:
    item = create()
    answers = [call(update_item, "api_update_item", **_path(item["id"])) for _ in range(2)]
    assert [answer["statusCode"] for answer in answers] == [200, 412]


def test_a_base64_body_is_decoded(call: Any, table: Any) -> None:
    body = base64.b64encode('{"name": "Café", "price": 2}'.encode()).decode()
    answer = call(create_item, "api_create_item", body=body, isBase64Encoded=True)
    assert (answer["statusCode"], answer["json"]["name"]) == (201, "Café")


@pytest.mark.parametrize(
    ("module", "name", "operation"),
    [
        (create_item, "api_create_item", "PutItem"),
        (get_item, "api_get_item", "GetItem"),
        (list_items, "api_list_items", "Query"),
        (update_item, "api_update_item", "UpdateItem"),
        (delete_item, "api_delete_item", "DeleteItem"),
    ],
)
def test_a_throttled_table_is_503_and_any_other_failure_500(
    call: Any, aws: Any, lines: Any, module: Any, name: str, operation: str
) -> None:
    aws.fail(operation, AwsError("ProvisionedThroughputExceededException"))
    answer = call(module, name)
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "1")
    aws.fail(operation, AwsError("AccessDeniedException"))
    answer = call(module, name)
    assert answer["statusCode"] == 500
    assert "AccessDenied" not in answer["body"]
    logged = [line for line in lines() if line["level"] == "ERROR"]
    assert logged[0]["error"]["type"] == "ClientError"
    assert "Traceback" in logged[0]["error"]["stack"]


def test_what_is_done_to_items_is_counted_and_a_removal_once(
    create: Any, call: Any, measured: Any
) -> None:
    item = create()
    assert measured() == {"ItemsCreated": 1}
    place = {"pathParameters": {"id": item["id"]}}
    body = json.dumps({"name": "Lens", "price": "1"})
    call(update_item, "api_update_item", headers={"If-Match": '"1"'}, body=body, **place)
    assert measured() == {"ItemsUpdated": 1}
    call(update_item, "api_update_item", headers={"If-Match": '"1"'}, body=body, **place)
    assert measured() == {}
    for _ in range(2):
        call(delete_item, "api_delete_item", **place)
    assert measured() == {"ItemsDeleted": 1}


def test_a_row_says_what_wrote_it_last_and_no_answer_does(
    create: Any, call: Any, table: Any, lines: Any
) -> None:
    item = create()
    assert "correlationId" not in item
    gateway = load("api_create_item")["requestContext"]["requestId"]
    assert table.rows[item["id"]]["correlationId"] == {"S": gateway}
    answer = call(
        update_item,
        "api_update_item",
        headers={"If-Match": "*", "X-Correlation-Id": "mine.1"},
        body=json.dumps({"name": "Lens", "price": "1"}),
        pathParameters={"id": item["id"]},
    )
    assert answer["headers"]["X-Correlation-Id"] == "mine.1"
    assert table.rows[item["id"]]["correlationId"] == {"S": "mine.1"}
    assert [line["correlation_id"] for line in lines()] == [gateway, "mine.1"]
    shown = call(get_item, "api_get_item", pathParameters={"id": item["id"]})["json"]
    assert shown.keys() == answer["json"].keys() == item.keys()
