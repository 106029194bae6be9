"""Application load balancers in front of functions: TLS, who may reach them, and what stands behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies import aws
from policies.model import Registered, Stack, rule

PUBLIC: Mapping[str, str] = {}
"""Load balancers (logical names) that the internet may reach, and why."""

TLS_POLICIES = ("ELBSecurityPolicy-TLS13-1-2-", "ELBSecurityPolicy-TLS13-1-3-")
FEWEST_ZONES = 2


@rule
def load_balancer_is_careful(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Inside the network unless named here, in two zones, without headers that only look like HTTP."""
    for balancer in stack.all(aws.LOAD_BALANCER):
        if balancer.get("internal") is not True and balancer.name not in PUBLIC:
            yield balancer, "must be internal: it is not on the list of public load balancers"
        if balancer.get("dropInvalidHeaderFields") is not True:
            yield balancer, "set dropInvalidHeaderFields"
        if balancer.get("desyncMitigationMode") not in {None, "defensive", "strictest"}:
            yield balancer, "desyncMitigationMode must be defensive or strictest"
        if len(balancer.get("subnets") or ()) < FEWEST_ZONES:
            yield balancer, f"needs subnets in {FEWEST_ZONES} zones at least"
        if not balancer.get("securityGroups"):
            yield balancer, "needs a security group: AWS's default one lets nobody in, or everybody"
        if stack.production and balancer.get("enableDeletionProtection") is not True:
            yield balancer, "set enableDeletionProtection in production"


@rule
def listener_speaks_tls(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """TLS with a current policy, and nothing for a path that nobody named; plain HTTP is led to TLS."""
    for listener in stack.all(aws.LISTENER):
        actions: list[dict[str, Any]] = listener.get("defaultActions") or [{}]
        if listener.get("protocol") == "HTTPS":
            if not str(listener.get("sslPolicy")).startswith(TLS_POLICIES):
                yield (
                    listener,
                    "sslPolicy must be one of TLS 1.2 and 1.3, ELBSecurityPolicy-TLS13-...",
                )
            if not str(listener.get("certificateArn") or "").startswith("arn:"):
                yield listener, "names no certificate"
            if str((actions[0].get("fixedResponse") or {}).get("statusCode")) != "404":
                yield listener, "its default action must be a fixed response 404"
        else:
            redirect = actions[0].get("redirect") or {}
            led = redirect.get("protocol") == "HTTPS" and redirect.get("statusCode") == "HTTP_301"
            if not led or stack.having(aws.LISTENER_RULE, listenerArn=listener.output("arn")):
                yield listener, "may do nothing but redirect to HTTPS with HTTP_301"


@rule
def target_is_reached_and_permitted(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A group of one function, a rule that leads to it; AWS tries the function when it is attached."""
    forwarded = {
        action.get("targetGroupArn")
        for r in stack.all(aws.LISTENER_RULE)
        for action in r.get("actions") or []
    }
    for group in stack.all(aws.TARGET_GROUP):
        arn = group.output("arn")
        if group.get("targetType") != "lambda":
            yield group, "targetType must be lambda"
        if arn not in forwarded:
            yield group, "no listener rule leads to it"
        attached = stack.having(aws.TARGET_GROUP_ATTACHMENT, targetGroupArn=arn)
        if len(attached) != 1:
            yield group, f"has {len(attached)} functions attached; a group takes one"
        for attachment in attached:
            permissions = stack.having(aws.PERMISSION, sourceArn=arn)
            yield from stack.not_awaited(attachment, permissions)


RULES = (load_balancer_is_careful, listener_speaks_tls, target_is_reached_and_permitted)
