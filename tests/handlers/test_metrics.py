"""Business metrics: log lines in CloudWatch's embedded metric format, of few and known dimensions."""

from __future__ import annotations

import ast
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from common import http, logs, metrics, warming

_HANDLERS = Path(__file__).parents[2] / "handlers"


def test_what_was_counted_is_one_line_per_set_of_dimensions(context: Any, output: Any) -> None:
    logs.begin(context, correlation_id="c-1")
    metrics.count("ItemsCreated")
    metrics.count("ItemsCreated")
    metrics.count("RowsImported", 120)
    metrics.count("Orders", State="placed")
    metrics.count("Orders", State="unsent")
    logs.end()
    plain, placed, unsent = output.metrics()
    directive = plain["_aws"]["CloudWatchMetrics"]
    assert directive == [
        {
            "Namespace": "Sandpiper",
            "Dimensions": [["Stack"]],
            "Metrics": [
                {"Name": "ItemsCreated", "Unit": "Count"},
                {"Name": "RowsImported", "Unit": "Count"},
            ],
        }
    ]
    assert (plain["Stack"], plain["ItemsCreated"], plain["RowsImported"]) == (
        "sandpiper-test",
        2,
        120,
    )
    assert placed["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Stack", "State"]]
    assert [(line["State"], line["Orders"]) for line in (placed, unsent)] == [
        ("placed", 1),
        ("unsent", 1),
    ]
    assert plain["correlation_id"] == "c-1"


def test_a_line_holds_what_the_format_asks_for(context: Any, output: Any) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"""
    logs.begin(context)
    for name, dimensions in metrics.NAMES.items():
        metrics.count(name, **{key: min(values) for key, values in dimensions.items()})
    logs.end()
    for line in output.metrics():
        assert isinstance(line["_aws"]["Timestamp"], int)
        for directive in line["_aws"]["CloudWatchMetrics"]:
            assert re.fullmatch(r"[A-Za-z0-9._/#:-]{1,255}", directive["Namespace"])
            assert len(directive["Metrics"]) <= 100
            for dimensions in directive["Dimensions"]:
                assert len(dimensions) <= 30
                assert all(isinstance(line[name], str) and line[name] for name in dimensions)
            assert all(isinstance(line[metric["Name"]], int) for metric in directive["Metrics"])


@pytest.mark.parametrize(
    ("filtered", "own", "level"),
    [
        ("", "", "INFO"),
        ("", "DEBUG", "INFO"),
        ("", "ERROR", "ERROR"),
        ("WARN", "ERROR", "WARN"),
        ("DEBUG", "ERROR", "INFO"),
        ("FATAL", "", "FATAL"),
        ("loud", "", "INFO"),
    ],
)
def test_lambdas_filter_of_levels_does_not_drop_metrics(
    context: Any,
    output: Any,
    monkeypatch: pytest.MonkeyPatch,
    filtered: str,
    own: str,
    level: str,
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", filtered)
    monkeypatch.setenv("LOG_LEVEL", own)
    logs.begin(context)
    metrics.count("ItemsCreated")
    logs.end()
    (line,) = output.metrics()
    # Without a level, or without a time of this form, Lambda would take the line for INFO.
    assert line["level"] == level
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])


def test_a_dimension_has_the_values_that_are_known_and_one_more(output: Any) -> None:
    for number in range(50):
        metrics.count("Orders", State=f"state {number}")
    logs.end()
    (line,) = output.metrics()
    assert (line["State"], line["Orders"]) == ("other", 50)


@pytest.mark.parametrize(
    ("name", "dimensions"),
    [("Unknown", {}), ("Orders", {}), ("ItemsCreated", {"Item": "i-1"}), ("Orders", {"Item": "i"})],
)
def test_what_nobody_declared_is_said_and_not_counted(
    lines: Any, name: str, dimensions: dict[str, str]
) -> None:
    metrics.count(name, **dimensions)
    logs.end()
    (line,) = lines()
    assert (line["level"], line["metric"]) == ("ERROR", name)


def test_each_name_that_a_function_counts_is_declared_and_each_declared_one_counted() -> None:
    counted: dict[str, set[str]] = {}
    for path in _HANDLERS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "metrics.count":
                name = ast.literal_eval(node.args[0])
                counted.setdefault(name, set()).update(str(k.arg) for k in node.keywords)
    declared = {name: set(dimensions) for name, dimensions in metrics.NAMES.items()}
    assert {name: declared.get(name) for name in counted} == counted
    assert set(declared) == set(counted), "a metric that no function counts"


def test_a_failure_loses_no_metric(context: Any, output: Any) -> None:
    def fails(*_: Any) -> None:
        logs.begin(context)
        metrics.count("ItemsCreated")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        warming.aware(fails)({}, context)
    assert [line["ItemsCreated"] for line in output.metrics()] == [1]


def test_an_api_function_writes_its_metrics(context: Any, output: Any) -> None:
    @http.endpoint
    def handler(_: http.Request) -> http.Answer:
        metrics.count("ItemsCreated")
        raise http.Problem(404, "x")

    for _ in range(2):
        handler({}, context)
    assert [line["ItemsCreated"] for line in output.metrics()] == [1, 1]


def test_nothing_counted_is_nothing_written(context: Any, capsys: Any) -> None:
    logs.begin(context)
    logs.end()
    assert capsys.readouterr().out == ""


def test_threads_count_together(output: Any) -> None:
    def work() -> None:
        for _ in range(1000):
            metrics.count("PushesSent")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logs.end()
    assert output.metrics()[0]["PushesSent"] == 8000


def test_a_stream_that_is_closed_does_not_fail_the_invocation(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    class Closed:
        def write(self, _: str) -> None:
            raise ValueError("closed")

    metrics.count("ItemsCreated")
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout", Closed())
        patched.setattr("logging.raiseExceptions", False)
        logs.end()
    logs.end()
    assert "_aws" not in capsys.readouterr().out


def test_a_line_is_json_in_ascii(context: Any, capsys: Any) -> None:
    logs.begin(context)
    metrics.count("ItemsCreated")
    logs.end()
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.count("\n") == 1
    json.loads(out)
