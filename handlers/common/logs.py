"""Structured logs: one JSON object per line on standard output, where Lambda reads and ships them.

The functions log through an own logger that does not propagate. Lambda puts a handler on the root
logger, and a second one there would double every line; replacing Lambda's would cost third-party
libraries theirs.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time

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
# Anything that looks like a signed token is blotted out, whoever put it into a message or an
# exception.
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_HIDDEN = "***"
_SHORTEST_SECRET = 6  # characters; hiding shorter ones would blot out ordinary words

_logger = logging.getLogger("sandpiper")
_invocation: dict[str, object] = {}
_secrets: set[str] = set()


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "timestamp": f"{stamp}.{int(record.msecs):03d}Z",
            "level": _NAMES.get(record.levelno, record.levelname),
            "message": record.getMessage(),
            "service": os.environ.get("SERVICE_NAME", "sandpiper"),
            "function": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            **_invocation,
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = {
                "type": type(error).__name__,
                "message": str(error),
                "stack": self.formatException(record.exc_info),
            }
        return json.dumps(_scrub(line), default=str)


class _Stdout(logging.Handler):
    """Looks sys.stdout up at each line: a worker may have got another one since the import."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)


def _scrub(value: object) -> object:
    if isinstance(value, str):
        for secret in _secrets:
            value = value.replace(secret, _HIDDEN)
        return _TOKEN.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {str(_scrub(str(key))): _scrub(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_scrub(member) for member in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _scrub(str(value))


def begin(context: object, **fields: object) -> None:
    """Start an invocation: later lines carry Lambda's request id and the given fields."""
    level = os.environ.get("LOG_LEVEL", "INFO").upper()
    _logger.setLevel(_LEVELS.get(level, logging.INFO))
    _invocation.clear()
    _invocation["requestId"] = str(getattr(context, "aws_request_id", ""))
    _invocation.update(fields)


def hide(*values: str) -> None:
    """Blot these values out of every later line. Values under 6 characters are left alone."""
    _secrets.update(value for value in values if len(value) >= _SHORTEST_SECRET)


def debug(message: str, **fields: object) -> None:
    """Log at DEBUG; the fields become members of the line."""
    _logger.debug("%s", message, extra={"fields": fields})


def info(message: str, **fields: object) -> None:
    """Log at INFO; the fields become members of the line."""
    _logger.info("%s", message, extra={"fields": fields})


def warning(message: str, **fields: object) -> None:
    """Log at WARN; the fields become members of the line."""
    _logger.warning("%s", message, extra={"fields": fields})


def error(message: str, *, cause: BaseException | None = None, **fields: object) -> None:
    """Log at ERROR; with a cause the line carries its type, message and stack."""
    _logger.error("%s", message, exc_info=cause, extra={"fields": fields})


_handler = _Stdout()
_handler.setFormatter(_Formatter())
_logger.handlers[:] = [_handler]
_logger.propagate = False
