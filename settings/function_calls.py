"""What a stack file may say of a function's calls: how many at once, who may call, what becomes of failed ones."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from settings import arns
from settings.arns import DeadLetterArn, FailureArn, SuccessArn
from settings.fields import Model, setting
from settings.function_parts import ScalingSettings
from settings.function_urls import FunctionUrlSettings
from settings.schedules import expression_with

_CONCURRENCY: Final = "Lambda developer guide, reserved and provisioned concurrency"
_ASYNCHRONOUS: Final = "Lambda API reference, PutFunctionEventInvokeConfig"

_MAKE_ASYNCHRONOUS: Final = (
    "maximum_retry_attempts",
    "maximum_event_age_in_seconds",
    "on_success",
    "on_failure",
    "warming_schedule",
)


class CallSettings(Model):
    """How many calls run at once, who may start them, and what becomes of failed ones."""

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
        "Executions kept warm, paid for by the hour; with scaling, those it starts from.",
        unit="executions",
        ge=1,
        source=_CONCURRENCY,
        remedy="leave the key out to keep none warm",
    )
    provisioned_concurrency_scaling: ScalingSettings | None = setting(
        None,
        "Provisioned concurrency that follows the load or a timetable. Without it: a fixed number.",
        source="Lambda developer guide, provisioned concurrency with Application Auto Scaling",
    )
    warming_schedule: (
        Annotated[str, AfterValidator(expression_with("it is read in UTC"))] | None
    ) = setting(
        None,
        'Calls the function with `{"warming": true}` on a schedule, as in `rate(5 minutes)`: one warm execution, '
        "cheaper than a provisioned one and without its promise. Python, Node.js and Go only.",
        values="rate(), cron() or at()",
        source="EventBridge Scheduler user guide, schedule types",
        schema={"pattern": r"^(rate|cron|at)\(.+\)$"},
        example="rate(5 minutes)",
    )
    snap_start: bool = setting(
        default=False,
        description="Start from a snapshot of the initialised function: Python 3.12 and later, Java, .NET.",
        source="Lambda developer guide, SnapStart",
    )
    dead_letter: DeadLetterArn | None = setting(
        None,
        "Standard queue or topic that gets events whose last retry failed, without the reason; on_failure says more.",
        values="ARN of a standard queue or topic",
        source="Lambda API reference, DeadLetterConfig",
        schema={"pattern": arns.pattern(arns.QUEUE, arns.TOPIC)},
        example="arn:aws:sqs:us-west-2:123456789012:lost-events",
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
    on_success: SuccessArn | None = setting(
        None,
        "Queue, topic, function or event bus that gets the result of an asynchronous invocation.",
        values="ARN of a standard queue or topic, a function, an event bus",
        source=_ASYNCHRONOUS,
        schema={"pattern": arns.pattern(arns.QUEUE, arns.TOPIC, arns.FUNCTION, arns.BUS)},
        example="arn:aws:events:us-west-2:123456789012:event-bus/orders",
    )
    on_failure: FailureArn | None = setting(
        None,
        "Queue, topic, function, event bus or bucket that gets a failed asynchronous invocation and its reason. Without it: "
        "the program's queue for failures.",
        values="ARN of a standard queue or topic, a function, an event bus, a bucket",
        source=_ASYNCHRONOUS,
        schema={
            "pattern": arns.pattern(arns.QUEUE, arns.TOPIC, arns.FUNCTION, arns.BUS, arns.BUCKET)
        },
        example="arn:aws:s3:::failed-events-example",
    )
    recursive_loop: Literal["Terminate", "Allow"] = setting(
        "Terminate",
        "What Lambda does about a function that calls itself by way of a queue, a topic or a bucket: end it after some 16 "
        "rounds, or let it.",
        source="Lambda API reference, PutFunctionRecursionConfig",
    )
    function_url: FunctionUrlSettings | None = setting(
        None,
        "HTTPS address of its own. `{}` makes one with the defaults, `null` takes away one that the program gives.",
        source="Lambda developer guide, function URLs",
    )

    @property
    def asynchronous(self) -> bool:
        """Whether the stack file, or the program's own values, say how its asynchronous invocations are handled."""
        return any(
            key in self.model_fields_set and getattr(self, key) is not None
            for key in _MAKE_ASYNCHRONOUS
        )
