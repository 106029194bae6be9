"""Which requests are traced."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.place import Place
from settings import TracingSettings

LONGEST_NAME: Final = 32
"""Characters of a sampling rule's name (X-Ray API reference, SamplingRule)."""


def sample(
    settings: TracingSettings, place: Place, opts: pulumi.ResourceOptions
) -> aws.xray.SamplingRule:
    """The sampling rule of what begins at this stack's REST API (and GraphQL); others of the account keep theirs.

    Lambda asks no rule: what begins at a function (HTTP API, queues, schedules) is sampled at its own fixed rate.
    """
    return aws.xray.SamplingRule(
        "sampling",
        aws.xray.SamplingRuleArgs(
            rule_name=place.prefix[:LONGEST_NAME],
            priority=settings.priority,
            reservoir_size=settings.reservoir_size,
            fixed_rate=settings.fixed_rate,
            # All that the stack makes is called so.
            service_name=f"{place.prefix}*",
            service_type="*",
            resource_arn="*",
            host="*",
            http_method="*",
            url_path="*",
            version=1,
        ),
        opts,
    )
