"""The WebSocket API with a real client: changes of items reach who asked for them."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from sandbox.box import Box
from tests.application.conftest import eventually

NewItem = Callable[..., dict[str, Any]]
SUBSCRIBE = json.dumps({"action": "subscribe", "topic": "items"})
CLIENTS = 200
SECONDS = 20.0


@contextlib.contextmanager
def subscribed(box: Box, token: str) -> Iterator[ClientConnection]:
    """A client that has asked for changes of items, and knows that it was heard."""
    with box.socket(token) as client:
        client.send(json.dumps({"action": "subscribe", "topic": "items", "requestId": "1"}))
        reply = {"requestId": "1", "topic": "items", "subscribed": True}
        assert json.loads(client.recv(timeout=SECONDS)) == reply
        yield client


def pushes(client: ClientConnection, item_id: str, count: int = 1) -> list[dict[str, Any]]:
    """The next pushes that are about one item; others pass."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        push = json.loads(client.recv(timeout=SECONDS))
        if push["item"]["id"] == item_id:
            found.append(push)
    return found


def rows(box: Box, topic: str, subject: str | None = None) -> list[dict[str, Any]]:
    """The connections table's rows of a topic, or those of one subject: an end is told later."""
    found = box.client("dynamodb").query(
        TableName=box.outputs["connectionsTable"],
        IndexName="by-topic",
        KeyConditionExpression="topic = :topic",
        ExpressionAttributeValues={":topic": {"S": topic}},
    )
    items: list[dict[str, Any]] = found["Items"]
    return [row for row in items if subject is None or row.get("subject") == {"S": subject}]


@pytest.fixture(scope="module")
def token(box: Box) -> str:
    """A token of the REST API."""
    return box.token(subject="listener")


def test_created_updated_and_deleted_items_are_told_in_order(
    box: Box, token: str, new_item: NewItem
) -> None:
    with subscribed(box, token) as client:
        item = new_item(name="told")
        path = f"/items/{item['id']}"
        body = {"name": "told again", "price": "2"}
        changed = box.http.put(path, token=True, json=body, headers={"If-Match": "*"}).json()
        box.http.delete(path, token=True)
        assert pushes(client, item["id"], 3) == [
            {"topic": "items", "event": "created", "item": item},
            {"topic": "items", "event": "updated", "item": changed},
            {"topic": "items", "event": "deleted", "item": changed},
        ]


def test_the_first_thing_a_silent_client_hears_is_a_change(box: Box, new_item: NewItem) -> None:
    with box.socket(box.token(subject="silent")) as client:
        client.send(SUBSCRIBE)
        eventually(lambda: rows(box, "items", "silent"))
        item = new_item(name="first")
        assert json.loads(client.recv(timeout=SECONDS))["item"] == item


def test_success_is_silent_and_a_mistake_is_told(box: Box) -> None:
    with box.socket(box.token(subject="quiet")) as client:
        client.send(SUBSCRIBE)
        eventually(lambda: rows(box, "items", "quiet"))
        client.send(json.dumps({"action": "unsubscribe", "topic": "items"}))
        eventually(lambda: not rows(box, "items", "quiet"))
        client.send("hello")
        told = json.loads(client.recv(timeout=SECONDS))
        assert (told.keys(), told["error"]["code"]) == ({"error"}, "invalid_message")
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.3)


@pytest.mark.parametrize("query", [False, True], ids=["header", "query"])
def test_a_token_opens_the_connection_wherever_it_stands(box: Box, token: str, query: bool) -> None:
    with box.socket(token, query=query) as client:
        client.send(json.dumps({"action": "subscribe", "topic": "items", "requestId": "x"}))
        assert json.loads(client.recv(timeout=SECONDS))["subscribed"] is True


@pytest.mark.parametrize("query", [False, True], ids=["header", "query"])
@pytest.mark.parametrize("kind", ["none", "expired", "garbage", "of the pool"])
def test_without_a_good_token_nobody_connects(box: Box, kind: str, query: bool) -> None:
    tokens = {
        "none": lambda: False,
        "expired": lambda: box.token(expires=-60),
        "garbage": lambda: "x.y.z",
        "of the pool": lambda: box.token(cognito=True),
    }
    with pytest.raises(InvalidStatus) as refused, box.socket(tokens[kind](), query=query):
        pass
    assert refused.value.response.status_code in {401, 403}


def test_who_unsubscribes_or_leaves_is_forgotten(box: Box, new_item: NewItem) -> None:
    # A name of its own: other tests leave rows of connections that never ended properly.
    token = box.token(subject="leaver")

    def left(topic: str) -> bool:
        return not [r for r in rows(box, topic) if r.get("subject") == {"S": "leaver"}]

    with subscribed(box, token) as stays, subscribed(box, token) as client:
        assert not left("items")
        client.send(json.dumps({"action": "unsubscribe", "topic": "items", "requestId": "2"}))
        assert json.loads(client.recv(timeout=SECONDS))["subscribed"] is False
        item = new_item(name="unheard")
        pushes(stays, item["id"])
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.3)
    eventually(lambda: left("items"))
    eventually(lambda: left("connected"))


def test_who_comes_back_is_told_again(box: Box, token: str, new_item: NewItem) -> None:
    for turn in range(3):
        with subscribed(box, token) as client:
            item = new_item(name=f"turn {turn}")
            assert pushes(client, item["id"])[0]["event"] == "created"


def test_a_gone_connection_is_cleared_away_by_the_next_push(
    box: Box, token: str, new_item: NewItem
) -> None:
    gone = {"connectionId": {"S": "gone="}, "topic": {"S": "items"}}
    late = {"expiresAt": {"N": str(int(time.time()) + 600)}}
    table = box.outputs["connectionsTable"]
    box.client("dynamodb").put_item(TableName=table, Item={**gone, **late})
    with subscribed(box, token) as client:
        pushes(client, new_item(name="sweeps")["id"])
    assert eventually(
        lambda: "Item" not in box.client("dynamodb").get_item(TableName=table, Key=gone)
    )


def test_rows_of_a_connection_end_by_themselves(box: Box) -> None:
    with subscribed(box, box.token(subject="guest")):
        (row,) = rows(box, "items", "guest")
        left = int(row["expiresAt"]["N"]) - time.time()
        # A connection lives for two hours at most.
        assert 7200 <= left <= 3 * 3600


def test_two_hundred_clients_hear_of_a_change(box: Box, new_item: NewItem) -> None:
    """How fast is a matter of benchmarks; here nobody is left out, and nobody hears it twice."""
    token = box.token(subject="crowd")
    heard: list[str] = []
    lock = threading.Lock()
    with contextlib.ExitStack() as open_ones, ThreadPoolExecutor(8) as pool:
        clients = list(
            pool.map(lambda _: open_ones.enter_context(subscribed(box, token)), range(CLIENTS))
        )
        item = new_item(name="loud")

        def listen(client: ClientConnection) -> None:
            (push,) = pushes(client, item["id"])
            with lock:
                heard.append(push["event"])

        list(pool.map(listen, clients))
        for client in clients:
            with pytest.raises(TimeoutError):
                client.recv(timeout=0)
    assert heard == ["created"] * CLIENTS
    # They leave together, and a change meanwhile tries to reach each of them: the next test would wait for that.
    eventually(lambda: not rows(box, "items", "crowd"), 60.0)
