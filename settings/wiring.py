"""What the program joins to what, as far as cross-field rules must know it.

`__main__.py` does the joining; these names let the rules compare a queue's visibility timeout with its consumer's
timeout before anything is registered. A test keeps both in step.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from settings.runtimes import FAMILIES

PROJECT: Final = "sandpiper"

REST_ROUTES: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "GET /health": "health",
        "POST /items": "create-item",
        "GET /items": "list-items",
        "GET /items/{id}": "get-item",
        "PUT /items/{id}": "update-item",
        "DELETE /items/{id}": "delete-item",
        "POST /notifications": None,
    }
)
"""Route of the REST API, which a stack file may say something of -> its function; None where none stands behind it."""

HTTP_ROUTES: Final[Mapping[str, str]] = MappingProxyType(
    {"GET /products": "products", "POST /orders": "products", "POST /users": "create-user"}
)
"""Route of the HTTP API, which a stack file may say something of -> its function."""

SOCKET_FUNCTIONS: Final = ("subscriptions",)
"""Functions behind a route of the WebSocket API."""

REST_FUNCTIONS: Final = tuple(sorted({function for function in REST_ROUTES.values() if function}))
"""Functions behind a route of the REST API."""

API_FUNCTIONS: Final = tuple(sorted({*REST_FUNCTIONS, *HTTP_ROUTES.values(), *SOCKET_FUNCTIONS}))
"""Functions behind a route of any API: REST, HTTP or WebSocket."""

AUTHORIZER: Final = "authorizer"
"""Called by the gateway while the caller waits: it has the gateway's 29 seconds, as the routes have."""

QUEUE_CONSUMERS: Final[Mapping[str, str]] = MappingProxyType(
    {"notifications": "notification-sender"}
)
"""Queue name -> the function that consumes it."""

FAILURES_QUEUE: Final = "events-failures"
"""The queue that gets failed asynchronous invocations."""

STREAM_CONSUMERS: Final[Mapping[str, str]] = MappingProxyType(
    {"data-transformer": "items", "change-publisher": "items"}
)
"""Function -> the table whose stream it reads; the stream's settings carry the function's name."""

STREAM_BASELINE: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        # What is no news any more need not be told, and nobody missed what happened before he was there.
        "change-publisher": {
            "maximum_record_age_in_seconds": 60,
            "maximum_retry_attempts": 2,
            "starting_position": "LATEST",
        }
    }
)
"""Values that belong to what a function does with a stream. They outrank the defaults, not the stack file."""

VERSION_CLEANER: Final = "version-cleaner"
"""The maintenance function: it is told the names of all others."""

SCHEDULED: Final = ("cleanup-job", VERSION_CLEANER)
"""Functions that a schedule starts; the schedule carries the function's name."""

UPLOAD_CONSUMER: Final = "image-processor"
"""The function that an upload starts."""

FUNCTION_BASELINE: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        # 1769 MB is where Lambda gives one whole CPU: a thumbnail is all CPU.
        "image-processor": {"memory_size": 1769, "timeout": 60},
        "cleanup-job": {"timeout": 120, "tags": {"Schedule": "daily"}},
        VERSION_CLEANER: {"timeout": 300, "tags": {"Schedule": "daily"}},
        "products": {"function_url": {}},
        "checksum-java": {"handler": "checksum.Handler::handleRequest"},
        "checksum-dotnet": {"handler": "Checksum::Checksum.Function::Handle"},
        "checksum-ruby": {"handler": "function.handler"},
        # A model wants all the memory, and with it all the processors, that Lambda has.
        "inference": {
            "memory_size": 10240,
            "timeout": 600,
            "environment": {"INFERENCE_MODE": "production", "BATCH_SIZE": "32"},
        },
        "data-transformer": {"timeout": 30},
        "change-publisher": {"memory_size": 512, "timeout": 30},
        "notification-sender": {"timeout": 30},
    }
)
"""Values that belong to what a function does. They outrank the stack file's `defaults`, not its own entry."""

WIRED: Final = frozenset(
    {
        *API_FUNCTIONS,
        AUTHORIZER,
        UPLOAD_CONSUMER,
        *QUEUE_CONSUMERS.values(),
        *STREAM_CONSUMERS,
        *SCHEDULED,
    }
)
"""Every function this module names."""

OWN_LAYERS: Final[Mapping[str, int]] = MappingProxyType({UPLOAD_CONSUMER: 2})
"""Function -> how many layers the program gives it, where that is not what its family gets."""

PUBLIC_URLS: Final[Mapping[str, str]] = MappingProxyType({})
"""Function -> why its URL may be open to everybody (`authorization_type: NONE`)."""

HANDLERS: Final = Path(__file__).resolve().parent.parent / "handlers"
"""The folder of handlers beside the program."""

SHARED: Final = "common"
"""The folder of handlers' shared code, which is no function."""

BUILT_ELSEWHERE: Final = frozenset(
    name for name, family in FAMILIES.items() if not family.built_here
)
"""Families the program does not build: such a function exists once the stack file says where its code is."""


def handlers(directory: Path = HANDLERS) -> dict[str, str]:
    """Return function name -> runtime family, read from the handlers' folder.

    `create_item.py` is function `create-item` of family `python`; a folder is of the family whose marker it holds.
    `common` holds shared code and is no function; names with a leading underscore are not either.
    """
    found: dict[str, str] = {}
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.name.startswith(("_", ".")) or path.stem == SHARED:
            continue
        if family := _family(path):
            found[path.stem.replace("_", "-")] = family
    return found


def _family(path: Path) -> str:
    """Return the family of a function's file or folder; empty text for what is none."""
    if path.is_file():
        return "python" if path.suffix == ".py" else ""
    marked = (name for name, family in FAMILIES.items() if family.marker)
    return next((name for name in marked if any(path.glob(FAMILIES[name].marker))), "")


def baseline(name: str, family: str) -> Mapping[str, Any]:
    """Return the code's own values of one function: its sizes, and a runtime that can run its handler."""
    own = FUNCTION_BASELINE.get(name, {})
    # Python is what `defaults` speak of; the others would not run on what is said there.
    runtime = FAMILIES[family].default if family != "python" else ""
    return {"runtime": runtime, **own} if runtime else own


def own_layers(name: str, family: str, *, opencv: bool = False) -> int:
    """Return how many layers the program itself gives a function; `opencv` is the packaging setting of that name."""
    declared = int(opencv and name == UPLOAD_CONSUMER)
    return OWN_LAYERS.get(name, FAMILIES[family].layers) + declared
