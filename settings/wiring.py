"""What the program joins to what, as far as cross-field rules must know it.

`__main__.py` does the joining; these names let the rules compare a queue's visibility timeout with its consumer's
timeout before anything is registered. A test keeps both in step.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from settings.runtimes import DEFAULT_NODE_RUNTIME

PROJECT: Final = "sandpiper"

API_FUNCTIONS: Final = (
    "create-item",
    "get-item",
    "list-items",
    "update-item",
    "delete-item",
    "health",
)
"""Functions behind a route of the REST API."""

AUTHORIZER: Final = "authorizer"
"""Called by the gateway while the caller waits: it has the gateway's 29 seconds, as the routes have."""

QUEUE_CONSUMERS: Final[Mapping[str, str]] = MappingProxyType(
    {"notifications": "notification-sender"}
)
"""Queue name -> the function that consumes it."""

STREAM_CONSUMERS: Final[Mapping[str, str]] = MappingProxyType({"items": "data-transformer"})
"""Table name -> the function that reads its stream."""

SCHEDULED: Final = ("cleanup-job",)
"""Functions that a schedule starts; the schedule carries the function's name."""

UPLOAD_CONSUMER: Final = "image-processor"
"""The function that an upload starts."""

FUNCTION_BASELINE: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        # 1769 MB is where Lambda gives one whole CPU: a thumbnail is all CPU.
        "image-processor": {"memory_size": 1769, "timeout": 60},
        "cleanup-job": {"timeout": 120},
        "data-transformer": {"timeout": 30},
        "notification-sender": {"timeout": 30},
    }
)
"""Sizes that belong to what a function does. They outrank the stack file's `defaults`, not its own entry."""

WIRED: Final = frozenset(
    {
        *API_FUNCTIONS,
        AUTHORIZER,
        UPLOAD_CONSUMER,
        *QUEUE_CONSUMERS.values(),
        *STREAM_CONSUMERS.values(),
        *SCHEDULED,
    }
)
"""Every function this module names."""

HANDLERS: Final = Path(__file__).resolve().parent.parent / "handlers"
"""The folder of handlers beside the program."""


def handlers(directory: Path = HANDLERS) -> dict[str, str]:
    """Return function name -> runtime family, read from the handlers' folder.

    `create_item.py` is function `create-item` of family `python`; a folder with an `index.mjs` is of family `nodejs`.
    `common` holds shared code and is no function; names with a leading underscore are not either.
    """
    found: dict[str, str] = {}
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.name.startswith(("_", ".")) or path.stem == "common":
            continue
        if path.suffix == ".py" and path.is_file():
            found[path.stem.replace("_", "-")] = "python"
        elif (path / "index.mjs").is_file():
            found[path.name.replace("_", "-")] = "nodejs"
    return found


def baseline(name: str, family: str) -> Mapping[str, Any]:
    """Return the code's own values of one function: its sizes, and a runtime that can run its handler."""
    own = FUNCTION_BASELINE.get(name, {})
    return own if family == "python" else {"runtime": DEFAULT_NODE_RUNTIME, **own}
