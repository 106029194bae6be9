"""Made-up values for the picture of the dashboard: a calm afternoon on which one alarm rings."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Final

from sandbox.dashboard.picture import Standing
from sandbox.dashboard.plots import Values
from sandbox.dashboard.reading import Alarms, Graph, Line, Widget

POINTS: Final = 37
"""Every five minutes of three hours."""
_SINCE: Final = 29
"""The point from which the alarm rings."""

BAD: Final = (
    *("Error", "Throttle", "Failure", "Exceeded", "Spillover", "Refused"),
    *("5XX", "5xx", "4XX", "4xx"),
    *("dead-letter", "failures", "unsent", "failed", "refused", "cancelled"),
)
"""Parts of the names of metrics, and of what they are about, that are nothing on a calm day."""
TIMES: Final = ("Duration", "Latency", "Age", "Delay")


class Illustration:
    """Values of all lines and states of all alarms of a dashboard, the same at every run.

    What rings is the first alarm over errors of a function that pages; the bad lines of its graphs rise with it.
    """

    def __init__(self, widgets: Sequence[Widget]) -> None:
        self._alarms = [arn for one in widgets if isinstance(one, Alarms) for arn in one.arns]
        graphs = [one for one in widgets if isinstance(one, Graph)]
        self._limits = {line: _limit(one) for one in graphs for line in one.lines}
        functions = [dict(line.dimensions).get("FunctionName") for line in self._limits]
        errors = {f"{function}-errors" for function in functions if function}
        named = [arn.rpartition(":")[2] for arn in self._alarms]
        self._rings = next((name for name in named if name in errors), "")

    def standings(self) -> dict[str, Standing]:
        """The state of every alarm by its ARN."""
        return {
            arn: Standing("ALARM" if arn.rpartition(":")[2] == self._rings else "OK")
            for arn in self._alarms
        }

    def values(self, line: Line) -> Values:
        """What a line shows."""
        chance = random.Random(repr(line))  # noqa: S311
        if any(
            part in text
            for part in BAD
            for text in (line.name, line.label, *dict(line.dimensions).values())
        ):
            return self._bad(line, chance)
        if line.name == "Healthy":
            return [1.0] * POINTS
        high = self._high(line, chance)
        phase, slow = chance.random(), chance.choice((1, 1, 2))
        return [
            _round(
                high
                * (0.72 + 0.18 * math.sin(place / 9 * slow + 6 * phase) + chance.uniform(-0.1, 0.1))
            )
            for place in range(POINTS)
        ]

    def _bad(self, line: Line, chance: random.Random) -> Values:
        rings = (
            "Error" in line.name
            and f"{dict(line.dimensions).get('FunctionName')}-errors" == self._rings
        )
        high = self._limits.get(line) or 10
        return [
            _round(high * chance.uniform(1.0, 1.6)) if rings and place >= _SINCE else 0.0
            for place in range(POINTS)
        ]

    def _high(self, line: Line, chance: random.Random) -> float:
        """About the largest value: far below the limit where there is one."""
        share = {"p50": 0.1, "p90": 0.2, "Average": 0.15}.get(line.statistic, 0.3)
        limit = self._limits.get(line)
        if limit:
            return limit * share * chance.uniform(0.8, 1.3)
        if line.statistic.startswith("PR("):
            return 100
        base = 400.0 * share if any(part in line.name for part in TIMES) else 60.0
        base = 8.0 if line.name == "ConcurrentExecutions" else base
        return base * chance.uniform(0.5, 2)


def _limit(shown: Graph) -> float | None:
    return min((limit for _, limit in shown.limits), default=None)


def _round(number: float) -> float:
    return float(round(max(number, 0)))
