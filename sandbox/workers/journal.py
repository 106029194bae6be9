"""The log events of one call, as Lambda's platform writes them around what the handler logged.

Text logs have START, END and REPORT lines, JSON logs have platform.start and platform.report
objects (Lambda developer guide, "Configuring advanced logging controls"; telemetry event schema).
Where nobody measured what memory a call took, nothing is said of it.
"""

import json
import math
import time
from collections.abc import Mapping

from sandbox.workers import logs
from sandbox.workers.functions import Function
from sandbox.workers.pool import Answer


def events(function: Function, answer: Answer, request_id: str) -> list[str]:
    """Return the messages of one call, in order."""
    timed_out = answer.error and answer.body.get("errorType") == "Sandbox.Timedout"
    if function.log_format == "JSON":
        before, after = _json_frame(function, answer, request_id, timed_out=timed_out)
    else:
        before, after = _text_frame(function, answer, request_id, timed_out=timed_out)
    return [*answer.init_lines, *before, *answer.lines, *after]


def _text_frame(
    function: Function, answer: Answer, request_id: str, *, timed_out: bool
) -> tuple[list[str], list[str]]:
    report = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {answer.duration_ms:.2f} ms",
        f"Billed Duration: {math.ceil(answer.duration_ms)} ms",
        f"Memory Size: {function.memory} MB",
    ]
    if answer.memory_mb:
        report.append(f"Max Memory Used: {answer.memory_mb} MB")
    if answer.init_ms is not None:
        report.append(f"Init Duration: {answer.init_ms:.2f} ms")
    after = [f"END RequestId: {request_id}", "\t".join(report)]
    fatal = _fatal_line(answer, request_id, timed_out=timed_out)
    if fatal:
        after.insert(0, fatal)
    return [f"START RequestId: {request_id} Version: {function.version}"], after


def _fatal_line(answer: Answer, request_id: str, *, timed_out: bool) -> str | None:
    """Return the line about a process that is gone; failures it survived are in its own log."""
    if timed_out:
        message = answer.body["errorMessage"].rpartition("Error: ")[2]
        return f"{logs.timestamp(time.time())} {request_id} {message}"
    if answer.error and answer.body.get("errorType") == "Runtime.ExitError":
        return answer.body["errorMessage"]
    return None


def _json_frame(
    function: Function, answer: Answer, request_id: str, *, timed_out: bool
) -> tuple[list[str], list[str]]:
    status = "timeout" if timed_out else "error" if answer.error else "success"
    metrics: dict[str, float] = {
        "durationMs": round(answer.duration_ms, 3),
        "billedDurationMs": math.ceil(answer.duration_ms),
        "memorySizeMB": function.memory,
    }
    if answer.memory_mb:
        metrics["maxMemoryUsedMB"] = answer.memory_mb
    if answer.init_ms is not None:
        metrics["initDurationMs"] = round(answer.init_ms, 3)
    start = {"requestId": request_id, "version": function.version}
    report = {"requestId": request_id, "metrics": metrics, "status": status}
    quiet = function.system_log_level == "WARN"
    ended = time.time()
    begun = ended - answer.duration_ms / 1000
    before = [] if quiet else [_platform("platform.start", begun, start)]
    after = [] if quiet and not answer.error else [_platform("platform.report", ended, report)]
    return before, after


def _platform(kind: str, moment: float, record: Mapping[str, object]) -> str:
    entry = {"time": logs.timestamp(moment), "type": kind, "record": record}
    return json.dumps(entry, separators=(",", ":"))
