"""Rules over functions: what AWS refuses only when a function is created."""

import json
import re
import sys
from collections.abc import Iterator
from typing import Final

from settings import wiring
from settings.draft import Draft
from settings.function import ENVIRONMENT_BYTES, GIVEN_BYTES
from settings.mistakes import Mistake
from settings.runtimes import FAMILIES
from settings.text import is_credential, refused

API_TIMEOUT: Final = 29
"""Seconds after which API Gateway gives up on an integration."""

BUILDER: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
"""The runtime whose version the Python that runs the program has."""

ROLE_CHARACTERS: Final = 10_240
"""Characters of all inline policies of a role, white space not counted. Source: IAM quotas."""

OTHER_RIGHTS: Final = 1500
"""Part of them for what the role may do besides: write logs, report failures, join a network."""

LONG_REGION: Final = "ap-southeast-1"
"""A region's name of the usual greatest length, for stacks that do not say theirs."""

VARIABLE: Final = "[A-Za-z][A-Za-z0-9_]+"
"""Regular expression of a variable's name."""

TAKEN_VARIABLE: Final = "must not be a name that the program's grants set; choose another name"
"""What is said of a variable that a grant sets; components say it of grants that only they know."""

_RESERVED = re.compile(
    r"_HANDLER|_X_AMZN_TRACE_ID|AWS_(?:DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_(?!EXEC_WRAPPER$)\w+|AWS_ACCESS_KEY(?:_ID)?"
    r"|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR"
)
_FOR_EXTENSIONS = re.compile(r"AWS_LAMBDA_EXEC_WRAPPER|AWS_(?:XRAY|LWA)_\w+")
"""What extensions, the X-Ray SDK and the Lambda Web Adapter ask to be told. Source: their own documentation."""

_SETTING_OF: Final = {
    "LOG_LEVEL": "functions.<name>.log_level",
    "LOG_SAMPLE_RATE": "functions.<name>.log_sample_rate",
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
        "STACK",
        "MODEL_BUCKET",
        "FUNCTION_NAMES",
        "VERSIONS_TO_KEEP",
        "CONNECTIONS_TABLE",
        "USERS_TABLE",
        "SOCKET_ENDPOINT",
        "CHECKED_ANSWERS",
        "ORDERS_TABLE",
        "STATE_TABLE",
        "REPORTS_BUCKET",
        "NOTIFICATIONS_QUEUE_URL",
        "ORDERS_QUEUE_URL",
        "ORDER_EVENTS_QUEUE_URL",
        "EVENTS_FAILURES_QUEUE_URL",
        "ORDERS_TOPIC_ARN",
        "REPORTS_TOPIC_ARN",
        "EVENTS_BUS_NAME",
        "TELEMETRY_STREAM_NAME",
        "IMAGE_PROCESSOR_FUNCTION",
        "MAIL_FROM_ADDRESS",
        "MAIL_CONFIGURATION_SET",
        "TIMEZONE",
        "API_URL",
        "LINK_SECONDS",
        "LABELS",
        "WATERMARK_TEXT",
        "WEBHOOK_SECRET_ARN",
        "WEBHOOK_TOLERANCE_SECONDS",
        "PARTNER_URL",
        "PARTNER_PRIVATE_NETWORK",
        "PARTNER_TIMEOUT_SECONDS",
        "PARTNER_FAILURE_THRESHOLD",
        "PARTNER_OPEN_SECONDS",
        "PROBE_HOST",
        "PROBE_PORT",
        "PROBE_TIMEOUT_SECONDS",
    }
)
"""Variables that grants of the program set."""


def runtime_fits_handler(draft: Draft) -> Iterator[Mistake]:
    """A handler in Python needs a Python runtime; a container image brings its own."""
    for name, function in draft.functions.items():
        family = draft.families[name]
        possible = FAMILIES[family].runtimes
        if possible and function.runtime not in possible and function.image_uri is None:
            known = ", ".join(possible)
            what = f"must be one of {known} for {name}, whose handler is {family}"
            remedy = draft.way_out(name, "runtime")
            yield Mistake(draft.origin(name, "runtime"), refused(what, function.runtime, remedy))


def api_answers_in_time(draft: Draft) -> Iterator[Mistake]:
    """The gateway answers 504 after 29 seconds and the function runs on unheard."""
    for name in (*wiring.API_FUNCTIONS, wiring.AUTHORIZER):
        function = draft.functions.get(name)
        if function and function.timeout > API_TIMEOUT:
            what = f"must be 1 to {API_TIMEOUT} seconds for {name}, which API Gateway waits for"
            yield Mistake(draft.origin(name, "timeout"), refused(what, function.timeout))


def needed_functions_are_on(draft: Draft) -> Iterator[Mistake]:
    """A route or trigger without its function would lead nowhere."""
    for name, own in draft.own.items():
        if name in wiring.WIRED and name in draft.functions and own.get("enabled") is False:
            what = f"must be true for {name}, which a route or a trigger of the program needs"
            yield Mistake(("functions", name, "enabled"), refused(what, given=False))


def bytecode_is_of_the_runtimes_version(draft: Draft) -> Iterator[Mistake]:
    """Bytecode of another Python would be read by nobody and only make a layer bigger."""
    for name, function in draft.functions.items():
        path, runtime = ("packaging", "compile"), function.runtime
        if not (draft.packaging.compile and draft.packaging.build):
            continue
        if draft.families[name] == "python" and runtime != BUILDER and not function.image_uri:
            what = f"must be false where {BUILDER} builds: {name} runs on {runtime}"
            remedy = "run Pulumi with that version, or change the runtime"
            because = (draft.origin(name, "runtime"), ("packaging", "build"))
            yield Mistake(path, refused(what, given=True, remedy=remedy), because=because)


def environment_names(draft: Draft) -> Iterator[Mistake]:
    """Lambda refuses some names, the grants own others; a value is never shown."""
    for owner, own in draft.own.items():
        for name, value in own.get("environment", {}).items():
            if problem := _wrong_variable(name, value):
                yield Mistake(("functions", owner, "environment", name), problem)


def _wrong_variable(name: str, value: str) -> str:
    if _RESERVED.fullmatch(name):
        return "must not be a name that Lambda reserves; choose another name"
    if name.upper().startswith("AWS_") and not _FOR_EXTENSIONS.fullmatch(name):
        return "must not start with AWS_, by which the SDK itself is steered; choose another name"
    if not re.fullmatch(VARIABLE, name):
        return "must be a name of 2 or more letters, digits and underscores, a letter first"
    if name in _SETTING_OF:
        return f"must not be set here; set {_SETTING_OF[name]}"
    if name in _GRANTED:
        return TAKEN_VARIABLE
    if is_credential(value):
        return "must not hold a credential; keep it in Secrets Manager and pass its ARN"
    return ""


def environment_size(draft: Draft) -> Iterator[Mistake]:
    """All variables of a function together may have 4 KB."""
    for name, function in draft.functions.items():
        variables = {**function.environment, **_long(draft, name)}
        size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
        if size > GIVEN_BYTES:
            what = (
                f"must be at most {GIVEN_BYTES} bytes as JSON for {name}: Lambda allows {ENVIRONMENT_BYTES}, the rest is "
                "for the program's own variables"
            )
            remedy = "keep long values in Parameter Store and pass their names"
            yield Mistake(draft.origin(name, "environment"), refused(what, size, remedy))


def _long(draft: Draft, function: str) -> dict[str, str]:
    """Return those of the program's own variables that grow with the stack."""
    if function in wiring.REST_FUNCTIONS:
        return {"CORS_ALLOW_ORIGINS": ",".join(draft.api.cors_allow_origins)}
    if function == wiring.VERSION_CLEANER:
        prefix = f"{wiring.PROJECT}-{draft.stack}-"
        return {"FUNCTION_NAMES": ",".join(prefix + name for name in draft.functions)}
    return {}


def cleaner_can_name_every_function(draft: Draft) -> Iterator[Mistake]:
    """The role that removes old versions names each function twice, and IAM limits what a role may say."""
    cleaner = draft.functions[wiring.VERSION_CLEANER]
    region = draft.region or LONG_REGION
    prefix = f"arn:aws:lambda:{region}:{'0' * 12}:function:{wiring.PROJECT}-{draft.stack}-"
    named = (f'"{prefix}{name}","{prefix}{name}:*",' for name in draft.functions)
    size = OTHER_RIGHTS + sum(map(len, named))
    if size > ROLE_CHARACTERS and cleaner.execution_role_arn is None:
        what = (
            f"must be fewer, or have shorter names: the role of {wiring.VERSION_CLEANER} names each, and IAM allows its "
            f"policies {ROLE_CHARACTERS} characters"
        )
        remedy = f"split the stack, or give {wiring.VERSION_CLEANER} an execution_role_arn"
        yield Mistake(("functions",), refused(what, size, remedy))


RULES: Final = (
    runtime_fits_handler,
    api_answers_in_time,
    needed_functions_are_on,
    bytecode_is_of_the_runtimes_version,
    environment_names,
    environment_size,
    cleaner_can_name_every_function,
)
