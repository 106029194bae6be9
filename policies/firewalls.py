"""Web ACLs in front of REST stages: which rules, what they write down, and that production has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies import aws
from policies.encryption import key_of
from policies.model import Registered, Stack, rule

MANAGED = frozenset(
    {
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesAnonymousIpList",
        "AWSManagedRulesAmazonIpReputationList",
    }
)
"""Rule groups that AWS keeps up to date and that every API here gets."""
COUNTED: Mapping[str, str] = {
    "HostingProviderIPList": "it refuses data centres, from which servers call an API",
    "SizeRestrictions_BODY": "it refuses bodies over 8 KB; models and functions say how long one may be",
}
"""Rules in those groups that may be counted instead of enforced, and why."""
LIMITS = 10, 2_000_000_000
WINDOWS = frozenset({60, 120, 300, 600})
"""Requests of one address, and seconds over which they are counted (RateBasedStatement)."""
LOG_PREFIX = "aws-waf-logs-"
SECRET_HEADERS = frozenset({"authorization", "cookie", "x-api-key"})


@rule
def production_stands_behind_a_firewall(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Every REST stage of production has a web ACL of this stack; HTTP and WebSocket APIs cannot have one."""
    for stage in stack.all(aws.REST_STAGE) if stack.production else ():
        found = stack.having(aws.WEB_ACL_ASSOCIATION, resourceArn=stage.output("arn"))
        if not any(stack.at(str(a.get("webAclArn")), aws.WEB_ACL) for a in found):
            yield stage, "needs a web ACL of this stack in production"


@rule
def firewall_blocks_what_it_knows(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """The managed rule groups as AWS means them, and a rate per address; counted only, they would stop nobody."""
    for acl in stack.all(aws.WEB_ACL):
        rules: list[dict[str, Any]] = acl.get("rules") or []
        if acl.get("scope") != "REGIONAL":
            yield acl, "scope must be REGIONAL: its stage is"
        if "allow" not in (acl.get("defaultAction") or {}):
            yield acl, "defaultAction must be allow: the rules say what to block"
        if not all(_seen(part) for part in (acl.properties, *rules)):
            yield acl, "set cloudwatchMetricsEnabled in every visibilityConfig"
        blocking = {name for r in rules if (name := _managed(r)) and _as_meant(r)}
        for name in sorted(MANAGED - blocking):
            yield acl, f"needs {name} of AWS with overrideAction none, and no rule counted only"
        if not any(_limits(r) for r in rules):
            yield acl, "needs a rule that blocks an address by its rate"


@rule
def firewall_writes_a_log(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """To an encrypted group whose name AWS asks for, without tokens and cookies; and it guards something."""
    for acl in stack.all(aws.WEB_ACL):
        arn = acl.output("arn")
        if not stack.having(aws.WEB_ACL_ASSOCIATION, webAclArn=arn):
            yield acl, "guards nothing; associate it with a stage, or remove it"
        logging = stack.having(aws.WEB_ACL_LOGGING, resourceArn=arn)
        if not logging:
            yield acl, "needs a logging configuration"
        for configuration in logging:
            named = configuration.get("logDestinationConfigs") or [""]
            group = stack.at(str(named[0]), aws.LOG_GROUP)
            if group is None or not key_of(stack, group):
                yield configuration, "must log to an encrypted log group of this stack"
            elif not str(group.get("name")).startswith(LOG_PREFIX):
                yield group, f"its name must begin with {LOG_PREFIX}, or AWS refuses it"
            hidden = {
                str((field.get("singleHeader") or {}).get("name")).lower()
                for field in configuration.get("redactedFields") or []
            }
            for header in sorted(SECRET_HEADERS - hidden):
                yield configuration, f"redactedFields must hide the header {header}"


def _managed(written: Mapping[str, Any]) -> str:
    """The managed rule group of AWS that a rule names; empty for any other rule."""
    group = (written.get("statement") or {}).get("managedRuleGroupStatement") or {}
    return str(group.get("name")) if group.get("vendorName") == "AWS" else ""


def _as_meant(written: Mapping[str, Any]) -> bool:
    """Neither the group nor one of its rules is counted instead of enforced."""
    group = written["statement"]["managedRuleGroupStatement"]
    counted = any(
        "count" in (o.get("actionToUse") or {}) and o.get("name") not in COUNTED
        for o in group.get("ruleActionOverrides") or []
    )
    return "none" in (written.get("overrideAction") or {}) and not counted


def _limits(written: Mapping[str, Any]) -> bool:
    rate = (written.get("statement") or {}).get("rateBasedStatement") or {}
    return (
        "block" in (written.get("action") or {})
        and LIMITS[0] <= (rate.get("limit") or 0) <= LIMITS[1]
        and rate.get("evaluationWindowSec", 300) in WINDOWS
        and rate.get("aggregateKeyType", "IP") in {"IP", "FORWARDED_IP"}
    )


def _seen(written: Mapping[str, Any]) -> bool:
    return (written.get("visibilityConfig") or {}).get("cloudwatchMetricsEnabled") is True


RULES = (
    production_stands_behind_a_firewall,
    firewall_blocks_what_it_knows,
    firewall_writes_a_log,
)
