"""The management endpoint of a WebSocket, on a real port of this machine."""

from __future__ import annotations

import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable


class Post(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class ConnectionsEndpoint:
    """Takes posts to `/<stage>/@connections/<id>`. `answers[id]` are the statuses to come, 200
    afterwards; None breaks the HTTP connection off instead of answering.
    """

    def __init__(self) -> None:
        self.received: dict[str, list[bytes]] = defaultdict(list)
        self.answers: dict[str, list[int | None]] = {}
        self.posts: list[Post] = []
        self.links = 0  # HTTP connections that were opened
        self.busy = self.busiest = 0  # posts at one moment
        self.before: Callable[[str], object] = lambda _: None
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.endpoint = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """The URL of the socket's stage, as SOCKET_ENDPOINT has it."""
        return f"http://127.0.0.1:{self._server.server_port}/dev"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    endpoint: ConnectionsEndpoint
    daemon_threads = True
    request_queue_size = 64
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        with self.server.endpoint.lock:
            self.server.endpoint.links += 1

    def do_POST(self) -> None:
        endpoint = self.server.endpoint
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stage, _, connection = self.path.rpartition("/@connections/")
        assert stage == "/dev"
        connection = unquote(connection)
        with endpoint.lock:
            endpoint.busy += 1
            endpoint.busiest = max(endpoint.busiest, endpoint.busy)
            endpoint.posts.append(Post(self.path, dict(self.headers.items()), body))
            waiting = endpoint.answers.get(connection)
            status = waiting.pop(0) if waiting else 200
        endpoint.before(connection)
        with endpoint.lock:
            endpoint.busy -= 1
            if status == 200:
                endpoint.received[connection].append(body)
        if status is None:
            self.close_connection = True
            return
        self.send_response_only(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass
