"""Rules over functions: what AWS refuses only when a function is created."""

import json
import re
from collections.abc import Iterator
from typing import Final

from settings import wiring
from settings.draft import Draft
from settings.function import FunctionSettings
from settings.mistakes import Mistake
from settings.runtimes import SUPPORTED
from settings.text import is_credential, refused

API_TIMEOUT: Final = 29
"""Seconds after which API Gateway gives up on an integration."""

UNRESERVED: Final = 100
"""Executions that AWS keeps for functions without a reservation."""

ENVIRONMENT_BYTES: Final = 4096
"""Size that Lambda allows all variables of a function, as JSON."""

GRANTED_BYTES: Final = 1024
"""Part of it that the program's own variables may take."""

VARIABLE: Final = "[A-Za-z][A-Za-z0-9_]+"
"""Regular expression of a variable's name."""

_RESERVED = re.compile(
    r"_HANDLER|_X_AMZN_TRACE_ID|AWS_(?:DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_\w+|AWS_ACCESS_KEY(?:_ID)?"
    r"|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR"
)
_SETTING_OF: Final = {
    "LOG_LEVEL": "functions.<name>.log_level",
    "CORS_ALLOW_ORIGINS": "api.cors_allow_origins",
}
_GRANTED: Final = frozenset(
    {
        "ITEMS_TABLE",
        "AUDIT_TABLE",
        "UPLOADS_BUCKET",
        "IMAGES_BUCKET",
        "NOTIFICATIONS_TOPIC_ARN",
        "AUTH_SECRET_ARN",
        "CURSOR_KEY_SECRET_ARN",
        "SERVICE_NAME",
        "MODEL_BUCKET",
        "FUNCTION_NAMES",
        "VERSIONS_TO_KEEP",
    }
)


def runtime_fits_handler(draft: Draft) -> Iterator[Mistake]:
    """A handler in Python needs a Python runtime."""
    for name, function in draft.functions.items():
        family = draft.families[name]
        if family != wiring.IMAGE and function.runtime not in SUPPORTED[family]:
            known = ", ".join(SUPPORTED[family])
            what = f"must be one of {known} for {name}, whose handler is {family}"
            yield Mistake(draft.origin(name, "runtime"), refused(what, function.runtime))


def api_answers_in_time(draft: Draft) -> Iterator[Mistake]:
    """The gateway answers 504 after 29 seconds and the function runs on unheard."""
    for name in (*wiring.API_FUNCTIONS, wiring.AUTHORIZER):
        function = draft.functions.get(name)
        if function and function.timeout > API_TIMEOUT:
            what = f"must be 1 to {API_TIMEOUT} seconds for {name}, which API Gateway waits for"
            yield Mistake(draft.origin(name, "timeout"), refused(what, function.timeout))


def provisioned_fits_reserved(draft: Draft) -> Iterator[Mistake]:
    """Provisioned executions come out of the function's reservation where it has one."""
    for name, function in draft.functions.items():
        warm = function.provisioned_concurrent_executions
        reserved = function.reserved_concurrent_executions
        if warm is not None and reserved is not None and warm > reserved:
            yield Mistake(
                draft.origin(name, "provisioned_concurrent_executions"),
                refused(
                    f"must be at most reserved_concurrent_executions of {name}, {reserved}", warm
                ),
                because=(draft.origin(name, "reserved_concurrent_executions"),),
            )


def concurrency_fits_account(draft: Draft) -> Iterator[Mistake]:
    """AWS refuses what would leave fewer than 100 executions for functions without a reservation."""
    taken = sum(map(_taken, draft.functions.values()))
    quota = draft.account_concurrent_executions
    free = max(quota - UNRESERVED, 0)
    if taken > free:
        what = (
            f"reserved and provisioned concurrency must add up to at most {free}: account_concurrent_executions "
            f"{quota} less the {UNRESERVED} that AWS keeps unreserved"
        )
        remedy = "lower them, or set account_concurrent_executions once AWS has raised the quota"
        yield Mistake(
            ("functions",),
            refused(what, taken, remedy),
            because=(("account_concurrent_executions",),),
        )


def _taken(function: FunctionSettings) -> int:
    """Return the executions a function takes from the account's pool."""
    reserved = function.reserved_concurrent_executions
    return (function.provisioned_concurrent_executions or 0) if reserved is None else reserved


def environment_names(draft: Draft) -> Iterator[Mistake]:
    """Lambda refuses some names, the grants own others; a value is never shown."""
    for owner, own in draft.own.items():
        for name, value in own.get("environment", {}).items():
            if problem := _wrong_variable(name, value):
                yield Mistake(("functions", owner, "environment", name), problem)


def _wrong_variable(name: str, value: str) -> str:
    if _RESERVED.fullmatch(name):
        return "must not be a name that Lambda reserves; choose another name"
    if name.upper().startswith("AWS_"):
        return "must not start with AWS_, by which the SDK itself is steered; choose another name"
    if not re.fullmatch(VARIABLE, name):
        return "must be a name of 2 or more letters, digits and underscores, a letter first"
    if name in _SETTING_OF:
        return f"must not be set here; set {_SETTING_OF[name]}"
    if name in _GRANTED:
        return "must not be a name that the program's grants set; choose another name"
    if is_credential(value):
        return "must not hold a credential; keep it in Secrets Manager and pass its ARN"
    return ""


def environment_size(draft: Draft) -> Iterator[Mistake]:
    """All variables of a function together may have 4 KB."""
    limit = ENVIRONMENT_BYTES - GRANTED_BYTES
    for name, function in draft.functions.items():
        variables = {**function.environment, **_cors(draft, name)}
        size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
        if size > limit:
            what = (
                f"must be at most {limit} bytes as JSON for {name}: Lambda allows {ENVIRONMENT_BYTES}, the rest is "
                "for the program's own variables"
            )
            remedy = "keep long values in Parameter Store and pass their names"
            yield Mistake(draft.origin(name, "environment"), refused(what, size, remedy))


def _cors(draft: Draft, function: str) -> dict[str, str]:
    behind_api = function in wiring.API_FUNCTIONS
    return {"CORS_ALLOW_ORIGINS": ",".join(draft.api.cors_allow_origins)} if behind_api else {}


RULES: Final = (
    runtime_fits_handler,
    api_answers_in_time,
    provisioned_fits_reserved,
    concurrency_fits_account,
    environment_names,
    environment_size,
)
