"""CloudWatch Logs: log groups, and metrics that are made of what is written to them."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, RestartNeeded, resource
from sandbox.services.log_subscriptions import must_be_a_pattern
from sandbox.services.shared import REGION, dropped, physical_name, remove, tags
from sandbox.workers import log_patterns

_MOST_FILTERS: Final = 100
"""Metric filters of one log group, and dimensions of one transformation (CloudWatch Logs quotas)."""
_MOST_DIMENSIONS: Final = 3


@resource("aws:cloudwatch/logGroup:LogGroup", ignored=REGION)
def log_group(r: Resource) -> Outputs:
    name = physical_name(r, limit=512)
    wanted = tags(r)
    if r.inputs.get("deletionProtectionEnabled"):
        r.note("its deletion protection is recorded, not enforced")
    r.api(
        "logs",
        "create_log_group",
        "kmsKeyId",
        "logGroupClass",
        "deletionProtectionEnabled",
        logGroupName=name,
        tags=wanted or None,
    )
    _retention(r, name)
    return _outputs(r, name, wanted)


@log_group.updates
def update_log_group(r: Resource) -> Outputs:
    if moved := r.changed & {"name", "namePrefix", "logGroupClass"}:
        raise RestartNeeded(f"{min(moved)} of a log group cannot change and keep its records")
    name = physical_name(r, limit=512)
    r.take("logGroupClass")
    r.take("deletionProtectionEnabled")
    key = r.take("kmsKeyId")
    if "kmsKeyId" in r.changed:
        operation = "associate_kms_key" if key else "disassociate_kms_key"
        r.call("logs", operation, logGroupName=name, kmsKeyId=key)
    _retention(r, name)
    wanted = tags(r)
    arn = _arn(r, name)
    if extra := dropped(r, wanted):
        r.call("logs", "untag_resource", resourceArn=arn, tagKeys=extra)
    if wanted:
        r.call("logs", "tag_resource", resourceArn=arn, tags=wanted)
    return _outputs(r, name, wanted)


@log_group.deletes
def delete_log_group(r: Resource) -> None:
    old = r.old or {}
    if not old.get("skipDestroy"):
        remove(r, "logs", "delete_log_group", logGroupName=old["name"])


def _retention(r: Resource, name: str) -> None:
    days = r.take("retentionInDays")
    if days:
        r.call("logs", "put_retention_policy", logGroupName=name, retentionInDays=days)
    elif r.old:
        r.call("logs", "delete_retention_policy", logGroupName=name)


def _arn(r: Resource, name: str) -> str:
    return f"arn:aws:logs:{r.aws.region}:{r.aws.account}:log-group:{name}"


def _outputs(r: Resource, name: str, wanted: dict[str, str]) -> Outputs:
    """The ARN is without the `:*` that the API appends, as the provider gives it."""
    skip = bool(r.take("skipDestroy"))
    return {"id": name, "name": name, "arn": _arn(r, name), "skipDestroy": skip, "tagsAll": wanted}


@resource("aws:cloudwatch/logMetricFilter:LogMetricFilter", ignored=REGION)
def metric_filter(r: Resource) -> Outputs:
    name, group = physical_name(r, limit=512), r.take("logGroupName")
    pattern, change = str(r.take("pattern") or ""), dict(r.take("metricTransformation") or {})
    must_be_a_pattern(pattern)
    _must_fit(r, group, name, change)
    try:
        log_patterns.matcher(pattern)
    except log_patterns.Unread as error:
        r.note(f"it measures nothing: its pattern is not read here ({error})")
    if r.take("applyOnTransformedLogs"):
        r.note("log events are not transformed here: it reads them as they are")
    rename = {"name": "metricName", "namespace": "metricNamespace", "value": "metricValue"}
    given = {rename.get(key, key): value for key, value in change.items() if value is not None}
    if "defaultValue" in given:
        given["defaultValue"] = float(given["defaultValue"])
    r.call(
        "logs",
        "put_metric_filter",
        logGroupName=group,
        filterName=name,
        filterPattern=pattern,
        metricTransformations=[given],
    )
    return {"id": name, "name": name, "logGroupName": group}


@metric_filter.updates
def update_metric_filter(r: Resource) -> Outputs:
    """The call is a put; another group or name is another filter."""
    if r.changed & {"name", "logGroupName"}:
        delete_metric_filter(r)
    return metric_filter.create(r)


@metric_filter.deletes
def delete_metric_filter(r: Resource) -> None:
    old = r.old or {}
    names = {"logGroupName": old["logGroupName"], "filterName": old["name"]}
    remove(r, "logs", "delete_metric_filter", **names)


def _must_fit(r: Resource, group: str, name: str, change: dict[str, Any]) -> None:
    """Refuse what AWS refuses of a filter, and the emulator takes."""
    dimensions = change.get("dimensions") or {}
    if len(dimensions) > _MOST_DIMENSIONS:
        raise ValueError(f"{name} has {len(dimensions)} dimensions, AWS allows {_MOST_DIMENSIONS}")
    if dimensions and change.get("defaultValue") is not None:
        raise ValueError(f"{name}: a default value and dimensions exclude each other")
    there = r.call("logs", "describe_metric_filters", logGroupName=group)["metricFilters"]
    if len({each["filterName"] for each in there} - {name}) >= _MOST_FILTERS:
        raise ValueError(f"{group} has {_MOST_FILTERS} metric filters already, AWS allows no more")
