"""The runbooks are about the alarms that there are, and what they tell people to type exists."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies import alarms, aws
from policies.model import Registered, Stack
from sandbox.cli import main
from settings.wiring import QUEUE_CONSUMERS
from tests.conftest import STACKS
from tests.settings.helper import refused
from tests.support.breaks.everything import asked_for
from tests.support.documented import sandbox_commands, settings_set
from tests.support.program import ROOT, Run

FOLDER = ROOT / "docs" / "runbooks"
BOOKS = sorted(path for path in FOLDER.glob("*.md") if path.stem != "README")
GUIDES = [ROOT / "docs" / "monitoring-guide.md", ROOT / "docs" / "troubleshooting.md"]
PARTS = ["Symptom", "First look", "Likely causes", "Remedies", "How to see that it is over"]
BUDGET = "monthly-budget"

ROW = re.compile(
    r"^\| (`.*?) \| (page|ticket)\b(.*?) \| .* \| \[([\w-]+)\]\(\4\.md\) \|$", re.MULTILINE
)


def rows(
    things: Mapping[str, Iterable[str]],
) -> Iterator[tuple[list[re.Pattern[str]], str, str, str]]:
    """Each row of the table of alarms: its names as patterns, first severity, what is said besides, runbook."""
    for names, severity, besides, book in ROW.findall((FOLDER / "README.md").read_text("utf-8")):
        each: list[re.Pattern[str]] = []
        for name in re.findall("`([^`]+)`", names):
            named = re.sub("<([a-z]+)>", lambda found: f"(?:{'|'.join(things[found[1]])})", name)
            each.append(re.compile(named))
        yield each, severity, besides, book


@pytest.fixture(scope="module")
def every(runs: Callable[[str], Run]) -> list[Run]:
    """Every stack, and one with everything switched on."""
    return [*(runs(stack) for stack in STACKS), asked_for()]


@pytest.fixture(scope="module")
def things(every: list[Run]) -> dict[str, set[str]]:
    """What the table's `<function>`, `<queue>`, `<table>` and `<api>` stand for."""
    functions = ((run.stack, made) for run in every for made in run.all(aws.FUNCTION))
    return {
        "function": {str(f.get("name")).removeprefix(f"sandpiper-{s}-") for s, f in functions},
        "queue": {*QUEUE_CONSUMERS},
        "table": {made.name.removesuffix("-table") for run in every for made in run.all(aws.TABLE)},
        "api": {"api", "http"},
    }


@pytest.fixture(scope="module")
def told(every: list[Run]) -> dict[str, Registered]:
    """Every alarm that tells somebody, by its short name."""
    found: dict[str, Registered] = {}
    for run in every:
        stack = Stack(run.resources)
        quiet = alarms.parts(stack)
        for alarm in alarms.every(stack):
            name = physical(alarm)
            if alarm.get("alarmActions") or name not in quiet:
                found[name.removeprefix(f"sandpiper-{run.stack}-")] = alarm
    return found


def physical(alarm: Registered) -> str:
    """The alarm's name on AWS."""
    return str(alarm.get("name") or alarm.get("alarmName"))


def severity(alarm: Registered) -> str:
    """The severity of an alarm, by the topic that it tells."""
    (topic,) = alarm.get("alarmActions")
    return re.findall("page|ticket", str(topic))[0]


@pytest.mark.parametrize("book", BOOKS, ids=lambda path: path.stem)
def test_runbook_has_its_parts_in_their_order(book: Path) -> None:
    assert re.findall("^## (.+)$", book.read_text("utf-8"), re.MULTILINE) == PARTS


def test_each_alarm_stands_in_one_row_of_the_table(
    told: dict[str, Registered], things: dict[str, set[str]]
) -> None:
    table = list(rows(things))
    assert {row[3] for row in table} == {book.stem for book in BOOKS}, "a row is not read"
    for name, alarm in told.items():
        found = [row for row in table if any(pattern.fullmatch(name) for pattern in row[0])]
        assert [row[3] for row in found] == [alarms.runbook(alarm)], name
        _, first, besides, _ = found[0]
        said = {first, *re.findall("page|ticket", besides)}
        assert severity(alarm) in said, f"{name} is a {severity(alarm)}"


def test_each_row_of_the_table_has_an_alarm(
    told: dict[str, Registered], things: dict[str, set[str]]
) -> None:
    names = [*told, BUDGET]
    for patterns, _, _, book in rows(things):
        for pattern in patterns:
            assert any(pattern.fullmatch(name) for name in names), f"{book}: {pattern.pattern}"


def read_metrics(alarm: Registered) -> Iterator[str]:
    """The names of the metrics that an alarm reads."""
    queries = alarm.get("metricQueries") or []
    yield from (query["metric"]["metricName"] for query in queries if "metric" in query)
    if alarm.get("metricName"):
        yield str(alarm.get("metricName"))


def test_the_commands_of_each_runbook_ask_for_its_own_metrics(told: dict[str, Registered]) -> None:
    for name, alarm in told.items():
        text = (FOLDER / f"{alarms.runbook(alarm)}.md").read_text("utf-8")
        for metric in read_metrics(alarm):
            asked = rf"--metric-name {metric}\b|\"MetricName\": \"{metric}\"|for metric in [\w ]*\b{metric}\b"
            assert re.search(asked, text), (
                f"{name}: {alarms.runbook(alarm)} does not ask for {metric}"
            )


@pytest.mark.parametrize("document", [*BOOKS, *GUIDES], ids=lambda path: path.stem)
def test_settings_that_a_document_sets_are_taken(document: Path) -> None:
    for path, value in settings_set(document):
        namespace, _, rest = path.partition(":")
        assert namespace == "sandpiper"
        whole: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text("utf-8"))[
            "config"
        ]
        section, *keys = rest.split(".")
        place = whole.setdefault(f"sandpiper:{section}", {})
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = yaml.safe_load(value)
        assert refused(whole, stack="prod") == [], f"{path} {value}"


@pytest.mark.parametrize("document", [*FOLDER.glob("*.md"), *GUIDES], ids=lambda path: path.stem)
def test_commands_of_the_sandbox_are_ones_that_it_has(document: Path) -> None:
    for command in sandbox_commands(document):
        words = shlex.split(command, comments=True)
        said = io.StringIO()
        # `--help` at the end: everything before it is read, nothing is done.
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            pytest.raises(SystemExit) as end,
        ):
            main([*words, "--help"])
        assert end.value.code == 0, f"python -m sandbox {command}\n{said.getvalue()}"
