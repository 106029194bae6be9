"""IoT: rules over what devices publish."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, dropped, nested, pairs, physical_name, remove, tags

_ACTIONS: Final = {
    "cloudwatchAlarms": "cloudwatchAlarm",
    "cloudwatchLogs": "cloudwatchLogs",
    "cloudwatchMetrics": "cloudwatchMetric",
    "dynamodbs": "dynamoDB",
    "dynamodbv2s": "dynamoDBv2",
    "elasticsearch": "elasticsearch",
    "firehoses": "firehose",
    "https": "http",
    "iotAnalytics": "iotAnalytics",
    "iotEvents": "iotEvents",
    "kafkas": "kafka",
    "kineses": "kinesis",
    "lambdas": "lambda",
    "republishes": "republish",
    "s3": "s3",
    "sns": "sns",
    "sqs": "sqs",
    "stepFunctions": "stepFunctions",
    "timestreams": "timestream",
}
"""Input to the action's name in the API."""


_RUN: Final = {"dynamodbv2s", "kineses", "lambdas", "republishes", "sns", "sqs"}
"""Actions that run here."""


@resource("aws:iot/topicRule:TopicRule", ignored=REGION)
def topic_rule(r: Resource) -> Outputs:
    name, wanted = physical_name(r, limit=128).replace("-", "_"), tags(r)
    r.call("iot", "create_topic_rule", ruleName=name, topicRulePayload=_payload(r))
    arn = f"arn:aws:iot:{r.aws.region}:{r.aws.account}:rule/{name}"
    if wanted:
        r.call("iot", "tag_resource", resourceArn=arn, tags=pairs(wanted))
    return {"id": name, "name": name, "arn": arn, "tagsAll": wanted}


@topic_rule.updates
def update_topic_rule(r: Resource) -> Outputs:
    if r.changed & {"name", "namePrefix"}:
        delete_topic_rule(r)
        return topic_rule.create(r)
    old = dict(r.old or {})
    physical_name(r, limit=128)
    r.call("iot", "replace_topic_rule", ruleName=old["name"], topicRulePayload=_payload(r))
    wanted = tags(r)
    if extra := dropped(r, wanted):
        r.call("iot", "untag_resource", resourceArn=old["arn"], tagKeys=extra)
    if wanted:
        r.call("iot", "tag_resource", resourceArn=old["arn"], tags=pairs(wanted))
    return {**old, "tagsAll": wanted}


@topic_rule.deletes
def delete_topic_rule(r: Resource) -> None:
    remove(r, "iot", "delete_topic_rule", ruleName=(r.old or {})["name"])


def _payload(r: Resource) -> dict[str, Any]:
    """The rule as the API has it: actions in one list, the provider's `enabled` turned round."""
    for key in sorted(set(_ACTIONS) - _RUN):
        if r.inputs.get(key):
            r.note(f"its action {_ACTIONS[key]} is recorded, not run")
    actions = [{name: action} for key, name in _ACTIONS.items() for action in _many(r.take(key))]
    value = {
        "sql": r.take("sql"),
        "description": r.take("description"),
        "awsIotSqlVersion": r.take("sqlVersion"),
        "ruleDisabled": not r.take("enabled", default=True),
        "actions": actions,
    }
    if error := r.take("errorAction"):
        (kind, action), *_ = [(k, v) for k, v in error.items() if v]
        value["errorAction"] = {_ACTIONS.get(kind) or _ACTIONS[f"{kind}s"]: action}
    made = nested(r, "iot", "create_topic_rule", {"topicRulePayload": value})
    return {"actions": [], **made["topicRulePayload"]}


def _many(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
