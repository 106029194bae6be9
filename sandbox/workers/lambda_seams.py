"""MiniStack's Lambda service, changed: forked environments, true logs and metrics, no mock answers.

Each replacement is a thin adapter: it turns MiniStack's record into a `Function`, and the pool's
`Answer` into the dictionary that MiniStack's callers expect.
"""

import atexit
import functools
import logging
import os
import time
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from sandbox.workers import journal
from sandbox.workers.archives import Archives
from sandbox.workers.environment import Failure
from sandbox.workers.functions import Function
from sandbox.workers.nursery import Nursery
from sandbox.workers.pool import Pool
from sandbox.workers.seams import Seam

LAMBDA = "ministack.services.lambda_svc"
RUNTIME = "ministack.core.lambda_runtime"
_JOURNALLED = "forked environment"
_MOCK = "Mock response - "

logger = logging.getLogger("sandbox.workers")
Record = dict[str, Any]


def seams(nursery: Nursery | None) -> list[Seam]:
    """Return the seams; without a nursery only those that work with MiniStack's own workers."""
    changes = [
        *(_refusal(name) for name in ("docker", "local", "provided", "provided_warm")),
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
    if nursery is not None:
        changes += _forking(Pool(nursery, _archives()))
    return changes


def _archives() -> Archives:
    archives = Archives()
    atexit.register(archives.remove)
    return archives


def _forking(pool: Pool) -> list[Seam]:
    return [
        Seam(
            LAMBDA,
            "_execute_function_warm",
            ("func", "event", "request_id"),
            "Python functions run in MiniStack's own slower and less faithful workers",
            functools.partial(_warm, pool),
            needs=(
                "_resolve_layer_zip",
                "_xray_trace_id_for_invocation",
                "_durable_env_overlay",
                "_invoke_depth",
                "DURABLE_ENV_VARS",
                "execution_credentials",
            ),
        ),
        Seam(
            LAMBDA,
            "_emit_lambda_logs",
            ("func", "request_id", "log_text", "error", "duration_ms", "log_source"),
            "each call of a function gets a log stream of its own",
            _unless_journalled,
        ),
        Seam(
            LAMBDA,
            "ensure_spawned",
            ("worker",),
            "a SnapStart version is loaded by MiniStack's own worker when it is published",
            functools.partial(_loaded_at_publish, pool),
        ),
        Seam(
            RUNTIME,
            "get_or_create_worker",
            ("func_name", "config", "code_zip", "qualifier"),
            "WebSocket routes run Python functions in MiniStack's own workers",
            _for_websockets,
        ),
    ]


def _is_python(config: Mapping[str, Any]) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


def _function(module: ModuleType, config: Mapping[str, Any], code: bytes) -> Function:
    declared = (config.get("Environment") or {}).get("Variables") or {}
    own = f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT', '4566')}"

    def layers() -> list[bytes]:
        found = [module._resolve_layer_zip(layer) for layer in config.get("Layers") or []]
        return [archive for archive in found if archive]

    return Function(
        config=config,
        code=code,
        endpoint=declared.get("AWS_ENDPOINT_URL", own),
        layers=layers,
        credentials=lambda: module.execution_credentials(config),
    )


def _warm(pool: Pool, module: ModuleType, original: Callable[..., Record]) -> Callable[..., Record]:
    """Run Python functions in forked environments, everything else as before."""

    def execute(func: Record, event: Any, request_id: str) -> Record:
        config, code = func.get("config") or func, func.get("code_zip")
        if not _is_python(config):
            return _honest(original(func, event, request_id), config)
        if not code:
            return _refused(f"Function {config.get('FunctionName')} has no code archive")
        function = _function(module, config, code)
        try:
            answer = pool.run(function, _call(module, config, event, request_id))
        except Exception as error:
            logger.exception("no environment for %s", function.name)
            return _refused(f"No execution environment could be started: {error}")
        messages = journal.events(function, answer, request_id)
        _store(function, answer.log_stream, messages)
        result = {"body": answer.body, "log": "\n".join(messages), "log_source": _JOURNALLED}
        if answer.error:
            result["error"] = True
        return result

    return execute


def _call(module: ModuleType, config: Mapping[str, Any], event: Any, request_id: str) -> Record:
    durable = module._durable_env_overlay()
    depth = module._invoke_depth.get()
    return {
        "id": request_id,
        "arn": config["FunctionArn"],
        "event": event,
        "variables": {
            "_X_AMZN_TRACE_ID": module._xray_trace_id_for_invocation(config),
            **{name: durable.get(name) for name in module.DURABLE_ENV_VARS},
        },
        "headers": {"X-Ministack-Invoke-Depth": str(depth)} if depth else {},
    }


def _store(function: Function, stream_name: str, messages: list[str]) -> None:
    """Put log events into CloudWatch Logs; a failure here never fails the invocation."""
    from ministack.services import cloudwatch_logs

    try:
        now = int(time.time() * 1000)
        group_name = function.log_group
        names = {"logGroupName": group_name, "logStreamName": stream_name}
        if group_name not in cloudwatch_logs._log_groups:
            cloudwatch_logs._create_log_group(names)
        group = cloudwatch_logs._log_groups[group_name]
        if stream_name not in group["streams"]:
            cloudwatch_logs._create_log_stream(names)
        stored = [
            {"timestamp": now, "message": message, "ingestionTime": now} for message in messages
        ]
        cloudwatch_logs._append_log_events(group["streams"][stream_name], stored)
        cloudwatch_logs._fanout_to_subscription_filters(group_name, stream_name, stored)
        cloudwatch_logs._fanout_to_live_tail_sessions(group_name, stream_name, stored)
    except Exception:
        logger.exception("log events of %s are lost", function.name)


def _unless_journalled(
    _module: ModuleType, original: Callable[..., None]
) -> Callable[..., None]:
    def emit(*args: Any, log_source: str | None = None, **kwargs: Any) -> None:
        if log_source != _JOURNALLED:
            original(*args, log_source=log_source, **kwargs)

    return emit


def _loaded_at_publish(
    pool: Pool, module: ModuleType, original: Callable[[Any], None]
) -> Callable[[Any], None]:
    def ensure(worker: Any) -> None:
        if not _is_python(worker.config):
            return original(worker)
        try:
            return pool.warm(_function(module, worker.config, worker.code_zip))
        except Failure as failure:
            raise RuntimeError(failure.document["errorMessage"]) from failure

    return ensure


class _Dispatched:
    """Stands for a worker where MiniStack's WebSocket code asks for one."""

    def __init__(self, config: Record, code: bytes) -> None:
        self._func = {"config": config, "code_zip": code}

    def invoke(self, event: Any, *_: Any, **__: Any) -> Record:
        """Run the function the way every other caller does."""
        from ministack.services import lambda_svc

        result = lambda_svc._execute_function(self._func, event)
        if result.get("error"):
            return {"status": "error", "error": "Internal server error"}
        return {"status": "ok", "result": result.get("body")}


def _for_websockets(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def get(func_name: str, config: Record, code_zip: bytes, qualifier: str = "$LATEST") -> Any:
        if _is_python(config):
            return _Dispatched(config, code_zip)
        return original(func_name, config, code_zip, qualifier=qualifier)

    return get


def _counted(module: ModuleType, original: Callable[..., Record]) -> Callable[..., Record]:
    """Publish AWS/Lambda metrics for every execution, whoever asked for it.

    MiniStack publishes them for Invoke and load balancers only; that publisher is silenced here,
    apart from throttles, which never reach an executor.
    """
    publish = module._emit_lambda_metrics

    def only_throttles(function_name: str, **metrics: Any) -> None:
        if metrics.get("throttle"):
            publish(function_name, **metrics)

    module._emit_lambda_metrics = only_throttles

    def dispatch(func: Record, config: Record, event: Any, request_id: str, started: float) -> Any:
        result = original(func, config, event, request_id, started)
        milliseconds = (time.time() - started) * 1000
        publish(
            config["FunctionName"],
            duration_ms=milliseconds,
            error=bool(result.get("error")),
            throttle=bool(result.get("throttle")),
        )
        return result

    return dispatch


def _with_alias(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the alias or version that the caller named in the configuration's ARN."""

    def look_up(function_ref: str) -> Any:
        record, config, name = original(function_ref)
        qualifier = _qualifier(function_ref)
        if config and qualifier:
            unqualified = ":".join(config["FunctionArn"].split(":")[:7])
            config = {**config, "FunctionArn": f"{unqualified}:{qualifier}"}
        return record, config, name

    return look_up


def _qualifier(function_ref: str) -> str:
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
            return _honest(original(func, event, request_id), func.get("config") or func)

        return execute

    return Seam(
        LAMBDA,
        f"_execute_function_{executor}",
        parameters,
        "a function that cannot run here may answer 200 with a mock body",
        build,
    )


def _honest(result: Record, config: Mapping[str, Any]) -> Record:
    """Turn MiniStack's mock answer into an error that says what cannot run here."""
    body = result.get("body")
    text = body.get("body") if isinstance(body, dict) and set(body) == {"statusCode", "body"} else ""
    docker = isinstance(body, dict) and body.get("errorType") in (
        "Runtime.DockerUnavailable",
        "Runtime.DockerError",
    )
    if not docker and not (isinstance(text, str) and text.startswith(_MOCK)):
        return result
    image = config.get("PackageType") == "Image"
    what = "container images" if image else f"the runtime {config.get('Runtime')}"
    return _refused(
        f"The sandbox does not run {what}: function {config.get('FunctionName')} was not executed"
        f" ({text.removeprefix(_MOCK) or 'it needs Docker'})"
    )


def _refused(message: str) -> Record:
    logger.error("%s", message)
    document = {"errorType": "Runtime.NotSimulated", "errorMessage": message}
    return {"body": document, "error": True, "log": f"[ERROR] Runtime.NotSimulated: {message}"}
