"""The WebSocket's routes: who is connected, and to which topics.

Replies are posted to the connection, as pushes are: what the function returns goes nowhere, since a
route that sends it on would send an empty message for every success that is silent.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from common import aws, bodies, caller, connections, http, logs, push, records, warming
from common.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_MESSAGE = 4096  # characters; the gateway lets 131,072 bytes through
LONGEST_REQUEST_ID = 100  # characters

_TOPICS = ", ".join(connections.TOPICS)
_UNDERSTOOD = (
    f'Send {{"action": "subscribe"}} or {{"action": "unsubscribe"}} with a "topic"'
    f" ({_TOPICS}), and a"
    f' "requestId" of at most {LONGEST_REQUEST_ID} characters if an answer is wanted, as JSON of at'
    f" most {LONGEST_MESSAGE} characters."
)

Reply = dict[str, Any]

aws.prepare("dynamodb")
push.prepare()


class Refused(Exception):
    """A message that is answered with an error."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A status for the gateway; a message is done with by 200, however it ended. Never an
    exception: the gateway would tell the client of it in words of its own.
    """
    place = http.member(event, "requestContext")
    route = str(place.get("routeKey", ""))
    logs.begin(
        context,
        correlation_id=http.Request(event, context).correlation_id,
        connectionId=str(place.get("connectionId", "")),
        route=route,
    )
    if not place.get("connectionId"):
        logs.error("not of a WebSocket", kind=records.kind(event))
        return {"statusCode": 400}
    # A message may name these routes as its action; coming and going is the gateway's to tell.
    lifecycle = None if place.get("eventType") == "MESSAGE" else _LIFECYCLE.get(route)
    if lifecycle is None:
        _answer(event, place, Deadline(context))
        return {"statusCode": 200}
    try:
        lifecycle(place)
    except Exception as error:
        # $connect is refused by this: nothing can be posted before the connection stands. After
        # $disconnect nobody listens, and the rows expire.
        return {"statusCode": http.unexpected(error).status}
    return {"statusCode": 200}


def _answer(event: dict[str, Any], place: dict[str, Any], deadline: Deadline) -> None:
    """Do what a message asks for, and reply. Without a requestId, success is silent: what a client
    then receives are changes, and nothing else.
    """
    asked: dict[str, str] = {}
    try:
        reply = _obeyed(event, place, asked)
    except Refused as refused:
        logs.info("message refused", code=refused.code)
        reply = {"error": {"code": refused.code, "detail": str(refused)}}
    except Exception as error:
        problem = http.unexpected(error)
        code = "busy" if problem.status == 503 else "internal"
        reply = {"error": {"code": code, "detail": problem.detail}}
    if "error" in reply or asked:
        _post(place, {**reply, **asked}, deadline)


def _post(place: dict[str, Any], reply: Reply, deadline: Deadline) -> None:
    """Send a reply to who asked. One that cannot be sent is logged: the client may have left, and
    what it asked for is done.
    """
    try:
        outcome = push.send(place["connectionId"], json.dumps(reply).encode(), deadline)
    except Exception as error:
        logs.error("reply not sent", cause=error)
        return
    if outcome != "sent":
        logs.warning("reply not sent", outcome=outcome)


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
    if topic not in connections.TOPICS:
        raise Refused("unknown_topic", f"topic must be one of: {_TOPICS}.")
    change(place, topic)
    logs.info("subscriptions changed", action=action, topic=topic)
    return {"topic": topic, "subscribed": action == "subscribe"}


def _message(event: dict[str, Any]) -> dict[str, Any]:
    try:
        return bodies.parse(http.Request(event).body(), noun="message", longest=LONGEST_MESSAGE)
    except http.Problem as problem:
        raise Refused("invalid_message", f"{problem.detail} {_UNDERSTOOD}") from None


def _connect(place: dict[str, Any]) -> None:
    _subscribe(place, connections.CONNECTED)
    logs.info("connected")


def _disconnect(place: dict[str, Any]) -> None:
    """Delete all rows of the connection, which a repeated event finds deleted."""
    rows = connections.topics_of(place["connectionId"])
    for topic in rows:
        _unsubscribe(place, topic)
    logs.info("disconnected", rows=len(rows))


def _subscribe(place: dict[str, Any], topic: str) -> None:
    # The gateway's own moments: a repeated event writes the very same row.
    opened = place.get("connectedAt")
    since = opened / 1000 if isinstance(opened, int) else time.time()
    connections.put(place["connectionId"], topic, subject=caller.of(place), since=since)


def _unsubscribe(place: dict[str, Any], topic: str) -> None:
    connections.delete(place["connectionId"], topic)


_LIFECYCLE: dict[str, Callable[[dict[str, Any]], None]] = {
    "$connect": _connect,
    "$disconnect": _disconnect,
}
_ACTIONS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
}
