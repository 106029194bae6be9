"""A WebSocket client for tests, on the library that the emulator itself brings."""

from __future__ import annotations

import contextlib
import json
import socket
import urllib.parse
from collections import deque
from typing import Any, Self

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Message,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)


class RefusedError(Exception):
    """The server answered the handshake with an HTTP status of its own."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = text


class Socket:
    """An open WebSocket; `with` closes it."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        parts = urllib.parse.urlsplit(url)
        assert parts.hostname is not None
        self._pipe = socket.create_connection((parts.hostname, parts.port or 80), timeout=10)
        self._wire = WSConnection(ConnectionType.CLIENT)
        self._events: deque[Any] = deque()
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        extra = [(k.encode(), v.encode()) for k, v in (headers or {}).items()]
        request = Request(host=parts.netloc, target=target, extra_headers=extra)
        self._pipe.sendall(self._wire.send(request))
        first = self._next()
        if isinstance(first, RejectConnection):
            raise self._refusal(first)
        assert isinstance(first, AcceptConnection), first

    def send(self, message: Any) -> None:
        """Send a text as it is, anything else as JSON."""
        text = message if isinstance(message, str) else json.dumps(message)
        self._pipe.sendall(self._wire.send(TextMessage(text)))

    def receive(self, seconds: float = 10) -> str | None:
        """The next text, or None where none comes in time or the socket is closed."""
        self._pipe.settimeout(seconds)
        text = ""
        with contextlib.suppress(TimeoutError):
            while True:
                event = self._next()
                if isinstance(event, CloseConnection):
                    return None
                if isinstance(event, Message):
                    text += str(event.data)
                    if event.message_finished:
                        return text
        return None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._pipe.sendall(self._wire.send(CloseConnection(code=1000)))
        self._pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next(self) -> Any:
        while not self._events:
            data = self._pipe.recv(65536)
            self._wire.receive_data(data or None)
            self._events.extend(self._wire.events())
        return self._events.popleft()

    def _refusal(self, first: RejectConnection) -> RefusedError:
        data = b""
        more = first.has_body
        while more:
            event = self._next()
            if isinstance(event, RejectData):
                data += event.data
                more = not event.body_finished
        self._pipe.close()
        return RefusedError(first.status_code, data.decode())
