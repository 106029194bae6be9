"""Calls of the sandbox's own clients: they reach the emulator as botocore's do, and fail as those do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from sandbox import direct
from sandbox.clients import Clients

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\n{}"


class Other:
    """Botocore's own way."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, request: Any) -> str:
        self.sent.append(request)
        return "other"

    def close(self) -> None:
        self.sent.append("closed")


@contextmanager
def serving(*answers: bytes) -> Iterator[tuple[str, list[tuple[int, bytes]]]]:
    """A server that gives each connection these answers in turn, then closes it; and what it was asked, by connection."""
    asked: list[tuple[int, bytes]] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for number in range(100):
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    for answer in answers:
                        if not (got := connection.recv(65536)):
                            break
                        asked.append((number, got))
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def a_request(url: str, body: Any = None, *, stream: bool = False) -> AWSPreparedRequest:
    return AWSPreparedRequest("GET", url, HeadersDict({"X-Two": "2"}), body, stream)


@contextmanager
def a_session(endpoint: str) -> Iterator[tuple[direct.Session, Other]]:
    other = Other()
    session = direct.Session(direct.Pool(endpoint, connect_seconds=5, read_seconds=0.2), other)
    yield session, other
    session.close()


def test_a_connection_is_used_again() -> None:
    """The answer is read whole, and the next request takes the same connection."""
    with serving(OK, OK) as (endpoint, asked), a_session(endpoint) as (session, other):
        for _ in range(2):
            answer = session.send(a_request(f"{endpoint}/a/b?c=d"))
            assert (answer.status_code, answer.content, answer.headers["x-one"]) == (
                200,
                b"{}",
                "1",
            )
    assert [number for number, _ in asked] == [0, 0]
    assert all(got.startswith(b"GET /a/b?c=d HTTP/1.1\r\n") for _, got in asked)
    assert all(b"X-Two: 2\r\n" in got for _, got in asked)
    assert other.sent == ["closed"]


def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    """As the emulator closes those that idle."""
    with serving(OK) as (endpoint, asked), a_session(endpoint) as (session, _):
        for _ in range(3):
            kept = session._pool._idle
            if kept:  # until the other side has closed it
                kept[0].sock.settimeout(5)
                assert kept[0].sock.recv(1, socket.MSG_PEEK) == b""
            assert session.send(a_request(f"{endpoint}/")).status_code == 200
    assert [number for number, _ in asked] == [0, 1, 2]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", ReadTimeoutError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", ReadTimeoutError),
        (b"nonsense\r\n\r\n", ConnectionClosedError),
    ],
    ids=["nothing", "half", "nonsense"],
)
def test_a_failure_is_botocores(answer: bytes, error: type[Exception]) -> None:
    """Which the client tries again; the connection is not kept."""
    with serving(answer, b"") as (endpoint, _), a_session(endpoint) as (session, _other):
        with pytest.raises(error):
            session.send(a_request(f"{endpoint}/"))
        assert session._pool._idle == []


def test_an_end_within_an_answer_is_a_closed_connection() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"
    with (
        serving(half) as (endpoint, _),
        a_session(endpoint) as (session, _other),
        pytest.raises(ConnectionClosedError),
    ):
        session.send(a_request(f"{endpoint}/"))


def test_nobody_there_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
    with a_session(endpoint) as (session, _), pytest.raises(EndpointConnectionError):
        session.send(a_request(f"{endpoint}/"))


@pytest.mark.parametrize(
    "change",
    [
        lambda url: a_request(url, stream=True),
        lambda url: a_request(url, iter([b"x"])),
        lambda _: a_request("http://127.0.0.2:1/"),
    ],
    ids=["streamed", "in-parts", "elsewhere"],
)
def test_what_is_not_plain_goes_botocores_way(change: Callable[[str], Any]) -> None:
    endpoint = "http://127.0.0.1:1"
    with a_session(endpoint) as (session, other):
        request = change(f"{endpoint}/")
        assert session.send(request) == "other"
        assert other.sent == [request]


def test_the_clients_of_a_sandbox_share_their_connections() -> None:
    clients = Clients("http://127.0.0.1:1", "us-west-2")
    one, two = (clients.client(name)._endpoint.http_session for name in ("sqs", "sns"))
    assert isinstance(one, direct.Session)
    assert one._pool is two._pool
