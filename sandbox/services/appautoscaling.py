"""Application Auto Scaling: the emulator has none; what is declared gets plausible outputs."""

from __future__ import annotations

import hashlib
from typing import Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, physical_name, tags

_NOTHING_SCALES: Final = "nothing scales here: what is provisioned stays as it was declared"


@resource("aws:appautoscaling/target:Target", ignored=REGION, not_simulated=_NOTHING_SCALES)
def target(r: Resource) -> Outputs:
    place, mark = r.take("resourceId"), hashlib.sha256(r.urn.encode()).hexdigest()[:32]
    service = (
        f"arn:aws:iam::{r.aws.account}:role/aws-service-role/lambda.application-autoscaling."
        "amazonaws.com/AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"
    )
    return {
        "id": place,
        "arn": f"arn:aws:application-autoscaling:{r.aws.region}:{r.aws.account}:scalable-target/{mark}",
        "roleArn": r.take("roleArn", service),
        "tagsAll": tags(r),
    }


@resource("aws:appautoscaling/policy:Policy", ignored=REGION, not_simulated=_NOTHING_SCALES)
def policy(r: Resource) -> Outputs:
    name = physical_name(r, limit=255)
    arn = _scaling(r, "scalingPolicy", f"policyName/{name}")
    return {"id": name, "name": name, "arn": arn, "alarmArns": []}


@resource(
    "aws:appautoscaling/scheduledAction:ScheduledAction",
    ignored=REGION,
    not_simulated=_NOTHING_SCALES,
)
def scheduled_action(r: Resource) -> Outputs:
    name = physical_name(r, limit=255)
    place = r.take("resourceId")
    arn = _scaling(r, "scheduledAction", f"scheduledActionName/{name}")
    return {"id": f"{name}-{r.take('serviceNamespace')}-{place}", "name": name, "arn": arn}


def _scaling(r: Resource, kind: str, tail: str) -> str:
    hexes = hashlib.sha256(r.urn.encode()).hexdigest()
    mark = "-".join((hexes[:8], hexes[8:12], hexes[12:16], hexes[16:20], hexes[20:32]))
    place = f"resource/{r.inputs.get('serviceNamespace')}/{r.inputs.get('resourceId')}"
    return f"arn:aws:autoscaling:{r.aws.region}:{r.aws.account}:{kind}:{mark}:{place}:{tail}"
