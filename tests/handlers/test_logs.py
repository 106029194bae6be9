"""Logs are one JSON object per line, once, and hold no secret."""

from __future__ import annotations

import io
import json
import logging
import re
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from common import correlation, logs, warming

_ROOT = "1-5759e988-bd862e3fe1be46a994272793"


def test_a_line_names_when_what_and_where(
    context: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "sandpiper-dev-health")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={_ROOT};Parent=53995c3f42cd8ad8;Sampled=0")
    logs.begin(context, correlation_id="theirs-1")
    logs.info("hello", itemId="i-1")
    (line,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert list(line.items()) == [
        ("level", "INFO"),
        ("message", "hello"),
        ("service", "sandpiper"),
        ("function", "sandpiper-dev-health"),
        ("version", "7"),
        ("requestId", "7b1f0f3e-0000-4000-8000-lambdarequest"),
        ("correlation_id", "theirs-1"),
        ("xray_trace_id", _ROOT),
        ("cold_start", True),
        ("itemId", "i-1"),
    ]


@pytest.mark.parametrize(
    "header", ["", "Root=", "Root=1-2-3;Sampled=1", f"Root={'x' * 35}", "Root"]
)
def test_without_a_trace_a_line_names_none(
    context: Any, lines: Any, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    logs.begin(context)
    logs.info("hello")
    assert "xray_trace_id" not in lines()[0]


def test_a_field_does_not_replace_what_the_line_is_found_by(context: Any, lines: Any) -> None:
    logs.begin(context, requestId="forged", apiRequestId="theirs")
    forged = {"level": "ERROR", "correlation_id": "forged", "cold_start": "no", "service": "x"}
    logs.info("hello", **forged, timestamp="then")
    (line,) = lines()
    assert line["requestId"] == line["correlation_id"] == "7b1f0f3e-0000-4000-8000-lambdarequest"
    assert (line["level"], line["cold_start"], line["service"]) == ("INFO", True, "sandpiper")
    assert line["apiRequestId"] == "theirs"
    assert line["timestamp"] != "then"


@pytest.mark.parametrize(
    ("kind", "first"), [("on-demand", True), ("provisioned-concurrency", False), ("", True)]
)
def test_only_the_first_invocation_that_waited_for_its_environment_is_a_cold_start(
    context: Any, lines: Any, monkeypatch: pytest.MonkeyPatch, kind: str, first: bool
) -> None:
    if kind:
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)
    for _ in range(2):
        logs.begin(context)
        logs.info("x")
    assert [line["cold_start"] for line in lines()] == [first, False]


def test_an_environment_that_was_warmed_is_not_cold(context: Any, lines: Any) -> None:
    handler = warming.aware(lambda *_: logs.begin(context) or logs.info("x"))
    assert handler({"warming": True}, context) == {"warmed": True}
    handler({}, context)
    assert [line["cold_start"] for line in lines()] == [False]


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


def test_a_share_of_the_requests_is_logged_at_debug_in_every_function(
    context: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    monkeypatch.setenv("LOG_SAMPLE_RATE", "0.25")
    sampled: list[set[str]] = []
    for _ in range(2):
        for number in range(1000):
            logs.begin(context, correlation_id=f"7b1f0f3e-{number}")
            logs.debug("d")
        sampled.append({line["correlation_id"] for line in lines()})
    assert sampled[0] == sampled[1]
    assert 180 < len(sampled[0]) < 320


def test_a_record_of_a_batch_is_sampled_by_its_own_id(
    context: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_SAMPLE_RATE", "0.5")
    logs.begin(context, correlation_id="a")  # crc32 is 0.91 of the way up, of "d" 0.60, of "b" 0.44
    for record in ("a", "b", "d"):
        with correlation.carried(record):
            logs.debug("d")
    assert [line["correlation_id"] for line in lines()] == ["b"]


@pytest.mark.parametrize(("rate", "lines_"), [("0", 0), ("1", 1), ("", 0), ("often", 0), ("-1", 0)])
def test_the_share_may_be_none_or_all_and_is_none_when_it_makes_no_sense(
    context: Any, lines: Any, monkeypatch: pytest.MonkeyPatch, rate: str, lines_: int
) -> None:
    monkeypatch.setenv("LOG_SAMPLE_RATE", rate)
    logs.begin(context)
    logs.debug("d")
    assert len(lines()) == lines_


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


ERRORS = {
    "plain": ValueError("of a@example.com"),
    "quoted": KeyError("of a@example.com"),
    "of the system": FileNotFoundError(2, "none", "a@example.com"),
    "of AWS": ClientError({"Error": {"Code": "X", "Message": "of a@example.com"}}, "SendEmail"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_what_lambda_logs_of_an_exception_is_clean(context: Any, kind: str) -> None:
    def fails(*_: Any) -> None:
        raise ERRORS[kind]

    with pytest.raises(Exception, match=r"\*\*\*") as raised:
        warming.aware(fails)({}, context)
    assert "example.com" not in str(raised.value)
    assert kind != "plain" or raised.value is ERRORS[kind]
    assert type(ERRORS[kind]).__name__ in (
        raised.type.__name__,
        str(raised.value).partition(":")[0],
    )


def test_an_exception_of_nothing_secret_passes_as_it_is(context: Any) -> None:
    error = ValueError("plain", 7)

    def fails(*_: Any) -> None:
        raise error

    with pytest.raises(ValueError, match="plain") as raised:
        warming.aware(fails)({}, context)
    assert raised.value is error
    assert error.args == ("plain", 7)
