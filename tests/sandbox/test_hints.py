"""What `up` proposes to try."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox import hints
from sandbox.place import Place

URLS = {
    "apiUrl": "http://127.0.0.1:1/_aws/execute-api/a/dev",
    "httpApiUrl": "http://127.0.0.1:1/_aws/execute-api/b",
    "socketUrl": "ws://127.0.0.1:1/_aws/execute-api/c/dev",
    "userPoolId": "pool",
    "authSecretArn": "arn",
}


def shown(root: Path, monkeypatch: pytest.MonkeyPatch, **exports: Any) -> str:
    monkeypatch.setattr("sandbox.tokens.make", lambda *_: "a.b.c")
    emulator = SimpleNamespace(endpoint="http://127.0.0.1:1")
    outcome: Any = SimpleNamespace(
        exports=exports, emulator=emulator, engine=SimpleNamespace(aws=None)
    )
    return "\n".join(hints.lines(outcome, Place.of(root, "dev")))


def test_each_api_and_the_page_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "openapi.json").write_text("{}")
    text = shown(tmp_path, monkeypatch, **URLS)
    assert text.startswith("  TOKEN='a.b.c'\n")
    for piece in ("/dev/items", "/users", "token --cognito", "subscribe", "/_sandbox/reference/"):
        assert piece in text


def test_what_a_stack_lacks_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(tmp_path, monkeypatch) == ""
    assert shown(tmp_path, monkeypatch, apiUrl=URLS["apiUrl"]) == ""
    text = shown(tmp_path, monkeypatch, apiUrl=URLS["apiUrl"], authSecretArn="arn")
    assert "users" not in text
    assert "websockets" not in text
    assert "reference" not in text


def test_line_that_opens_the_socket_is_python_as_a_shell_hands_it_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown(tmp_path, monkeypatch, **URLS)
    line = next(line for line in text.splitlines() if "websockets" in line)
    program = 'python() { printf %s "$2"; }; TOKEN=a.b.c; ' + line
    code = subprocess.run(["sh", "-c", program], capture_output=True, text=True, check=True).stdout
    assert "?token=a.b.c', legacy=True)" in code
    assert 'send(\'{"action": "subscribe", "topic": "items"}\')' in code
    subprocess.run(
        [sys.executable, "-c", f"compile({code!r}, 'line', 'exec')"],
        check=True,
    )
