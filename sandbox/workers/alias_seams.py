"""What is set on an alias, or on the function behind it, made to hold for calls through the alias.

A published version's record in MiniStack is a copy that carries neither the settings of
asynchronous invocations nor the reserved concurrency; both lie in the function's own record.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from sandbox.workers.lambda_seams import LAMBDA, qualifier_of
from sandbox.workers.seams import Seam

Record = dict[str, Any]


def seams() -> list[Seam]:
    """Return the seams of aliases and versions."""
    return [
        Seam(
            LAMBDA,
            "invoke_async_with_retry",
            ("func", "event"),
            "failures of calls through an alias retry twice and reach no destination",
            _with_own_settings,
            needs=("_functions",),
        ),
        Seam(
            LAMBDA,
            "_reserved_concurrency",
            ("func", "config"),
            "reserved concurrency does not hold for calls through an alias",
            _of_the_function,
            needs=("_functions",),
        ),
    ]


def _with_own_settings(module: ModuleType, original: Callable[..., None]) -> Callable[..., None]:
    def invoke(func: Record, event: Any) -> None:
        config = func.get("config") or func
        base = module._functions.get(config["FunctionName"]) or {}
        settings = (base.get("event_invoke_configs") or {}).get(qualifier_of(config["FunctionArn"]))
        if settings:
            func = {**func, "event_invoke_config": settings}
        original(func, event)

    return invoke


def _of_the_function(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def reserved(func: Record, config: Record) -> Any:
        return original(module._functions.get(config.get("FunctionName")) or func, config)

    return reserved
