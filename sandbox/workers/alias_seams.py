"""What is set on a function, made to hold for calls through its aliases and versions.

A published version's record in MiniStack is a copy that does not carry the reserved concurrency; it
lies in the function's own record.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from sandbox.workers.lambda_seams import LAMBDA
from sandbox.workers.seams import Seam

Record = dict[str, Any]


def seams() -> list[Seam]:
    """Return the seams of aliases and versions."""
    return [
        Seam(
            LAMBDA,
            "_reserved_concurrency",
            ("func", "config"),
            "reserved concurrency does not hold for calls through an alias",
            _of_the_function,
            needs=("_functions",),
        ),
    ]


def _of_the_function(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def reserved(func: Record, config: Record) -> Any:
        return original(module._functions.get(config.get("FunctionName")) or func, config)

    return reserved
