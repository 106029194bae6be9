"""What a dashboard shows of this sandbox: metrics as they were measured, and the states of its alarms."""

from __future__ import annotations

import functools
import math
import re
import time
from collections.abc import Mapping
from typing import Any, Final

from sandbox.clients import Clients
from sandbox.dashboard import RUNBOOKS, picture, reading
from sandbox.dashboard.picture import Standing
from sandbox.dashboard.plots import Values
from sandbox.dashboard.reading import Line
from sandbox.reference import Site
from sandbox.workers import metric_statistics
from sandbox.workers.metric_store import MINUTE, STORE, key_of

_NAMED: Final = re.compile(rf"{RUNBOOKS.as_posix()}/([a-z0-9-]+)\.md")
_SINGLE_FREE: Final = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
"""Statistics for which sums and bounds are enough."""


@functools.cache
def _client(endpoint: str, region: str) -> Any:
    """Made once: the page asks every few seconds."""
    return Clients(endpoint, region).client("cloudwatch")


class Live:
    """One look at the emulator. `minutes` are CloudWatch's, which may last less than a minute here."""

    def __init__(self, site: Site, *, minutes: int) -> None:
        self.minutes = minutes
        self._root = site.root
        self._aws = _client(site.endpoint, site.region)
        # A point a minute, as metrics have it; five minutes where that would be too many to see.
        self._step = MINUTE * (1 if minutes <= 60 else 5)
        self._count = round(minutes * MINUTE / self._step)
        self._end = (math.floor(time.time() / self._step) + 1) * self._step

    def names(self) -> list[str]:
        """The dashboards that there are."""
        pages = self._aws.get_paginator("list_dashboards").paginate()
        return [one["DashboardName"] for page in pages for one in page.get("DashboardEntries", ())]

    def picture(self, name: str) -> str:
        """A dashboard as an SVG. Raises ValueError where its body is none."""
        widgets = reading.read(self._aws.get_dashboard(DashboardName=name)["DashboardBody"])
        standings = self._standings()
        look = picture.Look(
            values=self.values,
            standings=standings,
            times=(f"{self.minutes} minutes ago", "now"),
            prefix=f"{name}-",
            runbook=self._runbook,
            # What takes milliseconds here would lie flat below a limit of seconds.
            near=True,
        )
        rings = sum(one.state == "ALARM" for one in standings.values())
        return picture.draw(widgets, look, label=f"The dashboard {name}: {rings} alarms ring")

    def values(self, line: Line) -> Values:
        """What a line's metric was, window by window, the one that still goes on among them."""
        key = key_of(line.namespace, line.name, dict(line.dimensions))
        known = metric_statistics.is_known(line.statistic)
        single = line.statistic not in _SINGLE_FREE
        found: list[float | None] = []
        for place in range(self._count):
            start = self._end - (self._count - place) * self._step
            bucket = STORE.summary(key, start, start + self._step, single=single) if known else None
            found.append(metric_statistics.value(bucket, line.statistic) if bucket else None)
        return found

    def _standings(self) -> dict[str, Standing]:
        pages = self._aws.get_paginator("describe_alarms").paginate(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        return {
            alarm["AlarmArn"]: self._standing(alarm)
            for page in pages
            for kind in ("MetricAlarms", "CompositeAlarms")
            for alarm in page.get(kind, ())
        }

    def _standing(self, alarm: Mapping[str, Any]) -> Standing:
        named = _NAMED.search(alarm.get("AlarmDescription", ""))
        link = self._runbook(named[1]) if named else ""
        return Standing(alarm["StateValue"], alarm.get("StateReason", ""), link)

    def _runbook(self, name: str) -> str:
        """The link of a runbook that the program has."""
        return f"runbooks/{name}" if (self._root / RUNBOOKS / f"{name}.md").is_file() else ""
