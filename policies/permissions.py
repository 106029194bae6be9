"""Who may invoke a function: Lambda permissions match what the program wires, no more and no less.

The emulator does not judge them, and AWS judges them with the first request: `403` or silence, with a green update.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from policies import aws, links
from policies.deliveries import EVENTS, S3, SNS
from policies.links import Start
from policies.model import Registered, Stack, rule
from policies.urls import is_for_a_url

API = "apigateway.amazonaws.com"
BALANCER = "elasticloadbalancing.amazonaws.com"
LOGS = "logs.amazonaws.com"
COGNITO = "cognito-idp.amazonaws.com"
PERMISSIONS_A_FUNCTION = 20
"""A function's resource policy holds 20,480 bytes, some 30 to 50 statements (Lambda quotas); this leaves room."""


@dataclass(frozen=True)
class Allowed:
    """What a permission says: which function, by which alias, who, on whose behalf, in which account."""

    function: str
    qualifier: str
    principal: str
    source_arn: str
    source_account: str = ""


@rule
def what_is_started_exists(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A route, trigger or schedule starts a function of this stack; of another one we see neither rights nor limits."""
    for target in links.targets(stack):
        if links.invoked(stack, target.arn) is None:
            yield (
                target.by,
                f"starts '{target.arn}' ({target.kind}), which is no function of this stack",
            )


@rule
def permission_names_its_source(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Without a source ARN, anybody's API or bucket may invoke the function through the same service."""
    for permission in _of_services(stack):
        arn = permission.get("sourceArn")
        named = _named(permission, arn) if isinstance(arn, str) else ""
        if not named.startswith("arn:") or named.endswith(":*"):
            yield permission, "sourceArn is missing or names everything; name the one source"
        if permission.get("principal") == S3 and not permission.get("sourceAccount"):
            yield permission, "a bucket's ARN names no account; set sourceAccount"
        if permission.get("action") != "lambda:InvokeFunction":
            yield permission, f"allows {permission.get('action')}; allow lambda:InvokeFunction only"


@rule
def everything_wired_may_invoke(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A permission on the bare function does not cover its alias, nor the other way round."""
    given = {_allowed(p) for p in _of_services(stack)}
    for start in links.starts(stack):
        wanted = _wanted(stack, start)
        if wanted is not None and wanted not in given:
            called = f"alias '{wanted.qualifier}'" if wanted.qualifier else "the bare function"
            text = f"{start.by.name} ({start.kind}) may not invoke it: no permission for {wanted.principal} on {called}"
            yield start.invoked.function, f"{text} with source {wanted.source_arn}"


@rule
def permission_is_used(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A permission that nothing needs is a door left open."""
    used = {_wanted(stack, start) for start in links.starts(stack)}
    for permission in _of_services(stack):
        if _allowed(permission) not in used:
            yield (
                permission,
                "no route, authorizer, target, upload, topic, rule, log or user pool needs it; remove it",
            )


@rule
def permissions_fit_their_function(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """One permission for each function and API, not for each route: their sum is limited."""
    counted = Counter(str(p.get("function")) for p in stack.all(aws.PERMISSION))
    for function in stack.all(aws.FUNCTION):
        count = counted[str(function.get("name"))]
        if count > PERMISSIONS_A_FUNCTION:
            yield (
                function,
                f"{count} permissions; more than {PERMISSIONS_A_FUNCTION} may not fit 20,480 bytes",
            )


@rule
def function_is_called_by_its_alias(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """What calls the bare function goes past provisioned concurrency, and past a release that moves the alias."""
    for start in links.starts(stack):
        if start.invoked.alias is None:
            yield start.by, f"starts {start.invoked.function.name} itself; name its alias"


def _of_services(stack: Stack) -> list[Registered]:
    """Permissions of services; those of a URL's callers have rules of their own."""
    return [p for p in stack.all(aws.PERMISSION) if not is_for_a_url(p)]


def _allowed(permission: Registered) -> Allowed:
    principal = str(permission.get("principal") or "")
    # CloudWatch Logs goes by its region's name, too.
    regional = re.fullmatch(r"logs\.[a-z0-9-]+\.amazonaws\.com", principal)
    return Allowed(
        function=str(permission.get("function") or ""),
        qualifier=str(permission.get("qualifier") or ""),
        principal=LOGS if regional else principal,
        source_arn=str(permission.get("sourceArn") or ""),
        source_account=str(permission.get("sourceAccount") or ""),
    )


def _named(permission: Registered, arn: str) -> str:
    """The ARN without what must follow a log group's: `:*`, for its streams."""
    logs = str(permission.get("principal")).startswith("logs.")
    one = re.fullmatch(r"(arn:.+:log-group:[^*]+):\*", arn) if logs else None
    return one[1] if one else arn


def _wanted(stack: Stack, start: Start) -> Allowed | None:
    """What AWS will look for; None for sources that act in a role instead of being permitted."""
    function = str(start.invoked.function.get("name"))
    alias = start.invoked.alias
    qualifier = str(alias.get("name")) if alias else ""
    if start.kind in {"api", "authorizer"}:
        path = "/*/*" if start.kind == "api" else "/authorizers/*"
        return Allowed(function, qualifier, API, start.by.output("executionArn") + path)
    if start.kind == "target":
        arn = str(start.by.get("targetGroupArn"))
        account = links.place_of(start.invoked.function).account
        return Allowed(function, qualifier, BALANCER, arn, account)
    if start.kind == "log":
        group = links.group_of(stack, start.by)
        arn = f"{group.output('arn') if group else ''}:*"
        return Allowed(
            function, qualifier, LOGS, arn, links.place_of(start.invoked.function).account
        )
    if start.kind == "upload":
        bucket = stack.answering("bucket", str(start.by.get("bucket")), aws.BUCKET)
        arn = bucket.output("arn") if bucket else ""
        return Allowed(function, qualifier, S3, arn, links.place_of(start.invoked.function).account)
    found = _single_source(stack, start)
    return Allowed(function, qualifier, *found) if found else None


def _single_source(stack: Stack, start: Start) -> tuple[str, str] | None:
    """(principal, source ARN) of what is one thing with an ARN of its own, which names the account."""
    match start.kind:
        case "topic":
            return SNS, str(start.by.get("topic"))
        case "rule":
            one = links.rule_of(stack, start.by)
            return EVENTS, one.output("arn") if one else ""
        case "pool":
            return COGNITO, start.by.output("arn")
        case _:
            return None


RULES = (
    what_is_started_exists,
    permission_names_its_source,
    everything_wired_may_invoke,
    permission_is_used,
    permissions_fit_their_function,
    function_is_called_by_its_alias,
)
