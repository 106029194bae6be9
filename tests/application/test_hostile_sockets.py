"""Frames that no program of ours sends: each is answered, the connection stays, and nobody else notices."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from sandbox.box import Box
from tests.support import hostile

pytestmark = pytest.mark.usefixtures("clean_logs")

SECONDS = 10
LONGEST_FRAME = 32 * 1024  # bytes, a quota of API Gateway
TEXTS = [*dict.fromkeys([*hostile.naughty(6), *hostile.naughty(7)])]


@pytest.fixture
def socket(box: Box) -> Iterator[ClientConnection]:
    """One connection for all frames of a test: none of them may end it."""
    with box.socket() as connected:
        yield connected


def test_naughty_request_ids_come_back_unchanged(socket: ClientConnection) -> None:
    fitting = [text for text in TEXTS if 0 < len(text) <= 100]
    sent = [{"action": "subscribe", "topic": "items", "requestId": text} for text in fitting]
    replies = [_asked(socket, json.dumps(message)) for message in sent]
    wrong = [(m, r) for m, r in zip(sent, replies, strict=True) if r != _subscribed(m["requestId"])]
    assert not wrong, hostile.shown(wrong)


@pytest.mark.parametrize("member", ["action", "topic"])
def test_naughty_actions_and_topics_are_refused(socket: ClientConnection, member: str) -> None:
    for text in (text for text in TEXTS[::2] if len(text) <= 500):
        mark = secrets.token_hex(8)
        message = {"action": "unsubscribe", "topic": "items", member: text, "requestId": mark}
        _is_refused(_asked(socket, json.dumps(message)), mark, text)


def test_frames_that_are_no_json_are_refused(socket: ClientConnection) -> None:
    frames = list(_frames(hostile.malformed()))
    assert len(frames) > 100
    for frame in frames:
        _is_refused(_asked(socket, frame), None, frame)


def test_json_that_is_no_message_is_refused(socket: ClientConnection) -> None:
    for frame in _frames(hostile.ODD):
        _is_refused(_asked(socket, frame), None, frame)


@pytest.mark.parametrize("event", ["$connect", "$disconnect", "$default"])
def test_a_message_is_no_event_of_the_connection(
    socket: ClientConnection, new_item: Callable[..., dict[str, Any]], event: str
) -> None:
    mark = secrets.token_hex(8)
    good = {"action": "subscribe", "topic": "items", "requestId": mark}
    assert _asked(socket, json.dumps(good)) == _subscribed(mark)
    _is_refused(_asked(socket, json.dumps({"action": event, "requestId": mark})), mark, event)
    made = new_item()
    pushed = (json.loads(socket.recv(SECONDS)) for _ in iter(int, 1))
    assert any(each["item"]["id"] == made["id"] for each in pushed)


@pytest.mark.parametrize("value", [7, 1.5, True, [], ["items"], {}, {"S": "items"}, "x" * 101, ""])
@pytest.mark.parametrize("member", ["action", "topic", "requestId"])
def test_members_of_another_type_are_refused(
    socket: ClientConnection, member: str, value: Any
) -> None:
    message = {"action": "subscribe", "topic": "items", member: value}
    _is_refused(_asked(socket, json.dumps(message)), None, value)


def test_a_message_that_is_too_long_is_refused(socket: ClientConnection) -> None:
    message = {"action": "subscribe", "topic": "items", "more": "x" * 5000}
    _is_refused(_asked(socket, json.dumps(message)), None, "too long")


def test_a_binary_frame_harms_nobody(box: Box) -> None:
    for frame in (b"\xff\x00\xfe", b'{"action": "subscribe", "topic": "items"}', b""):
        with box.socket() as own:
            own.send(frame)
            _still_works(own)


def test_a_frame_beyond_the_gateways_quota_ends_its_own_connection_only(
    box: Box, socket: ClientConnection
) -> None:
    with box.socket() as own:
        own.send("x" * LONGEST_FRAME)
        _is_refused(json.loads(own.recv(SECONDS)), None, "the longest")
        own.send("x" * (LONGEST_FRAME + 1))
        with pytest.raises(ConnectionClosed) as closed:
            own.recv(SECONDS)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    _still_works(socket)


@pytest.mark.parametrize("query", [False, True], ids=["header", "query"])
def test_naughty_texts_open_no_connection(box: Box, query: bool) -> None:
    for text in TEXTS[::10]:
        token = text if query else hostile.CONTROL.sub("", text).encode("ascii", "ignore").decode()
        with pytest.raises(InvalidStatus) as refused, box.socket(f"x{token.strip()}", query=query):
            pass
        assert refused.value.response.status_code in {401, 403}


def _asked(socket: ClientConnection, frame: str) -> Any:
    socket.send(frame)
    return json.loads(socket.recv(SECONDS))


def _subscribed(request_id: str) -> dict[str, Any]:
    return {"topic": "items", "subscribed": True, "requestId": request_id}


def _is_refused(reply: Any, request_id: str | None, sent: object) -> None:
    assert set(reply["error"]) == {"code", "detail"}, (sent, reply)
    assert reply["error"]["code"] != "internal", (sent, reply)
    assert reply.get("requestId") == request_id, (sent, reply)


def _still_works(socket: ClientConnection) -> None:
    """The connection answers a good message, whatever it said before."""
    mark = secrets.token_hex(8)
    socket.send(json.dumps({"action": "unsubscribe", "topic": "items", "requestId": mark}))
    for _ in range(3):
        reply = json.loads(socket.recv(SECONDS))
        if reply.get("requestId") == mark:
            assert reply["subscribed"] is False
            return
    pytest.fail("no answer")


def _frames(bodies: Iterable[bytes]) -> Iterator[str]:
    """The bodies that fit a frame of text: it is UTF-8, and an empty one starts no function."""
    for body in filter(bytes.strip, bodies):
        with contextlib.suppress(UnicodeDecodeError):
            yield body.decode()[:LONGEST_FRAME]
