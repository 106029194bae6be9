"""Wrong stack files, each refused with exactly the lines that help its user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.settings.helper import refused

WRONG = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").with_stem("wrong_stack_files").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    "entry", WRONG, ids=[entry["lines"][0].partition(": must")[0][:60] for entry in WRONG]
)
def test_wrong_stack_file_is_refused_with_exactly_these_lines(
    entry: dict[str, Any], handlers: Path
) -> None:
    lines = refused(entry["config"], handlers=handlers)
    assert lines == [f"Pulumi.dev.yaml: {line}" for line in entry["lines"]]


def test_all_mistakes_of_a_file_are_reported_at_once(handlers: Path) -> None:
    config: dict[str, Any] = {}
    for entry in WRONG:
        if len(entry["lines"]) == 1 and not entry["config"].keys() & config.keys():
            config |= entry["config"]
    assert len(config) > 8
    assert len(refused(config, handlers=handlers)) == len(config)


@pytest.mark.parametrize(
    ("stack", "text"),
    [
        (
            "my.stack",
            (
                "must be letters, digits, - and _ only, because functions carry the stack's name (got 'my.stack'); "
                "choose another name for the stack"
            ),
        ),
        (
            "a" * 35,
            (
                "must be 1 to 34 characters, because sandpiper-<stack>-notification-sender may have 64 (got 35); "
                "choose a shorter name for the stack"
            ),
        ),
    ],
)
def test_stack_name_that_does_not_fit_function_names_is_refused(
    stack: str, text: str, handlers: Path
) -> None:
    assert refused(stack=stack, handlers=handlers) == [f"Pulumi.{stack}.yaml: stack: {text}"]


def test_longest_possible_stack_name_is_accepted(handlers: Path) -> None:
    assert refused(stack="a" * 34, handlers=handlers) == []


def test_function_whose_name_leaves_its_role_no_room_is_refused(handlers: Path) -> None:
    too_long = handlers / f"{'long_' * 8}x.py"
    too_long.touch()
    try:
        lines = refused(handlers=handlers)
    finally:
        too_long.unlink()
    assert lines == [
        (
            f"Pulumi.dev.yaml: functions.{'long-' * 8}x: must be 1 to 40 characters, because its role's name may have 64 "
            "(got 41); rename its handler"
        )
    ]


def test_environment_above_4_kb_less_the_grants_share_is_refused(handlers: Path) -> None:
    size = 3072 - len('{"LONG":""}')
    fits = {"functions": {"cleanup-job": {"environment": {"LONG": "x" * size}}}}
    assert refused(fits, handlers=handlers) == []
    over = {"functions": {"cleanup-job": {"environment": {"LONG": "x" * (size + 1)}}}}
    assert refused(over, handlers=handlers) == [
        (
            "Pulumi.dev.yaml: functions.cleanup-job.environment: must be at most 3072 bytes as JSON for cleanup-job: Lambda "
            "allows 4096, the rest is for the program's own variables (got 3073); keep long values in Parameter Store and "
            "pass their names"
        )
    ]


def test_origins_count_towards_the_environment_of_functions_behind_the_api(handlers: Path) -> None:
    filled = {"defaults": {"environment": {"NOTE": "x" * 3000}}}
    assert refused({"functions": filled}, handlers=handlers) == []
    origin = {"cors_allow_origins": [f"https://{'a' * 60}.example"]}
    lines = refused({"functions": filled, "api": origin}, handlers=handlers)
    assert lines
    assert all("environment: must be at most 3072 bytes" in line for line in lines)


def test_46_tags_are_refused_and_45_are_not(handlers: Path) -> None:
    tags = {f"tag-{index}": "x" for index in range(46)}
    assert refused({"tags": tags}, handlers=handlers) == [
        "Pulumi.dev.yaml: tags: must be at most 45 tags: AWS allows 50, the rest is for the program's own (got 46)"
    ]
    del tags["tag-0"]
    assert refused({"tags": tags}, handlers=handlers) == []


def test_value_from_defaults_is_reported_once_and_where_it_is_written(handlers: Path) -> None:
    lines = refused({"functions": {"defaults": {"runtime": "nodejs22.x"}}}, handlers=handlers)
    assert lines == [
        (
            "Pulumi.dev.yaml: functions.defaults.runtime: must be one of python3.11, python3.12, python3.13, python3.14 for "
            "authorizer, whose handler is python (got 'nodejs22.x')"
        )
    ]
