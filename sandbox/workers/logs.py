"""The root log handler of a forked environment, in AWS's two formats.

The layout of lines and the names of JSON keys follow AWS's open-source Python runtime interface
client: text is `[LEVEL]<tab>time<tab>request id<tab>message`, JSON carries timestamp, level,
message, logger and requestId, then whatever `extra=` added, then the exception's parts.
"""

import json
import logging
import os
import sys
import time
import traceback
from typing import Any

BREAK = "\x1e"
"""Stands for a line break inside one record, so that a record of many lines stays one log event.

The emulator's side turns it back; plain `print` output has one event per line, as on AWS.
"""

_TIME = "%Y-%m-%dT%H:%M:%S"
_TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
# taskName is absent on purpose: AWS's formatter predates it and lets it through when it is set.
_RESERVED = (set(vars(logging.makeLogRecord({}))) - {"taskName"}) | {"message", "aws_request_id"}

request_id = ""
"""The current invocation's id; set by the runtime before each call."""


def write(text: str) -> None:
    """Write one record to the log, after whatever the handler has printed so far."""
    sys.stdout.flush()
    data = text.rstrip("\n").replace("\n", BREAK) + "\n"
    os.write(1, data.encode("utf-8", "backslashreplace"))


def moved(text: str, places: dict[str, str]) -> str:
    """Return the text with each folder of this machine under the name it has on AWS."""
    for here, there in places.items():
        text = text.replace(here, there)
    return text


class _RecordHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        record.aws_request_id = request_id
        write(self.format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object per record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON; an `extra` that JSON cannot hold raises, as on AWS."""
        entry: dict[str, Any] = {
            "timestamp": timestamp(record.created),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0]:
            kind, error, trace = record.exc_info
            entry["stackTrace"] = traceback.format_tb(trace)
            entry["errorType"] = kind.__name__
            entry["errorMessage"] = str(error)
            entry["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        entry["requestId"] = request_id
        for key, value in vars(record).items():
            if key not in _RESERVED and key not in entry and value is not None:
                entry[key] = value
        return json.dumps(entry, ensure_ascii=False)


def timestamp(seconds: float) -> str:
    """Return a UTC instant with milliseconds, as AWS's JSON logs write it."""
    whole = time.strftime(_TIME, time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


def install(log_format: str, level: str) -> None:
    """Add AWS's handler to the root logger; `level` is empty where AWS leaves logging's default."""
    handler = _RecordHandler()
    if log_format == "JSON":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter(_TEXT, _TIME))
    logging.Formatter.converter = time.gmtime
    root = logging.getLogger()
    level = {"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level.upper(), level.upper())
    if level in logging.getLevelNamesMapping():
        root.setLevel(level)
    root.addHandler(handler)


def report_fault(fault: dict[str, Any], log_format: str) -> None:
    """Log an unhandled exception the way AWS's runtime does, as one event."""
    if log_format == "JSON":
        entry = {"timestamp": timestamp(time.time()), "level": "ERROR", **fault}
        write(json.dumps(entry, ensure_ascii=False))
        return
    lines = [f"[ERROR] {fault['errorType']}: {fault['errorMessage']}"]
    if fault["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        lines += [part.rstrip("\n") for part in fault["stackTrace"]]
    write("\n".join(lines))
