"""Listeners of load balancers and their rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from sandbox.resources import Block, Outputs, Resource, resource
from sandbox.services.lb import ELB, modify_attributes, retag
from sandbox.services.shared import REGION, pairs, remove, replaced, tags


@resource("aws:lb/listener:Listener", ignored=REGION)
def listener(r: Resource) -> Outputs:
    wanted, balancer = tags(r), r.take("loadBalancerArn")
    made = r.call(
        ELB,
        "create_listener",
        LoadBalancerArn=balancer,
        Tags=pairs(wanted),
        **_listener(r),
    )["Listeners"][0]
    arn = made["ListenerArn"]
    _set_attributes(r, arn)
    return {"id": arn, "arn": arn, "loadBalancerArn": balancer, **_spoken(r), "tagsAll": wanted}


@listener.updates
def update_listener(r: Resource) -> Outputs:
    if "loadBalancerArn" in r.changed:
        return replaced(listener.create, delete_listener)(r)
    old, wanted = dict(r.old or {}), tags(r)
    r.take("loadBalancerArn")
    r.call(ELB, "modify_listener", ListenerArn=old["arn"], **_listener(r))
    _set_attributes(r, old["arn"])
    retag(r, old["arn"], wanted)
    return {**old, **_spoken(r), "tagsAll": wanted}


@listener.deletes
def delete_listener(r: Resource) -> None:
    remove(r, ELB, "delete_listener", ListenerArn=(r.old or {})["arn"])


def _spoken(r: Resource) -> dict[str, str]:
    """The protocol as it is spoken here, so that an address made of it works."""
    declared = r.inputs.get("protocol", "HTTP")
    return {"protocol": "HTTP" if declared == "HTTPS" else declared}


def _listener(r: Resource) -> dict[str, Any]:
    certificate, policy = r.take("certificateArn"), r.take("sslPolicy")
    port, protocol = r.take("port"), r.take("protocol", "HTTP")
    if protocol == "HTTPS":
        r.note("it speaks plain HTTP here")
    given = {
        "Port": port,
        "Protocol": protocol,
        "SslPolicy": policy,
        "Certificates": [{"CertificateArn": certificate}] if certificate else None,
        "DefaultActions": actions(r, r.blocks("defaultActions")),
    }
    return {key: value for key, value in given.items() if value is not None}


_HEADER: Final = re.compile(
    r"routing_http_(request|response)_(\w+?)_(header_name|header_value|enabled)"
)


def _set_attributes(r: Resource, arn: str) -> None:
    """`routingHttpResponseServerEnabled` is the attribute `routing.http.response.server.enabled`, and so on."""
    given = {}
    for key in r.inputs:
        name = re.sub(r"(?<!^)([A-Z])", r"_\1", key).lower()
        if found := _HEADER.fullmatch(name):
            given["routing.http.{}.{}.{}".format(*found.groups())] = r.take(key)
    modify_attributes(r, "modify_listener_attributes", given, ListenerArn=arn)


def actions(r: Resource, blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Actions as the API has them; the emulator forwards to one target group only."""
    return [_action(r, number, block) for number, block in enumerate(blocks, 1)]


def _action(r: Resource, number: int, block: Block) -> dict[str, Any]:
    made = {"Type": block.take("type"), "Order": block.take("order", number)}
    group = block.take("targetGroupArn")
    groups = block.block("forward").blocks("targetGroups")
    arns = [each.take("arn") for each in groups if each.take("weight", 1)]
    if len(arns) > 1:
        r.note("only its first target group gets requests")
    if group or arns:
        made["TargetGroupArn"] = group or arns[0]
    for key, name in (("fixedResponse", "FixedResponseConfig"), ("redirect", "RedirectConfig")):
        if block.inputs.get(key):
            inner = block.block(key)
            made[name] = {
                part[0].upper() + part[1:]: str(inner.take(part)) for part in inner.inputs
            }
    return made


@resource("aws:lb/listenerRule:ListenerRule", ignored=REGION)
def listener_rule(r: Resource) -> Outputs:
    wanted, place = tags(r), r.take("listenerArn")
    priority = r.take("priority") or _next_priority(r, place)
    made = r.call(
        ELB,
        "create_rule",
        ListenerArn=place,
        Priority=int(priority),
        Tags=pairs(wanted),
        Conditions=_conditions(r),
        Actions=actions(r, r.blocks("actions")),
    )["Rules"][0]
    arn = made["RuleArn"]
    return {"id": arn, "arn": arn, "listenerArn": place, "priority": priority, "tagsAll": wanted}


@listener_rule.updates
def update_listener_rule(r: Resource) -> Outputs:
    if "listenerArn" in r.changed:
        return replaced(listener_rule.create, delete_listener_rule)(r)
    old, wanted = dict(r.old or {}), tags(r)
    r.take("listenerArn")
    priority = r.take("priority") or old["priority"]
    r.call(
        ELB,
        "modify_rule",
        RuleArn=old["arn"],
        Conditions=_conditions(r),
        Actions=actions(r, r.blocks("actions")),
    )
    order = [{"RuleArn": old["arn"], "Priority": int(priority)}]
    r.call(ELB, "set_rule_priorities", RulePriorities=order)
    retag(r, old["arn"], wanted)
    return {**old, "priority": priority, "tagsAll": wanted}


@listener_rule.deletes
def delete_listener_rule(r: Resource) -> None:
    remove(r, ELB, "delete_rule", RuleArn=(r.old or {})["arn"])


def _next_priority(r: Resource, place: str) -> int:
    """The first number that is free, as the provider chooses it."""
    rules = r.call(ELB, "describe_rules", ListenerArn=place)["Rules"]
    taken = [int(rule["Priority"]) for rule in rules if rule["Priority"].isdigit()]
    return max(taken, default=0) + 1


_FIELDS: Final = {
    "hostHeader": "host-header",
    "httpRequestMethod": "http-request-method",
    "pathPattern": "path-pattern",
    "sourceIp": "source-ip",
}


def _conditions(r: Resource) -> list[dict[str, Any]]:
    return [made for block in r.blocks("conditions") for made in _condition(r, block)]


def _condition(r: Resource, block: Block) -> Iterable[dict[str, Any]]:
    for key, field in _FIELDS.items():
        if block.inputs.get(key):
            yield {"Field": field, "Values": block.block(key).take("values")}
    if block.inputs.get("sourceIp"):
        r.note("every source address matches")
    if block.inputs.get("httpHeader"):
        inner = block.block("httpHeader")
        named = {"HttpHeaderName": inner.take("httpHeaderName"), "Values": inner.take("values")}
        yield {"Field": "http-header", "HttpHeaderConfig": named}
    if queries := block.blocks("queryStrings"):
        # The emulator reads them as plain texts, and wants all of one condition where AWS wants any.
        if len(queries) > 1:
            r.note("all of its query strings must match, not any")
        texts = [f"{each.take('key', '')}={each.take('value')}" for each in queries]
        yield {"Field": "query-string", "Values": texts}
