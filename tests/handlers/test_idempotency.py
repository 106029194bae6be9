"""POST /items with an Idempotency-Key: one write and one answer, however often it arrives."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import change_publisher
import create_item
import data_transformer
import delete_item
import get_item
import list_items
import pytest
import update_item
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import aws as common_aws
from common import http, idempotency, ids, secrets
from tests.handlers.conftest import Context, load
from tests.handlers.fakes import Aws, AwsError, Table

if TYPE_CHECKING:
    from collections.abc import Callable

_KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
_BODY = {"name": "Binoculars", "price": "129.90"}


@pytest.fixture
def post(call: Any, table: Table) -> Callable[..., dict[str, Any]]:
    """`post(key, name=...)`: the answer to an item that is sent with this key."""
    del table

    def send(key: str | None = _KEY, caller: Any = ..., **members: Any) -> dict[str, Any]:
        context = load("api_create_item")["requestContext"]
        if caller is not ...:
            context["authorizer"] = caller
        body = json.dumps(_BODY | members)
        headers = {} if key is None else {"Idempotency-Key": key}
        return call(
            create_item, "api_create_item", headers=headers, body=body, requestContext=context
        )

    return send


def _items(table: Table) -> list[str]:
    return [key for key in table.rows if not ids.is_request(key)]


def test_a_repeated_request_counts_one_item(post: Any, measured: Any) -> None:
    for _ in range(3):
        post()
    assert measured() == {"ItemsCreated": 1}


def _stream(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """The stream's event of one change of a row."""
    event = load("dynamodb_stream")
    record = event["Records"][0]
    record["eventName"] = name
    record["dynamodb"]["Keys"] = {"id": row["id"]}
    record["dynamodb"].pop("NewImage", None)
    record["dynamodb"]["OldImage" if name == "REMOVE" else "NewImage"] = row
    return {"Records": [record]}


def _conflict(*codes: str) -> AwsError:
    reasons = [{"Code": code} for code in codes]
    return AwsError("TransactionCanceledException", CancellationReasons=reasons)


def test_the_same_request_three_times_is_one_write_and_one_answer(
    post: Any, table: Table, lines: Any
) -> None:
    first, second, third = post(), post(), post()
    assert first["statusCode"] == 201
    assert first == second == third
    assert _items(table) == [first["json"]["id"]]
    assert [line["message"] for line in lines()] == [
        *("request answered", "request repeated", "request answered"),
        *("request repeated", "request answered"),
    ]


def test_an_item_is_the_same_with_a_key_as_without(post: Any, table: Table) -> None:
    with_key, without = post()["json"], post(None)["json"]
    rows = [table.rows[item["id"]] for item in (with_key, without)]
    assert set(rows[0]) == set(rows[1])
    assert with_key["id"][14] == without["id"][14] == "7"
    assert sorted([with_key["id"], without["id"]]) == [with_key["id"], without["id"]]


def test_without_a_key_nothing_changes(post: Any, table: Table, aws: Aws) -> None:
    answers = [post(None) for _ in range(3)]
    assert len({answer["json"]["id"] for answer in answers}) == len(table.rows) == 3
    assert aws.names() == ["PutItem"] * 3


def test_of_another_key_or_caller_the_same_body_is_another_item(post: Any, table: Table) -> None:
    answers = [
        post(),
        post("another-key"),
        post(caller={"principalId": "p", "sub": "somebody"}),
        post(caller={"principalId": "p"}),
        post(caller={"claims": {"sub": "of-cognito"}}),
    ]
    assert len({answer["json"]["id"] for answer in answers}) == len(_items(table)) == 5


def test_a_callers_name_and_a_key_cannot_be_shifted_into_another_pair(
    post: Any, table: Table
) -> None:
    post("bc", caller={"sub": "a"})
    post("c", caller={"sub": "ab"})
    assert len(_items(table)) == 2


@pytest.mark.parametrize(
    "change", [{"price": "1"}, {"name": "binoculars"}, {"description": ""}, {"tags": ["x"]}]
)
def test_the_same_key_with_another_body_is_422_and_writes_nothing(
    post: Any, table: Table, change: dict[str, Any]
) -> None:
    post()
    stored = json.dumps(table.rows)
    answer = post(**change)
    assert (answer["statusCode"], answer["json"]["title"]) == (422, "Unprocessable Content")
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert json.dumps(table.rows) == stored
    assert _KEY not in json.dumps(answer)


def test_the_same_item_written_otherwise_is_the_same_request(post: Any, table: Table) -> None:
    first = post(price="129.90", description=None, tags=[])
    body = '{"price" : 129.9,\n "name": "Binoculars"}'
    event = load("api_create_item") | {"body": body}
    event["multiValueHeaders"]["idempotency-key"] = [f" {_KEY}\t"]
    again = create_item.handler(event, Context())
    assert json.loads(again["body"]) == first["json"]
    assert len(_items(table)) == 1


def test_the_answer_stays_as_it_was_when_the_item_has_been_changed(
    post: Any, call: Any, table: Table
) -> None:
    first = post()
    path = {"pathParameters": {"id": first["json"]["id"]}}
    changed = json.dumps({"name": "changed", "price": "1"})
    update = call(update_item, "api_update_item", body=changed, headers={"If-Match": "*"}, **path)
    assert update["statusCode"] == 200
    assert post() == first
    assert call(get_item, "api_get_item", **path)["json"] == update["json"]


def test_a_late_duplicate_does_not_bring_a_deleted_item_back(
    post: Any, call: Any, table: Table
) -> None:
    first = post()
    path = {"pathParameters": {"id": first["json"]["id"]}}
    call(delete_item, "api_delete_item", **path)
    assert post() == first
    assert _items(table) == []


def test_a_key_is_known_for_a_day_even_where_its_row_is_removed_late(
    post: Any, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = post()["json"]["id"]
    (used,) = (row for key, row in table.rows.items() if ids.is_request(key))
    now = time.time()
    assert abs(int(used["expiresAt"]["N"]) - now - 86_400) < 5
    monkeypatch.setattr(time, "time", lambda: now + 86_390)
    assert post()["json"]["id"] == first
    monkeypatch.setattr(time, "time", lambda: now + 86_410)
    assert post(price="7")["json"]["id"] != first
    assert len(table.rows) == 3


_BAD_KEYS = ("", " ", "x" * 129, "é", "a\x00b", "a\tb", "a\nb", "\x7f", "👍", "\u2028")


@pytest.mark.parametrize("key", _BAD_KEYS, ids=ascii)
def test_what_is_no_key_is_refused_and_nothing_is_written(
    post: Any, table: Table, key: str
) -> None:
    answer = post(key)
    assert answer["statusCode"] == 400
    assert "1 to 128 printable ASCII" in answer["json"]["detail"]
    assert table.rows == {}


@pytest.mark.parametrize("key", ["x", "x" * 128, '"quoted"', "a b", "!~", "a, a", "request#1"])
def test_any_printable_text_is_a_key(post: Any, table: Table, key: str) -> None:
    assert post(key) == post(key)
    assert len(_items(table)) == 1


@pytest.mark.parametrize("caller", [None, {}, {"sub": ""}, {"principalId": None}, "x"])
def test_a_key_of_nobody_is_refused(post: Any, table: Table, caller: Any) -> None:
    assert post(caller=caller)["statusCode"] == 400
    assert table.rows == {}
    assert post(None, caller=caller)["statusCode"] == 201


def test_a_caller_who_signs_is_known_by_the_arn(post: Any, call: Any, table: Table) -> None:
    context = load("api_create_item")["requestContext"] | {"authorizer": None}
    context["identity"]["userArn"] = "arn:aws:iam::123456789012:user/canary"
    headers = {"Idempotency-Key": _KEY}
    made = [
        call(create_item, "api_create_item", headers=headers, requestContext=context)
        for _ in range(2)
    ]
    assert made[0]["statusCode"] == 201
    assert made[0] == made[1]


def test_a_refused_body_uses_no_key(post: Any, table: Table) -> None:
    assert post(price="nothing")["statusCode"] == 400
    assert table.rows == {}
    assert post()["statusCode"] == 201


def test_a_duplicate_that_meets_the_first_one_waits_for_its_answer(
    post: Any, table: Table, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_PAUSES", (0, 0))
    first = post()
    transact = aws.answers["TransactWriteItems"]
    conflicts = [_conflict("TransactionConflict", "None")] * 2

    def busy(call: dict[str, Any]) -> dict[str, Any]:
        if conflicts:
            raise conflicts.pop()
        return transact(call)

    aws.on("TransactWriteItems", busy)
    assert post() == first
    assert len(_items(table)) == 1


@pytest.mark.parametrize(
    ("codes", "status", "attempts"),
    [
        (("TransactionConflict", "None"), 503, 3),
        (("ThrottlingError", "None"), 503, 1),
        (("None", "ProvisionedThroughputExceeded"), 503, 1),
        (("ValidationError", "None"), 500, 1),
        (("TransactionConflict", "ValidationError"), 500, 3),
        (("ConditionalCheckFailed", "None"), 500, 1),
    ],
)
def test_a_transaction_that_cannot_be_is_answered_without_telling_of_it(
    post: Any,
    aws: Aws,
    monkeypatch: pytest.MonkeyPatch,
    codes: tuple[str, ...],
    status: int,
    attempts: int,
) -> None:
    monkeypatch.setattr(idempotency, "_PAUSES", (0, 0))
    aws.fail("TransactWriteItems", _conflict(*codes))
    answer = post()
    assert answer["statusCode"] == status
    assert ("Retry-After" in answer["headers"]) is (status == 503)
    assert len(aws.calls) == attempts
    assert "ransaction" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("code", "status"),
    [("TransactionInProgressException", 503), ("ThrottlingException", 503), ("X", 500)],
)
def test_any_other_failure_is_what_it_is_without_a_key(
    post: Any, aws: Aws, code: str, status: int
) -> None:
    aws.fail("TransactWriteItems", AwsError(code))
    assert post()["statusCode"] == status


def test_what_a_key_was_used_for_is_no_item_to_anybody(
    post: Any, call: Any, table: Table, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "get", lambda _: "canary-key")
    item = post()["json"]
    (used,) = (key for key in table.rows if ids.is_request(key))
    listed = call(list_items, "api_list_items", multiValueQueryStringParameters=None)["json"]
    assert listed["items"] == [item]
    assert not ids.is_key(ids.REQUEST)
    path = {"pathParameters": {"id": used}}
    before = json.dumps(table.rows)
    assert call(get_item, "api_get_item", **path)["statusCode"] == 404
    assert call(delete_item, "api_delete_item", **path)["statusCode"] == 204
    update = call(update_item, "api_update_item", headers={"If-Match": "*"}, **path)
    assert update["statusCode"] == 404
    assert json.dumps(table.rows) == before


@pytest.mark.parametrize("name", ["INSERT", "MODIFY", "REMOVE"])
def test_what_a_key_was_used_for_is_neither_recorded_nor_pushed(
    post: Any, table: Table, aws: Aws, lines: Any, name: str
) -> None:
    post()
    (used,) = (row for key, row in table.rows.items() if ids.is_request(key))
    aws.calls.clear()
    lines()
    done: dict[str, Any] = {"batchItemFailures": []}
    assert data_transformer.handler(_stream(name, used), Context()) == done
    assert change_publisher.handler(_stream(name, used), Context()) == done
    assert aws.calls == []
    assert {line["level"] for line in lines()} == {"INFO"}


def test_what_is_kept_of_a_request_tells_neither_key_nor_caller_nor_content(
    post: Any, table: Table
) -> None:
    post("canary-key", caller={"sub": "canary-caller"}, name="canary-name")
    (used,) = (row for key, row in table.rows.items() if ids.is_request(key))
    assert set(used) == {"id", "asked", "itemId", "createdAt", "expiresAt"}
    assert "canary" not in json.dumps(used)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(max_codepoint=300), max_size=140))
def test_whatever_is_sent_as_a_key_is_one_or_is_refused(text: str) -> None:
    request = http.Request(
        load("api_create_item") | {"multiValueHeaders": {"Idempotency-Key": [text]}}
    )
    stripped = text.strip(" \t")
    good = stripped.isascii() and stripped.isprintable() and 0 < len(stripped) <= 128
    if good:
        assert idempotency.key(request) == stripped
    else:
        with pytest.raises(http.Problem, match="1 to 128"):
            idempotency.key(request)


_CALLERS = st.sampled_from(["developer", "somebody"])
_REQUESTS = st.lists(
    st.tuples(_CALLERS, st.sampled_from(["k1", "k2", None]), st.sampled_from(["1.00", "2.00"])),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(requests=_REQUESTS)
def test_whatever_requests_arrive_each_key_makes_one_item(
    monkeypatch: pytest.MonkeyPatch, requests: Any
) -> None:
    fake = Aws()
    table = Table(fake)
    monkeypatch.setattr(common_aws, "client", lambda service, **_: fake.client(service))
    first: dict[Any, Any] = {}
    unkeyed = 0
    for caller, key, price in requests:
        event = load("api_create_item") | {"body": json.dumps(_BODY | {"price": price})}
        event["requestContext"]["authorizer"] = {"sub": caller}
        if key:
            event["multiValueHeaders"]["Idempotency-Key"] = [key]
        answer = create_item.handler(event, Context())
        if key is None:
            unkeyed += 1
            assert answer["statusCode"] == 201
            continue
        before, told = first.setdefault((caller, key), (price, answer))
        if price == before:
            assert answer == told
        else:
            assert answer["statusCode"] == 422
    assert len(_items(table)) == len(first) + unkeyed
