"""The whole program under names of its own: two APIs share one, the WebSocket has another, and each is called there."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

import sandbox
from sandbox.box import Box

ZONE = "Z0123456789ABCDEFGHIJ"
API, LIVE = "api.example.com", "live.example.com"
NAMED = {
    "api": {"domain_name": API, "hosted_zone_id": ZONE, "base_path": "shop"},
    "http_api": {"domain_name": API, "hosted_zone_id": ZONE, "base_path": "people"},
    "socket": {"domain_name": LIVE, "hosted_zone_id": ZONE},
}
SECONDS = 20.0


@pytest.fixture(scope="module")
def named() -> Iterator[Box]:
    """The dev stack, whose APIs answer under their own names."""
    config = {
        section: {"domain": domain, "disable_execute_api_endpoint": True}
        for section, domain in NAMED.items()
    }
    with sandbox.running("dev", config=config) as running:
        yield running


def asked(box: Box, path: str, **headers: str) -> tuple[int, Any]:
    """The answer to a request whose Host is the domain, at this machine's address."""
    at = urlsplit(box.endpoint)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=SECONDS)
    try:
        connection.request("GET", path, headers={"Host": API, **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_outputs_are_the_names(named: Box) -> None:
    found = [named.outputs[name] for name in ("apiUrl", "httpApiUrl", "socketUrl")]
    assert found == [f"https://{API}/shop", f"https://{API}/people", f"wss://{LIVE}"]


def test_two_apis_share_a_name_by_their_base_paths(named: Box) -> None:
    bearer = f"Bearer {named.token()}"
    assert asked(named, "/shop/health")[0] == 200
    assert asked(named, "/shop/items", Authorization=bearer)[0] == 200
    assert asked(named, "/shop/items")[0] == 401
    person = f"Bearer {named.token(cognito=True)}"
    status, listed = asked(named, "/people/products", Authorization=person)
    assert (status, listed["message"]) == (200, "List of products")
    assert asked(named, "/people/products", Authorization=bearer)[0] == 401


def test_socket_opens_under_its_name_and_asks_for_a_token(named: Box) -> None:
    with named.socket() as client:
        client.send(json.dumps({"action": "subscribe", "topic": "items", "requestId": "1"}))
        assert json.loads(client.recv(timeout=SECONDS))["subscribed"] is True
    with pytest.raises(InvalidStatus) as refused, named.socket("a.b.c"):
        pass
    assert refused.value.response.status_code in {401, 403}
