"""Rules over what watches the program, in words."""

from collections.abc import Mapping
from typing import Final

from settings import watch_rules
from tools.trigger_rules import Rule

OF_WATCHING: Final[Mapping[Rule, tuple[str, str]]] = {
    watch_rules.alarm_window: (
        "`evaluation_periods` times `period` at most a day, a week with periods of an hour or more",
        "CloudWatch refuses more",
    ),
    watch_rules.thresholds_are_of_functions: (
        "`invocations_thresholds` name functions that handlers/ has",
        "what is said of others would be forgotten",
    ),
    watch_rules.objectives_say_something: (
        "an objective has `availability_percent`, `latency_percent` or both",
        "no alarm is made from a time alone",
    ),
    watch_rules.chats_have_a_workspace: (
        "`slack_channel_id` of `page`, of `ticket` or of both beside `slack_workspace_id`; two different channels",
        "a channel is found in its workspace; what wakes people stands by itself",
    ),
    watch_rules.budget_has_an_amount: (
        "`email` of `budget` beside `monthly_usd`",
        "there would be nothing to tell",
    ),
    watch_rules.destination_can_be_sent_to: (
        "`destination_arn` of `logs` in the stack's own region, `destination_filter` beside it",
        "CloudWatch Logs sends within a region; a pattern alone sends nothing",
    ),
    watch_rules.samples_are_taken: (
        f"`log_sample_rate` of single {watch_rules.SAMPLING} functions only",
        "others log as ever",
    ),
    watch_rules.canary_ends_before_the_next: (
        "`timeout_in_seconds` of `canary` at most the time between two runs",
        "Synthetics refuses more",
    ),
}
"""Rule over alarms and who hears them, the budget, logs, the canary -> what it asks for, and why."""
