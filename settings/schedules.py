"""The syntax of EventBridge Scheduler's expressions and time zones.

Source: EventBridge Scheduler user guide, "Schedule types". AWS checks it only when the schedule is created.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from settings.text import did_you_mean

_MONTHS: Final = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_CRON: Final = (
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day-of-month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day-of-week", 1, 7, _DAYS),
    ("year", 1970, 2199, ()),
)
"""Field name, lowest and highest number, and the names that stand for the numbers from the lowest on."""

_SPECIAL: Final = {
    "day-of-month": re.compile(r"\?|L|(?:[1-9]|[12]\d|3[01])W"),
    "day-of-week": re.compile(r"\?|L|\w{1,3}L|\w{1,3}#[1-5]"),
}


def check_expression(expression: str) -> str:
    """Return a valid `rate()`, `cron()` or `at()` expression; raise ValueError saying what is wrong with another."""
    match = re.fullmatch(r"(rate|cron|at)\((.*)\)", expression)
    if not match:
        raise ValueError("must be rate(1 day), cron(0 3 * * ? *) or at(2027-01-31T03:00:00)")
    {"rate": _check_rate, "cron": _check_cron, "at": _check_at}[match[1]](match[2])
    return expression


def check_timezone(name: str) -> str:
    """Return a name of the IANA time zone database; raise ValueError for another.

    A machine without the database (a slim container) cannot judge; there every well-formed name passes.
    """
    if name == "UTC":
        return name
    from zoneinfo import available_timezones  # noqa: PLC0415 - walks the database: only when a stack asks

    known = available_timezones()
    if known and name not in known or not re.fullmatch(r"[\w+/-]{1,50}", name, re.ASCII):
        raise ValueError(f"no such time zone in the IANA database{did_you_mean(name, known)}")
    return name


def _check_rate(body: str) -> None:
    match = re.fullmatch(r"([1-9]\d{0,8}) (minute|hour|day)(s?)", body)
    if not match:
        raise ValueError(
            "rate takes a whole number above 0 and minutes, hours or days, as in rate(5 minutes)"
        )
    if match[1] != "1" and not match[3]:
        raise ValueError(f"must be rate({match[1]} {match[2]}s), in the plural")


def _check_at(body: str) -> None:
    well_formed = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", body)
    try:
        datetime.fromisoformat(body if well_formed else "")
    except ValueError:
        raise ValueError(
            "at takes a date and time as in at(2027-01-31T03:00:00), without a Z; the zone is schedule_expression_timezone"
        ) from None


def _check_cron(body: str) -> None:
    values = body.split(" ")
    if len(values) != len(_CRON):
        raise ValueError(
            "cron takes 6 fields, one space between them: minutes hours day-of-month month day-of-week year"
        )
    if (values[2] == "?") == (values[4] == "?"):
        raise ValueError("cron takes a ? in exactly one of day-of-month and day-of-week")
    for value, (name, low, high, words) in zip(values, _CRON, strict=True):
        if not all(_is_cron_part(part, name, low, high, words) for part in value.split(",")):
            raise ValueError(
                f"cron's {name} field must be {low} to {high}, a name, a range, a step or *"
            )


def _is_cron_part(part: str, name: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    if name in _SPECIAL and _SPECIAL[name].fullmatch(part):
        return True
    span, slash, step = part.partition("/")
    if slash and not re.fullmatch(r"[1-9]\d{0,3}", step):
        return False
    numbers = list(_numbers(span, low, words)) if span != "*" else [low]
    return len(numbers) in (1, 2) and all(
        number is not None and low <= number <= high for number in numbers
    )


def _numbers(span: str, low: int, words: tuple[str, ...]) -> Iterator[int | None]:
    for end in span.split("-"):
        if end.upper() in words:
            yield words.index(end.upper()) + low
        else:
            yield int(end) if re.fullmatch(r"\d{1,4}", end, re.ASCII) else None
