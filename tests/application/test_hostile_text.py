"""Naughty texts in every place that takes one: stored as they are or refused, and never a fault of ours."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.box import Box
from sandbox.web import Answer
from tests.application.conftest import eventually
from tests.support import hostile
from tests.support.hostile_doors import DOORS, credentials
from tests.support.program import ROOT

pytestmark = pytest.mark.usefixtures("clean_logs")

SOME = hostile.naughty()[::3]
"""For places whose texts are compared with something and go nowhere."""
ITEMS, NOTIFICATIONS, USERS, ORDERS = (
    next(door for door in DOORS if str(door) == f"POST /{name}")
    for name in ("items", "notifications", "users", "orders")
)
PLACES = {
    "ItemInput": {"name", "price", "description", "tags"},
    "NotificationInput": {"message", "subject"},
}
"""The members that get naughty texts below, by the schema of their body."""


def test_no_text_field_of_a_described_body_is_left_out() -> None:
    described = {
        path.stem: {
            name
            for name, schema in json.loads(path.read_text(encoding="utf-8"))["properties"].items()
            if "string" in json.dumps(schema)
        }
        for path in (ROOT / "schemas").glob("*.json")
    }
    assert described == PLACES


def test_texts_of_items_come_back_unchanged_or_are_refused(box: Box) -> None:
    sent = [body for text in hostile.naughty(0) for body in _items(text)]
    answers = hostile.all_at_once(lambda item: _send(box, item), sent)
    wrong = [(item, _short(a)) for item, a in answers if a.status != (201 if _fits(item) else 400)]
    assert not wrong, hostile.shown(wrong)
    made = [(item, a.json()) for item, a in answers if a.status == 201]
    assert len(made) > 100
    assert not [item for item, got in made if not _holds(got, item)]
    listed = _listed(box)
    assert not [item for item, got in made if not _holds(listed[got["id"]], item)]
    # The texts also pass through the stream to the function that writes the audit.
    wanted = {got["id"] for _, got in made}
    eventually(lambda: wanted <= _audited(box))


def test_prices_that_are_no_price_are_refused(box: Box) -> None:
    prices = [text for text in SOME if not re.fullmatch(r"[0-9]{1,12}([.][0-9]{1,2})?", text)]
    answers = hostile.all_at_once(lambda p: _send(box, {"name": "lamp", "price": p}), prices)
    assert {answer.status for _, answer in answers} == {400}


def test_notifications_are_published_unchanged_or_refused(box: Box) -> None:
    inbox = _inbox(box)
    sent = [
        {"message": f"{number} {text[:900]}", "subject": text[:100]}
        if text.isascii() and text.isprintable()
        else {"message": f"{number} {text[:900]}"}
        for number, text in enumerate(hostile.naughty(1))
    ]
    answers = hostile.all_at_once(
        lambda body: NOTIFICATIONS.send(box, json.dumps(body).encode()), sent
    )
    wrong = [(body, _short(a)) for body, a in answers if a.status != 202]
    assert not wrong, hostile.shown(wrong)
    wanted = {body["message"] for body in sent}
    received: set[str] = set()
    eventually(lambda: _receive(box, inbox, received) and wanted <= received, seconds=30)


def test_subjects_that_no_mail_can_carry_are_refused(box: Box) -> None:
    subjects = [t for t in hostile.naughty(1) if len(t) > 100 or not re.fullmatch(r"[ -~]*", t)]
    bodies = [json.dumps({"message": "x", "subject": subject}).encode() for subject in subjects]
    answers = hostile.all_at_once(lambda body: NOTIFICATIONS.send(box, body), bodies)
    assert {answer.status for _, answer in answers} == {400}


def test_users_are_stored_unchanged_or_refused(box: Box) -> None:
    run = uuid.uuid4().hex
    sent = [
        {"user_id": f"{run} {text[:90]}", "name": text[:200], "email": f"{n}@example.com"}
        for n, text in enumerate(hostile.naughty(2))
    ]
    answers = hostile.all_at_once(lambda user: USERS.send(box, json.dumps(user).encode()), sent)
    wrong = [(u, _short(a)) for u, a in answers if a.status != (200 if _line(u["name"]) else 400)]
    assert not wrong, hostile.shown(wrong)
    assert all(a.json()["user_id"] == user["user_id"] for user, a in answers if a.status == 200)
    stored = _rows(box, "usersTable", "user_id, #n, email", {"#n": "name"})
    kept = {row["user_id"]: row for row in stored}
    for user, _ in (pair for pair in answers if pair[1].status == 200):
        assert kept[user["user_id"]] == user


def test_addresses_that_are_none_are_refused(box: Box) -> None:
    users = [{"user_id": str(n), "name": "x", "email": text} for n, text in enumerate(SOME)]
    answers = hostile.all_at_once(lambda user: USERS.send(box, json.dumps(user).encode()), users)
    assert {answer.status for _, answer in answers} == {400}


def test_orders_come_back_as_they_were_sent(box: Box) -> None:
    texts = hostile.naughty(3)
    orders = [{"note": text, text or "empty": {"more": [text]}} for text in texts]
    answers = hostile.all_at_once(lambda o: ORDERS.send(box, json.dumps(o).encode()), orders)
    wrong = [(order, _short(a)) for order, a in answers if a.status != 201]
    assert not wrong, hostile.shown(wrong)
    assert not [order for order, a in answers if a.json()["order"] != order]


def test_texts_in_paths_find_nothing(box: Box) -> None:
    own = credentials(box, "apiUrl")
    # A dot alone is a step in a path, which clients take before they ask.
    paths = [text for text in hostile.naughty(4) if text.strip("./")]
    answers = hostile.all_at_once(
        lambda text: box.http.get(f"/items/{quote(text, safe='')}", headers=own).status, paths
    )
    wrong = [(text, status) for text, status in answers if status != 404]
    assert not wrong, hostile.shown(wrong)
    unknown = hostile.all_at_once(
        lambda text: box.http.get(f"/{quote(text, safe='')}", headers=own).status, SOME
    )
    assert {status for text, status in unknown if text.strip("./")} <= {403, 404}


@pytest.mark.parametrize("parameter", ["cursor", "limit"])
def test_texts_in_queries_are_refused(box: Box, parameter: str) -> None:
    own = credentials(box, "apiUrl")
    asked = [t for t in SOME if t and not re.fullmatch("[1-9][0-9]?|100", t)]
    answers = hostile.all_at_once(
        lambda text: box.http.get("/items", headers=own, query={parameter: text}).status, asked
    )
    assert {status for _, status in answers} == {400}


def test_texts_in_headers_change_nothing(box: Box) -> None:
    def asked(text: str) -> Answer:
        value = hostile.CONTROL.sub("", text.encode().decode("latin-1")).strip() or "x"
        names = ("Origin", "User-Agent", "If-None-Match", "X-Forwarded-For", "X-Amzn-Trace-Id")
        return box.http.get("/health", headers=dict.fromkeys((*names, "Cookie"), value))

    answers = hostile.all_at_once(asked, hostile.naughty(5))
    wrong = [(text, _short(a)) for text, a in answers if a.status != 200]
    assert not wrong, hostile.shown(wrong)
    assert {a.headers["Access-Control-Allow-Origin"] for _, a in answers} == {None}


def test_texts_in_if_match_match_nothing(box: Box) -> None:
    own = credentials(box, "apiUrl")
    path = f"/items/{_send(box, {'name': 'lamp', 'price': 1}).json()['id']}"

    def asked(text: str) -> int:
        value = hostile.CONTROL.sub("", text.encode().decode("latin-1")).strip() or "x"
        headers = {**own, "If-Match": value if value not in {"*", '"1"'} else "x"}
        return box.http.put(path, json={"name": "x", "price": 2}, headers=headers).status

    assert {status for _, status in hostile.all_at_once(asked, SOME)} == {412}
    assert box.http.get(path, headers=own).json()["version"] == 1


def _items(text: str) -> Iterator[dict[str, Any]]:
    """Items with the text in each place, cut to what the place may hold; where one place refuses it, once alone."""
    yield {"name": text[:200], "price": 1, "description": text[:2000], "tags": [text[:50]]}
    if not _line(text):
        yield {"name": "lamp", "price": 1, "description": text[:2000]}
    if len(text) > 50:
        yield {"name": "lamp", "price": 1, "tags": [text]}


def _send(box: Box, item: dict[str, Any]) -> Answer:
    return ITEMS.send(box, json.dumps(item).encode())


def _fits(item: dict[str, Any]) -> bool:
    tags = item.get("tags", [])
    return (
        _line(item["name"])
        and all(_line(tag) and len(tag) <= 50 for tag in tags)
        and not hostile.LINES.search(item.get("description", ""))
    )


def _line(text: str) -> bool:
    return bool(text.strip()) and not hostile.CONTROL.search(text)


def _holds(got: dict[str, Any], item: dict[str, Any]) -> bool:
    return all(got[name] == value for name, value in item.items() if name != "price")


def _listed(box: Box) -> dict[str, dict[str, Any]]:
    own, cursor = credentials(box, "apiUrl"), ""
    found: dict[str, dict[str, Any]] = {}
    while cursor is not None:
        query = {"limit": "100", "cursor": cursor}
        page = box.http.get("/items", headers=own, query=query).json()
        found |= {item["id"]: item for item in page["items"]}
        cursor = page["nextCursor"]
    return found


def _audited(box: Box) -> set[str]:
    table = box.outputs["auditTable"]
    pages = box.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return {
        value["S"]
        for page in pages
        for row in page["Items"]
        for value in row.values()
        if "S" in value
    }


def _rows(box: Box, table: str, members: str, names: dict[str, str]) -> list[dict[str, str]]:
    pages = (
        box.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=box.outputs[table],
            ProjectionExpression=members,
            ExpressionAttributeNames=names,
        )
    )
    return [{k: v["S"] for k, v in row.items()} for page in pages for row in page["Items"]]


def _inbox(box: Box) -> str:
    """A new queue that gets what is published to the notifications topic."""
    sqs, topic = box.client("sqs"), box.outputs["notificationsTopicArn"]
    url = str(sqs.create_queue(QueueName=f"hostile-{uuid.uuid4()}")["QueueUrl"])
    asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    own = asked["Attributes"]["QueueArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": own,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    box.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=own, Attributes={"RawMessageDelivery": "true"}
    )
    return url


def _receive(box: Box, queue: str, into: set[str]) -> bool:
    while True:
        answer = box.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        if not answer.get("Messages"):
            return True
        into |= {message["Body"] for message in answer["Messages"]}


def _short(answer: Answer) -> str:
    return f"{answer.status} {answer.body[:200]!r}"
