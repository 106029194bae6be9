"""The WebSocket's routes: rows that are written once, silence on success, a reply to every mistake,
which is posted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import subscriptions
from hypothesis import given
from hypothesis import strategies as st

from tests.handlers.conftest import Context, load
from tests.handlers.fakes import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.handlers.connections_endpoint import ConnectionsEndpoint

_ID = "L0SM9cOFvHcCIhw="
_DONE = {"statusCode": 200}
_CONFIRMED = {"action": "subscribe", "topic": "items", "requestId": "7"}
_OPENED = 1763943010  # seconds; of tests/events/socket_*.json


class Connections:
    """The connections table, as far as the function looks."""

    def __init__(self, aws: Any) -> None:
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.page = 100
        aws.on("PutItem", self._put)
        aws.on("DeleteItem", self._delete)
        aws.on("Query", self._query)

    def topics(self) -> list[str]:
        return sorted(topic for _, topic in self.rows)

    def _put(self, call: dict[str, Any]) -> dict[str, Any]:
        row = call["Item"]
        self.rows[row["connectionId"]["S"], row["topic"]["S"]] = row
        return {}

    def _delete(self, call: dict[str, Any]) -> dict[str, Any]:
        assert set(call["Key"]) == {"connectionId", "topic"}
        self.rows.pop((call["Key"]["connectionId"]["S"], call["Key"]["topic"]["S"]), None)
        return {}

    def _query(self, call: dict[str, Any]) -> dict[str, Any]:
        assert "IndexName" not in call
        assert call["ConsistentRead"]
        assert (call["KeyConditionExpression"], call["ProjectionExpression"]) == (
            *("#where = :equals", "#column"),
        )
        names = {"#where": "connectionId", "#column": "topic"}
        assert call["ExpressionAttributeNames"] == names
        wanted = call["ExpressionAttributeValues"][":equals"]["S"]
        after = call.get("ExclusiveStartKey", {}).get("topic", {}).get("S", "")
        topics = sorted(t for c, t in self.rows if c == wanted and t > after)
        page = [{"topic": {"S": topic}} for topic in topics[: self.page]]
        last = {"connectionId": {"S": wanted}, **page[-1]} if len(page) < len(topics) else None
        return {"Items": page} | ({"LastEvaluatedKey": last} if last else {})


@pytest.fixture
def connections(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Connections:
    monkeypatch.setenv("CONNECTIONS_TABLE", "connections")
    return Connections(aws)


@pytest.fixture
def send(context: Context, endpoint: ConnectionsEndpoint) -> Callable[..., Any]:
    """`send("subscribe", {...})`: the message that is posted to the connection, or None."""

    def deliver(route: str, body: Any = ...) -> Any:
        event = load(f"socket_{route}")
        if body is not ...:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        before = len(endpoint.posts)
        assert subscriptions.handler(event, context) == _DONE
        posts = endpoint.posts[before:]
        assert [post.path for post in posts] == ["/dev/@connections/L0SM9cOFvHcCIhw%3D"][
            : len(posts)
        ]
        return json.loads(posts[0].body) if posts else None

    return deliver


def _context(event: dict[str, Any], **members: Any) -> dict[str, Any]:
    return event | {"requestContext": event["requestContext"] | members}


def test_a_connection_is_a_row_that_expires_after_the_socket_must_have_ended(
    send: Any, connections: Connections
) -> None:
    assert send("connect") is None
    assert connections.rows == {
        (_ID, "connected"): {
            "connectionId": {"S": _ID},
            "topic": {"S": "connected"},
            "subject": {"S": "developer"},
            "connectedAt": {"S": "2025-11-24T00:10:10.123Z"},
            "expiresAt": {"N": str(_OPENED + 2 * 3600 + 600)},
        }
    }


@pytest.mark.parametrize(
    ("identity", "subject"),
    [({"principalId": "p", "sub": "s"}, "s"), ({"principalId": "p"}, "p"), ({}, ""), (None, "")],
)
def test_a_connection_is_whom_the_authorizer_says(
    connections: Connections, context: Context, identity: Any, subject: str
) -> None:
    event = _context(load("socket_connect"), authorizer=identity)
    assert subscriptions.handler(event, context) == _DONE
    assert connections.rows[_ID, "connected"]["subject"] == {"S": subject}


def test_subscribing_is_silent_and_adds_a_row_for_the_topic(
    send: Any, connections: Connections
) -> None:
    send("connect")
    assert send("subscribe") is None
    connected, items = connections.rows[_ID, "connected"], connections.rows[_ID, "items"]
    assert items == connected | {"topic": {"S": "items"}}


@pytest.mark.parametrize(("action", "subscribed"), [("subscribe", True), ("unsubscribe", False)])
def test_a_message_with_a_request_id_is_confirmed(
    send: Any, connections: Connections, action: str, subscribed: bool
) -> None:
    message = {"action": action, "topic": "items", "requestId": "Ä 1"}
    expected = {"topic": "items", "subscribed": subscribed, "requestId": "Ä 1"}
    assert send(action, message) == expected
    assert connections.topics() == ["items"] * subscribed


def test_unsubscribing_takes_the_row_of_the_topic_only(send: Any, connections: Connections) -> None:
    send("connect")
    send("subscribe")
    assert send("unsubscribe") is None
    assert connections.topics() == ["connected"]


def test_however_often_an_event_arrives_the_rows_are_the_same(
    send: Any, connections: Connections
) -> None:
    for _ in range(3):
        send("connect")
    for _ in range(3):
        send("subscribe")
    stored = json.dumps(sorted(connections.rows.items()))
    send("connect")
    send("subscribe")
    assert json.dumps(sorted(connections.rows.items())) == stored
    for _ in range(2):
        send("unsubscribe")
    assert connections.topics() == ["connected"]


def test_disconnecting_deletes_all_rows_of_the_connection_and_of_no_other(
    send: Any, connections: Connections, context: Context
) -> None:
    subscriptions.handler(_context(load("socket_connect"), connectionId="other="), context)
    send("connect")
    send("subscribe")
    connections.page = 1
    send("disconnect")
    assert list(connections.rows) == [("other=", "connected")]
    send("disconnect")
    assert list(connections.rows) == [("other=", "connected")]


_NOT_UNDERSTOOD = (
    *("", "hello", "[]", "null", "NaN", '"a"', '{"action": "subscribe", "action": "x"}'),
    *("[" * 4000, '{"action": "subscribe", "topic": "' + "x" * 5000 + '"}'),
)
_ACTIONS = ({}, {"action": None}, {"action": []}, {"action": "$connect"}, {"action": "SUBSCRIBE"})
_TOPICS = ("connected", "Items", "", None, 7, ["items"], {"a": 1}, "items ")
_REQUEST_IDS = ("", "x" * 101, 7, [], False)
_MISTAKES = [
    *((text, "invalid_message") for text in _NOT_UNDERSTOOD),
    *(({"topic": "items", **action}, "unknown_action") for action in _ACTIONS),
    *(({"action": "subscribe", "topic": topic}, "unknown_topic") for topic in _TOPICS),
    ({"action": "subscribe"}, "unknown_topic"),
    *(({"action": "subscribe", "requestId": bad}, "invalid_message") for bad in _REQUEST_IDS),
]


@pytest.mark.parametrize(("message", "code"), _MISTAKES, ids=lambda part: str(part)[:40])
@pytest.mark.parametrize("route", ["default", "subscribe"])
def test_every_mistake_is_answered_with_its_code_and_what_is_understood(
    send: Any, aws: Any, route: str, message: Any, code: str
) -> None:
    answer = send(route, message)
    assert set(answer) == {"error"}
    assert answer["error"]["code"] == code
    assert answer["error"]["detail"].endswith(".")
    assert aws.calls == []


@pytest.mark.parametrize("route", ["$connect", "$disconnect"])
def test_a_message_cannot_come_or_go_in_the_gateways_name(
    send: Any, connections: Connections, context: Context, endpoint: Any, route: str
) -> None:
    send("connect")
    event = load("socket_default") | {"body": json.dumps({"action": route, "topic": "items"})}
    assert subscriptions.handler(_context(event, routeKey=route), context) == _DONE
    (reply,) = endpoint.received[_ID]
    assert json.loads(reply)["error"]["code"] == "unknown_action"
    assert connections.topics() == ["connected"]


def test_what_is_understood_is_told_with_its_sizes(send: Any) -> None:
    detail = send("default")["error"]["detail"]
    for word in ("JSON", '"subscribe"', '"unsubscribe"', "items", "4096", "100", '"requestId"'):
        assert word in detail


def test_a_refusal_carries_the_request_id_where_there_is_one(send: Any) -> None:
    answer = send("subscribe", {"action": "subscribe", "topic": "nothing", "requestId": "7"})
    assert (answer["error"]["code"], answer["requestId"]) == ("unknown_topic", "7")


def test_a_request_id_that_is_null_counts_as_none(send: Any, connections: Connections) -> None:
    assert send("subscribe", {"action": "subscribe", "topic": "items", "requestId": None}) is None


@pytest.mark.parametrize(
    ("error", "code"), [("ThrottlingException", "busy"), ("AccessDeniedException", "internal")]
)
def test_a_failing_table_is_told_without_telling_of_it(
    send: Any, aws: Any, connections: Connections, error: str, code: str
) -> None:
    aws.fail("PutItem", AwsError(error))
    answer = send("subscribe", _CONFIRMED)
    assert (answer["error"]["code"], answer["requestId"]) == (code, "7")
    assert error not in json.dumps(answer)


@pytest.mark.parametrize(("route", "operation"), [("connect", "PutItem"), ("disconnect", "Query")])
@pytest.mark.parametrize(
    ("error", "status"), [("ThrottlingException", 503), ("AccessDeniedException", 500)]
)
def test_a_connection_that_cannot_be_written_down_is_refused(
    aws: Any,
    connections: Connections,
    context: Context,
    endpoint: ConnectionsEndpoint,
    route: str,
    operation: str,
    error: str,
    status: int,
) -> None:
    aws.fail(operation, AwsError(error))
    assert subscriptions.handler(load(f"socket_{route}"), context) == {"statusCode": status}
    assert endpoint.posts == []


@pytest.mark.parametrize("route", ["connect", "disconnect"])
def test_nothing_is_posted_before_a_connection_stands_or_after_its_end(
    connections: Connections, context: Context, endpoint: ConnectionsEndpoint, route: str
) -> None:
    event = load(f"socket_{route}") | {"body": json.dumps(_CONFIRMED)}
    assert subscriptions.handler(event, context) == _DONE
    assert endpoint.posts == []


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [([410], "gone"), ([403], "failed"), ([429, 500, 503], "failed"), ([None] * 3, "failed")],
)
def test_a_reply_that_cannot_be_posted_is_logged_and_what_was_asked_for_is_done(
    send: Any,
    connections: Connections,
    context: Context,
    endpoint: ConnectionsEndpoint,
    lines: Any,
    statuses: list[int | None],
    outcome: str,
) -> None:
    endpoint.answers[_ID] = list(statuses)
    event = load("socket_subscribe") | {"body": json.dumps(_CONFIRMED)}
    assert subscriptions.handler(event, context) == _DONE
    assert connections.topics() == ["items"]
    assert len(endpoint.posts) == len(statuses)
    last = lines()[-1]
    assert (last["message"], last["outcome"]) == ("reply not sent", outcome)
    assert (last["level"], last["connectionId"]) == ("WARN", _ID)


def test_a_throttled_reply_is_posted_again(
    connections: Connections, context: Context, endpoint: ConnectionsEndpoint
) -> None:
    endpoint.answers[_ID] = [429, None]
    event = load("socket_subscribe") | {"body": json.dumps(_CONFIRMED)}
    assert subscriptions.handler(event, context) == _DONE
    assert len(endpoint.received[_ID]) == 1


def test_without_time_there_is_no_reply(
    connections: Connections, endpoint: ConnectionsEndpoint, lines: Any
) -> None:
    event = load("socket_subscribe") | {"body": json.dumps(_CONFIRMED)}
    assert subscriptions.handler(event, Context(10, then=2)) == _DONE
    assert (endpoint.posts, connections.topics()) == ([], ["items"])
    assert lines()[-1]["outcome"] == "left"


def test_a_reply_that_has_nowhere_to_go_is_no_exception(
    connections: Connections,
    context: Context,
    endpoint: ConnectionsEndpoint,
    lines: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SOCKET_ENDPOINT")
    assert subscriptions.handler(load("socket_default"), context) == _DONE
    last = lines()[-1]
    assert (last["message"], last["level"]) == ("reply not sent", "ERROR")
    assert "SOCKET_ENDPOINT" in last["error"]["message"]


def test_replies_of_one_environment_share_an_http_connection(
    send: Any, connections: Connections, endpoint: ConnectionsEndpoint
) -> None:
    for _ in range(3):
        send("subscribe", _CONFIRMED)
    assert endpoint.links == 1


def test_the_log_says_who_did_what_and_repeats_no_message(
    send: Any, connections: Connections, lines: Any
) -> None:
    send("connect")
    send("subscribe")
    send("default", {"action": "canary-action", "requestId": "canary-id"})
    send("disconnect")
    logged = lines()
    assert [line["message"] for line in logged] == [
        *("connected", "subscriptions changed", "message refused", "disconnected")
    ]
    assert {line["connectionId"] for line in logged} == {_ID}
    assert "canary" not in json.dumps(logged)


def test_a_warming_event_is_answered_at_once(context: Context, aws: Any) -> None:
    assert subscriptions.handler({"warming": True}, context) == {"warmed": True}
    assert aws.calls == []


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_whatever_text_arrives_it_is_answered_with_an_error(text: str) -> None:
    _answered_with_an_error(load("socket_default") | {"body": text})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("action", "topic", "requestId"), _JSON)))
def test_whatever_members_arrive_they_are_answered_with_an_error(message: Any) -> None:
    _answered_with_an_error(load("socket_default") | {"body": json.dumps(message)})


@pytest.mark.parametrize(
    "event", [{}, {"requestContext": None}, {"body": 7}, {"requestContext": {"routeKey": "x"}}]
)
def test_an_event_of_no_connection_is_refused(event: dict[str, Any], lines: Any) -> None:
    assert subscriptions.handler(event, Context()) == {"statusCode": 400}
    assert lines()[-1]["level"] == "ERROR"


def _answered_with_an_error(event: dict[str, Any]) -> None:
    with mock.patch.object(subscriptions, "_post", wraps=subscriptions._post) as post:
        assert subscriptions.handler(event, Context()) == _DONE
    ((_, reply, _),) = [call.args for call in post.call_args_list]
    assert json.loads(json.dumps(reply))["error"]["detail"]


def test_notifications_can_be_subscribed_to(send: Any, connections: Connections) -> None:
    body = {"action": "subscribe", "topic": "notifications", "requestId": "7"}
    reply = send("subscribe", body)
    assert reply == {"topic": "notifications", "subscribed": True, "requestId": "7"}
    assert connections.topics() == ["notifications"]


def test_a_message_is_named_by_its_gateway_and_a_new_connection_by_who_opens_it(
    context: Context, connections: Connections, lines: Any
) -> None:
    opened = _context(load("socket_connect"), requestId="gateway-1")
    subscriptions.handler(opened, context)
    subscriptions.handler(opened | {"headers": {"X-Correlation-Id": "mine"}}, context)
    subscriptions.handler(_context(load("socket_subscribe"), requestId="gateway-2"), context)
    names = [line["correlation_id"] for line in lines()]
    assert names == ["gateway-1", "mine", "gateway-2"]
