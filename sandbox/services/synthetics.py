"""CloudWatch Synthetics: canaries need AWS's own runtime, a layer that it does not publish."""

from __future__ import annotations

import hashlib
from typing import Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, tags

_LONGEST: Final = 255


@resource(
    "aws:synthetics/canary:Canary",
    ignored=REGION,
    not_simulated="it never runs: its runtime is AWS's own; the alarm over it stays without data",
)
def canary(r: Resource) -> Outputs:
    name = r.auto_name()[:_LONGEST]
    function = f"cwsyn-{name}-{hashlib.sha256(r.urn.encode()).hexdigest()[:8]}"
    place = f"{r.aws.region}:{r.aws.account}"
    return {
        "id": name,
        "name": name,
        "arn": f"arn:aws:synthetics:{place}:canary:{name}",
        "engineArn": f"arn:aws:lambda:{place}:function:{function}:1",
        "sourceLocationArn": f"arn:aws:lambda:{place}:layer:{function}:1",
        "status": "RUNNING" if r.take("startCanary") else "READY",
        "timelines": [],
        "tagsAll": tags(r),
    }
