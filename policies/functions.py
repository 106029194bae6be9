"""Functions: sizes within AWS's limits, an environment that matches the grants, failures that end somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from policies import aws, documents, links, versions
from policies.model import Registered, Stack, rule

GATEWAY_SECONDS = 29
LABELS, DETECT = "LABELS", "rekognition:DetectLabels"
POOL_SECONDS = 5
ENVIRONMENT_BYTES = 4096
RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)
"""Variables that Lambda sets itself and refuses to be told (Lambda developer guide, environment variables)."""

WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
"""The one of Lambda's own names that is there to be set: extensions ask for it."""

_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_LIMITS = {
    "memorySize": (128, 10_240),
    "timeout": (1, 900),
    "ephemeralStorage.size": (512, 10_240),
}
_OWN_CALLS = (
    "dynamodb:",
    "events:",
    "kinesis:PutRecord",
    "lambda:",
    "s3:",
    "secretsmanager:",
    "sns:",
    "sqs:SendMessage",
)
"""Services and actions that a handler calls itself, and for which it must be told a name."""
_PERHAPS = ("sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility")
"""What event source mappings call, and handlers too where they are told of the queue."""
_BY_AWS = frozenset({"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"})
_NOT_AWAITED = frozenset({"upload", "schedule", "warming", "topic", "rule", "log"})
"""Kinds of triggers that do not wait for the function's answer."""


@rule
def function_is_within_limits(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Sizes are explicit and within Lambda's limits; one architecture; traced where it matters."""
    for function in stack.all(aws.FUNCTION):
        for path, (least, most) in _LIMITS.items():
            value = function.get(path)
            if not isinstance(value, int) or not least <= value <= most:
                yield function, f"{path} is {value}; say {least} to {most}"
        if function.get("architectures") not in (["arm64"], ["x86_64"]):
            yield function, "architectures must be one of arm64 and x86_64"
        if stack.rehearsal and function.get("tracingConfig.mode") != "Active":
            yield function, "tracing must be Active in staging and production"


@rule
def function_answers_before_the_gateway_gives_up(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """API Gateway waits 29 s and AppSync 30 s; a function that goes on works for nobody."""
    for start in links.starts(stack):
        if (
            start.kind in {"api", "authorizer", "resolver"}
            and int(start.invoked.function.get("timeout") or 3) > GATEWAY_SECONDS
        ):
            yield (
                start.invoked.function,
                f"serves an API; its timeout may be {GATEWAY_SECONDS} s at most",
            )


@rule
def user_pool_gets_its_answer(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Cognito waits for 5 s, and then asks twice more: the user waits, and the function runs three times."""
    for start in links.starts(stack):
        timeout = int(start.invoked.function.get("timeout") or 3)
        if start.kind == "pool" and timeout > POOL_SECONDS:
            yield (
                start.invoked.function,
                f"is called by {start.by.name}; its timeout may be {POOL_SECONDS} s at most",
            )


@rule
def function_logs_as_json(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Levels are taken with JSON only, and without them the provider sees a difference for ever."""
    for function in stack.all(aws.FUNCTION):
        config = function.get("loggingConfig") or {}
        if config.get("logFormat") != "JSON":
            yield function, "loggingConfig.logFormat must be JSON"
        if config.get("systemLogLevel") not in {"DEBUG", "INFO", "WARN"}:
            yield function, "loggingConfig.systemLogLevel must be DEBUG, INFO or WARN"
        if config.get("applicationLogLevel") not in {
            "TRACE",
            "DEBUG",
            "INFO",
            "WARN",
            "ERROR",
            "FATAL",
        }:
            yield function, "loggingConfig.applicationLogLevel must be named"


@rule
def environment_is_acceptable(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """4 KB as JSON, Lambda's own names left alone, no endpoint of an emulator, no secret's value."""
    secrets = _secret_texts(stack)
    for function in stack.all(aws.FUNCTION):
        variables = links.environment(function)
        if len(json.dumps(variables).encode()) > ENVIRONMENT_BYTES:
            yield (
                function,
                "its environment is larger than 4 KB; pass the name of a parameter instead",
            )
        for name, value in variables.items():
            if name in RESERVED or (name.startswith("AWS_LAMBDA_") and name != WRAPPER):
                yield function, f"{name} is set by Lambda itself"
            elif name.startswith("AWS_ENDPOINT_URL"):
                yield (
                    function,
                    f"{name} would send its calls elsewhere; handlers cannot tell an emulator from AWS",
                )
            elif not _VARIABLE.fullmatch(name):
                yield (
                    function,
                    f"{name}: a variable is a letter, then letters, digits and underscores",
                )
            if any(secret in value for secret in secrets):
                yield function, f"{name} holds a secret's value; pass the secret's ARN"


@rule
def environment_and_rights_agree(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """What a function may touch it is told of, and what it is told of it may touch."""
    for function in stack.all(aws.FUNCTION):
        if links.acts_in_a_foreign_role(stack, function):
            continue
        touched, delivered = _touched(stack, function), _delivered(stack, function)
        variables = links.environment(function).values()
        values = {*variables, *versions.told_of(function)}
        told = {r.urn: r for r in stack.resources if _names(r) & values}
        for urn in sorted(touched.keys() - told.keys() - delivered):
            yield function, f"may use {touched[urn].name}, but no variable names it"
        perhaps = _touched(stack, function, _PERHAPS)
        for urn in sorted(told.keys() - touched.keys() - perhaps.keys()):
            yield function, f"is told of {told[urn].name}, but may do nothing with it"


@rule
def labels_are_asked_for_by_right(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A switch without the right fails with each picture; the right without the switch may cost money unasked."""
    for function in stack.all(aws.FUNCTION):
        if links.acts_in_a_foreign_role(stack, function):
            continue
        held = documents.pairs(links.rights(stack, links.role_of(stack, function)))
        asks = links.environment(function).get(LABELS) == "on"
        if asks != ((DETECT, "*") in held):
            yield function, f"must hold {DETECT} if and only if {LABELS} is on"


@rule
def release_moves_an_alias(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Every function is published and called by an alias that follows its version."""
    for function in stack.all(aws.FUNCTION):
        aliases = stack.having(aws.ALIAS, functionName=function.get("name"))
        if function.get("publish") is not True or not aliases:
            yield function, "set publish, and give it an alias"
        for alias in aliases:
            if alias.get("functionVersion") != function.output("version"):
                yield alias, "must point at the function's published version"


@rule
def asynchronous_failures_end_somewhere(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Nobody waits for these answers: retries are finite, and then the event waits somewhere."""
    for start in links.starts(stack):
        if start.kind not in _NOT_AWAITED:
            continue
        function, alias = start.invoked.function, start.invoked.alias
        qualifier = alias.get("name") if alias else None
        configs = stack.having(
            aws.EVENT_INVOKE, functionName=function.get("name"), qualifier=qualifier
        )
        if not configs:
            yield (
                function,
                f"{start.by.name} starts it; it needs a FunctionEventInvokeConfig on that alias",
            )
    for config in stack.all(aws.EVENT_INVOKE):
        if not stack.having(
            aws.ALIAS, functionName=config.get("functionName"), name=config.get("qualifier")
        ):
            yield config, "qualifier must be an alias of a function of this stack"
        yield from ((config, text) for text in _unfinished(config))


def _unfinished(config: Registered) -> Iterator[str]:
    retries, age = config.get("maximumRetryAttempts"), config.get("maximumEventAgeInSeconds")
    if not isinstance(retries, int) or not 0 <= retries <= 2:
        yield f"maximumRetryAttempts is {retries}; say 0 to 2"
    if not isinstance(age, int) or not 60 <= age <= 21_600:
        yield f"maximumEventAgeInSeconds is {age}; say 60 to 21600"
    if not config.get("destinationConfig.onFailure.destination"):
        yield "set destinationConfig.onFailure, or failed events are lost"


def _touched(
    stack: Stack, function: Registered, calls: tuple[str, ...] = _OWN_CALLS
) -> dict[str, Registered]:
    """URN -> everything of this stack that the function's own code may call."""
    return {
        owner.urn: owner
        for action, resource in documents.pairs(links.rights(stack, links.role_of(stack, function)))
        if action.startswith(calls) and action.split(":")[1] not in _BY_AWS
        if (owner := stack.at(resource.removesuffix("*")))
    }


def _delivered(stack: Stack, function: Registered) -> set[str]:
    """URNs of what AWS itself delivers to in the function's role; its code need not know of it."""
    arns = {d.arn for d in links.destinations(stack) if links.acting(stack, d.by) is function}
    return {owner.urn for arn in arns if (owner := stack.at(arn))}


def _names(resource: Registered) -> set[str]:
    """What a variable would hold to name a resource that handlers call."""
    return {
        aws.TABLE: {resource.output("name")},
        aws.BUCKET: {resource.output("bucket")},
        aws.TOPIC: {resource.output("arn")},
        aws.QUEUE: {resource.output("url")},
        aws.EVENT_BUS: {resource.output("name")},
        aws.DATA_STREAM: {resource.output("name")},
        aws.ALIAS: {resource.output("arn")},
        aws.SECRET: {resource.output("arn")},
        aws.FUNCTION: {str(resource.get("name") or "")},
    }.get(resource.type, set()) - {""}


def _secret_texts(stack: Stack) -> set[str]:
    """Every text that no variable may contain: generated passwords, and what secrets hold."""
    made = {r.output("result") for r in stack.all("random:index/randomPassword:RandomPassword")}
    for version in stack.all(aws.SECRET_VERSION):
        text = str(version.get("secretString") or "")
        made.add(text)
        made.add(str((documents.json_object(text) or {}).get("key") or ""))
    return made - {""}


RULES = (
    function_is_within_limits,
    function_answers_before_the_gateway_gives_up,
    user_pool_gets_its_answer,
    function_logs_as_json,
    environment_is_acceptable,
    environment_and_rights_agree,
    labels_are_asked_for_by_right,
    release_moves_an_alias,
    asynchronous_failures_end_somewhere,
)
