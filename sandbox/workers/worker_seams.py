"""The seam that matters most: Python functions run in forked environments.

Each replacement is a thin adapter: it turns MiniStack's record into a `Function`, and the pool's
`Answer` into the dictionary that MiniStack's callers expect.
"""

import functools
import logging
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from sandbox.workers import faults, journal, records, refusals, trace_seams
from sandbox.workers.environment import CallError
from sandbox.workers.lambda_seams import LAMBDA, MEASURED, RUNTIME, refused
from sandbox.workers.pool import Pool
from sandbox.workers.seams import Seam

logger = logging.getLogger("sandbox.workers")
Record = dict[str, Any]


def seams(pool: Pool) -> list[Seam]:
    """Return the seams that need a pool of forked environments."""
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


def _warm(pool: Pool, module: ModuleType, original: Callable[..., Record]) -> Callable[..., Record]:
    """Run Python functions in forked environments, everything else as before."""

    def execute(func: Record, event: Any, request_id: str) -> Record:
        config, code = func.get("config") or func, func.get("code_zip")
        # The refusals of what is no Python lie in the replaced function.
        if not _is_python(config):
            return original(func, event, request_id)
        why = refusals.reason(config, code) if code else "it has no code archive"
        if why is not None:
            return refused(f"Function {config.get('FunctionName')} was not executed: {why}")
        function = records.function_of(module, config, code)
        try:
            answer = pool.run(function, _call(module, config, event, request_id))
        except Exception as error:
            logger.exception("no environment for %s", function.name)
            return refused(f"No execution environment could be started: {error}")
        trace_seams.measured(answer.init_ms, answer.duration_ms)
        messages = journal.events(function, answer, request_id)
        records.store(function, answer.log_stream, messages)
        result = {"body": answer.body, "log": "\n".join(messages), "log_source": records.JOURNALLED}
        result[MEASURED] = answer.duration_ms
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
        "faults": faults.concerning(config["FunctionName"], event),
        "variables": {
            "_X_AMZN_TRACE_ID": module._xray_trace_id_for_invocation(config),
            **{name: durable.get(name) for name in module.DURABLE_ENV_VARS},
        },
        "headers": {"X-Ministack-Invoke-Depth": str(depth)} if depth else {},
    }


def _loaded_at_publish(
    pool: Pool, module: ModuleType, original: Callable[[Any], None]
) -> Callable[[Any], None]:
    def ensure(worker: Any) -> None:
        if not _is_python(worker.config):
            return original(worker)
        try:
            return pool.warm(records.function_of(module, worker.config, worker.code_zip))
        except CallError as failure:
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
