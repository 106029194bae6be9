"""Rules over functions: what AWS refuses only when a function is created."""

import json
import re
from collections.abc import Iterator

from settings import wiring
from settings.draft import Draft
from settings.mistakes import Mistake
from settings.models import FunctionSettings
from settings.runtimes import SUPPORTED
from settings.text import got, is_credential

API_TIMEOUT = 29
"""Seconds after which API Gateway gives up on an integration."""

UNRESERVED = 100
"""Executions that AWS keeps for functions without a reservation."""

ENVIRONMENT_BYTES = 4096
"""Size of all variables of a function as JSON, that Lambda allows."""

GRANTED_BYTES = 1024
"""Part of it that the program's own variables may take."""

_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_RESERVED = re.compile(
    r"_HANDLER|_X_AMZN_TRACE_ID|AWS_(?:DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_\w+|AWS_ACCESS_KEY(?:_ID)?"
    r"|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR"
)
_SETTING_OF = {"LOG_LEVEL": "log_level", "CORS_ALLOW_ORIGINS": "api.cors_allow_origins"}
_GRANTED = frozenset(
    {
        "ITEMS_TABLE",
        "AUDIT_TABLE",
        "UPLOADS_BUCKET",
        "IMAGES_BUCKET",
        "NOTIFICATIONS_TOPIC_ARN",
        "AUTH_SECRET_ARN",
        "CURSOR_KEY_SECRET_ARN",
        "SERVICE_NAME",
    }
)


def runtime_fits_handler(draft: Draft) -> Iterator[Mistake]:
    """A handler in Python needs a Python runtime."""
    for name, function in draft.functions.items():
        family = draft.families[name]
        if not function.runtime.startswith(family):
            known = ", ".join(SUPPORTED[family])
            yield Mistake(
                draft.origin(name, "runtime"),
                f"must be one of {known} for the {family} handler of {name}{got(function.runtime)}",
            )


def api_answers_in_time(draft: Draft) -> Iterator[Mistake]:
    """The gateway answers 504 after 29 seconds and the function runs on unheard."""
    for name in (*wiring.API_FUNCTIONS, wiring.AUTHORIZER):
        function = draft.functions.get(name)
        if function and function.timeout > API_TIMEOUT:
            yield Mistake(
                draft.origin(name, "timeout"),
                f"must be 1 to {API_TIMEOUT} seconds for {name}, which API Gateway waits for{got(function.timeout)}",
            )


def provisioned_fits_reserved(draft: Draft) -> Iterator[Mistake]:
    """Provisioned executions come out of the function's reservation where it has one."""
    for name, function in draft.functions.items():
        warm, reserved = (
            function.provisioned_concurrent_executions,
            function.reserved_concurrent_executions,
        )
        if warm is not None and reserved is not None and warm > reserved:
            limit = draft.origin(name, "reserved_concurrent_executions")
            yield Mistake(
                draft.origin(name, "provisioned_concurrent_executions"),
                f"must be at most reserved_concurrent_executions, {reserved}{got(warm)}",
                because=(limit,),
            )


def concurrency_fits_account(draft: Draft) -> Iterator[Mistake]:
    """AWS refuses what would leave fewer than 100 executions for functions without a reservation."""
    taken = sum(map(_taken, draft.functions.values()))
    free = max(draft.account_concurrent_executions - UNRESERVED, 0)
    if taken > free:
        yield Mistake(
            ("functions",),
            f"reserved and provisioned concurrency of all functions add up to {taken}: at most {free} of "
            f"account_concurrent_executions {draft.account_concurrent_executions} can be taken, AWS keeps "
            f"{UNRESERVED}; lower them or have the quota raised",
            because=(("account_concurrent_executions",),),
        )


def _taken(function: FunctionSettings) -> int:
    """Return the executions a function takes from the account's pool."""
    reserved = function.reserved_concurrent_executions
    return (function.provisioned_concurrent_executions or 0) if reserved is None else reserved


def environment_names(draft: Draft) -> Iterator[Mistake]:
    """Lambda refuses some names, the grants own others."""
    for owner, own in draft.own.items():
        for name, value in own.get("environment", {}).items():
            problem = _wrong_variable(name, value)
            if problem:
                yield Mistake(("functions", owner, "environment", name), problem)


def _wrong_variable(name: str, value: str) -> str:
    if _RESERVED.fullmatch(name):
        return "is reserved by Lambda; choose another name"
    if name.upper().startswith("AWS_"):
        return "names that start with AWS_ steer the SDK itself; choose another name"
    if not _VARIABLE.fullmatch(name):
        return "a variable's name is 2 or more letters, digits and underscores, a letter first"
    if name in _SETTING_OF:
        return f"is set from {_SETTING_OF[name]}; set that instead"
    if name in _GRANTED:
        return "is set by the program's grants; choose another name"
    if is_credential(value):
        return "looks like a credential; keep it in Secrets Manager and pass its ARN"
    return ""


def environment_size(draft: Draft) -> Iterator[Mistake]:
    """All variables of a function together may have 4 KB."""
    limit = ENVIRONMENT_BYTES - GRANTED_BYTES
    for name, function in draft.functions.items():
        size = len(
            json.dumps(
                {**function.environment, **_cors(draft, name)}, separators=(",", ":")
            ).encode()
        )
        if size > limit:
            yield Mistake(
                draft.origin(name, "environment"),
                f"must be at most {limit} bytes as JSON for {name}, of Lambda's {ENVIRONMENT_BYTES} the rest is the "
                f"program's own (got {size}); keep long values in Parameter Store and pass their names",
            )


def _cors(draft: Draft, function: str) -> dict[str, str]:
    behind_api = function in wiring.API_FUNCTIONS
    return {"CORS_ALLOW_ORIGINS": ",".join(draft.api.cors_allow_origins)} if behind_api else {}


RULES = (
    runtime_fits_handler,
    api_answers_in_time,
    provisioned_fits_reserved,
    concurrency_fits_account,
    environment_names,
    environment_size,
)
