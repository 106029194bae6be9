"""EventBridge: buses, rules, targets."""

from __future__ import annotations

from typing import Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, dropped, nested, pairs, physical_name, remove, tags

_FORCED: Final = {"forceDestroy": "only AWS services make managed rules, and none does here"}


_BUS: Final = ("deadLetterConfig", "description", "kmsKeyIdentifier", "logConfig")


@resource("aws:cloudwatch/eventBus:EventBus", ignored=REGION)
def event_bus(r: Resource) -> Outputs:
    name, wanted = physical_name(r, limit=256), tags(r)
    keys = (*_BUS, "eventSourceName")
    made = r.api("events", "create_event_bus", *keys, Name=name, Tags=pairs(wanted))
    arn = made["EventBusArn"]
    return {"id": name, "name": name, "arn": arn, "tagsAll": wanted}


@event_bus.updates
def update_event_bus(r: Resource) -> Outputs:
    """In place but for its name: a bus that is deleted takes its rules along."""
    if r.changed & {"name", "namePrefix", "eventSourceName"}:
        delete_event_bus(r)
        return event_bus.create(r)
    old, wanted = dict(r.old or {}), tags(r)
    name = physical_name(r, limit=256)
    r.take("eventSourceName")
    given = r.params(r.aws, "events", "update_event_bus", *_BUS)
    emptied = {"deadLetterConfig": {}, "description": "", "kmsKeyIdentifier": ""}
    for key in r.changed & emptied.keys():
        if r.inputs.get(key) is None:
            given[key[0].upper() + key[1:]] = emptied[key]
    r.call("events", "update_event_bus", Name=name, **given)
    if extra := dropped(r, wanted):
        r.call("events", "untag_resource", ResourceARN=old["arn"], TagKeys=extra)
    if wanted:
        r.call("events", "tag_resource", ResourceARN=old["arn"], Tags=pairs(wanted))
    return {**old, "tagsAll": wanted}


@event_bus.deletes
def delete_event_bus(r: Resource) -> None:
    remove(r, "events", "delete_event_bus", Name=(r.old or {})["name"])


@resource("aws:cloudwatch/eventRule:EventRule", ignored={**REGION, **_FORCED})
def event_rule(r: Resource) -> Outputs:
    name = physical_name(r, limit=64)
    bus = r.take("eventBusName")
    wanted = tags(r)
    enabled = r.take("isEnabled")
    state = r.take("state") or ("DISABLED" if enabled is False else "ENABLED")
    arn = r.api(
        "events",
        "put_rule",
        "description",
        "eventPattern",
        "roleArn",
        "scheduleExpression",
        Name=name,
        EventBusName=bus,
        State=state,
        Tags=None if r.old else pairs(wanted),
    )["RuleArn"]
    if extra := dropped(r, wanted):
        r.call("events", "untag_resource", ResourceARN=arn, TagKeys=extra)
    if r.old and wanted:
        r.call("events", "tag_resource", ResourceARN=arn, Tags=pairs(wanted))
    place = f"{bus}/{name}" if bus and bus != "default" else name
    return {
        "id": place,
        "name": name,
        "arn": arn,
        "eventBusName": bus or "default",
        "tagsAll": wanted,
    }


@event_rule.updates
def update_event_rule(r: Resource) -> Outputs:
    if r.changed & {"name", "namePrefix", "eventBusName"}:
        delete_event_rule(r)
    return event_rule.create(r)


@event_rule.deletes
def delete_event_rule(r: Resource) -> None:
    old = r.old or {}
    remove(
        r, "events", "delete_rule", Name=old["name"], EventBusName=old["eventBusName"], Force=True
    )


_TARGET: Final = (
    "arn",
    "deadLetterConfig",
    "ecsTarget",
    "httpTarget",
    "input",
    "inputPath",
    "inputTransformer",
    "kinesisTarget",
    "retryPolicy",
    "roleArn",
    "sqsTarget",
)
_RENAME: Final = {
    "targets.ecsTarget": "EcsParameters",
    "targets.httpTarget": "HttpParameters",
    "targets.inputTransformer.inputPaths": "InputPathsMap",
    "targets.kinesisTarget": "KinesisParameters",
    "targets.sqsTarget": "SqsParameters",
}


@resource("aws:cloudwatch/eventTarget:EventTarget", ignored={**REGION, **_FORCED})
def event_target(r: Resource) -> Outputs:
    rule, bus = r.take("rule"), r.take("eventBusName")
    target_id = physical_name(r, "targetId", limit=64)
    target = {key: r.take(key) for key in _TARGET} | {"id": target_id}
    value = {"rule": rule, "eventBusName": bus, "targets": [target]}
    r.call("events", "put_targets", **nested(r, "events", "put_targets", value, _RENAME))
    return {
        "id": f"{rule}-{target_id}",
        "targetId": target_id,
        "rule": rule,
        "eventBusName": bus or "default",
    }


@event_target.updates
def update_event_target(r: Resource) -> Outputs:
    if r.changed & {"rule", "eventBusName", "targetId"}:
        delete_event_target(r)
    return event_target.create(r)


@event_target.deletes
def delete_event_target(r: Resource) -> None:
    old = r.old or {}
    remove(
        r,
        "events",
        "remove_targets",
        Rule=old["rule"],
        EventBusName=old["eventBusName"],
        Ids=[old["targetId"]],
    )
