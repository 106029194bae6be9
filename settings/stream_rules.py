"""Rules over streams' readers and schedules."""

from collections.abc import Iterator
from typing import Final

from settings import wiring
from settings.draft import Draft
from settings.mistakes import Mistake, Path
from settings.text import did_you_mean, listed, refused

ASKED: Final = {"report_type": wiring.REPORT_TYPES, "format": wiring.REPORT_FORMATS}
"""Key of a report's event -> what it may be."""


def _stream(name: str, field: str) -> Path:
    return ("triggers", "streams", name, field)


def _schedule(name: str, *field: str) -> Path:
    return ("triggers", "schedules", name, *field)


def positions_have_their_moment(draft: Draft) -> Iterator[Mistake]:
    """DynamoDB streams cannot be read from a moment on, and a moment is read by that position only."""
    for name, stream in draft.triggers.streams.items():
        position, moment = (
            _stream(name, f"starting_position{part}") for part in ("", "_timestamp")
        )
        from_a_moment = stream.starting_position == "AT_TIMESTAMP"
        if from_a_moment and name not in wiring.KINESIS_CONSUMERS:
            what = f"must be TRIM_HORIZON or LATEST for {name}, which reads a table's stream"
            yield Mistake(position, refused(what, stream.starting_position), because=(moment,))
        elif from_a_moment and stream.starting_position_timestamp is None:
            what = "must be given where starting_position is AT_TIMESTAMP"
            yield Mistake(moment, what, because=(position,))
        elif not from_a_moment and stream.starting_position_timestamp is not None:
            what = f"must be left out where starting_position is {stream.starting_position}"
            yield Mistake(moment, what, because=(position,))


def windows_have_one_reader(draft: Draft) -> Iterator[Mistake]:
    """The state of a window goes from one call of a shard to the next."""
    for name, stream in draft.triggers.streams.items():
        window, factor = stream.tumbling_window_in_seconds, stream.parallelization_factor
        if window and factor > 1:
            what = f"must be 1 beside tumbling_window_in_seconds, {window}"
            yield Mistake(
                _stream(name, "parallelization_factor"),
                refused(what, factor),
                because=(_stream(name, "tumbling_window_in_seconds"),),
            )


def dates_bound_what_repeats(draft: Draft) -> Iterator[Mistake]:
    """Scheduler ignores dates beside a single moment, and refuses an end before the start."""
    for name, schedule in draft.triggers.schedules.items():
        start, end = schedule.start_date, schedule.end_date
        expression = _schedule(name, "schedule_expression")
        if schedule.schedule_expression.startswith("at("):
            for key in ("start_date", "end_date"):
                if getattr(schedule, key) is not None:
                    what = "must be left out beside at(), which runs once whatever stands here"
                    yield Mistake(_schedule(name, key), what, because=(expression,))
        # Both have one form, in which the earlier moment is the lesser text.
        elif start is not None and end is not None and end <= start:
            what = f"must be later than start_date, {start}"
            because = (_schedule(name, "start_date"),)
            yield Mistake(_schedule(name, "end_date"), refused(what, end), because=because)


def reports_are_known(draft: Draft) -> Iterator[Mistake]:
    """A report of another kind would fail every week, unseen until somebody misses it."""
    path, given = (
        _schedule(wiring.REPORTER, "input"),
        draft.triggers.schedules[wiring.REPORTER].input,
    )
    if given is None:
        yield Mistake(path, f"must be a map with {listed(tuple(ASKED))}")
        return
    for key in given:
        if key not in ASKED:
            hint = did_you_mean(key, ASKED) or f"known: {', '.join(ASKED)}"
            yield Mistake((*path, key), f"no such key; {hint}")
    for key, known in ASKED.items():
        if given.get(key) not in known:
            what = f"must be one of {', '.join(known)}"
            yield Mistake(
                (*path, key), refused(what, given.get(key), did_you_mean(given.get(key), known))
            )


RULES: Final = (
    positions_have_their_moment,
    windows_have_one_reader,
    dates_bound_what_repeats,
    reports_are_known,
)
