"""The WebSocket's routes: who is connected, and to which topics.

A connection is a row per topic, written under its own key: however often a message arrives, there
is one. Replies go out as API Gateway's route responses, so that nothing here needs the right to
push.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from common import aws, bodies, http, ids, logs, warming

if TYPE_CHECKING:
    from collections.abc import Callable

TOPICS = ("items",)
CONNECTED = "connected"  # the topic of the row that says who is connected; nothing is pushed to it
LONGEST_MESSAGE = 4096  # characters; the gateway lets 131,072 bytes through
LONGEST_REQUEST_ID = 100  # characters

# A WebSocket ends after 2 hours at the latest (API Gateway's quotas). Its rows outlive it by some
# minutes, in case nobody hears of the end.
_LIFETIME = 7_800  # seconds
_UNDERSTOOD = (
    f'Send {{"action": "subscribe"}} or {{"action": "unsubscribe"}} with a "topic"'
    f" ({', '.join(TOPICS)}), and a"
    f' "requestId" of at most {LONGEST_REQUEST_ID} characters if an answer is wanted, as JSON of at'
    f" most {LONGEST_MESSAGE} characters."
)

Reply = dict[str, Any]

aws.prepare("dynamodb")


class Refused(Exception):
    """A message that is answered with an error."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@warming.aware
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The answer of a route: a status for the gateway and, where one is due, a message for the
    client. Never an exception: the gateway would tell the client of it in words of its own.
    """
    place = _member(event, "requestContext")
    route = str(place.get("routeKey", ""))
    logs.begin(context, connectionId=str(place.get("connectionId", "")), route=route)
    # A message may name these routes as its action; coming and going is the gateway's to tell.
    lifecycle = None if place.get("eventType") == "MESSAGE" else _LIFECYCLE.get(route)
    if lifecycle is None:
        return _answered(event, place)
    try:
        lifecycle(place)
    except Exception as error:
        # $connect is refused by this; after $disconnect nobody listens, and the rows expire.
        return {"statusCode": _failure(error).status}
    return {"statusCode": 200}


def _answered(event: dict[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    """A message's reply. Without a requestId, success is silent: what a client then receives are
    changes, and nothing else.
    """
    asked: dict[str, str] = {}
    try:
        reply = _obeyed(event, place, asked)
    except Refused as refused:
        logs.info("message refused", code=refused.code)
        reply = {"error": {"code": refused.code, "detail": str(refused)}}
    except Exception as error:
        problem = _failure(error)
        code = "busy" if problem.status == 503 else "internal"
        reply = {"error": {"code": code, "detail": problem.detail}}
    if "error" not in reply and not asked:
        return {"statusCode": 200}
    return {"statusCode": 200, "body": json.dumps({**reply, **asked})}


def _obeyed(event: dict[str, Any], place: dict[str, Any], asked: dict[str, str]) -> Reply:
    """Do what the message asks for; `asked` gets its requestId as soon as that is known."""
    message = _message(event)
    request_id = message.get("requestId")
    if request_id is not None:
        if not isinstance(request_id, str) or not 0 < len(request_id) <= LONGEST_REQUEST_ID:
            longest = LONGEST_REQUEST_ID
            raise Refused("invalid_message", f"requestId must be 1 to {longest} characters.")
        asked["requestId"] = request_id
    action = str(message.get("action"))
    change = _ACTIONS.get(action)
    if change is None:
        raise Refused("unknown_action", _UNDERSTOOD)
    topic = message.get("topic")
    if topic not in TOPICS:
        raise Refused("unknown_topic", f"topic must be one of: {', '.join(TOPICS)}.")
    change(place, topic)
    logs.info("subscriptions changed", action=action, topic=topic)
    return {"topic": topic, "subscribed": action == "subscribe"}


def _message(event: dict[str, Any]) -> dict[str, Any]:
    try:
        return bodies.parse(http.Request(event).body(), noun="message", longest=LONGEST_MESSAGE)
    except http.Problem as problem:
        raise Refused("invalid_message", f"{problem.detail} {_UNDERSTOOD}") from None


def _failure(error: Exception) -> http.Problem:
    if aws.is_temporary(error):
        logs.warning("AWS asks to come back later", code=aws.error_code(error))
        return http.Problem(503, "Busy; please try again.")
    logs.error("unexpected error", cause=error)
    return http.Problem(500, "Something went wrong on our side.")


def _connect(place: dict[str, Any]) -> None:
    _subscribe(place, CONNECTED)
    logs.info("connected")


def _disconnect(place: dict[str, Any]) -> None:
    """Delete all rows of the connection, which a repeated event finds deleted."""
    rows = _topics(place["connectionId"])
    for topic in rows:
        _unsubscribe(place, topic)
    logs.info("disconnected", rows=len(rows))


def _topics(connection: str) -> list[str]:
    query: dict[str, Any] = {
        "TableName": os.environ["CONNECTIONS_TABLE"],
        "KeyConditionExpression": "#connection = :connection",
        "ProjectionExpression": "#topic",
        "ExpressionAttributeNames": {"#connection": "connectionId", "#topic": "topic"},
        "ExpressionAttributeValues": {":connection": {"S": connection}},
        "ConsistentRead": True,  # a row that was written a moment ago must not stay behind
    }
    topics: list[str] = []
    while True:
        page = aws.client("dynamodb").query(**query)
        topics += [row["topic"]["S"] for row in page["Items"]]
        if not page.get("LastEvaluatedKey"):
            return topics
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _subscribe(place: dict[str, Any], topic: str) -> None:
    # The gateway's own moments: a repeated event writes the very same row.
    opened = place.get("connectedAt")
    since = opened / 1000 if isinstance(opened, int) else time.time()
    identity = _member(place, "authorizer")
    aws.client("dynamodb").put_item(
        TableName=os.environ["CONNECTIONS_TABLE"],
        Item={
            **_key(place, topic),
            "subject": {"S": str(identity.get("sub") or identity.get("principalId") or "")},
            "connectedAt": {"S": ids.instant(since)},
            "expiresAt": {"N": str(int(since) + _LIFETIME)},
        },
    )


def _unsubscribe(place: dict[str, Any], topic: str) -> None:
    aws.client("dynamodb").delete_item(
        TableName=os.environ["CONNECTIONS_TABLE"], Key=_key(place, topic)
    )


def _key(place: dict[str, Any], topic: str) -> dict[str, Any]:
    return {"connectionId": {"S": place["connectionId"]}, "topic": {"S": topic}}


def _member(mapping: object, name: str) -> dict[str, Any]:
    value = mapping.get(name) if isinstance(mapping, dict) else None
    return value if isinstance(value, dict) else {}


_LIFECYCLE: dict[str, Callable[[dict[str, Any]], None]] = {
    "$connect": _connect,
    "$disconnect": _disconnect,
}
_ACTIONS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
}
