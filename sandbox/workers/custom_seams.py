"""Functions on Node.js and on custom runtimes: MiniStack's own workers, with Lambda's surroundings.

Their environment holds what Lambda sets and the function declares, nothing of the emulator's; their log has the lines
of the platform, in the function's own format and group, one stream per version.
"""

import functools
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from sandbox.workers import borders, journal, records
from sandbox.workers.addresses import localised
from sandbox.workers.functions import Function, new_log_stream
from sandbox.workers.lambda_seams import LAMBDA, RUNTIME
from sandbox.workers.pool import Answer
from sandbox.workers.seams import Seam

Record = dict[str, Any]

_SHARED = frozenset(("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "HOME"))
"""Variables of the emulator's own that a process needs to run; TMPDIR goes with the sandbox."""
_HANDLER_ERROR = "Runtime.HandlerError"


_PLACE = re.compile(
    rf"(?:/private)?{re.escape(tempfile.gettempdir())}/ministack-lambda-[^/\s]+/(code|layer_\d+)"
)
"""Where MiniStack unpacks the code and the layers of a Node.js function."""
_NEEDS = ("execution_credentials", "_resolve_layer_zip", "invalidate_worker")


def seams() -> list[Seam]:
    """Return the seams of Node.js and custom runtimes."""
    lines = "their logs ignore the log format, with a stream per call"
    call, warm = ("func", "event", "request_id"), "_execute_function_warm"
    custom = "_execute_function_provided_warm"
    return [
        Seam(LAMBDA, warm, call, f"Node.js functions: {lines}", _node, _NEEDS),
        Seam(LAMBDA, custom, call, f"custom runtimes: {lines}", _custom, _NEEDS),
        Seam(
            LAMBDA,
            "_emit_lambda_logs",
            ("func", "request_id", "log_text", "error", "duration_ms", "log_source"),
            "log events are written twice",
            _unless_journalled,
        ),
        *_environments(),
    ]


def _environments() -> list[Seam]:
    return [
        Seam(
            LAMBDA,
            "_provided_worker_env",
            ("config", "code_dir", "port"),
            "custom runtimes call AWS itself, and see the emulator's variables",
            _surroundings,
            _NEEDS,
        ),
        Seam(
            RUNTIME,
            "_detect_runtime_binary",
            ("runtime",),
            "Node.js functions see the emulator's variables",
            _without_ours,
        ),
        Seam(
            RUNTIME,
            "Worker._spawn",
            ("self",),
            "Node.js functions do not know their log group, stream and format",
            _with_lambdas,
            ("_RESERVED_RUNTIME_ENV_VARS",),
        ),
    ]


def _node(module: ModuleType, original: Callable[..., Record]) -> Callable[..., Record]:
    def execute(func: Record, event: Any, request_id: str) -> Record:
        config = func.get("config") or func
        if not str(config.get("Runtime", "")).startswith("nodejs"):
            return original(func, event, request_id)
        return _journalled(module, original, func, event, request_id)

    return execute


def _custom(module: ModuleType, original: Callable[..., Record]) -> Callable[..., Record]:
    return functools.partial(_journalled, module, original)


def _journalled(
    module: ModuleType, original: Callable[..., Record], func: Record, event: Any, request_id: str
) -> Record:
    """Run a function as MiniStack does, and write down what it logged as Lambda does."""
    _renewed(module, func.get("config") or func)
    started = time.monotonic()
    result = original(func, event, request_id)
    milliseconds = (time.monotonic() - started) * 1000
    function = records.function_of(module, func.get("config") or func, func.get("code_zip") or b"")
    lines = [line for line in _moved(str(result.get("log") or "")).split("\n") if line]
    if result.get("error"):
        result = {**result, "body": _document(result.get("body"), lines, request_id)}
    answer = Answer(
        result.get("body"),
        bool(result.get("error")),
        _stream_of(function),
        lines,
        duration_ms=milliseconds,
    )
    messages = journal.events(function, answer, request_id)
    records.store(function, answer.log_stream, messages)
    return {**result, "log": "\n".join(messages), "log_source": records.JOURNALLED}


def _renewed(module: ModuleType, config: Record) -> None:
    """End environments that were told addresses which lead elsewhere by now: a domain has been mapped since."""
    found = localised(config)
    slot = Function(found, b"", "", list, dict).slot
    told = _told.get(slot)
    _told[slot] = found.get("Environment")
    if told is not None and told != found.get("Environment"):
        module.invalidate_worker(str(config["FunctionName"]), qualifier=slot[1])


_told: dict[tuple[str, str], Any] = {}
"""The variables of each function's last call."""


def _document(body: Any, lines: list[str], request_id: str) -> Any:
    """The error document; MiniStack keeps neither the type nor the trace of a Node.js error, its log does."""
    if not isinstance(body, dict):
        return body
    kind, message = body.get("errorType"), _moved(str(body.get("errorMessage", "")))
    body = {**body, "errorMessage": message} if message else body
    if kind == "Sandbox.Timedout" and not message.startswith("RequestId:"):
        return {**body, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    if kind != _HANDLER_ERROR:
        return body
    first = message.split("\n", maxsplit=1)[0]
    for place, line in enumerate(lines):
        found = re.fullmatch(rf"([A-Za-z_$][\w$]*)(?: \[\w+\])?: {re.escape(first)}", line)
        if found:
            return {"errorType": found[1], "errorMessage": message, "trace": lines[place:]}
    return body


def _moved(text: str) -> str:
    """The text with the paths that files have on AWS."""
    return _PLACE.sub(lambda found: "/var/task" if found[1] == "code" else "/opt", text)


def _stream_of(function: Function) -> str:
    """The one log stream of all calls of a version, until the function changes."""
    return _stream(*function.slot, str(function.config.get("RevisionId")))


@functools.lru_cache(maxsize=512)
def _stream(arn: str, version: str, revision: str) -> str:
    del arn, revision  # they only tell the streams apart
    return new_log_stream(version)


def _unless_journalled(_module: ModuleType, original: Callable[..., None]) -> Callable[..., None]:
    def emit(*args: Any, log_source: str | None = None, **kwargs: Any) -> None:
        if log_source != records.JOURNALLED:
            original(*args, log_source=log_source, **kwargs)

    return emit


def _surroundings(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def environment(config: Record, code_dir: str, port: int) -> dict[str, str]:
        theirs = original(config, code_dir, port)
        ours = {name: value for name, value in os.environ.items() if name in _SHARED}
        function = records.function_of(module, config, b"")
        lambdas = function.variables(
            task=Path(code_dir), opt=Path("/opt"), log_stream=_stream_of(function)
        )
        # A call's own variables: what the original adds beyond the host's, Lambda's and the declared ones.
        call = {k: v for k, v in theirs.items() if k not in os.environ and k not in lambdas}
        return {**ours, **call, **lambdas, "PATH": ours.get("PATH", lambdas["PATH"])}

    return environment


def _without_ours(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def detect(runtime: str) -> tuple[str, str]:
        binary, script = original(runtime)
        if not runtime.startswith("nodejs"):
            return binary, script
        hidden = json.dumps(sorted(set(os.environ) - _SHARED))
        script = script if borders.is_open() else f"{borders.FOR_NODE}{script}"
        return binary, f"for (const name of {hidden}) delete process.env[name];\n{script}"

    return detect


def _with_lambdas(module: ModuleType, original: Callable[..., None]) -> Callable[..., None]:
    """Add the variables of the function's log and runtime to those it declares.

    MiniStack drops its reserved names from what is declared, and makes a stream of its own up.
    """
    module._RESERVED_RUNTIME_ENV_VARS -= _FOR_NODE

    def spawn(self: Any) -> None:
        kept: Mapping[str, Any] = self.config
        if not str(kept.get("Runtime", "")).startswith("nodejs"):
            return original(self)
        config = localised(kept)
        function = Function(config, b"", "", list, dict)
        known = function.variables(
            task=Path("/var/task"), opt=Path("/opt"), log_stream=_stream_of(function)
        )
        declared = (config.get("Environment") or {}).get("Variables") or {}
        added = {name: value for name, value in known.items() if name in _FOR_NODE}
        self.config = {**config, "Environment": {"Variables": {**declared, **added}}}
        try:
            return original(self)
        finally:
            self.config = kept

    return spawn


_FOR_NODE = frozenset(
    (
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_FORMAT",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_LEVEL",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_XRAY_DAEMON_ADDRESS",
        "LAMBDA_RUNTIME_DIR",
        "TZ",
        "_HANDLER",
    )
)
"""Lambda's variables that MiniStack does not set for Node.js."""
