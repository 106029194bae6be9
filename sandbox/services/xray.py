"""X-Ray: sampling rules and groups. Whatever they say, the sandbox records every request."""

from __future__ import annotations

from typing import Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, physical_name, tags

_LONGEST: Final = 32
"""Characters of a rule's or a group's name."""


@resource(
    "aws:xray/samplingRule:SamplingRule",
    ignored=REGION,
    not_simulated="every request of a sandbox is recorded, whatever share a rule asks for",
)
def sampling_rule(r: Resource) -> Outputs:
    name = r.auto_name("ruleName")[:_LONGEST]
    arn = f"arn:aws:xray:{r.aws.region}:{r.aws.account}:sampling-rule/{name}"
    return {"id": name, "ruleName": name, "arn": arn, "tagsAll": tags(r)}


@resource(
    "aws:xray/group:Group",
    ignored=REGION,
    not_simulated="a group is a view of X-Ray's console: `python -m sandbox traces` shows all",
)
def group(r: Resource) -> Outputs:
    name = physical_name(r, "groupName", limit=_LONGEST)
    arn = f"arn:aws:xray:{r.aws.region}:{r.aws.account}:group/{name}"
    return {"id": arn, "groupName": name, "arn": arn, "tagsAll": tags(r)}
