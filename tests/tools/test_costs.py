"""What docs/cost.md says is counted from what the program registers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common import metrics
from policies import aws
from policies.model import Registered
from tests.support.program import Run
from tools import costs


@pytest.fixture
def shared(runs: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch) -> None:
    """The tool reads the runs that other tests have made."""
    monkeypatch.setattr(costs, "run_stack", runs)


@pytest.mark.usefixtures("shared")
def test_file_is_what_the_program_comes_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert costs.main(["--check"]) == 0, capsys.readouterr().err


@pytest.mark.usefixtures("shared")
def test_stale_file_is_named_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = costs.FILE.read_text("utf-8")
    file = tmp_path / "docs" / "cost.md"
    file.parent.mkdir()
    file.write_text(whole.replace("0.10 a month", "0.20 a month"), encoding="utf-8")
    assert file.read_text("utf-8") != whole
    monkeypatch.setattr(costs, "FILE", file)
    monkeypatch.setattr(costs, "ROOT", tmp_path)
    assert costs.main(["--check"]) == 1
    said = "docs/cost.md: out of date; run python -m tools.costs\n"
    assert capsys.readouterr().err == said
    assert costs.main([]) == 0
    assert file.read_text("utf-8") == whole


def alarm(**properties: Any) -> Registered:
    """An alarm of these inputs."""
    return Registered(type=aws.ALARM, name="a", urn="urn:a", properties=properties)


def test_alarm_is_paid_by_the_metrics_that_it_reads() -> None:
    reads = [{"id": name, "metric": {"metricName": name}} for name in ("errors", "calls")]
    rate = {"id": "rate", "expression": "errors / calls"}
    band = {"id": "band", "expression": "ANOMALY_DETECTION_BAND(errors, 2)"}
    assert costs.alarm_metrics(alarm(metricName="Errors")) == 1
    assert costs.alarm_metrics(alarm(metricQueries=[*reads, rate])) == 2
    assert costs.alarm_metrics(alarm(metricQueries=[reads[0], band])) == 3


def test_alarms_of_each_stack_are_all_counted(run: Run) -> None:
    lines = {line.what: line.count for line in costs.watching(run)}
    assert lines["metrics that alarms read"] >= len(run.all(aws.ALARM)) > 0
    assert lines["composite alarms"] == len(run.all(aws.COMPOSITE)) > 0
    assert (lines["runs of the canary"] > 0) is bool(run.all(aws.CANARY))


def test_few_requests_are_all_traced_and_many_by_their_share(dev: Run) -> None:
    seconds = costs.HOURS * 3600
    assert costs.traced(dev, 1000) == 1000
    assert costs.traced(dev, seconds + 1_000_000) == seconds + 50_000


def test_every_metric_of_the_business_is_counted() -> None:
    states = [len(values) for known in metrics.NAMES.values() for values in known.values()]
    plain = [name for name, known in metrics.NAMES.items() if not known and name != "Healthy"]
    assert len(plain) + sum(states) == costs.BUSINESS_METRICS
