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
    {
        "notifications": "notification-sender",
        "orders": "order-processor",
        "order-events": "order-tracker",
    }
)
"""Queue name -> the function that consumes it."""

FIFO_QUEUES: Final = frozenset({"order-events"})
"""Queues that keep the order of their messages and take each once; their dead-letter queues do as well."""

FAILURES_QUEUE: Final = "events-failures"
"""The queue that gets all that has no dead-letter queue of its own: failed invocations, batches, deliveries."""

STREAM_CONSUMERS: Final[Mapping[str, str]] = MappingProxyType(
    {"data-transformer": "items", "change-publisher": "items"}
)
"""Function -> the table whose stream it reads; the stream's settings carry the function's name."""

KINESIS_CONSUMERS: Final[Mapping[str, str]] = MappingProxyType(
    {"telemetry-aggregator": "telemetry"}
)
"""Function -> the Kinesis stream it reads; its settings stand beside those of tables' streams."""

STREAM_READERS: Final = (*STREAM_CONSUMERS, *KINESIS_CONSUMERS)
"""Functions that read a stream of either kind."""

STREAMS: Final = frozenset({*STREAM_CONSUMERS.values(), *KINESIS_CONSUMERS.values()})
"""What they read: tables and Kinesis streams."""

STREAM_BASELINE: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        # What is no news any more need not be told, and what came before the function is no loss.
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

REPORTER: Final = "report-generator"
"""The function that writes reports; its schedule says which."""

HEALTH_CHECKER: Final = "health-checker"
"""The function that asks every few minutes whether all parts answer."""

SCHEDULED: Final = ("cleanup-job", VERSION_CLEANER, REPORTER, HEALTH_CHECKER)
"""Functions that a schedule starts; the schedule carries the function's name."""

SCHEDULE_BASELINE: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        REPORTER: {
            "schedule_expression": "cron(0 8 ? * MON *)",
            "schedule_expression_timezone": "America/New_York",
            "input": {"report_type": "orders", "format": "both"},
        },
        # The next look comes before a late one would tell anything.
        HEALTH_CHECKER: {
            "schedule_expression": "rate(5 minutes)",
            "maximum_retry_attempts": 0,
            "maximum_event_age_in_seconds": 60,
        },
    }
)
"""Values that belong to what a scheduled function does. They outrank the defaults, not the stack file."""

REPORT_TYPES: Final = ("orders", "items")
"""What a report may be about."""

REPORT_FORMATS: Final = ("csv", "pdf", "both")
"""What a report may be written as."""

UPLOAD_CONSUMER: Final = "image-processor"
"""The function that an upload starts."""

RULE_TARGETS: Final = ("audit-writer", "content-router")
"""Functions that a rule of an event bus starts; the rule carries the function's name."""

TOPICS: Final = ("notifications", "orders", "reports")
"""Topics, except the one of alarms."""

TOPIC_CONSUMERS: Final[Mapping[str, str]] = MappingProxyType(
    {"notification-pusher": "notifications", "order-forwarder": "orders"}
)
"""Function -> the topic whose messages start it."""

LOG_CONSUMER: Final = "error-collector"
"""The function that gets the errors other functions log."""

USER_POOL_CONSUMER: Final = "user-registrar"
"""The function that Cognito calls, and waits for, once a user has confirmed."""

WEBHOOK: Final = "webhook"
"""The function that a partner calls at its URL."""

SWITCHED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "order-forwarder": ("partner", "url"),
        "network-probe": ("probe", "host"),
        "telemetry-aggregator": ("telemetry", "enabled"),
    }
)
"""Function -> the section and key of the stack file that must be set for it to exist."""

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
        "content-router": {"memory_size": 512, "timeout": 300},
        "order-processor": {"memory_size": 512, "timeout": 30},
        "order-tracker": {"timeout": 30},
        "order-forwarder": {"timeout": 30},
        "notification-pusher": {"timeout": 30},
        # The partner cannot sign as IAM wants it; the function checks the signature itself.
        WEBHOOK: {"function_url": {"authorization_type": "NONE"}},
        "telemetry-aggregator": {"timeout": 30},
        REPORTER: {"memory_size": 1024, "timeout": 120, "tags": {"Schedule": "weekly"}},
        # A second look at the same minute tells nothing new: the next one does.
        HEALTH_CHECKER: {
            "timeout": 30,
            "maximum_retry_attempts": 0,
            "maximum_event_age_in_seconds": 60,
        },
        LOG_CONSUMER: {"timeout": 30},
        # Cognito waits 5 seconds, and a start takes its share of them.
        USER_POOL_CONSUMER: {"memory_size": 512, "timeout": 5},
    }
)
"""Values that belong to what a function does. They outrank the stack file's `defaults`, not its own entry."""

WIRED: Final = frozenset(
    {
        *API_FUNCTIONS,
        AUTHORIZER,
        UPLOAD_CONSUMER,
        *QUEUE_CONSUMERS.values(),
        *STREAM_READERS,
        *SCHEDULED,
        *RULE_TARGETS,
        *TOPIC_CONSUMERS,
        LOG_CONSUMER,
        USER_POOL_CONSUMER,
        WEBHOOK,
    }
)
"""Every function that a route or a trigger starts; those of `SWITCHED` are there when they are switched on."""

OWN_LAYERS: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(
        (
            UPLOAD_CONSUMER,
            "notification-sender",
            "notification-pusher",
            "order-forwarder",
            REPORTER,
        ),
        2,
    )
)
"""Function -> how many layers the program gives it, where that is not what its family gets."""

PUBLIC_URLS: Final[Mapping[str, str]] = MappingProxyType(
    {WEBHOOK: "its callers sign each call by a shared secret, which the handler checks first"}
)
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
