"""The one thread that judges alarms: when a value has come, and while old values leave the periods that are looked at.

It sleeps where neither is the case. An alarm without data is judged once, when it is made. Silence alone (missing data that
counts as breaching) rings only for a metric that came before, and after as long a time as on AWS, however short a minute is
here: schedules are as slow as ever, and only what really happened moves an alarm. The time that a machine sleeps is no silence.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers import alarm_states
from sandbox.workers.alarm_states import UNKNOWN, Judgement, Rule
from sandbox.workers.metric_math import Unread
from sandbox.workers.metric_queries import Queries, Windows
from sandbox.workers.metric_store import MINUTE, STORE, WIDTH

logger = logging.getLogger("sandbox.workers")
Record = dict[str, Any]
BEAT: Final = min(1.0, MINUTE / 12)
"""Seconds between two looks, however much comes in."""
_AT_ONCE: Final = min(0.05, BEAT)
"""How long the first look waits for what comes together."""
_SLIP: Final = 1e-6
"""What sums of fractions may be short of a whole."""
_NAP: Final = 5.0
_ONLY: Final = "m1"
"""The id of the one metric of an alarm without queries."""


class Watched:
    """An alarm, as it is judged. Raises Unread where it cannot be."""

    def __init__(self, alarm: Mapping[str, Any], wake: Callable[[], None]) -> None:
        self._queries = Queries(_queries(alarm))
        self._result = _result(alarm)
        self.period = float(alarm.get("Period") or self._queries.period())
        self.statistic = str(alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "")
        self.rule = _rule(alarm, self._queries)
        self.since = time.time()
        """From when on silence is silence."""
        self.due: float | None = 0.0
        """When to judge next; None while nothing could change."""
        self._soonest = 0.0
        self._came = False
        self._wake = wake
        for key in self._queries.reads():
            STORE.series(key).heard += (self.hear,)

    def hear(self) -> None:
        """A value of one of its metrics has come."""
        if not self._came:
            self._came = True
            self._wake()

    def leave(self) -> None:
        """Listen no more."""
        for key in self._queries.reads():
            series = STORE.series(key)
            series.heard = tuple(each for each in series.heard if each != self.hear)

    def next(self) -> float | None:
        """When to look at it again."""
        if self._came:
            return self._soonest if self.due is None else min(self.due, self._soonest)
        return self.due

    def judge(self, now: float) -> tuple[Judgement, Record]:
        """What it is to be now, and the data of the reason."""
        self._came, self._soonest = False, now + max(BEAT, min(MINUTE, self._lasts(1) / 60))
        end = self._end(now)
        periods = self.rule.periods + alarm_states.MORE_PERIODS

        def windows(period: float) -> Windows:
            length = period * MINUTE / 60
            return [(end - (i + 1) * length, end - i * length) for i in reversed(range(periods))]

        values = self._queries.values(windows)
        series = values.series(self._result)
        rule = self._rule_of_silence(now)
        found = alarm_states.judge(rule, [(at, series.get(at)) for at in values.moments])
        # Silence that does not count yet changes nothing.
        if rule is not self.rule and found.state == UNKNOWN:
            found = Judgement(None, found.used, found.lacking)
        self._plan(end, values.samples, rule)
        data = alarm_states.reason_data(
            rule, found, period=int(self.period), statistic=self.statistic, samples=values.samples
        )
        return found, data

    def _lasts(self, periods: int) -> float:
        return periods * self.period * MINUTE / 60

    def _end(self, now: float) -> float:
        """Where the last period ends: now; whole periods after the last value, where none came since.

        Periods that went on to slide over old values would mix them anew, and an alarm that had cleared would ring again.
        """
        end = math.floor(now / WIDTH) * WIDTH + WIDTH
        last = self._last()
        if last is None or last >= end:
            return end
        length = self._lasts(1)
        return last + math.floor((end - last) / length + _SLIP) * length

    def _last(self) -> float | None:
        lasts = [STORE.series(key).last for key in self._queries.reads()]
        return max((each for each in lasts if each is not None), default=None)

    def _rule_of_silence(self, now: float) -> Rule:
        """Its rule; while silence does not count yet, missing data is just missing."""
        rule = self.rule
        if rule.missing != "breaching" or now >= self._silent_from():
            return rule
        return Rule(rule.comparison, rule.threshold, rule.periods, rule.enough, "missing")

    def _silent_from(self) -> float:
        """From when on silence counts."""
        last = self._last()
        periods = self.rule.enough * self.period
        return max(math.inf if last is None else last, self.since) + periods * max(1.0, MINUTE / 60)

    def _plan(self, end: float, samples: Mapping[float, float], rule: Rule) -> None:
        """Judge again when a whole period has come to nothing, or as silence begins to count."""
        self.due = None
        if samples:
            self.due = end + self._lasts(1)
        elif rule is not self.rule and self._silent_from() < math.inf:
            self.due = self._silent_from() + BEAT


def _queries(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if alarm.get("Metrics"):
        return list(alarm["Metrics"])
    metric = {name: alarm.get(name) for name in ("Namespace", "MetricName", "Dimensions")}
    stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    period = int(alarm.get("Period") or 60)
    return [{"Id": _ONLY, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}]


def _result(alarm: Mapping[str, Any]) -> str:
    if not alarm.get("Metrics"):
        return _ONLY
    given = alarm["Metrics"]
    if len(given) == 1:
        return str(given[0]["Id"])
    wanted = [str(each["Id"]) for each in given if each.get("ReturnData") is not False]
    if len(wanted) != 1:
        raise Unread("an alarm has one query that returns data")
    return wanted[0]


def _rule(alarm: Mapping[str, Any], queries: Queries) -> Rule:
    comparison = str(alarm.get("ComparisonOperator"))
    if comparison not in alarm_states.COMPARISONS:
        raise Unread(f"{comparison}: anomaly detection is not simulated")
    periods = int(alarm.get("EvaluationPeriods") or 1)
    enough = int(alarm.get("DatapointsToAlarm") or periods)
    missing = str(alarm.get("TreatMissingData") or "missing")
    if any(namespace == "AWS/DynamoDB" for namespace, _, _ in queries.reads()):
        # CloudWatch ignores missing data of DynamoDB, whatever the alarm says.
        missing = "ignore"
    return Rule(comparison, float(alarm.get("Threshold") or 0), periods, enough, missing)


class Watch:
    """All alarms of the emulator, and the thread."""

    def __init__(
        self, module: ModuleType, moved: Callable[[Record, Judgement, Record], None]
    ) -> None:
        self._module, self._moved = module, moved
        self._alarms: dict[tuple[str, str, str], tuple[Record, Watched]] = {}
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._last = 0.0
        self._ahead = time.time() - time.monotonic()

    def put(self, alarm: Record) -> None:
        """Judge an alarm from now on, as it is declared now."""
        _, _, _, region, account, _, name = str(alarm["AlarmArn"]).split(":", 6)
        with self._lock:
            if before := self._alarms.pop((account, region, name), None):
                before[1].leave()
            try:
                self._alarms[account, region, name] = alarm, Watched(alarm, self._wake.set)
            except Unread as error:
                alarm["StateReason"] = f"Not simulated: {error}"
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
                self._thread.start()
        self._wake.set()

    def again(self, alarm: Record, pause: float) -> None:
        """Judge an alarm once more after a while: its state was set by hand."""
        for other, watched in self._alarms.copy().values():
            if other is alarm:
                watched.due = time.time() + pause
                self._wake.set()

    def _run(self) -> None:
        while True:
            due = [watched.next() for _, watched in self._alarms.copy().values()]
            soonest = min((each for each in due if each is not None), default=None)
            pause = None if soonest is None else max(soonest - time.time(), 0)
            if pause is None or pause > 0:
                self._wake.wait(pause)
            time.sleep(max(_AT_ONCE, self._last + BEAT - time.time()))
            self._wake.clear()
            self._slept()
            self._last = time.time()
            for scope, (alarm, watched) in self._alarms.copy().items():
                when = watched.next()
                if when is not None and when <= self._last:
                    self._look(scope, alarm, watched)

    def _slept(self) -> None:
        """Begin silence anew where the machine slept: its clock went on, and nothing else did."""
        ahead = time.time() - time.monotonic()
        if ahead - self._ahead > _NAP:
            for _, watched in self._alarms.copy().values():
                watched.since = time.time()
        self._ahead = ahead

    def _look(self, scope: tuple[str, str, str], alarm: Record, watched: Watched) -> None:
        from ministack.core.responses import request_scope

        account, region, name = scope
        with request_scope(account, region):
            if self._module._alarms.get(name) is not alarm:
                with self._lock:
                    # It may have been declared anew meanwhile.
                    if self._alarms.get(scope, (None, None))[1] is watched:
                        del self._alarms[scope]
                return watched.leave()
            try:
                found, data = watched.judge(self._last)
                if found.state is not None and found.state != alarm["StateValue"]:
                    alarm["StateReason"] = alarm_states.reason(watched.rule, found)
                    self._moved(alarm, found, data)
            except Exception as error:
                watched.due = None
                logger.warning("the alarm %s could not be judged: %s", name, error)
            return None
