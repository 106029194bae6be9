"""CloudWatch: alarms, composite alarms, dashboards, and saved queries of Logs Insights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sandbox.resources import AGAIN, Outputs, Resource, resource
from sandbox.services.shared import REGION, dropped, nested, pairs, physical_name, remove, tags
from sandbox.workers.measured import is_measured
from sandbox.workers.metric_math import Unread, compiled

_LONGEST_NAME: Final = 255
_AGGREGATES: Final = re.compile(r"(^|\|)\s*stats\b")
_ALARM: Final = {
    "actionsEnabled",
    "alarmActions",
    "alarmDescription",
    "comparisonOperator",
    "datapointsToAlarm",
    "dimensions",
    "evaluateLowSampleCountPercentiles",
    "evaluationPeriods",
    "extendedStatistic",
    "insufficientDataActions",
    "metricName",
    "metricQueries",
    "namespace",
    "okActions",
    "period",
    "statistic",
    "threshold",
    "thresholdMetricId",
    "treatMissingData",
    "unit",
}

_SAID: Final = {
    "actionsEnabled",
    "alarmActions",
    "alarmDescription",
    "insufficientDataActions",
    "okActions",
}
_RENAMED: Final = {
    "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    "okActions": "OKActions",
}


@resource("aws:cloudwatch/metricAlarm:MetricAlarm", ignored=REGION)
def metric_alarm(r: Resource) -> Outputs:
    name = physical_name(r, limit=255)
    wanted = tags(r)
    _put_alarm(r, name, wanted)
    return _alarm_outputs(r, name, wanted)


@metric_alarm.updates
def update_metric_alarm(r: Resource) -> Outputs:
    if r.changed & {"name", "namePrefix"}:
        delete_metric_alarm(r)
        return metric_alarm.create(r)
    name = physical_name(r, limit=255)
    wanted = tags(r)
    _put_alarm(r, name, {})
    outputs = _alarm_outputs(r, name, wanted)
    if extra := dropped(r, wanted):
        r.call("cloudwatch", "untag_resource", ResourceARN=outputs["arn"], TagKeys=extra)
    if wanted:
        r.call("cloudwatch", "tag_resource", ResourceARN=outputs["arn"], Tags=pairs(wanted))
    return outputs


@metric_alarm.deletes
def delete_metric_alarm(r: Resource) -> None:
    remove(r, "cloudwatch", "delete_alarms", AlarmNames=[(r.old or {})["name"]])


def _alarm_outputs(r: Resource, name: str, wanted: dict[str, str]) -> Outputs:
    arn = f"arn:aws:cloudwatch:{r.aws.region}:{r.aws.account}:alarm:{name}"
    return {"id": name, "name": name, "arn": arn, "tagsAll": wanted}


def _put_alarm(r: Resource, name: str, wanted: dict[str, str]) -> None:
    given = {key: r.take(key) for key in _ALARM if r.inputs.get(key) is not None}
    queries = given.pop("metricQueries", [])
    _tell_what_is_not_judged(r, queries)
    if "dimensions" in given:
        given["dimensions"] = _dimensions(given["dimensions"])
    given |= {"alarmName": name, "metrics": [_query(query) for query in queries] or None}
    given |= {"tags": pairs(wanted)}
    r.call(
        "cloudwatch",
        "put_metric_alarm",
        **nested(r, "cloudwatch", "put_metric_alarm", given, _RENAMED),
    )


def _tell_what_is_not_judged(r: Resource, queries: Sequence[Mapping[str, Any]]) -> None:
    """Say of an alarm that it keeps its first state here, and why."""
    if any("ANOMALY_DETECTION" in str(query.get("expression")) for query in queries):
        r.note("anomaly detection is not simulated: the alarm keeps its first state")
        return
    try:
        for query in queries:
            compiled(str(query.get("expression") or "0"))
    except Unread as error:
        r.note(f"its metric math is not read here ({error}): the alarm keeps its first state")
    metrics = [_query(query).get("metricStat", {}).get("metric") for query in queries] or [r.inputs]
    for metric in metrics:
        name, namespace = (str((metric or {}).get(key)) for key in ("metricName", "namespace"))
        if metric and not is_measured(namespace, name):
            r.note(f"nothing measures {name} of {namespace} here: the alarm sees no data")


def _dimensions(value: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": text} for name, text in value.items()]


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    """A query of the provider in the API's form: what the metric is and how it is read are two levels there."""
    rest = dict(query)
    metric = rest.pop("metric", None)
    if not metric:
        return rest
    metric = dict(metric[0] if isinstance(metric, list) else metric)
    named = {
        key: metric.pop(key) for key in ("metricName", "namespace") if metric.get(key) is not None
    }
    dimensions = metric.pop("dimensions", None)
    if dimensions:
        named["dimensions"] = _dimensions(dimensions)
    return {**rest, "metricStat": {"metric": named, **metric}}


@resource("aws:cloudwatch/compositeAlarm:CompositeAlarm", ignored=REGION)
def composite_alarm(r: Resource) -> Outputs:
    name, wanted = r.auto_name("alarmName"), tags(r)
    if len(name) > _LONGEST_NAME:
        raise ValueError(
            f"the name {name!r} has {len(name)} characters, AWS allows {_LONGEST_NAME}"
        )
    if r.take("actionsSuppressor"):
        r.note("its actions are taken even while its suppressor alarms")
    _put_composite(r, name, wanted)
    return {**_alarm_outputs(r, name, wanted), "alarmName": name}


@composite_alarm.updates
def update_composite_alarm(r: Resource) -> Outputs:
    if "alarmName" in r.changed:
        delete_composite_alarm(r)
        return composite_alarm.create(r)
    outputs = composite_alarm.create(r)
    wanted: dict[str, str] = outputs["tagsAll"]
    # The call sets the tags of a new alarm only.
    if extra := dropped(r, wanted):
        r.call("cloudwatch", "untag_resource", ResourceARN=outputs["arn"], TagKeys=extra)
    if wanted:
        r.call("cloudwatch", "tag_resource", ResourceARN=outputs["arn"], Tags=pairs(wanted))
    return outputs


@composite_alarm.deletes
def delete_composite_alarm(r: Resource) -> None:
    remove(r, "cloudwatch", "delete_alarms", AlarmNames=[(r.old or {})["alarmName"]])


def _put_composite(r: Resource, name: str, wanted: dict[str, str]) -> None:
    given = {key: r.take(key) for key in _SAID if r.inputs.get(key) is not None}
    given |= {"alarmName": name, "alarmRule": r.take("alarmRule"), "tags": pairs(wanted)}
    r.call(
        "cloudwatch",
        "put_composite_alarm",
        **nested(r, "cloudwatch", "put_composite_alarm", given, _RENAMED),
    )


@resource("aws:cloudwatch/queryDefinition:QueryDefinition", ignored=REGION)
def query_definition(r: Resource) -> Outputs:
    """The emulator keeps it; a slash in its name makes a folder in the console."""
    ident = (r.old or {}).get("queryDefinitionId")
    name, text = r.take("name"), r.take("queryString")
    groups = r.take("logGroupNames")
    told = r.call(
        "logs",
        "put_query_definition",
        name=name,
        queryString=text,
        logGroupNames=groups,
        queryDefinitionId=ident,
    )
    if _AGGREGATES.search(str(text)):
        r.note("it is kept; the emulator's Logs Insights knows no stats")
    return {"id": told["queryDefinitionId"], "queryDefinitionId": told["queryDefinitionId"]}


@query_definition.updates
def update_query_definition(r: Resource) -> Outputs:
    return query_definition.create(r)


@query_definition.deletes
def delete_query_definition(r: Resource) -> None:
    ident = (r.old or {})["queryDefinitionId"]
    remove(r, "logs", "delete_query_definition", queryDefinitionId=ident)


@resource("aws:cloudwatch/dashboard:Dashboard", update=AGAIN, ignored=REGION)
def dashboard(r: Resource) -> Outputs:
    name = physical_name(r, "dashboardName", limit=255)
    if (old := (r.old or {}).get("dashboardName")) and old != name:
        delete_dashboard(r)
    r.call("cloudwatch", "put_dashboard", DashboardName=name, DashboardBody=r.take("dashboardBody"))
    arn = f"arn:aws:cloudwatch::{r.aws.account}:dashboard/{name}"
    return {"id": name, "dashboardName": name, "dashboardArn": arn}


@dashboard.deletes
def delete_dashboard(r: Resource) -> None:
    remove(r, "cloudwatch", "delete_dashboards", DashboardNames=[(r.old or {})["dashboardName"]])
