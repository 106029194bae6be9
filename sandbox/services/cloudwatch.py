"""CloudWatch: alarms and dashboards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.resources import AGAIN, Outputs, Resource, resource
from sandbox.services.shared import REGION, dropped, nested, pairs, physical_name, remove, tags

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


_JUDGED: Final = "it is judged only when a metric is put, over all dimensions of its name; queues and APIs put none here"


@resource("aws:cloudwatch/metricAlarm:MetricAlarm", ignored=REGION)
def metric_alarm(r: Resource) -> Outputs:
    if not r.inputs.get("metricQueries"):
        r.note(_JUDGED)
    name = physical_name(r, limit=255)
    wanted = tags(r)
    _put_alarm(r, name, wanted)
    return _alarm_outputs(r, name, wanted)


@metric_alarm.updates
def update_metric_alarm(r: Resource) -> Outputs:
    if r.changed & {"name", "namePrefix"}:
        delete_metric_alarm(r)
        return metric_alarm.create(r)
    if not r.inputs.get("metricQueries"):
        r.note(_JUDGED)
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
    if any(query.get("expression") for query in queries):
        r.note("its metric math is not evaluated: the alarm keeps its first state")
    if "dimensions" in given:
        given["dimensions"] = _dimensions(given["dimensions"])
    given |= {"alarmName": name, "metrics": [_query(query) for query in queries] or None}
    given |= {"tags": pairs(wanted)}
    rename = {
        "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
        "okActions": "OKActions",
    }
    r.call(
        "cloudwatch",
        "put_metric_alarm",
        **nested(r, "cloudwatch", "put_metric_alarm", given, rename),
    )


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


@resource("aws:cloudwatch/dashboard:Dashboard", update=AGAIN, ignored=REGION)
def dashboard(r: Resource) -> Outputs:
    name = physical_name(r, "dashboardName", limit=255)
    if (old := (r.old or {}).get("dashboardName")) and old != name:
        delete_dashboard(r)
    r.call("cloudwatch", "put_dashboard", DashboardName=name, DashboardBody=r.take("dashboardBody"))
    r.note("it is recorded; the sandbox has no page that draws it")
    arn = f"arn:aws:cloudwatch::{r.aws.account}:dashboard/{name}"
    return {"id": name, "dashboardName": name, "dashboardArn": arn}


@dashboard.deletes
def delete_dashboard(r: Resource) -> None:
    remove(r, "cloudwatch", "delete_dashboards", DashboardNames=[(r.old or {})["dashboardName"]])
