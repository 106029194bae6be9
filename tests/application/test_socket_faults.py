"""Faults at the WebSocket: repeated and late events, cut connections, tokens that are none; nobody is lost or left behind."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
from collections.abc import Callable, Generator
from typing import Any
from uuid import uuid4

import boto3
import jwt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from sandbox.box import Box
from tests.application.conftest import eventually
from tests.support.program import ROOT

NewItem = Callable[..., dict[str, Any]]
SECONDS = 20.0


@pytest.fixture
def subject() -> str:
    """Somebody whose connections are nobody else's."""
    return f"s-{uuid4()}"


@contextlib.contextmanager
def subscribed(box: Box, subject: str) -> Generator[ClientConnection]:
    """A client that has asked for changes of items, and knows that it was heard."""
    with box.socket(box.token(subject=subject)) as client:
        client.send(json.dumps({"action": "subscribe", "topic": "items", "requestId": "1"}))
        assert json.loads(client.recv(timeout=SECONDS))["subscribed"] is True
        yield client


def rows(box: Box, subject: str) -> list[tuple[str, str]]:
    """Connection and topic of each row of somebody."""
    found = (
        box.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=box.outputs["connectionsTable"],
            FilterExpression="subject = :subject",
            ExpressionAttributeValues={":subject": {"S": subject}},
        )
    )
    items = [row for page in found for row in page["Items"]]
    return sorted((row["connectionId"]["S"], row["topic"]["S"]) for row in items)


def ids(box: Box, subject: str) -> set[str]:
    return {connection for connection, _ in rows(box, subject)}


def delivered(box: Box, event: str, connection: str, subject: str, **members: Any) -> None:
    """The gateway's event of a connection, once more."""
    text = (ROOT / "tests" / "events" / f"socket_{event}.json").read_text(encoding="utf-8")
    told = copy.deepcopy(json.loads(text))
    told["requestContext"]["connectionId"] = connection
    told["requestContext"]["authorizer"] = {"principalId": subject, "sub": subject}
    assert box.invoke("subscriptions", told | members).payload == {"statusCode": 200}


def hears(client: ClientConnection, item_id: str) -> bool:
    """Whether the change of an item arrives; others pass."""
    while True:
        if json.loads(client.recv(timeout=SECONDS))["item"]["id"] == item_id:
            return True


def test_an_event_that_comes_three_times_leaves_one_row(box: Box, subject: str) -> None:
    for _ in range(3):
        delivered(box, "connect", "thrice=", subject)
    assert rows(box, subject) == [("thrice=", "connected")]
    for _ in range(3):
        delivered(box, "subscribe", "thrice=", subject)
    assert rows(box, subject) == [("thrice=", "connected"), ("thrice=", "items")]
    for _ in range(3):
        delivered(box, "disconnect", "thrice=", subject)
    assert rows(box, subject) == []


def test_a_reply_to_somebody_who_has_left_harms_nobody(box: Box, subject: str) -> None:
    asked = {"action": "subscribe", "topic": "items", "requestId": "1"}
    for body in (json.dumps(asked), "hello"):
        delivered(box, "subscribe", "left=", subject, body=body)
    assert rows(box, subject) == [("left=", "items")]
    delivered(box, "disconnect", "left=", subject)


def test_a_late_end_of_an_old_connection_leaves_the_new_one(
    box: Box, subject: str, new_item: NewItem
) -> None:
    with subscribed(box, subject):
        (old,) = ids(box, subject)
    eventually(lambda: not rows(box, subject))
    with subscribed(box, subject) as client:
        delivered(box, "disconnect", old, subject)
        assert old not in ids(box, subject)
        assert len(rows(box, subject)) == 2
        assert hears(client, new_item(name="late")["id"])


def test_a_client_that_was_cut_off_comes_back_and_is_told_again(
    box: Box, subject: str, new_item: NewItem
) -> None:
    gateway = boto3.client(
        "apigatewaymanagementapi",
        region_name=box.region,
        endpoint_url=box.outputs["socketUrl"].replace("ws://", "http://"),
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    for turn in range(3):
        with subscribed(box, subject) as client:
            assert hears(client, new_item(name=f"before {turn}")["id"])
            (connection,) = ids(box, subject)
            gateway.delete_connection(ConnectionId=connection)
            with pytest.raises(ConnectionClosed):
                client.recv(timeout=SECONDS)
        eventually(lambda: not rows(box, subject))
    with subscribed(box, subject) as client:
        assert hears(client, new_item(name="after")["id"])


def test_one_subject_may_listen_twice_and_one_end_is_not_the_others(
    box: Box, subject: str, new_item: NewItem
) -> None:
    with subscribed(box, subject) as stays:
        with subscribed(box, subject) as goes:
            item = new_item(name="both")["id"]
            assert hears(goes, item)
            assert hears(stays, item)
            assert len(ids(box, subject)) == 2
        eventually(lambda: len(ids(box, subject)) == 1)
        assert hears(stays, new_item(name="one")["id"])


def nearly(box: Box, kind: str) -> str:
    """A token that differs from a good one in one thing."""
    vault = box.client("secretsmanager")
    kept = vault.get_secret_value(SecretId=box.outputs["authSecretArn"])["SecretString"]
    secret, good = json.loads(kept), box.token()
    claims = jwt.decode(good, options={"verify_signature": False})
    headers = {"kid": secret["kid"]}
    match kind:
        case "audience":
            claims["aud"] = "another-api"
        case "issuer":
            claims["iss"] = "somebody-else"
        case "key id":
            headers["kid"] = "another"
        case "length":
            claims["more"] = "x" * 10_240
        case "algorithm":
            none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
            return f"{none}.{good.split('.')[1]}."
        case _:
            pass
    return jwt.encode(claims, secret["key"], algorithm="HS256", headers=headers)


def test_a_token_that_is_made_as_those_below_opens_the_connection(box: Box) -> None:
    with box.socket(nearly(box, "nothing")) as client:
        client.send(json.dumps({"action": "unsubscribe", "topic": "items", "requestId": "x"}))
        assert json.loads(client.recv(timeout=SECONDS))["requestId"] == "x"


@pytest.mark.parametrize("query", [False, True], ids=["header", "query"])
@pytest.mark.parametrize("kind", ["audience", "issuer", "key id", "algorithm", "length"])
def test_a_token_that_is_nearly_good_opens_no_connection(box: Box, kind: str, query: bool) -> None:
    with pytest.raises(InvalidStatus) as refused, box.socket(nearly(box, kind), query=query):
        pass
    assert refused.value.response.status_code in {400, 401, 403, 414, 431}
