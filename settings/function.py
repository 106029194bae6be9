"""What a stack file may say of a Lambda function."""

from typing import Final, Literal

from settings.arns import KEY, ROLE, KeyArn, RoleArn, pattern
from settings.fields import LogRetention, TextMap, setting
from settings.function_calls import CallSettings
from settings.function_code import LAMBDA, CodeSettings
from settings.function_parts import FileSystemSettings, VpcSettings
from settings.other_names import OF_A_FUNCTION

_LOGGING: Final = "Lambda API reference, LoggingConfig"

ENVIRONMENT_BYTES: Final = 4096
"""Size that Lambda allows all variables of a function, as JSON."""

GRANTED_BYTES: Final = 1024
"""Part of it that the program's own variables may take."""

GIVEN_BYTES: Final = ENVIRONMENT_BYTES - GRANTED_BYTES
"""The rest, for the stack file's."""

ADDED_UP: Final = ("environment", "tags")
"""Keys whose maps are added up, key by key, over `defaults`, the program's own values and a function's entry."""

ONE_FUNCTIONS: Final = (
    "enabled",
    "description",
    "handler",
    "execution_role_arn",
    "function_url",
    "source_dir",
    "filename",
    "inline",
    "s3_bucket",
    "s3_key",
    "s3_object_version",
    "source_code_hash",
    "image_uri",
    "image_config",
)
"""Keys that say something of one function and may not stand in `defaults`."""


# Pydantic lists the fields of the last base first.
class FunctionSettings(CallSettings, CodeSettings):
    """One Lambda function. `defaults` takes the same keys and holds for every function that does not say otherwise."""

    other_names = OF_A_FUNCTION
    reference = "docs/function.md"

    enabled: bool = setting(
        default=True,
        description="Create it. A function that a route or a trigger of the program needs cannot be switched off.",
        source="settings/wiring.py",
    )
    description: str | None = setting(
        None,
        "What the Lambda console shows. Without it: what the program says.",
        max_length=256,
        source=LAMBDA,
    )
    memory_size: int = setting(
        256,
        "Memory; CPU grows with it, one whole CPU at 1769.",
        unit="MB",
        ge=128,
        le=10240,
        source=LAMBDA,
    )
    timeout: int = setting(
        10,
        "Longest run. A function behind the API may have 29, the gateway's own limit.",
        unit="seconds",
        ge=1,
        le=900,
        source=LAMBDA,
    )
    ephemeral_storage_size: int = setting(
        512, "Size of /tmp.", unit="MB", ge=512, le=10240, source=LAMBDA
    )
    environment: TextMap = setting(
        {},
        "Further environment variables, added key by key to those of `defaults`. Names and ARNs only: a secret belongs "
        "in Secrets Manager.",
        values=f"at most {GIVEN_BYTES} bytes as JSON",
        source="Lambda developer guide, environment variables: 4 KB in all",
        example={"UPLOAD_RETENTION_DAYS": "14"},
    )
    tags: TextMap = setting(
        {},
        "Further tags, added key by key to those of `defaults`, besides the stack's and the program's own.",
        values="at most 44 with the stack's; keys 1 to 128 characters, values at most 256",
        source="Lambda developer guide, tags; AWS tagging guide, tag limits",
        example={"owner": "payments"},
    )
    kms_key_arn: KeyArn | None = setting(
        None,
        "Key that encrypts its environment. Without it: the stack's own.",
        values="ARN of a KMS key",
        source=LAMBDA,
        schema={"pattern": pattern(KEY)},
        example="arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555",
    )
    execution_role_arn: RoleArn | None = setting(
        None,
        "Execution role given from outside, which must allow all that the program would grant. Without it: a role of its own.",
        values="ARN of an IAM role",
        source=LAMBDA,
        schema={"pattern": pattern(ROLE)},
        example="arn:aws:iam::123456789012:role/checksum",
    )
    vpc_config: VpcSettings | None = setting(
        None,
        "Network that it is attached to. Without it: none. Its network interfaces outlive a function by up to 45 minutes, "
        "and old versions keep theirs: lower versions_to_keep before you delete a group or a subnet.",
        source="Lambda API reference, VpcConfig",
    )
    file_system_config: FileSystemSettings | None = setting(
        None,
        "EFS file system that it mounts; needs vpc_config.",
        source="Lambda API reference, FileSystemConfig",
    )
    tracing_mode: Literal["Active", "PassThrough"] = setting(
        "Active",
        "Active traces requests with X-Ray; PassThrough only when the caller does.",
        source=LAMBDA,
    )
    log_level: Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] = setting(
        "INFO", "Lowest level of its own lines in the log.", source=_LOGGING
    )
    log_sample_rate: float | None = setting(
        None,
        "Share of the requests that it logs at DEBUG, whatever its log_level; Python only. Without it: sample_rate of `logs`.",
        unit="of the requests",
        ge=0,
        le=1,
        source=_LOGGING,
        example=0.1,
    )
    system_log_level: Literal["DEBUG", "INFO", "WARN"] = setting(
        "INFO", "Lowest level of Lambda's lines in the log: start, report, errors.", source=_LOGGING
    )
    log_retention_in_days: LogRetention = setting(
        14,
        "How long log events are kept.",
        unit="days",
        source="CloudWatch Logs API reference, PutRetentionPolicy",
    )
