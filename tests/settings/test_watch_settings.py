"""What watches the program: right values of alarms, budget, logs, traces and canary, and what they come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from settings import FAST_BURN, SLOW_BURN, WATCHED_APIS
from settings.alarms import LEAST_OBJECTIVE, MOST_OBJECTIVE
from settings.insight import LEAST_RUNTIME, NEWEST_RUNTIME
from settings.sections import SECTIONS
from tests.settings.helper import load, refused
from tests.settings.test_front_settings import covers, keys
from tests.settings.test_schema import errors
from tests.settings.test_stack_files import STACKS, shipped
from tests.settings.test_wrong_stack_files import WRONG
from tools.described import maps_within

WATCHING = ("observability", "budget", "logs", "tracing", "canary")
TOLD = {"email": ["a@example.com", "b@example.com"], "https": ["https://a.example.com:8443/b"]}
CHAT = {"slack_workspace_id": "T0123456789", "page": {"slack_channel_id": "C0123456789"}}
PLACE = "us-west-2:123456789012"

RIGHT: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("observability", "alarms_enabled", False, {}),
    ("observability", "page", {**TOLD, "slack_channel_id": "G0123456789"}, {"slack_workspace_id": "T0123456789"}),
    ("observability", "ticket", TOLD, CHAT),
    ("observability", "slack_workspace_id", "T0123456789", {"ticket": {"slack_channel_id": "C0123456789"}}),
    ("observability", "error_rate_percent", 0.1, {}),
    ("observability", "minimum_invocations", 1, {}),
    ("observability", "error_rate_period", 86400, {}),
    ("observability", "throttle_threshold", 1000, {}),
    ("observability", "duration_threshold_percent", 100, {}),
    ("observability", "concurrency_threshold_percent", 1, {}),
    ("observability", "invocations_threshold", 1_000_000, {}),
    ("observability", "invocations_thresholds", {"health": 1, "checksum-java": 5}, {}),
    ("observability", "queue_depth_threshold", 1, {}),
    ("observability", "server_error_percent", 100, {}),
    ("observability", "client_error_percent", 12.5, {}),
    ("observability", "minimum_requests", 1, {}),
    ("observability", "latency_threshold_milliseconds", 29000, {}),
    (
        "observability",
        "objectives",
        {
            "api": {"availability_percent": 99.9, "latency_percent": 93.1, "latency_milliseconds": 1},
            "http": {"latency_percent": 99.999},
        },
        {},
    ),
    ("observability", "anomaly_detection", True, {}),
    ("observability", "anomaly_band", 10, {}),
    ("observability", "evaluation_periods", 24, {"period": 3600}),
    ("observability", "period", 60, {}),
    ("budget", "monthly_usd", 1, {}),
    ("budget", "email", [f"{name}@example.com" for name in "abcdefghij"], {"monthly_usd": 100}),
    ("logs", "sample_rate", 1, {}),
    ("logs", "destination_arn", f"arn:aws:logs:{PLACE}:destination:central", {}),
    ("logs", "destination_arn", f"arn:aws:kinesis:{PLACE}:stream/central", {}),
    ("logs", "destination_arn", f"arn:aws:firehose:{PLACE}:deliverystream/central", {}),
    (
        "logs",
        "destination_filter",
        '{ $.level = "ERROR" }',
        {"destination_arn": f"arn:aws:logs:{PLACE}:destination:central"},
    ),
    ("tracing", "fixed_rate", 0, {}),
    ("tracing", "reservoir_size", 0, {}),
    ("tracing", "priority", 9999, {}),
    ("canary", "enabled", True, {}),
    ("canary", "schedule_expression", "rate(1 minute)", {}),
    ("canary", "schedule_expression", "rate(60 minutes)", {"timeout_in_seconds": 840}),
    ("canary", "schedule_expression", "rate(1 hour)", {"timeout_in_seconds": 840}),
    ("canary", "runtime_version", f"syn-python-selenium-{LEAST_RUNTIME}.0", {}),
    ("canary", "timeout_in_seconds", 300, {}),
    ("canary", "success_retention_days", 1, {}),
    ("canary", "failure_retention_days", 455, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("section", "key", "value", "beside"), RIGHT, ids=[f"{row[0]}.{row[1]}" for row in RIGHT]
)
def test_right_value_is_taken_as_it_is_written(
    section: str, key: str, value: Any, beside: dict[str, Any], handlers: Path
) -> None:
    own = {**beside, key: value}
    found = load({section: own, "aws:region": "us-west-2"}, handlers=handlers)
    taken = getattr(found, section).model_dump(mode="json")[key]
    assert covers(taken, value)
    assert errors({"config": {f"sandpiper:{section}": own}}) == []


def test_right_values_are_shown_for_every_setting() -> None:
    inside = {key for _, _, value, _ in RIGHT for key in keys(value)}
    for section in WATCHING:
        written = {key for name, key, _, _ in RIGHT if name == section}
        assert written == set(SECTIONS[section].model_fields), section
        for part in maps_within(SECTIONS[section]):
            assert set(part.model_fields) <= inside, part


def test_some_wrong_stack_file_has_a_line_for_every_setting() -> None:
    lines = [line for entry in WRONG for line in entry["lines"]]
    for section in WATCHING:
        named = {
            key
            for line in lines
            if line.startswith(f"{section}.")
            for key in line.partition(": ")[0].split(".")
        }
        for model in (SECTIONS[section], *maps_within(SECTIONS[section])):
            assert set(model.model_fields) <= named, model


@hypothesis_settings(max_examples=100, deadline=None)
@given(st.floats(0, 101) | st.integers(90, 100), st.sampled_from(WATCHED_APIS))
def test_objective_is_taken_exactly_where_its_fast_alarm_can_ring_and_something_may_fail(
    share: float, api: str
) -> None:
    lines = refused({"observability": {"objectives": {api: {"availability_percent": share}}}})
    assert (lines == []) == (LEAST_OBJECTIVE <= share <= MOST_OBJECTIVE)
    if not lines:
        assert SLOW_BURN * (100 - share) < FAST_BURN * (100 - share) < 100


@hypothesis_settings(max_examples=100, deadline=None)
@given(st.integers(0, 70), st.integers(15, 840))
def test_canary_is_taken_exactly_where_a_run_ends_before_the_next(
    minutes: int, seconds: int
) -> None:
    unit = "minute" if minutes == 1 else "minutes"
    own = {"schedule_expression": f"rate({minutes} {unit})", "timeout_in_seconds": seconds}
    in_time = 1 <= minutes <= 60 and seconds <= minutes * 60
    assert (refused({"canary": own}) == []) == in_time


@hypothesis_settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["health", "create-item", "helth", "defaults", "common"]),
        st.integers(-2, 3) | st.booleans() | st.sampled_from(["5", "05", "1.0", "", None, 2.0]),
        max_size=3,
    )
)
def test_threshold_of_a_function_is_a_whole_number_of_one_that_there_is(
    said: dict[str, Any],
) -> None:
    def right(name: str, value: Any) -> bool:
        number = int(value) if value == "5" else value
        whole = isinstance(number, int) and not isinstance(number, bool) and number > 0
        return whole and name in {"health", "create-item"}

    lines = refused({"observability": {"invocations_thresholds": said}})
    wrong = {name for name, value in said.items() if not right(name, value)}
    assert {line.split(": ")[1].rpartition(".")[2] for line in lines} == wrong


def test_threshold_may_be_said_of_a_function_that_is_off(handlers: Path) -> None:
    own = {"invocations_thresholds": {"network-probe": "7"}}
    found = load({"observability": own}, handlers=handlers)
    assert "network-probe" not in found.functions
    assert found.observability.invocations_thresholds == {"network-probe": 7}
    for pairs in (found.observability.invocations_thresholds, found.observability.objectives):
        with pytest.raises(TypeError):
            pairs["x"] = 1  # pyright: ignore[reportIndexIssue]


def test_time_between_two_runs_is_read_from_the_schedule(handlers: Path) -> None:
    for said, seconds in (("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(1 hour)", 3600)):
        own = {"schedule_expression": said, "timeout_in_seconds": 15}
        assert load({"canary": own}, handlers=handlers).canary.seconds_between == seconds


def test_what_is_wrong_itself_is_not_judged_by_others(handlers: Path) -> None:
    wrong = {
        "canary": {"schedule_expression": "often", "timeout_in_seconds": 800},
        "budget": {"monthly_usd": "much", "email": ["a@example.com"]},
        "logs": {"destination_arn": "central", "destination_filter": "ERROR"},
        "observability": {"slack_workspace_id": "mine", "page": {"slack_channel_id": "general"}},
    }
    where = [line.split(": ")[1] for line in refused(wrong, handlers=handlers)]
    assert sorted(where) == [
        "budget.monthly_usd",
        "canary.schedule_expression",
        "logs.destination_arn",
        "observability.page.slack_channel_id",
        "observability.slack_workspace_id",
    ]


def test_destination_is_not_judged_by_region_where_the_config_names_none(handlers: Path) -> None:
    far = {"destination_arn": "arn:aws:logs:eu-west-1:123456789012:destination:central"}
    assert refused({"logs": far}, handlers=handlers) == []


def test_nothing_that_is_paid_for_apart_from_alarms_is_on_by_itself(handlers: Path) -> None:
    found = load(handlers=handlers)
    assert found.observability.alarms_enabled
    assert not found.observability.anomaly_detection
    assert found.observability.objectives == {}
    assert (found.budget.monthly_usd, found.canary.enabled) == (None, False)
    assert (found.logs.sample_rate, found.logs.destination_arn) == (0, None)
    assert found.function("health").log_sample_rate is None
    assert found.canary.runtime_version == NEWEST_RUNTIME


@pytest.mark.parametrize(
    ("functions", "rates"),
    [
        ({}, (0.25, 0.25, 0)),
        ({"defaults": {"log_sample_rate": 0.5}}, (0.5, 0.5, 0)),
        ({"defaults": {"log_sample_rate": 0.5}, "health": {"log_sample_rate": 0}}, (0, 0.5, 0)),
        ({"health": {"log_sample_rate": 1}}, (1, 0.25, 0)),
    ],
)
def test_sample_rate_is_taken_from_the_nearest_layer_and_by_those_that_take_samples(
    functions: dict[str, Any], rates: tuple[float, ...], handlers: Path
) -> None:
    elsewhere = {"checksum-ruby": {"s3_bucket": "releases", "s3_key": "ruby.zip"}}
    said = {"functions": {**functions, **elsewhere}, "logs": {"sample_rate": 0.25}}
    found = load(said, handlers=handlers)
    assert rates == tuple(map(found.log_sample_rate, ("health", "products", "checksum-ruby")))


def test_every_stage_watches_as_much_as_it_matters() -> None:
    dev, staging, prod = (load(shipped(stack), stack=stack) for stack in STACKS)
    assert [found.canary.enabled for found in (dev, staging, prod)] == [False, False, True]
    assert [set(found.observability.objectives) for found in (dev, staging, prod)] == [
        {"api"},
        {"api", "http"},
        {"api", "http"},
    ]
    detects = [found.observability.anomaly_detection for found in (dev, staging, prod)]
    assert detects == [False, False, True]
    assert [bool(found.budget.monthly_usd) for found in (dev, staging, prod)] == [True] * 3
    for found in (dev, staging, prod):
        assert found.observability.alarms_enabled
        # Whom to tell is nobody's but the user's to say.
        for told in (found.observability.page, found.observability.ticket, found.budget):
            assert not told.email
