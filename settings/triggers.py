"""What a stack file may say of the queues, streams and schedules that start a function."""

from typing import Final, Literal

from pydantic import field_validator

from settings.fields import JsonMap, Model, setting
from settings.schedules import MOMENT, Moment, check_timezone, expression_with

_MAPPING: Final = "Lambda API reference, CreateEventSourceMapping"
_QUEUE: Final = "SQS API reference, SetQueueAttributes"
_THROUGHPUT: Final = "SQS developer guide, high throughput for FIFO queues"
_DEAD_LETTERS: Final = "SQS developer guide, dead-letter queues"
_RETRY: Final = "EventBridge Scheduler API reference, RetryPolicy"
_SCHEDULE: Final = "EventBridge Scheduler API reference, CreateSchedule"
_POISON: Final = "without an end one bad record blocks its shard for a day"


class QueueSettings(Model):
    """A queue and the mapping that feeds its consumer."""

    enabled: bool = setting(
        default=True,
        description="Let messages start the consumer; while it is off they wait in the queue.",
        source=_MAPPING,
    )
    metrics_enabled: bool = setting(
        default=False,
        description="Count what the mapping polls, filters, calls with and drops; each count is a metric that is paid for.",
        source="Lambda API reference, EventSourceMappingMetricsConfig",
    )
    batch_size: int = setting(
        10,
        "Messages a call gets at most; above 10 a batching window of at least 1 second is needed. A FIFO queue has at most 10.",
        unit="messages",
        ge=1,
        le=10000,
        source=_MAPPING,
    )
    maximum_batching_window_in_seconds: int = setting(
        0,
        "Wait for a batch to fill; a FIFO queue does not wait.",
        unit="seconds",
        ge=0,
        le=300,
        source=_MAPPING,
    )
    maximum_concurrency: int | None = setting(
        None,
        "Calls that the queue may run at once; left out, what its consumer has reserved.",
        unit="executions",
        ge=2,
        le=1000,
        source="Lambda API reference, ScalingConfig",
        remedy="leave the key out for no limit of its own",
    )
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
        8,
        "Receives before a message goes to the dead-letter queue.",
        unit="receives",
        ge=5,
        le=1000,
        source=_DEAD_LETTERS,
    )
    message_retention_seconds: int = setting(
        345600,
        "How long an unread message is kept.",
        unit="seconds",
        ge=60,
        le=1209600,
        source=_QUEUE,
    )
    dead_letter_retention_seconds: int = setting(
        1209600,
        "How long the dead-letter queue keeps a message, counted from its first sending.",
        unit="seconds",
        ge=60,
        le=1209600,
        source=_DEAD_LETTERS,
    )
    delay_seconds: int = setting(
        0,
        "How long a new message stays hidden before it can be received.",
        unit="seconds",
        ge=0,
        le=900,
        source=_QUEUE,
    )
    receive_wait_time_seconds: int = setting(
        0,
        "How long an empty receive waits for a message; Lambda's own receives wait 20 whatever stands here.",
        unit="seconds",
        ge=0,
        le=20,
        source=_QUEUE,
    )
    max_message_size: int = setting(
        262144,
        "Largest message, its attributes included.",
        unit="bytes",
        ge=1024,
        le=1048576,
        source=_QUEUE,
    )
    kms_data_key_reuse_period_seconds: int = setting(
        300,
        "How long the queue uses one data key before it asks KMS for the next; shorter is safer and costs more calls.",
        unit="seconds",
        ge=60,
        le=86400,
        source=_QUEUE,
    )
    deduplication_scope: Literal["queue", "messageGroup"] = setting(
        "messageGroup",
        "Where a deduplication id is looked for: in the whole queue, or in its message group. FIFO queues only.",
        source=_THROUGHPUT,
    )
    fifo_throughput_limit: Literal["perQueue", "perMessageGroupId"] = setting(
        "perMessageGroupId",
        "What the quota of messages a second counts for; perMessageGroupId needs deduplication_scope messageGroup. FIFO "
        "queues only.",
        source=_THROUGHPUT,
    )


class StreamSettings(Model):
    """The mapping that feeds a table's changes, or the records of a Kinesis stream, to its consumer."""

    enabled: bool = setting(
        default=True,
        description="Let records start the function; while it is off they wait in the stream, a day in a table's.",
        source=_MAPPING,
    )
    metrics_enabled: bool = setting(
        default=False,
        description="Count what the mapping polls, filters, calls with and drops; each count is a metric that is paid for.",
        source="Lambda API reference, EventSourceMappingMetricsConfig",
    )
    batch_size: int = setting(
        100,
        "Records a call gets at most.",
        unit="records",
        ge=1,
        le=10000,
        source=_MAPPING,
    )
    maximum_batching_window_in_seconds: int = setting(
        0,
        "Wait for a batch to fill.",
        unit="seconds",
        ge=0,
        le=300,
        source=_MAPPING,
    )
    parallelization_factor: int = setting(
        1,
        "Calls per shard at once.",
        unit="calls",
        ge=1,
        le=10,
        source=_MAPPING,
    )
    maximum_record_age_in_seconds: int = setting(
        3600,
        "Oldest record that is still tried.",
        unit="seconds",
        ge=60,
        le=604800,
        source=_MAPPING,
        remedy=_POISON,
    )
    maximum_retry_attempts: int = setting(
        3,
        "Retries of a failed batch before it goes to the failure destination.",
        unit="retries",
        ge=0,
        le=10000,
        source=_MAPPING,
        remedy=_POISON,
    )
    bisect_batch_on_function_error: bool = setting(
        default=True, description="Halve a failed batch to find the bad record.", source=_MAPPING
    )
    starting_position: Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"] = setting(
        "TRIM_HORIZON",
        "Where a new mapping starts reading; LATEST may miss changes made while it is created. AT_TIMESTAMP is for Kinesis "
        "streams.",
        source=_MAPPING,
    )
    starting_position_timestamp: Moment | None = setting(
        None,
        "Moment from which AT_TIMESTAMP reads.",
        values="date and time with Z",
        schema={"pattern": f"^{MOMENT}$"},
        source=_MAPPING,
        example="2027-01-31T03:00:00Z",
    )
    tumbling_window_in_seconds: int = setting(
        0,
        "Length of the windows over which Lambda hands a state from call to call; 0: none. Excludes a "
        "parallelization_factor above 1.",
        unit="seconds",
        ge=0,
        le=900,
        source=_MAPPING,
    )


class ScheduleSettings(Model):
    """When a scheduled function runs."""

    schedule_expression: str = setting(
        "cron(0 3 * * ? *)",
        "`rate(1 day)`, `cron(0 3 * * ? *)` or `at(2027-01-31T03:00:00)`.",
        schema={"pattern": r"^(rate|cron|at)\(.+\)$"},
        source="EventBridge Scheduler user guide, schedule types",
    )
    schedule_expression_timezone: str = setting(
        "UTC",
        "Time zone in which the expression is read.",
        source="IANA time zone database",
        example="Europe/Berlin",
    )
    enabled: bool = setting(default=True, description="Run it.", source=_SCHEDULE)
    flexible_time_window_in_minutes: int | None = setting(
        None,
        "Start at any moment of such a window. Without it: on time.",
        unit="minutes",
        ge=1,
        le=1440,
        source="EventBridge Scheduler API reference, FlexibleTimeWindow",
        remedy="leave the key out to start on time",
    )
    maximum_retry_attempts: int = setting(
        3,
        "Retries of a failed start.",
        unit="retries",
        ge=0,
        le=185,
        source=_RETRY,
    )
    maximum_event_age_in_seconds: int = setting(
        3600,
        "Oldest start that is still tried.",
        unit="seconds",
        ge=60,
        le=86400,
        source=_RETRY,
    )
    input: JsonMap | None = setting(
        None,
        "Event that the function gets, replaced whole. Without it: the schedule's own name and time.",
        values="a map that JSON can hold",
        schema={"type": ["object", "null"], "additionalProperties": True},
        source="EventBridge Scheduler API reference, Target",
        example={"dry_run": True},
    )
    start_date: Moment | None = setting(
        None,
        "First moment at which it may run.",
        values="date and time with Z",
        schema={"pattern": f"^{MOMENT}$"},
        source=_SCHEDULE,
        example="2027-01-31T03:00:00Z",
    )
    end_date: Moment | None = setting(
        None,
        "Moment after which it runs no more.",
        values="date and time with Z",
        schema={"pattern": f"^{MOMENT}$"},
        source=_SCHEDULE,
        example="2028-01-31T03:00:00Z",
    )
    action_after_completion: Literal["NONE", "DELETE"] = setting(
        "NONE",
        "What becomes of a schedule that will not start anything again, such as at(...).",
        source=_SCHEDULE,
    )
    description: str | None = setting(
        None,
        "What the Scheduler console shows. Without it: nothing.",
        max_length=512,
        source=_SCHEDULE,
    )

    _expression = field_validator("schedule_expression")(
        staticmethod(expression_with("the zone is schedule_expression_timezone"))
    )
    _timezone = field_validator("schedule_expression_timezone")(staticmethod(check_timezone))
