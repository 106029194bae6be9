"""What is watched of the service as a whole: what it is for, whether it is healthy, whether it is down."""

from __future__ import annotations

from components.canary import canary_name
from components.place import Place
from components.watch_apis import NAMESPACE
from components.watching import Alarm, Composite, Graph, Metric, Watched
from settings import CanarySettings, ScheduleSettings

SILENT_PERIODS, SILENT_PERIOD = 3, 300
"""How many periods of how many seconds health-checker may be silent, or find something down."""

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
    alarms: list[Alarm] = []
    down = "({api-5xx} AND {http-5xx})"
    parts = ["api-5xx", "http-5xx"]
    if health.enabled:
        alarms.append(
            Alarm(
                name="service-health",
                says="health-checker finds something down, or is silent itself",
                runbook="service-down",
                severity="page",
                metrics={"healthy": Metric(NAMESPACE, "Healthy", "Minimum", stack)},
                threshold=1,
                comparison="<",
                period=SILENT_PERIOD,
                evaluation_periods=SILENT_PERIODS,
                missing="breaching",
            )
        )
        down, parts = f"{{service-health}} OR {down}", ["service-health", *parts]
    if canary.enabled:
        alarms.append(
            Alarm(
                name="canary-failed",
                says="the canary cannot reach the health route from outside",
                runbook="canary",
                severity="page",
                metrics={
                    "success": Metric(
                        "CloudWatchSynthetics",
                        "SuccessPercent",
                        "Average",
                        {"CanaryName": canary_name(place)},
                    )
                },
                threshold=90,
                comparison="<",
                period=max(300, canary.seconds_between),
                evaluation_periods=2,
                missing="breaching",
            )
        )
    return Watched(
        name="service",
        kind="service",
        alarms=alarms,
        composites=[
            Composite(
                name="service-down",
                says="the service is down",
                runbook="service-down",
                severity="page",
                rule=down,
                parts=parts,
            )
        ],
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
