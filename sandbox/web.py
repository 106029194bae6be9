"""A small HTTP client for tests: no redirects followed, no error raised, every answer as it came."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `headers` finds a name in any case."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")

    def json(self) -> Any:
        """The body as JSON; raises ValueError where it is none."""
        return json.loads(self.body)


class Http:
    """Requests relative to a base URL, or to a whole URL given in place of a path."""

    def __init__(self, base: str, token: Callable[[], str], timeout: float = 30.0) -> None:
        self.base = base
        self._token = token
        self._timeout = timeout

    def request(
        self,
        method: str,
        path: str,
        *,
        token: bool | str = False,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request. `token` True takes a fresh valid one, a text is sent as the bearer token it is.

        `json` is any JSON value to send; `body` sends bytes or text unchanged. Times out after 30 s.
        """
        url = urlsplit(path if "://" in path else self.base.rstrip("/") + path)
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {self._token() if token is True else token}"
        if json is not None:
            body = _dumps(json)
            sent.setdefault("Content-Type", "application/json")
        asked = "&".join(part for part in (url.query, urlencode(query or {})) if part)
        target = f"{url.path or '/'}?{asked}" if asked else url.path or "/"
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=self._timeout)
        try:
            connection.request(
                method, target, body.encode() if isinstance(body, str) else body, sent
            )
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Answer:
        """`request` with GET."""
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> Answer:
        """`request` with POST."""
        return self.request("POST", path, **more)

    def put(self, path: str, **more: Any) -> Answer:
        """`request` with PUT."""
        return self.request("PUT", path, **more)

    def patch(self, path: str, **more: Any) -> Answer:
        """`request` with PATCH."""
        return self.request("PATCH", path, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        """`request` with DELETE."""
        return self.request("DELETE", path, **more)

    def options(self, path: str, **more: Any) -> Answer:
        """`request` with OPTIONS."""
        return self.request("OPTIONS", path, **more)


def _dumps(value: Any) -> str:
    return json.dumps(value)
