"""X-Ray: sampling rules and groups. Whatever they say, the sandbox records every request."""

from __future__ import annotations

from typing import Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, nested, pairs, physical_name, remove, replaced, tags

_LONGEST: Final = 32
"""Characters of a rule's or a group's name."""
_RULE: Final = (
    *("attributes", "fixedRate", "host", "httpMethod", "priority", "reservoirSize"),
    *("resourceArn", "serviceName", "serviceType", "urlPath", "version"),
)


@resource("aws:xray/samplingRule:SamplingRule", ignored=REGION)
def sampling_rule(r: Resource) -> Outputs:
    name = physical_name(r, "ruleName", limit=_LONGEST)
    wanted = tags(r)
    given = {key: value for key in _RULE if (value := r.take(key)) is not None}
    asked = {"samplingRule": {"ruleName": name, **given}, "tags": pairs(wanted)}
    r.call("xray", "create_sampling_rule", **nested(r, "xray", "create_sampling_rule", asked))
    r.note("every request of a sandbox is recorded, whatever share a rule asks for")
    arn = f"arn:aws:xray:{r.aws.region}:{r.aws.account}:sampling-rule/{name}"
    return {"id": name, "ruleName": name, "arn": arn, "tagsAll": wanted}


@sampling_rule.deletes
def delete_sampling_rule(r: Resource) -> None:
    remove(r, "xray", "delete_sampling_rule", RuleName=(r.old or {})["ruleName"])


sampling_rule.updates(replaced(sampling_rule.create, delete_sampling_rule))


@resource("aws:xray/group:Group", ignored=REGION)
def group(r: Resource) -> Outputs:
    name = physical_name(r, "groupName", limit=_LONGEST)
    wanted = tags(r)
    r.api(
        "xray",
        "create_group",
        "filterExpression",
        "insightsConfiguration",
        GroupName=name,
        Tags=pairs(wanted),
    )
    arn = f"arn:aws:xray:{r.aws.region}:{r.aws.account}:group/{name}"
    return {"id": arn, "groupName": name, "arn": arn, "tagsAll": wanted}


@group.deletes
def delete_group(r: Resource) -> None:
    remove(r, "xray", "delete_group", GroupName=(r.old or {})["groupName"])


group.updates(replaced(group.create, delete_group))
