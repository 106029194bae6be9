"""The syntax of EventBridge Scheduler's expressions and time zones.

Source: EventBridge Scheduler user guide, "Schedule types". AWS checks it only when the schedule is created.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator

from settings.text import WrongValueError, did_you_mean


class _Field(NamedTuple):
    """One of cron's six fields."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    """Names that stand for the numbers from `low` on."""
    special: str = r"(?!)"
    """What else a part of the field may be, as a regular expression."""


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
_DAY: Final = f"(?:[1-7]|{'|'.join(_DAYS)})"
_CRON: Final = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day-of-month", 1, 31, (), r"L|(?:[1-9]|[12]\d|3[01])W"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 1, 7, _DAYS, rf"L|{_DAY}L|{_DAY}#[1-5]"),
    _Field("year", 1970, 2199),
)


def expression_with(zone: str) -> Callable[[str], str]:
    """Return a validator: it hands back a `rate()`, `cron()` or `at()` expression, and raises WrongValueError for another text.

    `zone` tells where the time zone is said, to those who write it into the expression.
    """

    def check(expression: str) -> str:
        match = re.fullmatch(r"(rate|cron|at)\((.*)\)", expression)
        if not match:
            raise WrongValueError(
                "must be rate(1 day), cron(0 3 * * ? *) or at(2027-01-31T03:00:00)"
            )
        kind, body = match.groups()
        if kind == "at":
            _check_at(body, zone)
        else:
            (_check_rate if kind == "rate" else _check_cron)(body)
        return expression

    return check


def seconds_between(expression: str) -> int | None:
    """The time between two starts at a `rate()`; None at any other expression."""
    found = re.fullmatch(r"rate\(([0-9]+) (minute|hour|day)s?\)", expression)
    if not found:
        return None
    return int(found[1]) * {"minute": 60, "hour": 3600, "day": 86400}[found[2]]


def check_timezone(name: str) -> str:
    """Return a name of the IANA time zone database; raise WrongValueError for another.

    A machine without the database (a slim container) cannot judge: there every name passes and AWS decides.
    """
    if name == "UTC":
        return name
    from zoneinfo import available_timezones  # noqa: PLC0415 - reads 600 files: only when a stack asks

    known = available_timezones()
    if known and name not in known:
        raise WrongValueError(
            "must be a time zone of the IANA database, as in Europe/Berlin",
            did_you_mean(name, known),
        )
    return name


MOMENT: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
"""Regular expression of a date and a time of day in UTC, as RFC 3339 has them."""

UNQUOTED: Final = "write it in quotes: without them YAML reads a date, which arrives here as this"


def check_moment(text: str) -> str:
    """Return a date and time in UTC; raise WrongValueError for another text."""
    try:
        datetime.fromisoformat(text if re.fullmatch(MOMENT, text, re.ASCII) else "")
    except ValueError:
        raise WrongValueError(
            "must be a date and a time in UTC, with Z, as in 2027-01-31T03:00:00Z",
            UNQUOTED if text.endswith(" UTC") else "",
        ) from None
    return text


Moment = Annotated[str, AfterValidator(check_moment)]


def _check_rate(body: str) -> None:
    match = re.fullmatch(r"([1-9][0-9]{0,8}) (minute|hour|day)(s?)", body)
    if not match:
        raise WrongValueError(
            "rate takes a whole number from 1 and minutes, hours or days, as in rate(5 minutes)"
        )
    if match[1] != "1" and not match[3]:
        raise WrongValueError(
            "rate takes the plural above 1", f"write rate({match[1]} {match[2]}s)"
        )


def _check_at(body: str, zone: str) -> None:
    well_formed = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", body)
    try:
        datetime.fromisoformat(body if well_formed else "")
    except ValueError:
        raise WrongValueError(
            "at takes a date and a time without Z, as in at(2027-01-31T03:00:00)",
            zone,
        ) from None


def _check_cron(body: str) -> None:
    values = body.split(" ")
    if len(values) != len(_CRON):
        raise WrongValueError(
            "cron takes 6 fields: minutes hours day-of-month month day-of-week year"
        )
    if (values[2] == "?") == (values[4] == "?"):
        raise WrongValueError("cron takes ? in exactly one of day-of-month and day-of-week")
    for value, field in zip(values, _CRON, strict=True):
        if not _is_value(value, field):
            raise WrongValueError(
                f"cron's {field.name} takes {field.low} to {field.high} and * , - /"
            )


def _is_value(value: str, field: _Field) -> bool:
    if value == "?":
        return field.name.startswith("day-of")
    return all(_is_part(part, field) for part in value.split(","))


def _is_part(part: str, field: _Field) -> bool:
    if re.fullmatch(field.special, part):
        return True
    span, slash, step = part.partition("/")
    if slash and not re.fullmatch(r"[1-9][0-9]{0,3}", step):
        return False
    ends = span.split("-")
    return span == "*" or (len(ends) <= 2 and all(_is_number(end, field) for end in ends))


def _is_number(end: str, field: _Field) -> bool:
    if end.upper() in field.words:
        return True
    return bool(re.fullmatch(r"[0-9]{1,4}", end)) and field.low <= int(end) <= field.high
