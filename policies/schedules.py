"""Schedules: written as EventBridge Scheduler takes them, with an end to trying."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies import aws, destinations, documents
from policies.model import Registered, Stack, rule

WINDOWS = (1, 1_440)
"""Minutes of a flexible time window."""

_EXPRESSION = re.compile(
    r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)"
    r"|rate\([1-9]\d* (?:minute|hour|day)s?\)"
    r"|cron\((?:\S+ ){5}\S+\)",
    re.ASCII,
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII)


@rule
def schedule_is_one_that_scheduler_takes(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """An expression of three kinds, a window, dates with Z, an input that is JSON."""
    for schedule in stack.all(aws.SCHEDULE):
        expression = str(schedule.get("scheduleExpression") or "")
        if not _EXPRESSION.fullmatch(expression) or _contradicts_itself(expression):
            yield schedule, f"scheduleExpression is '{expression}'; say at(), rate() or cron()"
        mode = schedule.get("flexibleTimeWindow.mode")
        minutes = schedule.get("flexibleTimeWindow.maximumWindowInMinutes")
        if mode not in {"OFF", "FLEXIBLE"} or (mode == "FLEXIBLE") != (minutes is not None):
            yield schedule, "flexibleTimeWindow is OFF, or FLEXIBLE with maximumWindowInMinutes"
        elif minutes is not None and not WINDOWS[0] <= minutes <= WINDOWS[1]:
            yield schedule, f"maximumWindowInMinutes is {minutes}; it must be 1 to 1440"
        for key in ("startDate", "endDate"):
            if (date := schedule.get(key)) is not None and not _TIME.fullmatch(str(date)):
                yield schedule, f"{key} is '{date}'; say a time such as 2026-11-21T08:00:00Z"
        text = schedule.get("target.input")
        if text is not None and documents.json_object(text) is None:
            yield schedule, "its input must be a JSON object"


@rule
def schedule_gives_up_somewhere(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Left alone, the scheduler tries for a day and 185 times, and then says nothing."""
    for schedule in stack.all(aws.SCHEDULE):
        problems = destinations.unbounded(schedule, "target.retryPolicy")
        yield from ((schedule, text) for text in problems)
        if stack.at(str(schedule.get("target.deadLetterConfig.arn")), aws.QUEUE) is None:
            yield schedule, "set deadLetterConfig to a queue of this stack, or a start is lost"


def _contradicts_itself(expression: str) -> bool:
    """A cron that says both the day of the month and the day of the week, or neither."""
    if not expression.startswith("cron("):
        return False
    fields = expression.removeprefix("cron(").removesuffix(")").split(" ")
    return (fields[2], fields[4]).count("?") != 1


RULES = (schedule_is_one_that_scheduler_takes, schedule_gives_up_somewhere)
