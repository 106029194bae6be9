"""CloudWatch Logs: who is told of what is written to a log group."""

from __future__ import annotations

import re
from typing import Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.permissions import may_invoke
from sandbox.services.shared import REGION, physical_name, remove
from sandbox.workers import log_patterns

_MOST = 2
"""Subscription filters of one log group (CloudWatch Logs quotas)."""
_LONGEST: Final = 1024
_QUOTED: Final = re.compile(r'"(?:\\.|[^"\\])*"|%[^%]*%')
_CONDITION: Final = re.compile(
    r"!?\s*\$[^\s=!<>]*\s*(?:(?:=|!=|<=?|>=?)\s*[^\s=!<>]|(?:IS|NOT)\s+\w)", re.IGNORECASE
)


@resource("aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter", ignored=REGION)
def subscription_filter(r: Resource) -> Outputs:
    name, group = physical_name(r, limit=512), r.take("logGroup")
    if not isinstance(group, str):
        raise TypeError("logGroup: the name of a log group is wanted here")
    place = r.inputs["destinationArn"]
    _must_fit(r, group, name)
    _must_be_invocable(r, place, group)
    must_be_a_pattern(r.inputs.get("filterPattern") or "")
    try:
        log_patterns.matcher(r.inputs.get("filterPattern") or "")
    except log_patterns.Unread as error:
        r.note(f"nothing is sent: its pattern is not read here ({error})")
    if ":function:" not in place:
        r.note("nothing is sent to its destination: only functions are told here")
    r.api(
        "logs",
        "put_subscription_filter",
        "applyOnTransformedLogs",
        "destinationArn",
        "distribution",
        "emitSystemFields",
        "roleArn",
        logGroupName=group,
        filterName=name,
        filterPattern=r.take("filterPattern", ""),
    )
    return {"id": f"{group}|{name}", "name": name, "logGroup": group}


@subscription_filter.updates
def update_subscription_filter(r: Resource) -> Outputs:
    """The call is a put; another group or name is another filter."""
    if r.changed & {"name", "namePrefix", "logGroup"}:
        delete_subscription_filter(r)
    return subscription_filter.create(r)


@subscription_filter.deletes
def delete_subscription_filter(r: Resource) -> None:
    old = r.old or {}
    remove(
        r,
        "logs",
        "delete_subscription_filter",
        logGroupName=old["logGroup"],
        filterName=old["name"],
    )


def _must_fit(r: Resource, group: str, name: str) -> None:
    there = r.call("logs", "describe_subscription_filters", logGroupName=group)
    others = {each["filterName"] for each in there["subscriptionFilters"]} - {name}
    if len(others) >= _MOST:
        raise ValueError(f"{group} has {_MOST} subscription filters already, AWS allows no more")


def must_be_a_pattern(pattern: str) -> None:
    """Refuse what is no pattern by any reading, as AWS does; the emulator would take it.

    Source: CloudWatch Logs user guide, "Filter pattern syntax".
    """
    if why := _flaw(pattern.strip()):
        said = "InvalidParameterException: Invalid subscription filter pattern"
        raise ValueError(f"{said} ({why}): {pattern}")


def _flaw(pattern: str) -> str:
    if len(pattern) > _LONGEST:
        return f"{len(pattern)} characters, {_LONGEST} at most"
    # What stands in quotes, or between the signs of a regular expression, is nobody's syntax.
    bare = _QUOTED.sub("x", pattern)
    if '"' in bare:
        return "a quote is not closed"
    for opened, closed in ("{}", "[]"):
        if bare.startswith(opened) and not bare.endswith(closed):
            return f"no closing {closed}"
    return _flaw_of_conditions(bare[1:-1]) if bare.startswith("{") else ""


def _flaw_of_conditions(bare: str) -> str:
    if bare.count("(") != bare.count(")"):
        return "a parenthesis is not closed"
    for part in re.split(r"&&|\|\|", bare):
        if not _CONDITION.match(part.strip(" ()\t\n")):
            return f"no condition: '{part.strip()}'"
    return ""


def _must_be_invocable(r: Resource, place: str, group: str) -> None:
    """Refuse a function without a permission for CloudWatch Logs, as AWS does; the emulator would take it."""
    source = f"arn:aws:logs:{r.aws.region}:{r.aws.account}:log-group:{group}:*"
    services = ("logs.amazonaws.com", f"logs.{r.aws.region}.amazonaws.com")
    if ":function:" in place and not may_invoke(r, place, services, source):
        raise ValueError(
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute "
            f"your function: {place} has no permission for logs.amazonaws.com with the source {source}"
        )
