"""Notifications reach every subscriber once, and never pass unseen when they cannot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import notification_pusher
import pytest
from botocore.exceptions import ClientError

from common.records import ForeignEventError
from tests.handlers.fake_dynamodb import Tables
from tests.handlers.fakes import AwsError

if TYPE_CHECKING:
    from tests.handlers.connections_endpoint import ConnectionsEndpoint

_ID = "L0SM9cOFvHcCIhw="


@pytest.fixture
def subscribers(aws: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The connections that subscribed, in the table; a test fills it."""
    monkeypatch.setenv("STATE_TABLE", "state")
    ids: list[str] = []
    tables = Tables(aws, state="id")
    state_delete = aws.answers["DeleteItem"]

    def query(call: dict[str, Any]) -> dict[str, Any]:
        assert call["TableName"] == "connections"
        assert call["ExpressionAttributeValues"] == {":equals": {"S": "notifications"}}
        return {"Items": [{"connectionId": {"S": name}} for name in ids]}

    def delete(call: dict[str, Any]) -> dict[str, Any]:
        if call["TableName"] in tables.rows:
            return state_delete(call)
        assert call["Key"]["topic"] == {"S": "notifications"}
        ids.remove(call["Key"]["connectionId"]["S"])
        return {}

    aws.on("Query", query)
    aws.on("DeleteItem", delete)
    return ids


def test_a_notification_is_pushed_once_however_often_it_arrives(
    event: Any, context: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    subscribers += [_ID, "second="]
    for _ in range(3):
        told = notification_pusher.handler(event("sns_notifications"), context)
        assert told == {"notifications": 1}
    expected = {
        "topic": "notifications",
        "message": "Binoculars are back in stock",
        "subject": "Back in stock",
    }
    for name in (_ID, "second="):
        assert [json.loads(message) for message in endpoint.received[name]] == [expected]


def test_without_a_subject_none_is_pushed(
    event: Any, context: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    subscribers.append(_ID)
    notification = event("sns_notifications")
    notification["Records"][0]["Sns"]["Subject"] = None
    notification_pusher.handler(notification, context)
    assert set(json.loads(endpoint.received[_ID][0])) == {"topic", "message"}


def test_a_connection_that_is_gone_is_forgotten(
    event: Any, context: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    subscribers += ["gone=", _ID]
    endpoint.answers["gone="] = [410]
    notification_pusher.handler(event("sns_notifications"), context)
    assert subscribers == [_ID]
    assert len(endpoint.received[_ID]) == 1


def test_a_notification_whose_subscribers_are_not_found_is_tried_again(
    event: Any, context: Any, aws: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    subscribers.append(_ID)
    query = aws.answers["Query"]
    aws.fail("Query", AwsError("ProvisionedThroughputExceededException"))
    with pytest.raises(ClientError):
        notification_pusher.handler(event("sns_notifications"), context)
    aws.on("Query", query)
    notification_pusher.handler(event("sns_notifications"), context)
    assert len(endpoint.received[_ID]) == 1


def test_records_of_another_source_are_refused(
    event: Any, context: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    with pytest.raises(ForeignEventError):
        notification_pusher.handler(event("sqs_notifications"), context)


def test_no_text_of_a_notification_reaches_the_log(
    event: Any, context: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], capsys: Any
) -> None:
    notification_pusher.handler(event("sns_notifications"), context)
    assert "Binoculars" not in capsys.readouterr().out


def test_a_push_carries_what_the_notification_belongs_to_and_counts_who_got_it(
    event: Any,
    context: Any,
    endpoint: ConnectionsEndpoint,
    subscribers: list[str],
    lines: Any,
    measured: Any,
    daemon: Any,
) -> None:
    subscribers += [_ID, "second=", "gone="]
    endpoint.answers["gone="] = [410]
    told = event("sns_notifications")
    attribute = {"Type": "String", "Value": "mine"}
    told["Records"][0]["Sns"]["MessageAttributes"]["correlationId"] = attribute
    for _ in range(2):
        notification_pusher.handler(told, context)
    assert {line["correlation_id"] for line in lines()} == {"mine"}
    assert measured() == {"PushesSent": 2}
    expected = {"correlation_id": "mine", "subscribers": 3}
    assert daemon.steps()["push notification"] == expected
    assert "mine" not in endpoint.received[_ID][0].decode()
