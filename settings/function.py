"""What a stack file may say of a Lambda function."""

from typing import Final, Literal

from pydantic import field_validator

from settings.fields import LogRetention, Model, TextMap, setting
from settings.runtimes import ALL_SUPPORTED, DEFAULT_RUNTIME, check_runtime

_LAMBDA: Final = "Lambda API reference, CreateFunction"
_CONCURRENCY: Final = "Lambda developer guide, reserved and provisioned concurrency"
_ASYNCHRONOUS: Final = "Lambda API reference, PutFunctionEventInvokeConfig"


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
        schema={"enum": ALL_SUPPORTED},
        source="Lambda developer guide, Lambda runtimes",
    )
    environment: TextMap = setting(
        {},
        "Further environment variables, added key by key to those of `defaults`. Names and ARNs only: a secret belongs "
        "in Secrets Manager.",
        source="Lambda developer guide, environment variables: 4 KB in all",
        example={"UPLOAD_RETENTION_DAYS": "14"},
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
        14,
        "How long log events are kept.",
        unit="days",
        source="CloudWatch Logs API reference, PutRetentionPolicy",
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
        source=_ASYNCHRONOUS,
    )
    maximum_event_age_in_seconds: int = setting(
        3600,
        "Oldest asynchronous event that is still tried.",
        unit="seconds",
        ge=60,
        le=21600,
        source=_ASYNCHRONOUS,
    )

    _runtime = field_validator("runtime")(staticmethod(check_runtime))
