"""The state of an alarm out of its data points, and the words that CloudWatch has for it.

Source: CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data": two periods more
than an alarm evaluates are looked at, what is there counts before what is missing, and only what is lacking then is treated as
the alarm says.
"""

from __future__ import annotations

import json
import operator
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

ALARM, OK, UNKNOWN = "ALARM", "OK", "INSUFFICIENT_DATA"
MORE_PERIODS: Final = 2
"""So many periods beyond those that are evaluated are looked at."""
COMPARISONS: Final[Mapping[str, tuple[Callable[[float, float], bool], str]]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_TREATED: Final = {"breaching": "Breaching", "notBreaching": "NonBreaching"}

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Rule:
    """How an alarm judges."""

    comparison: str
    threshold: float
    periods: int
    enough: int
    """How many of the periods must breach."""
    missing: str

    def breaches(self, value: float) -> bool:
        """Whether a value is beyond the threshold."""
        return COMPARISONS[self.comparison][0](value, self.threshold)


@dataclass(frozen=True)
class Judgement:
    """What came out. `state` is None where the alarm keeps the one it has."""

    state: str | None
    used: Points
    lacking: int


def judge(rule: Rule, values: Sequence[tuple[float, float | None]]) -> Judgement:
    """Judge the periods of a range, oldest first; None stands for a missing value."""
    there = [(moment, value) for moment, value in values if value is not None]
    used = there[-rule.periods :]
    lacking = rule.periods - len(used)
    bad = sum(rule.breaches(value) for _, value in used)
    if bad >= rule.enough or (rule.missing == "breaching" and bad + lacking >= rule.enough):
        return Judgement(ALARM, used, lacking)
    if not lacking or rule.missing in _TREATED or bad < len(used):
        return Judgement(OK, used, lacking)
    if rule.missing == "ignore":
        return Judgement(None, used, lacking)
    if not used:
        return Judgement(UNKNOWN, used, lacking)
    # All that is there breaches: enough, once the oldest of it is as old as it takes.
    oldest = next(i for i, (_, value) in enumerate(values) if value is not None)
    return Judgement(ALARM if len(values) - oldest >= rule.enough else None, used, lacking)


def reason(rule: Rule, found: Judgement) -> str:
    """Why the alarm is in this state, as CloudWatch says it."""
    if found.state == UNKNOWN:
        many = f"{found.lacking} datapoints were" if found.lacking != 1 else "1 datapoint was"
        return f"Insufficient Data: {many} unknown."
    treated = _missing(rule, found) if found.lacking and rule.missing in _TREATED else ""
    if not found.used:
        return f"Threshold Crossed: no datapoints were received for {_many(found.lacking, 'period')} and {treated}."
    said = _said(rule, found)
    return f"Threshold Crossed: {said}{f' and {treated}' if treated else ''}{_needed(rule, found)}."


def _missing(rule: Rule, found: Judgement) -> str:
    verb = "was" if found.lacking == 1 else "were"
    words = _many(found.lacking, "missing datapoint")
    return f"{words} {verb} treated as [{_TREATED[rule.missing]}]"


def _said(rule: Rule, found: Judgement) -> str:
    alarms = found.state == ALARM
    meant = [each for each in found.used if rule.breaches(each[1]) == alarms] or found.used
    texts = ", ".join(f"{value} ({_day(moment)})" for moment, value in reversed(meant))
    verb = "was" if len(meant) == 1 else "were"
    words = COMPARISONS[rule.comparison][1]
    return (
        f"{len(meant)} out of the last {_many(rule.periods, 'datapoint')} [{texts}] "
        f"{verb} {'' if alarms else 'not '}{words} the threshold ({rule.threshold})"
    )


def _needed(rule: Rule, found: Judgement) -> str:
    if found.state == ALARM:
        return f" (minimum {_many(rule.enough, 'datapoint')} for OK -> ALARM transition)"
    least = _many(rule.periods - rule.enough + 1, "datapoint")
    return f" (minimum {least} for ALARM -> OK transition)"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _day(moment: float) -> str:
    return time.strftime("%d/%m/%y %H:%M:%S", time.gmtime(moment))


def reason_data(
    rule: Rule, found: Judgement, *, period: int, statistic: str, samples: Mapping[float, float]
) -> dict[str, Any]:
    """StateReasonData, as an object."""
    data: dict[str, Any] = {"version": "1.0", "queryDate": _stamp(time.time())}
    if found.used:
        data["startDate"] = _stamp(found.used[0][0])
    if statistic:
        data["statistic"] = statistic
    evaluated = [
        {"timestamp": _stamp(moment), "sampleCount": samples.get(moment), "value": value}
        for moment, value in reversed(found.used)
    ]
    data |= {
        "period": period,
        "recentDatapoints": [value for _, value in found.used],
        "threshold": rule.threshold,
        "evaluatedDatapoints": [
            {name: value for name, value in each.items() if value is not None} for each in evaluated
        ],
    }
    return data


def _stamp(moment: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 1000):03d}+0000"


def dumped(data: Mapping[str, Any]) -> str:
    """As CloudWatch writes it."""
    return json.dumps(data, separators=(",", ":"))
