"""What a stack file may say of alarms: their thresholds, and the objectives of the APIs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import AfterValidator, PlainSerializer, field_validator

from settings.fields import CountMap, Model, setting
from settings.receivers import CHAT, SUBSCRIBE, WORKSPACE, ReceiverSettings, SlackWorkspace
from settings.text import WrongValueError

FAST_BURN: Final = 14.4
"""Times the sustainable rate at which the fast alarm of an objective rings: 2 % of a month's budget in an hour.

Source: The Site Reliability Workbook, "Alerting on SLOs".
"""

SLOW_BURN: Final = 6
"""The same of the slow alarm: 5 % of a month's budget in 6 hours."""

WATCHED_APIS: Final = ("api", "http")
"""APIs that may have objectives, by the names that their alarms carry: the REST API, the HTTP API."""

LEAST_OBJECTIVE: Final = 93.1
"""Below this share the fast alarm could never ring: `FAST_BURN` times what may fail would be more than all there is."""

MOST_OBJECTIVE: Final = 99.999

_ALARM: Final = "CloudWatch API reference, PutMetricAlarm"
_SLO: Final = "The Site Reliability Workbook, Alerting on SLOs"


class ObjectiveSettings(Model):
    """What the callers of one API may count on, over a month; from it the alarms on how fast it is used up are made."""

    availability_percent: float | None = setting(
        None,
        "Share of the requests that are not answered 5xx. Without it: no such objective.",
        unit="percent",
        ge=LEAST_OBJECTIVE,
        le=MOST_OBJECTIVE,
        remedy="below it the fast alarm could never ring, above it next to nothing may fail",
        source=_SLO,
        example=99.9,
    )
    latency_percent: float | None = setting(
        None,
        "Share of the requests that are answered within `latency_milliseconds`. Without it: no such objective.",
        unit="percent",
        ge=LEAST_OBJECTIVE,
        le=MOST_OBJECTIVE,
        remedy="below it the fast alarm could never ring, above it next to nothing may fail",
        source=_SLO,
        example=99,
    )
    latency_milliseconds: int = setting(
        1000,
        "Time within which a request shall be answered.",
        unit="milliseconds",
        ge=1,
        le=29000,
        source=_SLO,
    )


def _known_api(name: str) -> str:
    if name not in WATCHED_APIS:
        raise WrongValueError(f"must be one of {', '.join(WATCHED_APIS)}")
    return name


def _read_only(found: Mapping[str, ObjectiveSettings]) -> Mapping[str, ObjectiveSettings]:
    return MappingProxyType(dict(found))


Objectives = Annotated[
    Mapping[Annotated[str, AfterValidator(_known_api)], ObjectiveSettings],
    AfterValidator(_read_only),
    PlainSerializer(dict, return_type=dict[str, ObjectiveSettings]),
]


class ObservabilitySettings(Model):
    """Alarms; the dashboard is always there. An alarm of what is switched off does not exist."""

    other_names = MappingProxyType(
        {
            "alarm_email": "did you mean 'page.email'? ticket.email is for what can wait",
            "error_threshold": "did you mean 'error_rate_percent'? errors are judged by their share of the invocations",
        }
    )

    alarms_enabled: bool = setting(default=True, description="Make the alarms.", source=_ALARM)
    page: ReceiverSettings = setting(
        ReceiverSettings(),
        "Who is told at once, of what callers notice: errors of APIs, fast burning objectives, the service being down.",
        source=SUBSCRIBE,
    )
    ticket: ReceiverSettings = setting(
        ReceiverSettings(),
        "Who is told of what can wait until the morning, the budget among it.",
        source=SUBSCRIBE,
    )
    slack_workspace_id: SlackWorkspace | None = setting(
        None,
        "Slack workspace of the channels; somebody must have joined it to the account by hand once, in the console of "
        "Amazon Q Developer in chat applications. Without it: no chat.",
        values="id of a Slack workspace",
        source=CHAT,
        schema={"pattern": f"^{WORKSPACE}$"},
        example="T0123456789",
    )
    error_rate_percent: float = setting(
        5.0,
        "Share of a function's invocations that end in an error and raise its alarm.",
        unit="percent",
        ge=0.1,
        le=100,
        source=_ALARM,
    )
    minimum_invocations: int = setting(
        10,
        "Invocations that there must be in `error_rate_period` before their errors count: of two, one is half.",
        unit="invocations",
        ge=1,
        source=_ALARM,
    )
    error_rate_period: int = setting(
        300,
        "Time over which errors are held against invocations, of functions and of APIs.",
        values="a multiple of 60, 60 to 86400",
        schema={"multipleOf": 60},
        unit="seconds",
        ge=60,
        le=86400,
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
        "Run that one in a hundred exceeds (p99), as a share of the function's own timeout, that raises its alarm.",
        unit="percent",
        ge=1,
        le=100,
        source=_ALARM,
    )
    concurrency_threshold_percent: int = setting(
        80,
        "Concurrent executions, as a share of the function's reservation, that raise its alarm.",
        unit="percent",
        ge=1,
        le=100,
        source=_ALARM,
    )
    invocations_threshold: int = setting(
        10000,
        "Invocations of one function in 5 minutes, twice in a row, that raise its alarm: somebody pays for them.",
        unit="invocations",
        ge=1,
        source=_ALARM,
    )
    invocations_thresholds: CountMap = setting(
        {},
        "The same of single functions, by name.",
        unit="invocations",
        values="functions, 1 or more invocations each",
        schema={"additionalProperties": {"type": "integer", "minimum": 1}},
        source=_ALARM,
        example={"health": 2000},
    )
    queue_depth_threshold: int = setting(
        1000,
        "Messages waiting in one queue that raise its alarm.",
        unit="messages",
        ge=1,
        source=_ALARM,
    )
    server_error_percent: float = setting(
        1.0,
        "Share of an API's requests that are answered 5xx and raise its alarm.",
        unit="percent",
        ge=0.1,
        le=100,
        source=_ALARM,
    )
    client_error_percent: float = setting(
        40.0,
        "Share of an API's requests that are answered 4xx and raise its alarm.",
        unit="percent",
        ge=0.1,
        le=100,
        source=_ALARM,
    )
    minimum_requests: int = setting(
        20,
        "Requests that there must be in a period before their errors count.",
        unit="requests",
        ge=1,
        source=_ALARM,
    )
    latency_threshold_milliseconds: int = setting(
        3000,
        "Time that one request of an API in a hundred exceeds (p99) and that raises its alarm.",
        unit="milliseconds",
        ge=1,
        le=29000,
        source=_ALARM,
    )
    objectives: Objectives = setting(
        {},
        f"Objectives of the REST API (`{WATCHED_APIS[0]}`) and of the HTTP API (`{WATCHED_APIS[1]}`).",
        values=f"{' and '.join(WATCHED_APIS)}",
        schema={"propertyNames": {"enum": list(WATCHED_APIS)}},
        source=_SLO,
        example={"api": {"availability_percent": 99.9}},
    )
    anomaly_detection: bool = setting(
        default=False,
        description="Alarms on the traffic of each API against what CloudWatch has learnt of it, where no threshold can "
        "be known; each counts as three.",
        source="CloudWatch user guide, anomaly detection",
    )
    anomaly_band: float = setting(
        2.0,
        "How far from the expected traffic is still usual; less rings more often.",
        unit="standard deviations",
        ge=0.5,
        le=10,
        source="CloudWatch user guide, ANOMALY_DETECTION_BAND",
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

    @field_validator("period", "error_rate_period")
    @classmethod
    def _whole_minutes(cls, seconds: int) -> int:
        if seconds % 60:
            raise WrongValueError(
                "must be a multiple of 60, 60 to 86400 seconds", "Lambda reports once a minute"
            )
        return seconds
