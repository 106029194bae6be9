"""From a function's settings to the arguments of the raw resource."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from settings import FunctionSettings


def function_args(s: FunctionSettings, *, role: pulumi.Input[str]) -> aws.lambda_.FunctionArgs:
    """Everything that the settings alone decide; name, code, environment and logging are the component's."""
    return aws.lambda_.FunctionArgs(
        role=role,
        description=s.description,
        runtime=s.runtime,
        architectures=[s.architecture],
        memory_size=s.memory_size,
        timeout=s.timeout,
        ephemeral_storage=aws.lambda_.FunctionEphemeralStorageArgs(size=s.ephemeral_storage_size),
        reserved_concurrent_executions=s.reserved_concurrent_executions,
        tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode=s.tracing_mode),
        snap_start=aws.lambda_.FunctionSnapStartArgs(apply_on="PublishedVersions")
        if s.snap_start
        else None,
        dead_letter_config=aws.lambda_.FunctionDeadLetterConfigArgs(target_arn=s.dead_letter)
        if s.dead_letter
        else None,
        code_signing_config_arn=s.code_signing_config_arn,
        vpc_config=_network(s),
        # Interfaces keep a security group busy for up to 45 minutes after the function is gone.
        replace_security_groups_on_destroy=True if s.vpc_config else None,
        file_system_config=aws.lambda_.FunctionFileSystemConfigArgs(
            arn=s.file_system_config.arn, local_mount_path=s.file_system_config.local_mount_path
        )
        if s.file_system_config
        else None,
        publish=True,
    )


def _network(s: FunctionSettings) -> aws.lambda_.FunctionVpcConfigArgs | None:
    if s.vpc_config is None:
        return None
    return aws.lambda_.FunctionVpcConfigArgs(
        subnet_ids=list(s.vpc_config.subnet_ids),
        security_group_ids=list(s.vpc_config.security_group_ids),
        ipv6_allowed_for_dual_stack=s.vpc_config.ipv6_allowed_for_dual_stack,
    )
