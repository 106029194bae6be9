"""What other tools call the settings of a function, and what it is called here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_CALLED: Final = {
    "env": "environment",
    "environment_variables": "environment",
    "architectures": "architecture",
    "memory": "memory_size",
    "ephemeral_storage": "ephemeral_storage_size",
    "compatible_runtimes": "runtime",
    "kms_key": "kms_key_arn",
    "role": "execution_role_arn",
    "role_arn": "execution_role_arn",
    "lambda_role": "execution_role_arn",
    "vpc": "vpc_config",
    "subnet_ids": "vpc_config.subnet_ids",
    "security_group_ids": "vpc_config.security_group_ids",
    "vpc_subnet_ids": "vpc_config.subnet_ids",
    "vpc_security_group_ids": "vpc_config.security_group_ids",
    "file_system_arn": "file_system_config.arn",
    "file_system_local_mount_path": "file_system_config.local_mount_path",
    "source_path": "source_dir",
    "local_existing_package": "filename",
    "s3_existing_package": "s3_bucket",
    "image_config_command": "image_config.command",
    "image_config_entry_point": "image_config.entry_point",
    "image_config_working_directory": "image_config.working_directory",
    "url": "function_url",
    "create_lambda_function_url": "function_url",
    "authorization_type": "function_url.authorization_type",
    "invoke_mode": "function_url.invoke_mode",
    "cors": "function_url.cors",
    "dlq": "dead_letter",
    "dead_letter_config": "dead_letter",
    "dead_letter_target_arn": "dead_letter",
    "destination_on_failure": "on_failure",
    "destination_on_success": "on_success",
    "retries": "maximum_retry_attempts",
    "tracing": "tracing_mode",
    "tracing_config": "tracing_mode",
    "logging_application_log_level": "log_level",
    "logging_system_log_level": "system_log_level",
    "cloudwatch_logs_retention_in_days": "log_retention_in_days",
    "logs_retention": "log_retention_in_days",
}
_ANSWERED: Final = {
    "publish": "leave it out: every update publishes a version",
    "function_name": "leave it out: a function is named after its stack and its handler",
    "package_type": "leave it out: image_uri makes it an image",
    "logging_config": "set log_level and system_log_level",
    "logging_log_format": "leave it out: logs are JSON",
    "logging_log_group": "leave it out: every function has a log group of its own",
}

OF_A_FUNCTION: Final[Mapping[str, str]] = MappingProxyType(
    {name: f"did you mean '{key}'?" for name, key in _CALLED.items()} | _ANSWERED
)
"""A key of Terraform, SAM or the Serverless Framework -> what helps who wrote it in a function's entry."""

OF_A_FIXTURE: Final[Mapping[str, str]] = MappingProxyType(
    {"enabled": "it cannot be switched off; load_balancer, graphql, telemetry and canary can"}
)
"""A key of sections that may be left out -> what helps who wrote it of one that is always there."""
