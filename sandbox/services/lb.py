"""Load balancers and target groups. Their rules are real for HTTP; the address is a path of the sandbox's own.

`dnsName` is what stands after `http://` here (`127.0.0.1:PORT/_alb/<name>`), so that an address made of it works.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, dropped, pairs, physical_name, remove, replaced, tags

ELB: Final = "elbv2"
_LB_ATTRIBUTES: Final = {
    "clientKeepAlive": "client_keep_alive.seconds",
    "desyncMitigationMode": "routing.http.desync_mitigation_mode",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "enableCrossZoneLoadBalancing": "load_balancing.cross_zone.enabled",
    "enableDeletionProtection": "deletion_protection.enabled",
    "enableHttp2": "routing.http2.enabled",
    "enableTlsVersionAndCipherSuiteHeaders": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "enableWafFailOpen": "waf.fail_open.enabled",
    "enableXffClientPort": "routing.http.xff_client_port.enabled",
    "idleTimeout": "idle_timeout.timeout_seconds",
    "preserveHostHeader": "routing.http.preserve_host_header.enabled",
    "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
}
_LOGS: Final = {"accessLogs": "access_logs", "connectionLogs": "connection_logs"}


@resource("aws:lb/loadBalancer:LoadBalancer", ignored=REGION)
def load_balancer(r: Resource) -> Outputs:
    name, wanted = physical_name(r, limit=32), tags(r)
    internal = r.take("internal")
    kind = r.take("loadBalancerType", "application")
    if kind != "application":
        r.note(f"load balancers of type {kind} pass nothing on")
    made = r.api(
        ELB,
        "create_load_balancer",
        "ipAddressType",
        "securityGroups",
        "subnetMappings",
        "subnets",
        Name=name,
        Scheme="internal" if internal else "internet-facing",
        Type=kind,
        Tags=pairs(wanted),
    )["LoadBalancers"][0]
    _set_attributes(r, made["LoadBalancerArn"])
    return _lb_outputs(r, made, name, wanted)


@load_balancer.updates
def update_load_balancer(r: Resource) -> Outputs:
    """Attributes and tags change in place; anything else makes another one, which loses nothing."""
    if r.changed - {"tags", *_LB_ATTRIBUTES, *_LOGS}:
        return replaced(load_balancer.create, delete_load_balancer)(r)
    old, wanted = dict(r.old or {}), tags(r)
    for key in ("name", "internal", "ipAddressType", "loadBalancerType", "securityGroups"):
        r.take(key)
    for key in ("namePrefix", "subnets", "subnetMappings"):
        r.take(key)
    _set_attributes(r, old["arn"])
    retag(r, old["arn"], wanted)
    return {**old, "tagsAll": wanted}


@load_balancer.deletes
def delete_load_balancer(r: Resource) -> None:
    remove(r, ELB, "delete_load_balancer", LoadBalancerArn=(r.old or {})["arn"])


def _set_attributes(r: Resource, arn: str) -> None:
    given = {name: r.take(key) for key, name in _LB_ATTRIBUTES.items()}
    for key, name in _LOGS.items():
        block = r.block(key)
        given |= {f"{name}.s3.{part}": block.take(part) for part in ("bucket", "enabled", "prefix")}
        if block.inputs:
            r.note(f"{name.replace('_', ' ')} are not written")
    modify_attributes(r, "modify_load_balancer_attributes", given, LoadBalancerArn=arn)


def modify_attributes(
    r: Resource, operation: str, given: Mapping[str, Any], **parameters: str
) -> None:
    """Set attributes; the API takes texts only."""
    listed = [
        {"Key": key, "Value": str(value).lower() if isinstance(value, bool) else str(value)}
        for key, value in given.items()
        if value is not None
    ]
    if listed:
        r.call(ELB, operation, Attributes=listed, **parameters)


def retag(r: Resource, arn: str, wanted: dict[str, str]) -> None:
    """Bring the tags of an existing part of a load balancer to what is wanted."""
    if extra := dropped(r, wanted):
        r.call(ELB, "remove_tags", ResourceArns=[arn], TagKeys=extra)
    if wanted:
        r.call(ELB, "add_tags", ResourceArns=[arn], Tags=pairs(wanted))


def _lb_outputs(r: Resource, made: dict[str, Any], name: str, wanted: dict[str, str]) -> Outputs:
    arn = made["LoadBalancerArn"]
    return {
        "id": arn,
        "arn": arn,
        "arnSuffix": arn.partition("loadbalancer/")[2],
        "name": name,
        "dnsName": f"{r.aws.endpoint.partition('://')[2]}/_alb/{name}",
        "vpcId": made.get("VpcId", ""),
        "zoneId": "Z" + hashlib.sha256(r.aws.region.encode()).hexdigest()[:12].upper(),
        "tagsAll": wanted,
    }


_TG_ATTRIBUTES: Final = {
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "lambdaMultiValueHeadersEnabled": "lambda.multi_value_headers.enabled",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
    "slowStart": "slow_start.duration_seconds",
}
_HEALTH: Final = {
    "enabled": "HealthCheckEnabled",
    "healthyThreshold": "HealthyThresholdCount",
    "interval": "HealthCheckIntervalSeconds",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
    "timeout": "HealthCheckTimeoutSeconds",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}


@resource("aws:lb/targetGroup:TargetGroup", ignored=REGION)
def target_group(r: Resource) -> Outputs:
    name, wanted = physical_name(r, limit=32), tags(r)
    made = r.api(
        ELB,
        "create_target_group",
        "ipAddressType",
        "port",
        "protocol",
        "protocolVersion",
        "targetType",
        "vpcId",
        Name=name,
        Tags=pairs(wanted),
        **_health(r),
    )["TargetGroups"][0]
    arn = made["TargetGroupArn"]
    _set_group_attributes(r, arn)
    return {
        "id": arn,
        "arn": arn,
        "arnSuffix": arn.rpartition(":")[2],
        "name": name,
        "loadBalancerArns": [],
        "tagsAll": wanted,
    }


@target_group.updates
def update_target_group(r: Resource) -> Outputs:
    if r.changed - {"tags", "healthCheck", "stickiness", *_TG_ATTRIBUTES}:
        return replaced(target_group.create, delete_target_group)(r)
    old, wanted = dict(r.old or {}), tags(r)
    for key in ("ipAddressType", "name", "namePrefix", "port", "protocol"):
        r.take(key)
    for key in ("protocolVersion", "targetType", "vpcId"):
        r.take(key)
    r.call(ELB, "modify_target_group", TargetGroupArn=old["arn"], **_health(r))
    _set_group_attributes(r, old["arn"])
    retag(r, old["arn"], wanted)
    return {**old, "tagsAll": wanted}


@target_group.deletes
def delete_target_group(r: Resource) -> None:
    remove(r, ELB, "delete_target_group", TargetGroupArn=(r.old or {})["arn"])


def _health(r: Resource) -> dict[str, Any]:
    block = r.block("healthCheck")
    if block.inputs:
        r.note("its targets are not probed")
    given = {name: block.take(key) for key, name in _HEALTH.items()}
    if matcher := block.take("matcher"):
        given["Matcher"] = {"HttpCode": matcher}
    return {key: value for key, value in given.items() if value is not None}


def _set_group_attributes(r: Resource, arn: str) -> None:
    given = {name: r.take(key) for key, name in _TG_ATTRIBUTES.items()}
    sticky = r.block("stickiness")
    given["stickiness.enabled"] = sticky.take("enabled")
    given["stickiness.type"] = sticky.take("type")
    given["stickiness.lb_cookie.duration_seconds"] = sticky.take("cookieDuration")
    given["stickiness.app_cookie.cookie_name"] = sticky.take("cookieName")
    if sticky.inputs:
        r.note("requests of one client are not kept together")
    modify_attributes(r, "modify_target_group_attributes", given, TargetGroupArn=arn)


@resource("aws:lb/targetGroupAttachment:TargetGroupAttachment", ignored=REGION)
def target_group_attachment(r: Resource) -> Outputs:
    group, target = r.take("targetGroupArn"), r.take("targetId")
    one = {"Id": target, "Port": r.take("port"), "AvailabilityZone": r.take("availabilityZone")}
    targets = [{key: value for key, value in one.items() if value is not None}]
    r.call(ELB, "register_targets", TargetGroupArn=group, Targets=targets)
    return {"id": f"{group}-{target}", "targetGroupArn": group, "targetId": target}


@target_group_attachment.deletes
def delete_target_group_attachment(r: Resource) -> None:
    old = r.old or {}
    remove(
        r,
        ELB,
        "deregister_targets",
        TargetGroupArn=old["targetGroupArn"],
        Targets=[{"Id": old["targetId"]}],
    )


target_group_attachment.updates(
    replaced(target_group_attachment.create, delete_target_group_attachment)
)
