"""The picture of the dashboard is the program's, and no higher than a page of text can bear."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from policies import aws
from sandbox.dashboard import reading
from sandbox.dashboard.reading import Alarms, Graph, Line, Words
from tests.support.program import Run
from tools import dashboard
from tools.dashboard_values import Illustration

SVG = "{http://www.w3.org/2000/svg}"
HIGHEST, LARGEST = 2800, 300_000
"""Pixels, and characters of the file."""


@pytest.fixture(scope="module")
def widgets() -> list[reading.Widget]:
    """What the dev stack's dashboard shows."""
    (found,) = dashboard.read().all(aws.DASHBOARD)
    return reading.read(str(found.get("dashboardBody")))


@pytest.fixture(scope="module")
def example(widgets: list[reading.Widget]) -> Illustration:
    return Illustration(widgets)


def test_file_is_what_the_program_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert dashboard.main(["--check"]) == 0, capsys.readouterr().err


def test_another_body_makes_the_file_stale_and_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dashboard, "ROOT", tmp_path)
    monkeypatch.setattr(dashboard, "FILE", tmp_path / "docs" / "dashboard.svg")
    assert dashboard.main([]) == 0
    assert dashboard.main(["--check"]) == 0
    whole = dashboard.read()
    fewer = {
        "widgets": json.loads(str(whole.all(aws.DASHBOARD)[0].get("dashboardBody")))["widgets"][:-1]
    }

    def read() -> Run:
        said = whole.all(aws.DASHBOARD)[0]
        changed = dataclasses.replace(
            said, properties={**said.properties, "dashboardBody": json.dumps(fewer)}
        )
        return dataclasses.replace(whole, resources=[changed])

    monkeypatch.setattr(dashboard, "read", read)
    capsys.readouterr()
    assert dashboard.main(["--check"]) == 1
    said = "docs/dashboard.svg: out of date; run python -m tools.dashboard\n"
    assert capsys.readouterr().err == said


def test_same_body_is_the_same_picture() -> None:
    assert dashboard.text() == dashboard.text()


def test_every_thing_is_named_and_the_page_is_not_too_long(widgets: list[reading.Widget]) -> None:
    text = dashboard.text()
    picture = ET.fromstring(text)  # noqa: S314
    # A long name stands on several lines.
    drawn = "".join((one.text or "").replace(" ", "") for one in picture.iter(f"{SVG}text"))
    for depth, name in (one.heading for one in widgets if isinstance(one, Words)):
        assert depth
        assert name.replace(" ", "") in drawn
    assert float(picture.get("height", "")) <= HIGHEST
    assert len(text) <= LARGEST
    assert "made up" in text


def test_one_alarm_rings_and_its_graph_shows_why(
    widgets: list[reading.Widget], example: Illustration
) -> None:
    states = example.standings()
    shown = [arn for one in widgets if isinstance(one, Alarms) for arn in one.arns]
    assert list(states) == shown
    (ringing,) = (arn for arn, one in states.items() if one.state == "ALARM")
    name = ringing.rpartition(":")[2].removesuffix("-errors")
    errors = Line("errors", "AWS/Lambda", "Errors", "Sum", (("FunctionName", name),))
    assert [bool(value) for value, _ in itertools.groupby(example.values(errors), bool)] == [
        False,
        True,
    ]


def test_made_up_day_is_calm_but_for_that(
    widgets: list[reading.Widget], example: Illustration
) -> None:
    for shown in widgets:
        if isinstance(shown, Graph):
            over = [
                (line.label, limit)
                for line in shown.lines
                for _, limit in shown.limits
                if "Errors" not in line.name
                and line.name != "Healthy"
                and any((value or 0) >= limit for value in example.values(line))
            ]
            assert over == [], shown.title


def test_dead_letters_are_none_on_a_calm_day(example: Illustration) -> None:
    waiting = "ApproximateNumberOfMessagesVisible"
    queue = (("QueueName", "orders-dead-letter-queue-0123456"),)
    assert set(example.values(Line("waiting", "AWS/SQS", waiting, "Maximum", queue))) == {0}
    assert set(example.values(Line("5xx", "AWS/ApiGateway", "5XXError", "Sum"))) == {0}
    assert 0 not in example.values(Line("requests", "AWS/ApiGateway", "Count", "Sum"))
