"""MiniStack's Lambda service made truthful, whichever workers run the functions.

Functions that cannot run here are refused instead of mocked, every execution counts in CloudWatch,
an invocation knows the alias it came through, and a quiet Node.js function answers at once.
"""

import contextvars
import logging
import time
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from sandbox.workers import lambda_metrics, refusals
from sandbox.workers.seams import Seam

LAMBDA = "ministack.services.lambda_svc"
RUNTIME = "ministack.core.lambda_runtime"
MEASURED = "sandbox_milliseconds"
"""Where a result says how long the handler took; it goes no further than the metrics."""
_NOT_SIMULATED = "Runtime.NotSimulated"
_MOCK = "Mock response - "
_EXECUTORS = ("docker", "local", "provided", "provided_warm", "warm")

REQUEST_ID: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
"""The id of an event whose attempts share it."""

logger = logging.getLogger("sandbox.workers")
Record = dict[str, Any]


def seams() -> list[Seam]:
    """Return the seams that work with MiniStack's own workers too."""
    return [
        *(_refusal(name) for name in _EXECUTORS),
        Seam(
            LAMBDA,
            "_execute_function_dispatch",
            ("func", "config", "event", "request_id", "started"),
            "only direct calls of functions reach CloudWatch's Lambda metrics",
            _counted,
            needs=("_emit_lambda_metrics",),
        ),
        Seam(
            LAMBDA,
            "_acquire_execution_slot",
            ("func", "config"),
            "throttles count as invocations, and not for an alias",
            _throttles,
        ),
        Seam(
            LAMBDA,
            "_get_func_record_for_ref",
            ("function_ref",),
            "invoked_function_arn lacks the alias",
            _with_alias,
        ),
        Seam(
            RUNTIME,
            "Worker._drain_stderr_bounded",
            ("self", "first_line_wait", "idle_confirm", "hard_cap"),
            "a Node.js function that logs nothing takes 50 ms a call",
            _impatient,
        ),
    ]


def _counted(module: ModuleType, original: Callable[..., Record]) -> Callable[..., Record]:
    """Count every execution, whoever asked for it; MiniStack counts those of Invoke and load balancers, and is silenced."""

    def silent(*_args: Any, **_named: Any) -> None:
        return None

    vars(module)["_emit_lambda_metrics"] = silent

    def dispatch(func: Record, config: Record, event: Any, request_id: str, started: float) -> Any:
        with lambda_metrics.running(config):
            result = original(func, config, event, REQUEST_ID.get() or request_id, started)
        milliseconds = result.pop(MEASURED, None)
        if milliseconds is None:
            milliseconds = (time.time() - started) * 1000
        if result.get("throttle"):
            lambda_metrics.throttled(config)
        elif not _was_refused(result):
            lambda_metrics.called(config, milliseconds, failed=bool(result.get("error")))
        return result

    return dispatch


def _was_refused(result: Record) -> bool:
    """Whether the function was not executed at all, because it cannot run here."""
    body = result.get("body")
    return isinstance(body, dict) and body.get("errorType") == _NOT_SIMULATED


def _throttles(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def acquire(func: Record, config: Record) -> Any:
        slot, limit = original(func, config)
        if slot is None:
            lambda_metrics.throttled(config)
        return slot, limit

    return acquire


def _with_alias(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the alias or version that the caller named in the configuration's ARN."""

    def look_up(function_ref: str) -> Any:
        record, config, name = original(function_ref)
        qualifier = qualifier_of(function_ref)
        if config and qualifier:
            unqualified = ":".join(config["FunctionArn"].split(":")[:7])
            config = {**config, "FunctionArn": f"{unqualified}:{qualifier}"}
        return record, config, name

    return look_up


def qualifier_of(function_ref: str) -> str:
    """Return the alias or version that a function's ARN or `name:qualifier` names, else ""."""
    parts = str(function_ref).split(":")
    if parts[0] == "arn":
        return parts[7] if len(parts) > 7 else ""
    return parts[1] if len(parts) == 2 else ""


def _impatient(_module: ModuleType, original: Any) -> Any:
    """Wait 5 ms instead of 50 for a Node.js function's first log line.

    Its lines come through a pipe of their own and may trail the answer by a moment, so the wait is
    short, not gone.
    """
    original.__defaults__ = (0.005, *original.__defaults__[1:])
    return original


def _refusal(executor: str) -> Seam:
    parameters = ("func", "event", "request_id")

    def build(_module: ModuleType, original: Callable[..., Record]) -> Callable[..., Record]:
        def execute(func: Record, event: Any, request_id: str) -> Record:
            config = func.get("config") or func
            why = refusals.reason(config, func.get("code_zip"))
            if why is not None:
                return refused(f"Function {config.get('FunctionName')} was not executed: {why}")
            return honest(original(func, event, request_id), config)

        return execute

    return Seam(
        LAMBDA,
        f"_execute_function_{executor}",
        parameters,
        "a function that cannot run here may answer 200 with a mock body",
        build,
    )


def honest(result: Record, config: Mapping[str, Any]) -> Record:
    """Turn MiniStack's mock answer into an error that says what cannot run here."""
    reason = _reason(result.get("body"))
    if reason is None:
        return result
    image = config.get("PackageType") == "Image"
    what = "container images" if image else f"the runtime {config.get('Runtime')}"
    return refused(
        f"The sandbox does not run {what}: function {config.get('FunctionName')} was not executed"
        f" ({reason})"
    )


def _reason(body: Any) -> str | None:
    """Return why MiniStack did not execute a function, or None if it did."""
    if not isinstance(body, dict):
        return None
    if body.get("errorType") in ("Runtime.DockerUnavailable", "Runtime.DockerError"):
        return str(body.get("errorMessage"))
    text = body.get("body")
    if set(body) == {"statusCode", "body"} and isinstance(text, str) and text.startswith(_MOCK):
        return text.removeprefix(_MOCK)
    return None


def refused(message: str) -> Record:
    """Return the error result of a function that was not executed, and say so in the log."""
    logger.error("%s", message)
    document = {"errorType": _NOT_SIMULATED, "errorMessage": message}
    return {"body": document, "error": True, "log": f"[ERROR] {_NOT_SIMULATED}: {message}"}
