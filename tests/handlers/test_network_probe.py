"""A port is reachable or it is not, within the time; no event decides which port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import network_probe
import pytest

from common.records import ForeignEventError


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("PROBE_HOST", "127.0.0.1")
        monkeypatch.setenv("PROBE_PORT", str(listening.getsockname()[1]))
        monkeypatch.setenv("PROBE_TIMEOUT_SECONDS", "2")
        yield listening


def test_an_open_port_is_reachable(context: Any, listener: Any) -> None:
    answer = network_probe.handler({}, context)
    assert answer["reachable"] is True
    assert 0 <= answer["milliseconds"] < 2000


def test_a_closed_port_is_an_error_that_says_so(context: Any, listener: Any, lines: Any) -> None:
    listener.close()
    with pytest.raises(ConnectionError, match="not reachable: ConnectionRefusedError"):
        network_probe.handler({}, context)
    assert [line["level"] for line in lines()] == ["ERROR"]


@pytest.mark.parametrize("name", ["nowhere.invalid", "a..b", "x" * 300])
def test_a_name_that_leads_nowhere_is_an_error(
    context: Any, listener: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PROBE_HOST", name)
    with pytest.raises(ConnectionError, match="is not reachable"):
        network_probe.handler({}, context)


def test_a_resolver_that_hangs_does_not_outlast_the_time(
    context: Any, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: released.wait(20))
    monkeypatch.setenv("PROBE_TIMEOUT_SECONDS", "0.2")
    started = time.monotonic()
    with pytest.raises(ConnectionError, match=r"no answer within 0\.2 seconds"):
        network_probe.handler({}, context)
    assert time.monotonic() - started < 5
    released.set()


def test_an_event_names_no_host(context: Any, listener: Any) -> None:
    with pytest.raises(ForeignEventError):
        network_probe.handler({"host": "127.0.0.1", "port": 22}, context)
