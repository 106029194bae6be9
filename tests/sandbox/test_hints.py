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
    "graphqlUrl": "http://127.0.0.1:1/_aws/appsync/graphql/d",
    "loadBalancerUrl": "http://127.0.0.1:1/_alb/e",
}


def shown(root: Path, monkeypatch: pytest.MonkeyPatch, **exports: Any) -> str:
    monkeypatch.setattr("sandbox.tokens.make", lambda *_: "a.b.c")
    emulator = SimpleNamespace(endpoint="http://127.0.0.1:1")
    declared = [{"type": "aws:cloudwatch/dashboard:Dashboard"}] if "alarms" in exports else []
    outcome: Any = SimpleNamespace(
        exports=exports, emulator=emulator, engine=SimpleNamespace(aws=None), declared=declared
    )
    return "\n".join(hints.lines(outcome, Place.of(root, "dev")))


def test_each_api_and_the_page_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "openapi.json").write_text("{}")
    text = shown(tmp_path, monkeypatch, **URLS)
    assert text.startswith("  TOKEN='a.b.c'\n")
    for piece in ("/dev/items", "/users", "token --cognito", "subscribe", "/_sandbox/reference/"):
        assert piece in text
    assert 'graphql/d -H "Authorization: $(' in text
    assert "\n  curl -sS http://127.0.0.1:1/_alb/e/health\n" in text
    assert "sandbox alarms" not in text
    watched = shown(tmp_path, monkeypatch, alarms={"create-item-errors": "arn"})
    assert "-m sandbox alarms --stack dev (or: metrics, traces)\n" in watched
    assert watched.endswith("  http://127.0.0.1:1/_sandbox/dashboard/ (dashboard, in a browser)")


def test_what_a_stack_lacks_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(tmp_path, monkeypatch) == ""
    assert shown(tmp_path, monkeypatch, apiUrl=URLS["apiUrl"]) == ""
    text = shown(tmp_path, monkeypatch, apiUrl=URLS["apiUrl"], authSecretArn="arn")
    assert "users" not in text
    assert "websockets" not in text
    assert "reference" not in text
    assert "graphql" not in shown(tmp_path, monkeypatch, graphqlUrl="", loadBalancerUrl="")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "websockets" not in shown(tmp_path, monkeypatch, **URLS)


def test_commands_name_the_interpreter_that_has_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    text = shown(tmp_path, monkeypatch, **URLS)
    assert "$(.venv/bin/python -m sandbox token --cognito --stack dev)" in text
    assert '\n  .venv/bin/python -c "from websockets' in text
    monkeypatch.setattr(sys, "executable", "/opt/my python/bin/python3")
    assert "\n  '/opt/my python/bin/python3' -c" in shown(tmp_path, monkeypatch, **URLS)


def test_line_that_opens_the_socket_is_python_as_a_shell_hands_it_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "python")
    text = shown(tmp_path, monkeypatch, **URLS)
    monkeypatch.undo()
    line = next(line for line in text.splitlines() if "websockets" in line)
    program = 'python() { printf %s "$2"; }; TOKEN=a.b.c; ' + line
    code = subprocess.run(["sh", "-c", program], capture_output=True, text=True, check=True).stdout
    assert "?token=a.b.c', legacy=True)" in code
    assert 'send(\'{"action": "subscribe", "topic": "items"}\')' in code
    subprocess.run(
        [sys.executable, "-c", f"compile({code!r}, 'line', 'exec')"],
        check=True,
    )
