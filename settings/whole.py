"""What a stack file may say of the stack as a whole."""

from typing import Final

from pydantic import field_validator

from settings.fields import Model, TextMap, setting
from settings.text import WrongValueError

_ALARM: Final = "CloudWatch API reference, PutMetricAlarm"


class ObservabilitySettings(Model):
    """Alarms; the dashboard is always there."""

    alarms_enabled: bool = setting(default=True, description="Make the alarms.", source=_ALARM)
    alarm_email: str | None = setting(
        None,
        "Address that the alarms topic writes to; it must confirm the subscription.",
        source="SNS API reference, Subscribe",
        example="team@example.com",
    )
    error_threshold: int = setting(
        1,
        "Errors of one function in a period that raise its alarm.",
        unit="errors",
        ge=1,
        source=_ALARM,
    )
    throttle_threshold: int = setting(
        1,
        "Throttled invocations of one function in a period that raise its alarm.",
        unit="throttles",
        ge=1,
        source=_ALARM,
    )
    duration_threshold_percent: int = setting(
        80,
        "Longest run, as a share of the function's own timeout, that raises its alarm.",
        unit="percent",
        ge=1,
        le=100,
        source=_ALARM,
    )
    evaluation_periods: int = setting(
        1,
        "Periods in a row that must be over a threshold.",
        unit="periods",
        ge=1,
        source=_ALARM,
    )
    period: int = setting(
        60,
        "Length of a period.",
        values="a multiple of 60, 60 to 86400",
        schema={"multipleOf": 60},
        unit="seconds",
        ge=60,
        le=86400,
        source=_ALARM,
    )

    @field_validator("period")
    @classmethod
    def _whole_minutes(cls, value: int) -> int:
        if value % 60:
            raise WrongValueError(
                "must be a multiple of 60, 60 to 86400 seconds", "Lambda reports once a minute"
            )
        return value


class PackagingSettings(Model):
    """How code reaches Lambda."""

    build: bool = setting(
        default=True,
        description="Build layers and Go functions before they are uploaded. `false` is for tests and the sandbox, which "
        "build for themselves: `pulumi up` needs the archives.",
        source="Lambda developer guide, Python layers",
    )
    compile: bool = setting(
        default=False,
        description="Put bytecode beside the sources in Python layers: faster starts of functions whose runtime has the very "
        "version of the Python that builds them.",
        source="Python documentation, py_compile",
    )
    opencv: bool = setting(
        default=False,
        description="Give image-processor a layer with OpenCV, 49 MB; on arm64 only.",
        source="Lambda quotas: 250 MB with all layers",
    )


class StackWide(Model):
    """The keys that are values themselves."""

    account_concurrent_executions: int = setting(
        1000,
        "Concurrency quota of the account in this region; AWS keeps 100 of it unreserved. New accounts start with 10.",
        unit="executions",
        ge=1,
        source="Lambda quotas",
    )
    versions_to_keep: int = setting(
        5,
        "Newest published versions of each function that the maintenance function keeps, besides those an alias points to.",
        unit="versions",
        ge=1,
        le=1000,
        source="Lambda quotas: 75 GB of code in a region",
    )
    tags: TextMap = setting(
        {},
        "Tags of every resource that can be tagged, besides the program's own.",
        source="AWS tagging guide, tag limits",
        example={"team": "platform"},
    )
