"""What the canary takes for a healthy service, against a server of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from canaries import health


class Service(BaseHTTPRequestHandler):
    """Answers what the test says."""

    status, body = 200, b'{"status": "ok"}'

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Service]]:
    """A service that can be told what to answer; the canary asks it."""
    kind = type("Told", (Service,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("HEALTH_URL", f"http://127.0.0.1:{server.server_port}/health")
        yield kind
        server.shutdown()


def test_a_json_object_is_healthy(service: type[Service]) -> None:
    assert service.status == 200
    assert health.handler({}, None) == "healthy"


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"{}"), (503, b"{}"), (404, b"{}"), (204, b""), (200, b"[]"), (200, b"<html>")],
)
def test_everything_else_fails_the_run(service: type[Service], status: int, body: bytes) -> None:
    service.status, service.body = status, body
    with pytest.raises(Exception, match=r"Error|answered|Expecting"):
        health.handler({}, None)


def test_only_http_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_URL", "file:///etc/passwd")
    with pytest.raises(RuntimeError, match="must be an http address"):
        health.handler({}, None)
