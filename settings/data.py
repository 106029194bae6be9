"""What a stack file may say of tables, buckets, secrets and their key."""

from pydantic import field_validator

from settings.fields import Model, setting
from settings.text import WrongValueError


class DataSettings(Model):
    """Tables, buckets, secrets and the data key."""

    protect: bool = setting(
        default=True,
        description="Keep data from being destroyed: Pulumi protect, DynamoDB deletion protection, no emptying of buckets.",
        source="Pulumi documentation, protect; DynamoDB API reference, CreateTable",
    )
    point_in_time_recovery: bool = setting(
        default=True,
        description="Continuous backups of the tables.",
        source="DynamoDB API reference, PointInTimeRecoverySpecification",
    )
    point_in_time_recovery_days: int = setting(
        35,
        "How far back a table can be restored.",
        unit="days",
        ge=1,
        le=35,
        source="DynamoDB API reference, PointInTimeRecoverySpecification",
    )
    key_deletion_window_in_days: int = setting(
        30,
        "Wait before a destroyed data key is gone for good.",
        unit="days",
        ge=7,
        le=30,
        source="KMS API reference, ScheduleKeyDeletion",
    )
    secret_recovery_window_in_days: int = setting(
        30,
        "Wait before a destroyed secret is gone for good; 0 deletes it at once.",
        unit="days",
        values="0, or 7 to 30",
        schema={"minimum": 0, "maximum": 30, "not": {"exclusiveMinimum": 0, "exclusiveMaximum": 7}},
        source="Secrets Manager API reference, DeleteSecret",
    )
    noncurrent_version_expiration_days: int = setting(
        30,
        "How long an overwritten or deleted version of an object is kept.",
        unit="days",
        ge=1,
        le=3650,
        source="S3 API reference, NoncurrentVersionExpiration",
    )

    @field_validator("secret_recovery_window_in_days")
    @classmethod
    def _zero_or_a_week(cls, value: int) -> int:
        if value == 0 or 7 <= value <= 30:
            return value
        raise WrongValueError("must be 0, or 7 to 30 days")
