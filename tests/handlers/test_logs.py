"""Logs are one JSON object per line, once, and hold no secret."""

from __future__ import annotations

import io
import json
import logging
import re
from decimal import Decimal
from typing import Any

import pytest

from common import logs


def test_a_line_names_when_what_and_where(
    context: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "sandpiper-dev-health")
    logs.begin(context)
    logs.info("hello", itemId="i-1")
    (line,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {
        "level": "INFO",
        "message": "hello",
        "service": "sandpiper",
        "function": "sandpiper-dev-health",
        "requestId": "7b1f0f3e-0000-4000-8000-lambdarequest",
        "itemId": "i-1",
    }


def test_a_handler_on_the_root_logger_does_not_double_a_line(context: Any, lines: Any) -> None:
    stream = io.StringIO()
    lambdas_own = logging.StreamHandler(stream)
    logging.getLogger().addHandler(lambdas_own)
    try:
        logs.begin(context)
        logs.warning("once")
    finally:
        logging.getLogger().removeHandler(lambdas_own)
    assert len(lines()) == 1
    assert stream.getvalue() == ""


def test_an_invocation_does_not_inherit_the_fields_of_the_one_before(
    context: Any, lines: Any
) -> None:
    logs.begin(context, apiRequestId="one")
    logs.begin(None)
    logs.info("x")
    (line,) = lines()
    assert line["requestId"] == ""
    assert "apiRequestId" not in line


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("DEBUG", ["d", "i", "w", "e"]),
        ("info", ["i", "w", "e"]),
        ("WARN", ["w", "e"]),
        ("ERROR", ["e"]),
        ("FATAL", []),
        ("loud", ["i", "w", "e"]),
        ("", ["i", "w", "e"]),
    ],
)
def test_the_level_is_the_environments_and_info_when_it_makes_no_sense(
    lines: Any, monkeypatch: pytest.MonkeyPatch, level: str, said: list[str]
) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    logs.begin(None)
    logs.debug("d")
    logs.info("i")
    logs.warning("w")
    logs.error("e")
    assert [line["message"] for line in lines()] == said


HOSTILE = {
    "line end": "a\nb",
    "forged line": "a\r\nERROR forged",
    "escape": "\x1b[31m",
    "half a surrogate pair": "\ud800",
    "line separator": "\u2028",
    "format": "%s %d",
    "quote": '"',
    "null": "\x00",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_stays_inside_its_line(capsys: Any, kind: str) -> None:
    text = HOSTILE[kind]
    logs.begin(None)
    logs.info(text, value=text, level2=[text, {"k": text}])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.isascii()
    assert json.loads(out)["message"] == text


def test_values_that_json_does_not_know_are_written_as_text(lines: Any) -> None:
    logs.begin(None)
    logs.info("x", price=Decimal("1.10"), flags=(True, None), raw=b"b", n=1.5)
    (line,) = lines()
    assert (line["price"], line["flags"], line["raw"], line["n"]) == (
        "1.10",
        [True, None],
        "b'b'",
        1.5,
    )


def test_a_hidden_value_and_anything_like_a_token_is_blotted_out_everywhere(capsys: Any) -> None:
    logs.hide("canary-secret", "short", "")
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
    logs.begin(None, outer="canary-secret")
    error = ValueError(f"canary-secret and {token}")
    nested = {"canary-secret": ["canary-secret", token]}
    logs.error("x canary-secret", cause=error, nested=nested)
    out = capsys.readouterr().out
    assert "canary" not in out
    assert token not in out
    assert json.loads(out)["error"]["message"] == "*** and ***"


def test_a_stream_that_is_closed_does_not_fail_the_invocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr("sys.stdout", closed)
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logs.begin(None)
    logs.info("nobody hears")
