"""What may be a secret never reaches a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from settings.reader import UNSAFE
from tests.settings.helper import refused

CANARY = "zzsecretzz"


@pytest.mark.parametrize("key", ["api", "functions", "tags", "account_concurrent_executions"])
def test_key_that_holds_a_secret_is_refused_and_nothing_of_it_is_shown(
    key: str, handlers: Path
) -> None:
    config = {key: {CANARY: {CANARY: CANARY}, "secure": CANARY}}
    assert refused(config, secret=[key], handlers=handlers) == [f"Pulumi.dev.yaml: {key}: {UNSAFE}"]


def test_unknown_secret_key_is_refused_by_its_name_alone(handlers: Path) -> None:
    lines = refused({"dbPassword": CANARY}, secret=["dbPassword"], handlers=handlers)
    assert len(lines) == 1
    assert lines[0].startswith("Pulumi.dev.yaml: sandpiper:dbPassword: no such key")
    assert CANARY not in lines[0]


@pytest.mark.parametrize(
    "value",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.e30.abc",
        "-----BEGIN PRIVATE KEY-----",
        "hT7kq0PzX2mW9vB4nR6cY1",
    ],
)
@pytest.mark.parametrize(
    "config",
    [
        {"functions": {"create-item": {"log_level": "VALUE"}}},
        {"api": {"cors_allow_origins": ["VALUE"]}},
        {"observability": {"page": {"email": ["VALUE"]}}},
        {"data": "VALUE"},
        {"functions": {"VALUE": {}}},
        {"tags": {"a,b": "VALUE"}},
        {"VALUE": "VALUE"},
        {"aws:region": "VALUE"},
        {"triggers": {"schedules": {"cleanup-job": {"schedule_expression": "VALUE"}}}},
    ],
)
def test_what_looks_like_a_credential_is_not_shown(
    config: dict[str, Any], value: str, handlers: Path
) -> None:
    lines = refused(_filled(config, value), handlers=handlers)
    assert len(lines) == 1
    assert value not in lines[0]


@pytest.mark.parametrize(
    "value", [1234567, [CANARY], {CANARY: 1}, f"{CANARY}\n{CANARY}", "AKIAIOSFODNN7EXAMPLE"]
)
def test_value_of_an_environment_variable_is_never_shown(value: object, handlers: Path) -> None:
    config = {
        "functions": {"health": {"environment": {"PIN": value, "_": CANARY, "LOG_LEVEL": CANARY}}}
    }
    text = "\n".join(refused(config, handlers=handlers))
    assert "environment.LOG_LEVEL" in text
    assert CANARY not in text
    assert "1234567" not in text
    assert "AKIA" not in text


def test_wrong_value_stays_on_one_short_line(handlers: Path) -> None:
    lines = refused({"api": {"logging_level": "a\nb\u2028" + "long " * 99}}, handlers=handlers)
    assert len(lines) == 1
    assert len(lines[0].splitlines()) == 1
    assert len(lines[0]) < 160


def _filled(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {_filled(key, text): _filled(part, text) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, text) for part in value]
    return text if value == "VALUE" else value
