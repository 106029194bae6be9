"""Structured logs: one JSON object per line on standard output, where Lambda reads and ships them.

    timestamp, level, message, service, function, version, requestId, correlation_id, xray_trace_id,
    cold_start, then whatever fields the line has

The functions log through an own logger that does not propagate. Lambda puts a handler on the root
logger, and a second one there would double every line; replacing Lambda's would cost third-party
libraries theirs.
"""

from __future__ import annotations

import binascii
import json
import logging
import os
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

from common import correlation, redaction, tracing

if TYPE_CHECKING:
    from collections.abc import Callable

# Lambda's names of the levels, in its own filter of JSON lines and in LOG_LEVEL; Python's differ.
_LEVELS = {
    "TRACE": logging.DEBUG,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
}
_NAMES = {level: name for name, level in _LEVELS.items()}
_SHORTEST_SECRET = 6  # characters; hiding shorter ones would blot out ordinary words

_logger = logging.getLogger("sandpiper")
_invocation: dict[str, Any] = {}
_secrets: set[str] = set()
_warm: list[bool] = []  # not empty once this environment has begun an invocation
_at_end: list[Callable[[], None]] = []


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        given = {**_invocation.get("fields", {}), **getattr(record, "fields", {})}
        cleaner = redaction.Cleaner(_secrets)
        level = _NAMES.get(record.levelno, record.levelname)
        line = head(cleaner.text(record.getMessage()), level, record.created)
        # What has a meaning of its own cannot be forged by a field.
        line = {**line, **{k: v for k, v in cleaner.object(given).items() if k not in line}}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _told(record.exc_info[1], cleaner)
        return json.dumps(line, default=str)


class _Stdout(logging.Handler):
    """Looks sys.stdout up at each line: a worker may have got another one since the import."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)


def _told(error: BaseException, cleaner: redaction.Cleaner) -> dict[str, str]:
    return {
        "type": type(error).__name__,
        "message": cleaner.text(redaction.said(error)),
        "stack": cleaner.text("".join(traceback.format_exception(error))),
    }


def begin(
    context: object, event: object = None, *, correlation_id: str = "", **fields: object
) -> None:
    """Start an invocation: later lines carry Lambda's request id, the correlation id and the given
    fields.

    The correlation id is the given one, or that of the event where it is one event with a detail,
    or another function's payload; else the request id. The records of a batch have their own (see
    `correlation`).
    """
    level = os.environ.get("LOG_LEVEL", "INFO").upper()
    _logger.setLevel(_LEVELS.get(level, logging.INFO))
    _invocation.clear()
    own = str(getattr(context, "aws_request_id", ""))
    _invocation["requestId"] = own
    _invocation["cold_start"] = _is_cold()
    _invocation["fields"] = fields
    correlation.begin(correlation_id or correlation.of_event(event), own)


def at_end(work: Callable[[], None]) -> None:
    """Do this at the end of each invocation, however it ends. It must not raise."""
    _at_end.append(work)


def end() -> None:
    """End an invocation: `http.endpoint` and `warming.aware` do."""
    for work in _at_end:
        work()


def head(message: object, level: str, now: float) -> dict[str, object]:
    """The members that every line begins with, `now` in seconds since 1970."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    line = {
        "timestamp": f"{stamp}.{int(now % 1 * 1000):03d}Z",
        "level": level,
        "message": message,
        "service": os.environ.get("SERVICE_NAME", "sandpiper"),
        "function": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        "version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
        "requestId": _invocation.get("requestId", ""),
        "correlation_id": correlation.current(),
    }
    if root := tracing.root():
        line["xray_trace_id"] = root
    return {**line, "cold_start": _invocation.get("cold_start", False)}


def kept_level() -> str:
    """A level that Lambda's filter lets through, for lines that are no messages: metrics. A line
    without level, or without timestamp, would be INFO to it.
    """
    wanted = os.environ.get("AWS_LAMBDA_LOG_LEVEL") or os.environ.get("LOG_LEVEL", "")
    return wanted.upper() if _LEVELS.get(wanted.upper(), 0) > logging.INFO else "INFO"


def warm() -> None:
    """Something was answered in this environment: the next invocation is no cold start."""
    _warm[:] = [True]


def hide(*values: str) -> None:
    """Blot these values out of every later line. Values under 6 characters are left alone."""
    for value in values:
        if len(value) >= _SHORTEST_SECRET:
            # As it is, and as it is found within a quoted text.
            _secrets.update({value, redaction.unescaped(json.dumps(value)[1:-1])})


def clean(text: str) -> str:
    """A text as a line would have it: without secrets and personal data."""
    return redaction.clean_text(text, _secrets)


def cleaned(error: Exception) -> Exception:
    """The exception with a text that may be logged by others; another one where its class writes
    the text itself.
    """
    text = clean(said(error))
    if text == said(error):
        return error
    error.args = (text,)
    return error if text == said(error) else RuntimeError(f"{type(error).__name__}: {text}")


def said(value: object) -> str:
    """A value as text, whatever its own method does."""
    return redaction.said(value)


def debug(message: str, **fields: object) -> None:
    """Log at DEBUG; the fields become members of the line."""
    _write(logging.DEBUG, message, fields)


def info(message: str, **fields: object) -> None:
    """Log at INFO; the fields become members of the line."""
    _write(logging.INFO, message, fields)


def warning(message: str, **fields: object) -> None:
    """Log at WARN; the fields become members of the line."""
    _write(logging.WARNING, message, fields)


def error(message: str, *, cause: BaseException | None = None, **fields: object) -> None:
    """Log at ERROR; with a cause the line carries its type, message and stack."""
    _write(logging.ERROR, message, fields, cause)


def _write(
    level: int, message: str, fields: dict[str, object], cause: BaseException | None = None
) -> None:
    if not (_logger.isEnabledFor(level) or _is_sampled()):
        return
    found = (type(cause), cause, cause.__traceback__) if cause else None
    extra = {"fields": fields}
    _logger.handle(
        _logger.makeRecord(_logger.name, level, "", 0, "%s", (message,), found, extra=extra)
    )


def _is_sampled() -> bool:
    """Whether what is worked on is logged at DEBUG: LOG_SAMPLE_RATE (0 to 1) is the share.

    The correlation id decides, so that all functions log the same requests.
    """
    try:
        rate = float(os.environ.get("LOG_SAMPLE_RATE", "0"))
    except ValueError:
        return False
    return rate > 0 and binascii.crc32(correlation.current().encode()) < rate * 2**32


def _is_cold() -> bool:
    """Whether somebody waits for this environment's initialisation: provisioned ones are ready."""
    first = not _warm
    warm()
    return first and os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") == "on-demand"


_handler = _Stdout()
_handler.setFormatter(_Formatter())
_logger.handlers[:] = [_handler]
_logger.propagate = False
