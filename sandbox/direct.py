"""HTTP to the emulator without urllib3, which takes more time than the rest of a call.

The emulator is on loopback and speaks plain HTTP: there is no proxy, no certificate, no compression. What is streamed or
sent in parts goes botocore's own way.
"""

from __future__ import annotations

import http.client
import io
import select
import weakref
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

_BYTES: Final = (bytes, bytearray, str, type(None))


class Pool:
    """Kept connections to one emulator, for all clients and threads. The last one used is the first to be used again."""

    def __init__(self, endpoint: str, *, connect_seconds: float, read_seconds: float) -> None:
        self._endpoint = endpoint
        self._address = urlsplit(endpoint)
        self._seconds = connect_seconds, read_seconds
        self._idle: list[http.client.HTTPConnection] = []
        weakref.finalize(self, _close, self._idle)

    def reaches(self, url: str) -> bool:
        """Whether a URL is the emulator's."""
        return url.startswith(f"{self._endpoint}/")

    def take(self) -> http.client.HTTPConnection:
        """A connection that is open, as far as can be told. Raises OSError."""
        while self._idle:
            try:
                kept = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if not _is_dropped(kept):
                return kept
            kept.close()
        connect_seconds, read_seconds = self._seconds
        made = http.client.HTTPConnection(
            self._address.hostname or "", self._address.port, timeout=connect_seconds
        )
        made.connect()
        made.sock.settimeout(read_seconds)
        return made

    def keep(self, connection: http.client.HTTPConnection) -> None:
        """Take a connection back whose answer was read to its end."""
        if connection.sock is not None:
            self._idle.append(connection)

    def close(self) -> None:
        """Close what is not in use."""
        _close(self._idle)


class Session:
    """What botocore sends a request by. `other` is its own, for what is not plain.

    Raises botocore's exceptions: those of a connection that fails are tried again by the client.
    """

    def __init__(self, pool: Pool, other: Any) -> None:
        self._pool, self._other = pool, other

    def send(self, request: Any) -> AWSResponse:
        """Send a prepared request, and read its answer whole."""
        plain = isinstance(request.body, _BYTES) and not request.stream_output
        if not plain or not self._pool.reaches(request.url) or "Expect" in request.headers:
            return self._other.send(request)
        try:
            connection = self._pool.take()
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=request.url, error=error) from error
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=request.url, error=error) from error
        try:
            return self._exchange(connection, request)
        except TimeoutError as error:
            connection.close()
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            raise ConnectionClosedError(
                error=error, request=request, endpoint_url=request.url
            ) from error

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
        self._other.close()

    def _exchange(self, connection: http.client.HTTPConnection, request: Any) -> AWSResponse:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        address = urlsplit(request.url)
        target = f"{address.path}?{address.query}" if address.query else address.path
        connection.request(request.method, target, body=body, headers=dict(request.headers))
        answer = connection.getresponse()
        content = answer.read()
        self._pool.keep(connection)
        raw = _Raw(content)
        return AWSResponse(request.url, answer.status, dict(answer.getheaders()), raw)


class _Raw(io.BytesIO):
    """A body that was read, as botocore asks for it."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def _close(connections: list[http.client.HTTPConnection]) -> None:
    while connections:
        connections.pop().close()


def _is_dropped(connection: http.client.HTTPConnection) -> bool:
    """Whether there is something to read where nothing was asked: the other side has closed, then."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
