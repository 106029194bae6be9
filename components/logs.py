"""Log groups of the stack's own: named, encrypted, and forgetting in time."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.keys import DataKey


def log_group(
    name: str,
    *,
    physical_name: pulumi.Input[str],
    retention_in_days: int,
    encryption: DataKey,
    parent: pulumi.Resource,
) -> aws.cloudwatch.LogGroup:
    """An encrypted log group that forgets after `retention_in_days`."""
    return aws.cloudwatch.LogGroup(
        name,
        aws.cloudwatch.LogGroupArgs(
            name=physical_name, retention_in_days=retention_in_days, kms_key_id=encryption.arn
        ),
        pulumi.ResourceOptions(parent=parent),
    )
