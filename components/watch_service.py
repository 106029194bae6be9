"""What is watched of the service as a whole: what it is for, whether it is healthy, whether it is down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.canary import canary_name
from components.place import Place
from components.watching import NAMESPACE, Alarm, Composite, Graph, Metric, Watched
from settings import CanarySettings, ScheduleSettings, seconds_between

SILENT_PERIODS, SILENT_PERIOD = 3, 300
"""How many periods of how many seconds health-checker may be silent, or find something down; longer ones where its schedule
is slower."""

LONGEST_PERIOD = 86_400

BUSINESS = (
    ("Items", ["ItemsCreated", "ItemsUpdated", "ItemsDeleted"]),
    ("Work", ["ThumbnailsMade", "RowsImported", "ReportsMade"]),
    ("People", ["NotificationsSent", "PushesSent", "UsersRegistered"]),
)
"""Graphs of what the functions count (handlers/common/metrics.py), by title."""
ORDER_STATES = ("placed", "confirmed", "unsent", "shipped", "delivered")


def service(place: Place, *, health: ScheduleSettings, canary: CanarySettings) -> Watched:
    """The service; `health` is the schedule of health-checker, whose silence is a bad sign as well."""
    stack = {"Stack": place.prefix}
    alarms = [
        *([_health(stack, health)] if health.enabled else ()),
        *_seen_from_outside(place, canary),
    ]
    return Watched(
        name="service",
        kind="service",
        alarms=alarms,
        composites=[_down(told_of=health.enabled)],
        graphs=[
            *(
                Graph(
                    title=title,
                    lines=[(name, Metric(NAMESPACE, name, "Sum", stack)) for name in names],
                )
                for title, names in BUSINESS
            ),
            Graph(
                title="Orders",
                lines=[
                    (state, Metric(NAMESPACE, "Orders", "Sum", {**stack, "State": state}))
                    for state in ORDER_STATES
                ],
            ),
        ],
    )


def _health(stack: Mapping[str, str], schedule: ScheduleSettings) -> Alarm:
    # A calendar, or more than a day: CloudWatch cannot tell the silence in between from another.
    every = seconds_between(schedule.schedule_expression)
    between = every and every + 60 * (schedule.flexible_time_window_in_minutes or 0)
    regular = between is not None and between <= LONGEST_PERIOD
    return Alarm(
        name="service-health",
        says="health-checker finds something down" + (", or is silent itself" if regular else ""),
        runbook="service-down",
        severity="page",
        metrics={"healthy": Metric(NAMESPACE, "Healthy", "Minimum", stack)},
        threshold=1,
        comparison="<",
        period=max(SILENT_PERIOD, between) if between and regular else SILENT_PERIOD,
        evaluation_periods=SILENT_PERIODS if regular else 1,
        missing="breaching" if regular else "notBreaching",
    )


def _seen_from_outside(place: Place, canary: CanarySettings) -> Iterator[Alarm]:
    if canary.enabled:
        dimensions = {"CanaryName": canary_name(place)}
        yield Alarm(
            name="canary-failed",
            says="the canary cannot reach the health route from outside",
            runbook="canary",
            severity="page",
            metrics={
                "success": Metric("CloudWatchSynthetics", "SuccessPercent", "Average", dimensions)
            },
            threshold=90,
            comparison="<",
            period=max(SILENT_PERIOD, canary.seconds_between),
            evaluation_periods=2,
            missing="breaching",
        )


def _down(*, told_of: bool) -> Composite:
    """Both APIs fail, or health-checker says so, where somebody asks it."""
    both, parts = "({api-5xx} AND {http-5xx})", ["api-5xx", "http-5xx"]
    return Composite(
        name="service-down",
        says="the service is down",
        runbook="service-down",
        severity="page",
        rule=f"{{service-health}} OR {both}" if told_of else both,
        parts=["service-health", *parts] if told_of else parts,
    )
