"""Messages to WebSocket connections: to many at once, or to one.

Posts go out through http.client, signed by botocore: 0.3 ms of a processor each. botocore's own
client takes 0.95 ms, and a function of 512 MB has less than a third of a processor: 200 posts would
be 0.6 seconds instead of 0.2.
"""

from __future__ import annotations

import functools
import http.client
import os
import ssl
import threading
import time
from collections import Counter, deque
from contextvars import copy_context
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit

from common import aws, logs, tracing
from common.jitter import jittered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.deadline import Deadline

LINES = 16  # HTTP connections, and threads, at a time
ATTEMPTS = 3

_SECONDS = 2  # to connect, and to wait for an answer
_STALE = 20.0  # seconds; the other end closes an idle HTTP connection, at an unknown moment
_FIRST_PAUSE = 0.05  # seconds; each further one is twice as long, all of them by chance shorter
_OK, _GONE = 200, 410
_AGAIN = frozenset({429, 500, 502, 503, 504})


class Outcome(NamedTuple):
    """How many connections got everything (`sent`), how many could not (`failed`) and for how many
    the time was too short (`left`); the ids of those that are `gone`.
    """

    sent: int
    failed: int
    left: int
    gone: list[str]


class _Line:
    """An HTTP connection to the management endpoint, used by one thread at a time."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._parts = urlsplit(endpoint)
        self._link: http.client.HTTPConnection | None = None
        self._used = 0.0

    def post(self, connection: str, message: bytes) -> int:
        """The answer's status. Raises OSError or HTTPException when there is none."""
        # As boto3 writes it: what is signed and what is sent must agree to the byte.
        path = f"/@connections/{quote(connection, safe='-._~')}"
        headers = aws.signed("execute-api", self.endpoint + path, message)
        used = self._reusable()
        try:
            return self._exchange(self._parts.path + path, message, headers)
        except (OSError, http.client.HTTPException):
            if not used:
                raise
        # The other end had closed it meanwhile; that says nothing about a new one.
        return self._exchange(self._parts.path + path, message, headers)

    def close(self) -> None:
        if self._link:
            self._link.close()
        self._link = None

    def _reusable(self) -> bool:
        elapsed = time.time() - self._used
        if not 0 <= elapsed < _STALE:
            self.close()
        return self._link is not None

    def _exchange(self, path: str, message: bytes, headers: dict[str, str]) -> int:
        try:
            link = self._link = self._link or self._opened()
            link.request("POST", path, message, headers)
            answer = link.getresponse()
            answer.read()
        except BaseException:
            self.close()
            raise
        self._used = time.time()
        return answer.status

    def _opened(self) -> http.client.HTTPConnection:
        place = self._parts.netloc
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(place, timeout=_SECONDS, context=_certificates())
        return http.client.HTTPConnection(place, timeout=_SECONDS)


@functools.cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()  # reading the authorities' certificates takes 20 ms


def prepare() -> None:
    """Read certificates while Lambda initialises; elsewhere nothing happens."""
    endpoint = os.environ.get("SOCKET_ENDPOINT", "")
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and endpoint.startswith("https:"):
        _certificates()


_idle: deque[_Line] = deque()  # of this execution environment, open or not


def broadcast(connections: Sequence[str], messages: Sequence[bytes], deadline: Deadline) -> Outcome:
    """Post all messages to every connection, in order for each. SOCKET_ENDPOINT is the URL of the
    socket's stage. One connection's trouble is nobody else's.
    """
    waiting = deque(connections)
    endpoint = os.environ["SOCKET_ENDPOINT"]
    gone: list[str] = []
    counts: Counter[str] = Counter()
    lock = threading.Lock()

    def work() -> None:
        line = _line(endpoint)
        own: Counter[str] = Counter()
        while True:
            try:
                connection = waiting.popleft()
            except IndexError:
                break
            result = _deliver(line, connection, messages, deadline)
            own[result] += 1
            if result == "gone":
                gone.append(connection)
        with lock:
            counts.update(own)
        _idle.append(line)

    with tracing.step("push", connections=len(connections), messages=len(messages)):
        # A thread begins with nothing of what its starter carries.
        threads = [
            threading.Thread(target=copy_context().run, args=(work,))
            for _ in range(min(LINES, len(connections)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return Outcome(counts["sent"], counts["failed"], counts["left"], gone)


def send(connection: str, message: bytes, deadline: Deadline) -> str:
    """Post one message to one connection; how it ended: sent, gone, failed (which is logged) or,
    for want of time, left. SOCKET_ENDPOINT is the URL of the socket's stage.
    """
    line = _line(os.environ["SOCKET_ENDPOINT"])
    with tracing.step("push", connections=1, messages=1):
        result = _deliver(line, connection, [message], deadline)
    _idle.append(line)
    return result


def _line(endpoint: str) -> _Line:
    try:
        return _idle.popleft()
    except IndexError:
        return _Line(endpoint)


def _deliver(line: _Line, connection: str, messages: Sequence[bytes], deadline: Deadline) -> str:
    """How it ended: sent, gone, failed or, for want of time, left. After a failure the connection's
    further messages are not tried: one may be missing, but none comes before its time.
    """
    for message in messages:
        if deadline.is_near():
            return "left"
        try:
            status = _persistent_post(line, connection, message, deadline)
        except Exception as error:
            logs.error("message not pushed", cause=error, connectionId=connection)
            return "failed"
        if status == _GONE:
            return "gone"
        if status != _OK:
            logs.error("message not pushed", status=status, connectionId=connection)
            return "failed"
    return "sent"


def _persistent_post(line: _Line, connection: str, message: bytes, deadline: Deadline) -> int:
    """The last status of up to three attempts, with growing pauses between them."""
    attempt = 0
    while True:
        attempt += 1
        try:
            status = line.post(connection, message)
            if status not in _AGAIN or _is_last(attempt, deadline):
                return status
        except (OSError, http.client.HTTPException):
            if _is_last(attempt, deadline):
                raise
        time.sleep(jittered(_FIRST_PAUSE * 2 ** (attempt - 1)))


def _is_last(attempt: int, deadline: Deadline) -> bool:
    return attempt >= ATTEMPTS or deadline.is_near()
