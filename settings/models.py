"""The settings of one stack: what each key is called, its default, its limits and where the limits come from.

A stack file says how big things are and may switch a part off; which things exist is the program's matter.
"""

from typing import Literal, get_args

from pydantic import field_validator

from settings.fields import Model, TextMap, setting
from settings.runtimes import ALL_SUPPORTED, DEFAULT_RUNTIME, RETIRED
from settings.schedules import check_expression, check_timezone
from settings.text import did_you_mean

LogRetention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # fmt: skip
"""Days that CloudWatch Logs can keep a group's events. "For ever" is not among them: it is never meant."""

LOG_RETENTIONS: tuple[int, ...] = get_args(LogRetention)

_LAMBDA = "Lambda API reference, CreateFunction"
_LOGS = "CloudWatch Logs API reference, PutRetentionPolicy"
_CONCURRENCY = "Lambda developer guide, reserved and provisioned concurrency"


class FunctionSettings(Model):
    """One Lambda function. `defaults` takes the same keys and holds for every function that does not say otherwise."""

    memory_size: int = setting(
        256,
        "Memory; CPU grows with it, one whole CPU at 1769.",
        unit="MB",
        ge=128,
        le=10240,
        source=_LAMBDA,
    )
    timeout: int = setting(
        10,
        "Longest run. A function behind the API may have 29, the gateway's own limit.",
        unit="seconds",
        ge=1,
        le=900,
        source=_LAMBDA,
    )
    ephemeral_storage_size: int = setting(
        512, "Size of /tmp.", unit="MB", ge=512, le=10240, source=_LAMBDA
    )
    architecture: Literal["arm64", "x86_64"] = setting(
        "arm64",
        "Instruction set; arm64 costs a fifth less. Layers are built for it.",
        source=_LAMBDA,
    )
    runtime: str = setting(
        DEFAULT_RUNTIME,
        "Lambda runtime identifier.",
        source="Lambda developer guide, Lambda runtimes",
    )
    environment: TextMap = setting(
        {},
        "Further environment variables, added key by key to those of `defaults`. Names and ARNs only: a secret belongs "
        "in Secrets Manager.",
        source="Lambda developer guide, environment variables: 4 KB in all",
        example={"FEATURE_X": "on"},
    )
    reserved_concurrent_executions: int | None = setting(
        None,
        "Concurrency kept for this function and its upper limit; 0 stops it. Without it the function shares the pool.",
        unit="executions",
        ge=0,
        source=_CONCURRENCY,
        remedy="leave the key out to reserve nothing",
    )
    provisioned_concurrent_executions: int | None = setting(
        None,
        "Executions kept warm, paid for by the hour.",
        unit="executions",
        ge=1,
        source=_CONCURRENCY,
        remedy="leave the key out to keep none warm",
    )
    log_retention_in_days: LogRetention = setting(
        14, "How long log events are kept.", unit="days", source=_LOGS
    )
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR", "FATAL"] = setting(
        "INFO", "Lowest level written to the log.", source="Lambda API reference, LoggingConfig"
    )
    tracing_mode: Literal["Active", "PassThrough"] = setting(
        "Active",
        "Active traces requests with X-Ray; PassThrough only when the caller does.",
        source=_LAMBDA,
    )
    maximum_retry_attempts: int = setting(
        2,
        "Retries of a failed asynchronous invocation before its failure destination gets the event.",
        unit="retries",
        ge=0,
        le=2,
        source="Lambda API reference, PutFunctionEventInvokeConfig",
    )
    maximum_event_age_in_seconds: int = setting(
        3600,
        "Oldest asynchronous event that is still tried.",
        unit="seconds",
        ge=60,
        le=21600,
        source="Lambda API reference, PutFunctionEventInvokeConfig",
    )

    @field_validator("runtime")
    @classmethod
    def _known_runtime(cls, value: str) -> str:
        if value in ALL_SUPPORTED:
            return value
        if value in RETIRED:
            newest = DEFAULT_RUNTIME if value.startswith("python") else ALL_SUPPORTED[-1]
            raise ValueError(f"AWS retired this runtime on {RETIRED[value]}; use {newest}")
        raise ValueError(
            f"must be one of {', '.join(ALL_SUPPORTED)}{did_you_mean(value, ALL_SUPPORTED)}"
        )


class ApiSettings(Model):
    """The REST API."""

    throttle_rate_limit: float = setting(
        1000.0,
        "Requests a second that the stage lets through.",
        unit="requests/s",
        gt=0,
        source="API Gateway quotas",
    )
    throttle_burst_limit: int = setting(
        500,
        "Requests let through at once above the rate.",
        unit="requests",
        ge=1,
        source="API Gateway quotas",
    )
    cors_allow_origins: tuple[str, ...] = setting(
        (),
        "Web origins that may call the API from a browser, `https://host[:port]` each. Empty: none.",
        source="Fetch standard, CORS protocol",
        example=["https://app.example.com"],
    )
    authorizer_result_ttl_in_seconds: int = setting(
        60,
        "How long the gateway remembers the authorizer's answer to a token; 0 asks each time.",
        unit="seconds",
        ge=0,
        le=3600,
        source="API Gateway API reference, CreateAuthorizer",
    )
    logging_level: Literal["ERROR", "INFO", "OFF"] = setting(
        "ERROR",
        "Level of the stage's execution log.",
        source="API Gateway API reference, MethodSetting",
    )
    metrics_enabled: bool = setting(True, "CloudWatch metrics per method.")
    access_log_enabled: bool = setting(
        True, "One JSON line per request in a log group of the stage."
    )
    log_retention_in_days: LogRetention = setting(
        14, "How long the API's log events are kept.", unit="days", source=_LOGS
    )
    manage_account_log_role: bool = setting(
        False,
        "Let this stack own the role with which API Gateway writes logs. There is one per account and region, and "
        "destroying its owner stops the logs of every API there.",
        source="API Gateway developer guide, set up CloudWatch logging",
    )
    tracing_enabled: bool = setting(True, "Trace requests with X-Ray.")
    minimum_compression_size: int | None = setting(
        None,
        "Answers from this size on are compressed for callers that accept it. Without it none is.",
        unit="bytes",
        ge=0,
        le=10485760,
        source="API Gateway API reference, CreateRestApi",
        remedy="leave the key out for no compression",
    )


class DataSettings(Model):
    """Tables, buckets, secrets and the data key."""

    protect: bool = setting(
        True,
        "Keep data from being destroyed: Pulumi protect, DynamoDB deletion protection, no emptying of buckets.",
    )
    point_in_time_recovery: bool = setting(True, "Continuous backups of the tables.")
    point_in_time_recovery_days: int = setting(
        35, "How far back a table can be restored.", unit="days", ge=1, le=35,
        source="DynamoDB API reference, PointInTimeRecoverySpecification",
    )  # fmt: skip
    key_deletion_window_in_days: int = setting(
        30, "Wait before a destroyed data key is gone for good.", unit="days", ge=7, le=30,
        source="KMS API reference, ScheduleKeyDeletion",
    )  # fmt: skip
    secret_recovery_window_in_days: int = setting(
        30,
        "Wait before a destroyed secret is gone for good; 0 deletes it at once.",
        unit="days",
        source="Secrets Manager API reference, DeleteSecret",
    )
    upload_expiration_days: int | None = setting(
        None,
        "Age at which the bucket itself removes an upload. Without it only cleanup-job does.",
        unit="days",
        ge=1,
        le=3650,
        source="S3 API reference, LifecycleExpiration",
        remedy="leave the key out to keep uploads",
    )
    noncurrent_version_expiration_days: int = setting(
        30, "How long an overwritten or deleted version of an object is kept.", unit="days", ge=1, le=3650,
        source="S3 API reference, NoncurrentVersionExpiration",
    )  # fmt: skip

    @field_validator("secret_recovery_window_in_days")
    @classmethod
    def _zero_or_a_week(cls, value: int) -> int:
        if value == 0 or 7 <= value <= 30:
            return value
        raise ValueError("must be 0, or 7 to 30 days")


class ObservabilitySettings(Model):
    """Alarms; the dashboard is always there."""

    alarms_enabled: bool = setting(True, "Make the alarms.")
    alarm_email: str | None = setting(
        None,
        "Address that the alarms topic writes to; it must confirm the subscription.",
        example="team@example.com",
    )
    error_threshold: int = setting(
        1, "Errors of one function in a period that raise its alarm.", unit="errors", ge=1
    )
    throttle_threshold: int = setting(
        1,
        "Throttled invocations of one function in a period that raise its alarm.",
        unit="throttles",
        ge=1,
    )
    duration_threshold_percent: int = setting(
        80,
        "Longest run, as a share of the function's own timeout, that raises its alarm.",
        unit="percent",
        ge=1,
        le=100,
    )
    evaluation_periods: int = setting(
        1, "Periods in a row that must be over a threshold.", unit="periods", ge=1,
        source="CloudWatch API reference, PutMetricAlarm",
    )  # fmt: skip
    period: int = setting(
        60, "Length of a period, a multiple of 60.", unit="seconds", ge=60, le=86400,
        source="CloudWatch API reference, PutMetricAlarm",
    )  # fmt: skip

    @field_validator("period")
    @classmethod
    def _whole_minutes(cls, value: int) -> int:
        if value % 60:
            raise ValueError("must be a multiple of 60 seconds: Lambda reports once a minute")
        return value


class PackagingSettings(Model):
    """How code reaches Lambda."""

    build: bool = setting(
        True, "Build layers with pip before they are uploaded; the sandbox installs them itself."
    )


class QueueSettings(Model):
    """A queue and the mapping that feeds its consumer."""

    batch_size: int = setting(
        10, "Messages a call gets at most; above 10 a batching window of at least 1 second is needed.", unit="messages",
        ge=1, le=10000, source="Lambda API reference, CreateEventSourceMapping",
    )  # fmt: skip
    maximum_batching_window_in_seconds: int = setting(
        0, "Wait for a batch to fill.", unit="seconds", ge=0, le=300,
        source="Lambda API reference, CreateEventSourceMapping",
    )  # fmt: skip
    maximum_concurrency: int | None = setting(
        None, "Calls that the queue may run at once.", unit="executions", ge=2, le=1000,
        source="Lambda API reference, ScalingConfig", remedy="leave the key out for no limit",
    )  # fmt: skip
    visibility_timeout_seconds: int | None = setting(
        None,
        "Time a received message stays hidden. Without it: 6 times the consumer's timeout plus the batching window.",
        unit="seconds",
        ge=0,
        le=43200,
        source="SQS API reference, SetQueueAttributes; Lambda developer guide, using Lambda with SQS",
        remedy="leave the key out for 6 times the consumer's timeout",
    )
    max_receive_count: int = setting(
        8, "Receives before a message goes to the dead-letter queue.", unit="receives", ge=5, le=1000,
        source="SQS developer guide, dead-letter queues",
    )  # fmt: skip
    message_retention_seconds: int = setting(
        345600, "How long an unread message is kept.", unit="seconds", ge=60, le=1209600,
        source="SQS API reference, SetQueueAttributes",
    )  # fmt: skip
    dead_letter_retention_seconds: int = setting(
        1209600, "How long the dead-letter queue keeps a message, counted from its first sending.", unit="seconds",
        ge=60, le=1209600, source="SQS developer guide, dead-letter queues",
    )  # fmt: skip


class StreamSettings(Model):
    """The mapping that feeds a table's changes to its consumer."""

    batch_size: int = setting(
        100, "Records a call gets at most.", unit="records", ge=1, le=10000,
        source="Lambda API reference, CreateEventSourceMapping",
    )  # fmt: skip
    maximum_batching_window_in_seconds: int = setting(
        0, "Wait for a batch to fill.", unit="seconds", ge=0, le=300,
        source="Lambda API reference, CreateEventSourceMapping",
    )  # fmt: skip
    parallelization_factor: int = setting(
        1, "Calls per shard at once.", unit="calls", ge=1, le=10,
        source="Lambda API reference, CreateEventSourceMapping",
    )  # fmt: skip
    maximum_record_age_in_seconds: int = setting(
        3600, "Oldest record that is still tried.", unit="seconds", ge=60, le=604800,
        source="Lambda API reference, CreateEventSourceMapping",
        remedy="without an end one bad record blocks its shard for a day",
    )  # fmt: skip
    maximum_retry_attempts: int = setting(
        3, "Retries of a failed batch before it goes to the failure destination.", unit="retries", ge=0, le=10000,
        source="Lambda API reference, CreateEventSourceMapping",
        remedy="without an end one bad record blocks its shard for a day",
    )  # fmt: skip
    bisect_batch_on_function_error: bool = setting(
        True, "Halve a failed batch to find the bad record."
    )
    starting_position: Literal["TRIM_HORIZON", "LATEST"] = setting(
        "TRIM_HORIZON", "Where a new mapping starts reading; LATEST may miss changes made while it is created.",
        source="Lambda API reference, CreateEventSourceMapping",
    )  # fmt: skip


class ScheduleSettings(Model):
    """When a scheduled function runs."""

    schedule_expression: str = setting(
        "cron(0 3 * * ? *)", "`rate(1 day)`, `cron(0 3 * * ? *)` or `at(2027-01-31T03:00:00)`.",
        source="EventBridge Scheduler user guide, schedule types",
    )  # fmt: skip
    schedule_expression_timezone: str = setting(
        "UTC",
        "Time zone in which the expression is read.",
        source="IANA time zone database",
        example="Europe/Berlin",
    )
    enabled: bool = setting(True, "Run it.")
    flexible_time_window_in_minutes: int | None = setting(
        None, "Start at any moment of such a window. Without it: on time.", unit="minutes", ge=1, le=1440,
        source="EventBridge Scheduler API reference, FlexibleTimeWindow", remedy="leave the key out to start on time",
    )  # fmt: skip
    maximum_retry_attempts: int = setting(
        3, "Retries of a failed start.", unit="retries", ge=0, le=185,
        source="EventBridge Scheduler API reference, RetryPolicy",
    )  # fmt: skip
    maximum_event_age_in_seconds: int = setting(
        3600, "Oldest start that is still tried.", unit="seconds", ge=60, le=86400,
        source="EventBridge Scheduler API reference, RetryPolicy",
    )  # fmt: skip

    _expression = field_validator("schedule_expression")(staticmethod(check_expression))
    _timezone = field_validator("schedule_expression_timezone")(staticmethod(check_timezone))


class StackWide(Model):
    """The keys that are values themselves."""

    account_concurrent_executions: int = setting(
        1000,
        "Concurrency quota of the account in this region; AWS keeps 100 of it unreserved. New accounts start with 10.",
        unit="executions",
        ge=1,
        source="Lambda quotas",
    )
    tags: TextMap = setting(
        {},
        "Tags of every resource that can be tagged, besides the program's own.",
        source="AWS tagging guide, tag limits",
        example={"team": "platform"},
    )
