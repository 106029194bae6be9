"""What a stack file may say of logs, traces and the canary: how the program is seen from inside and from outside."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator

from settings import arns
from settings.fields import Model, setting
from settings.schedules import seconds_between
from settings.text import WrongValueError

LEAST_RUNTIME: Final = 6
"""Oldest major version of Synthetics' Python runtime that AWS still takes.

Source: CloudWatch user guide, Synthetics runtime deprecation dates, as of November 2026.
"""

NEWEST_RUNTIME: Final = "syn-python-selenium-14.0"
"""Source: CloudWatch user guide, runtime versions using Python and Selenium, as of November 2026."""

LONGEST_RUN: Final = 840
"""Seconds that a canary may run. Source: Synthetics API reference, CanaryRunConfigInput."""

_LOGS: Final = "CloudWatch Logs API reference, PutSubscriptionFilter"
_XRAY: Final = "X-Ray API reference, SamplingRule"
_CANARY: Final = "Synthetics API reference, CreateCanary"
_RUNTIME: Final = r"syn-python-selenium-([0-9]{1,3})\.[0-9]{1,3}"
_SCHEDULE: Final = r"rate\((?:1 minute|([2-9]|[1-5][0-9]|60) minutes|1 hour)\)"
_DESTINATIONS: Final = (arns.LOG_DESTINATION, arns.DATA_STREAM, arns.DELIVERY_STREAM)


def _check_runtime(name: str) -> str:
    found = re.fullmatch(_RUNTIME, name, re.ASCII)
    if not found:
        raise WrongValueError(
            f"must be a Python runtime of Synthetics, as in {NEWEST_RUNTIME}",
            "the canary is written in Python",
        )
    if int(found[1]) < LEAST_RUNTIME:
        raise WrongValueError("AWS retired this runtime", f"use {NEWEST_RUNTIME}")
    return name


def _check_schedule(expression: str) -> str:
    if not re.fullmatch(_SCHEDULE, expression, re.ASCII):
        raise WrongValueError("must be rate(1 minute) to rate(60 minutes)")
    return expression


class LogSettings(Model):
    """What all functions' logs have in common; levels and retention are settings of functions and APIs."""

    sample_rate: float = setting(
        0.0,
        "Share of the requests that functions in Python, Node.js and Go log at DEBUG, whatever their level, all of them "
        "the same ones. A function may say its own.",
        unit="of the requests",
        ge=0,
        le=1,
        source="Lambda API reference, LoggingConfig",
        example=0.01,
    )
    destination_arn: Annotated[str, AfterValidator(arns.one_of(*_DESTINATIONS))] | None = setting(
        None,
        "Where the log events of every function are sent as well: a central account's log destination, or a Kinesis or "
        "Firehose stream of this account. Without it: nowhere.",
        values="ARN of a log destination, a Kinesis stream or a Firehose stream",
        source=_LOGS,
        schema={"pattern": arns.pattern(*_DESTINATIONS)},
        example="arn:aws:logs:us-west-2:123456789012:destination:central",
    )
    destination_filter: str = setting(
        "",
        "Filter pattern of what is sent there. Empty: everything.",
        max_length=1024,
        source=_LOGS,
        example='{ $.level = "ERROR" }',
    )


class TracingSettings(Model):
    """Which requests X-Ray follows: the stack's own sampling rule. Functions say by `tracing_mode` whether they are traced."""

    fixed_rate: float = setting(
        0.05,
        "Share of the requests at the REST and the GraphQL API that are traced beyond the reservoir. What begins at a "
        "function (HTTP API, queues, schedules) is taken by Lambda's own rate: 1 a second and 5 % of the rest.",
        unit="of the requests",
        ge=0,
        le=1,
        source=_XRAY,
    )
    reservoir_size: int = setting(
        1,
        "Requests there that are traced each second before the share counts.",
        unit="requests/s",
        ge=0,
        le=1000,
        source=_XRAY,
    )
    priority: int = setting(
        1000,
        "Rank of the rule among those of the account, the lowest first.",
        unit="(rank)",
        ge=1,
        le=9999,
        source=_XRAY,
    )


class CanarySettings(Model):
    """A caller from outside: asks the health route over the internet, again and again."""

    enabled: bool = setting(
        default=False,
        description="Run it. Each run costs about 0.0012 USD, besides the function that runs it.",
        source="CloudWatch pricing, canaries",
    )
    schedule_expression: Annotated[str, AfterValidator(_check_schedule)] = setting(
        "rate(5 minutes)",
        "How often it asks.",
        values="rate(1 minute) to rate(60 minutes)",
        source="Synthetics API reference, CanaryScheduleInput",
        schema={"pattern": f"^{_SCHEDULE}$"},
        example="rate(10 minutes)",
    )
    runtime_version: Annotated[str, AfterValidator(_check_runtime)] = setting(
        NEWEST_RUNTIME,
        "Runtime of Synthetics; AWS refuses one that it has retired.",
        values=f"a Python runtime from syn-python-selenium-{LEAST_RUNTIME}.0",
        source="CloudWatch user guide, Synthetics runtime versions using Python and Selenium",
        schema={"pattern": f"^{_RUNTIME}$"},
        example=NEWEST_RUNTIME,
    )
    timeout_in_seconds: int = setting(
        60,
        "Longest run; at most the time between two.",
        unit="seconds",
        ge=15,
        le=LONGEST_RUN,
        source="CloudWatch user guide, Synthetics runtime versions: a start takes up to 15 seconds",
    )
    success_retention_days: int = setting(
        7,
        "How long the results of good runs are kept.",
        unit="days",
        ge=1,
        le=455,
        source=_CANARY,
    )
    failure_retention_days: int = setting(
        31,
        "How long the results of failed runs are kept.",
        unit="days",
        ge=1,
        le=455,
        source=_CANARY,
    )

    @property
    def seconds_between(self) -> int:
        """The time between two runs."""
        return seconds_between(self.schedule_expression) or 0
