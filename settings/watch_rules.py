"""Rules over what watches the program: alarms and who hears them, the budget, logs, the canary."""

from collections.abc import Iterator
from typing import Final

from settings import arns
from settings.draft import Draft
from settings.mistakes import Mistake
from settings.runtimes import FAMILIES, languages
from settings.text import refused, unknown

_SECTION: Final = "observability"
SAMPLING: Final = languages(lambda family: family.samples)
"""Languages whose functions take samples, as a sentence lists them."""

_LEVELS: Final = ("page", "ticket")


def alarm_window(draft: Draft) -> Iterator[Mistake]:
    """CloudWatch looks back a day, or a week with periods of an hour and more."""
    alarm = draft.observability
    limit = 86400 if alarm.period < 3600 else 604800
    if alarm.period * alarm.evaluation_periods > limit:
        what = (
            f"must be 1 to {limit // alarm.period} with a period of {alarm.period} seconds: "
            f"an alarm looks back {limit} seconds"
        )
        yield Mistake(
            (_SECTION, "evaluation_periods"),
            refused(what, alarm.evaluation_periods),
            because=((_SECTION, "period"),),
        )


def thresholds_are_of_functions(draft: Draft) -> Iterator[Mistake]:
    """A threshold of a function that there is not would be forgotten."""
    for name in draft.observability.invocations_thresholds:
        if name not in draft.families:
            path = (_SECTION, "invocations_thresholds", name)
            yield Mistake(path, unknown("function", name, draft.families))


def objectives_say_something(draft: Draft) -> Iterator[Mistake]:
    """An alarm is made from a share; a time alone is none."""
    for name, objective in draft.observability.objectives.items():
        if objective.availability_percent is None and objective.latency_percent is None:
            what = "must have availability_percent, latency_percent or both"
            yield Mistake((_SECTION, "objectives", name), what)


def chats_have_a_workspace(draft: Draft) -> Iterator[Mistake]:
    """A channel is found in its workspace; Slack's own ids do not tell which."""
    alarm = draft.observability
    channels = {level: getattr(alarm, level).slack_channel_id for level in _LEVELS}
    workspace = (_SECTION, "slack_workspace_id")
    paths = [(_SECTION, level, "slack_channel_id") for level in _LEVELS if channels[level]]
    if paths and alarm.slack_workspace_id is None:
        what = "must stand beside slack_workspace_id"
        yield from (Mistake(path, what, because=(workspace,)) for path in paths)
    if alarm.slack_workspace_id is not None and not paths:
        what = "must stand beside slack_channel_id of page, ticket or both"
        because = tuple((_SECTION, level) for level in _LEVELS)
        yield Mistake(workspace, what, because=because)
    if channels["page"] and channels["page"] == channels["ticket"]:
        what = "must be another channel than that of page, which wakes people"
        path, because = (_SECTION, "ticket", "slack_channel_id"), (_SECTION, "page")
        yield Mistake(path, refused(what, channels["ticket"]), because=(because,))


def budget_has_an_amount(draft: Draft) -> Iterator[Mistake]:
    """Without an amount there is nothing to tell."""
    if draft.budget.email and draft.budget.monthly_usd is None:
        what = "must stand beside monthly_usd"
        yield Mistake(("budget", "email"), what, because=(("budget", "monthly_usd"),))


def destination_can_be_sent_to(draft: Draft) -> Iterator[Mistake]:
    """CloudWatch Logs sends within a region; a pattern alone sends nothing."""
    given = draft.logs.destination_arn
    path = ("logs", "destination_arn")
    if given is None:
        if draft.logs.destination_filter:
            what = "must stand beside destination_arn"
            yield Mistake(("logs", "destination_filter"), what, because=(path,))
        return
    found = arns.parsed(given)
    if found and draft.region and found.region != draft.region:
        what = f"must be in {draft.region}, the stack's region"
        yield Mistake(path, refused(what, given), because=(("aws:region",),))


def samples_are_taken(draft: Draft) -> Iterator[Mistake]:
    """A handler that takes no samples would log as ever."""
    for name, own in draft.own.items():
        if own.get("log_sample_rate") and not FAMILIES[draft.families.get(name, "python")].samples:
            what = f"must be left out for {name}: only {SAMPLING} functions take samples"
            path = ("functions", name, "log_sample_rate")
            yield Mistake(path, refused(what, own["log_sample_rate"]))


def canary_ends_before_the_next(draft: Draft) -> Iterator[Mistake]:
    """Synthetics refuses a run longer than the time between two."""
    canary = draft.canary
    if canary.timeout_in_seconds > canary.seconds_between:
        what = f"must be at most {canary.seconds_between} seconds with {canary.schedule_expression}"
        because = (("canary", "schedule_expression"),)
        path = ("canary", "timeout_in_seconds")
        yield Mistake(path, refused(what, canary.timeout_in_seconds), because=because)


RULES: Final = (
    alarm_window,
    thresholds_are_of_functions,
    objectives_say_something,
    chats_have_a_workspace,
    budget_has_an_amount,
    destination_can_be_sent_to,
    samples_are_taken,
    canary_ends_before_the_next,
)
