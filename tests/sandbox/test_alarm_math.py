"""Sums, statistics, expressions and judgements, without an emulator: what CloudWatch's guide says of each."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.workers import (
    alarm_states,
    fault_metrics,
    faults,
    log_metrics,
    metric_math,
    metric_statistics,
    metric_store,
)
from sandbox.workers.alarm_states import Judgement, Rule, judge
from sandbox.workers.metric_math import Scope, Unread
from sandbox.workers.metric_queries import Queries
from sandbox.workers.metric_store import Bucket, Store, key_of

KEY = key_of("N", "m", {"d": "1"})


def evaluated(expression: str, **series: Any) -> Any:
    def look_up(name: str) -> Any:
        return series[name]

    def metrics(part: str) -> list[dict[float, float]]:
        return [each for name, each in series.items() if part in name]

    scope = Scope([0.0, 60.0, 120.0], look_up, metrics, lambda _name: 60.0)
    return metric_math.compiled(expression)(scope)


CALLS = {0.0: 10.0, 60.0: 4.0, 120.0: 20.0}
ERRORS = {0.0: 1.0, 120.0: 10.0}


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("1 + 2 * 3 ^ 2", 19.0),
        ("-(2 - 5) / 2", 1.5),
        ("calls + 1", {0.0: 11.0, 60.0: 5.0, 120.0: 21.0}),
        ("100 * errors / calls", {0.0: 10.0, 120.0: 50.0}),
        ("calls + errors", {0.0: 11.0, 120.0: 30.0}),
        ("errors / 0", {}),
        ("FILL(errors, 0)", {0.0: 1.0, 60.0: 0.0, 120.0: 10.0}),
        ("FILL(none, 0) + FILL(none, 0)", {0.0: 0.0, 60.0: 0.0, 120.0: 0.0}),
        ("FILL(errors, REPEAT)", {0.0: 1.0, 60.0: 1.0, 120.0: 10.0}),
        ("FILL(errors, LINEAR)", {0.0: 1.0, 60.0: 5.5, 120.0: 10.0}),
        ("IF(calls >= 10, 100 * errors / calls, 0)", {0.0: 10.0, 60.0: 0.0, 120.0: 50.0}),
        ("IF(calls >= 10, calls)", {0.0: 10.0, 120.0: 20.0}),
        ("IF(1 > 2, calls, 7)", 7.0),
        ("calls > 5 AND calls < 15", {0.0: 1.0, 60.0: 0.0, 120.0: 0.0}),
        ("calls < 5 || NOT(calls < 15)", {0.0: 0.0, 60.0: 1.0, 120.0: 1.0}),
        ("SUM(calls)", 34.0),
        ("MAX(calls) - MIN(calls)", 16.0),
        ("AVG([calls, errors])", {0.0: 5.5, 60.0: 4.0, 120.0: 15.0}),
        ('SUM(METRICS("e"))', {0.0: 1.0, 120.0: 10.0}),
        ("MAX(METRICS())", {0.0: 10.0, 60.0: 4.0, 120.0: 20.0}),
        ("ABS(0 - calls)", CALLS),
        ("SUM(calls) / PERIOD(calls)", 34 / 60),
        ("RATE(calls)", {60.0: -0.1, 120.0: 16 / 60}),
        ("RUNNING_SUM(calls)", {0.0: 10.0, 60.0: 14.0, 120.0: 34.0}),
    ],
)
def test_expression_has_the_value_that_the_guide_gives_it(expression: str, wanted: Any) -> None:
    found = evaluated(expression, calls=CALLS, errors=ERRORS, none=dict[float, float]())
    assert found == (pytest.approx(wanted) if wanted else wanted)


@pytest.mark.parametrize(
    "expression",
    [
        "ANOMALY_DETECTION_BAND(calls, 2)",
        "calls +",
        "(calls",
        "calls calls",
        "IF(calls)",
        "'text' + 1",
        "SUM()",
        "__import__('os')",
        "calls.real",
        "(" * 100 + "1" + ")" * 100,
    ],
)
def test_expression_that_is_not_read_says_so(expression: str) -> None:
    with pytest.raises(Unread):
        evaluated(expression, calls=CALLS)


def test_queries_that_name_each_other_in_a_circle_are_refused() -> None:
    queries = Queries([{"Id": "a", "Expression": "b + 1"}, {"Id": "b", "Expression": "a + 1"}])
    with pytest.raises(Unread, match="names itself"):
        queries.values(lambda _period: [(0.0, 60.0)]).series("a")
    with pytest.raises(Unread, match="a names b"):
        Queries([{"Id": "a", "Expression": "b + 1"}])


def test_statistics_of_a_hundred_values() -> None:
    bucket = Bucket(0, 60)
    for value in range(1, 61):
        bucket.add(value, 1)
    wanted = {
        "SampleCount": 60,
        "Sum": 1830,
        "Average": 30.5,
        "Minimum": 1,
        "Maximum": 60,
        "p50": 30.5,
        "p100": 60,
        "PR(:30)": 50,
        "PR(30:45)": 25,
        "TC(:10)": 10,
        "TS(:4)": 10,
        "TM(0%:50%)": 15.5,
        "tm50": 15.5,
    }
    found = {name: metric_statistics.value(bucket, name) for name in wanted}
    assert found == pytest.approx(wanted)
    assert not metric_statistics.is_known("p101")
    assert not metric_statistics.is_known("WM(:5%)")


def test_many_values_are_rounded_and_their_sums_are_not() -> None:
    bucket = Bucket(0, 60)
    for value in range(1, 10_001):
        bucket.add(value, 1)
    assert bucket.values is not None
    assert len(bucket.values) < 1000
    assert (bucket.count, bucket.total) == (10_000, 50_005_000)
    assert metric_statistics.value(bucket, "p99") == pytest.approx(9900, rel=0.01)


def test_series_stays_small_and_loses_no_count() -> None:
    store, now = Store(), time.time()
    width = metric_store.WIDTH
    for step in range(3000, 0, -1):
        store.add(KEY, 1, moment=now - step * width)
    series = store.series(KEY)
    assert len(series.buckets) < 400
    whole = store.summary(KEY, now - 4000 * width, now + width)
    assert whole is not None
    assert whole.count == 3000
    recent = store.summary(KEY, now - 30 * width, now + width)
    assert recent is not None
    assert 29 <= recent.count <= 30


def test_value_that_comes_late_finds_its_bucket() -> None:
    store, now = Store(), time.time()
    for moment in (now, now - 600, now - 300, now - 600):
        store.add(KEY, 5, moment=moment)
    assert [bucket.count for bucket in store.series(KEY).buckets] == [2, 1, 1]


def test_statistic_set_keeps_its_sums() -> None:
    store, now = Store(), time.time()
    numbers = {"SampleCount": 4, "Sum": 12, "Minimum": 1, "Maximum": 9}
    store.add_set(KEY, "Count", now, numbers)
    whole = store.summary(KEY, now - 60, now + 60)
    assert whole is not None
    assert (whole.count, whole.low, whole.high) == (4, 1, 9)
    assert whole.total == pytest.approx(12)


X, G, N = 5.0, 0.0, None
KEPT = None


@pytest.mark.parametrize(
    ("points", "enough", "missing", "ignore", "breaching", "not_breaching"),
    [
        # The tables of "Configuring how CloudWatch alarms treat missing data": 3 out of 3, then 2 out of 3.
        ((G, N, X, N, X), 3, "OK", "OK", "OK", "OK"),
        ((G, N, N, N, N), 3, "OK", "OK", "OK", "OK"),
        ((N, N, N, N, N), 3, "INSUFFICIENT_DATA", KEPT, "ALARM", "OK"),
        ((G, X, X, N, X), 3, "ALARM", "ALARM", "ALARM", "ALARM"),
        ((N, N, X, N, N), 3, "ALARM", KEPT, "ALARM", "OK"),
        ((G, N, X, N, X), 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ((G, G, X, G, X), 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ((G, N, X, N, N), 2, "OK", "OK", "ALARM", "OK"),
        ((N, N, N, N, G), 2, "OK", "OK", "ALARM", "OK"),
        ((N, N, N, X, N), 2, "ALARM", KEPT, "ALARM", "OK"),
    ],
)
def test_missing_data_is_treated_as_the_guide_says(
    points: tuple[float | None, ...],
    enough: int,
    missing: str | None,
    ignore: str | None,
    breaching: str | None,
    not_breaching: str | None,
) -> None:
    wanted = {
        "missing": missing,
        "ignore": ignore,
        "breaching": breaching,
        "notBreaching": not_breaching,
    }
    values = [(float(i), value) for i, value in enumerate(points)]
    found = {
        way: judge(Rule("GreaterThanThreshold", 1, 3, enough, way), values).state for way in wanted
    }
    assert found == wanted


def test_data_that_has_only_begun_to_breach_is_no_alarm_yet() -> None:
    values = [(float(i), value) for i, value in enumerate((N, N, N, N, X))]
    assert judge(Rule("GreaterThanThreshold", 1, 3, 3, "missing"), values).state is None


RULE = Rule("GreaterThanOrEqualToThreshold", 1, 1, 1, "notBreaching")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            Judgement("ALARM", [(0.0, 3.0)], 0),
            (
                "Threshold Crossed: 1 out of the last 1 datapoint [3.0 (01/01/70 00:00:00)] was greater than or equal to"
                " the threshold (1) (minimum 1 datapoint for OK -> ALARM transition)."
            ),
        ),
        (
            Judgement("OK", [(0.0, 0.0)], 0),
            (
                "Threshold Crossed: 1 out of the last 1 datapoint [0.0 (01/01/70 00:00:00)] was not greater than or equal to"
                " the threshold (1) (minimum 1 datapoint for ALARM -> OK transition)."
            ),
        ),
        (
            Judgement("OK", [], 1),
            (
                "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as"
                " [NonBreaching]."
            ),
        ),
        (Judgement("INSUFFICIENT_DATA", [], 2), "Insufficient Data: 2 datapoints were unknown."),
    ],
)
def test_reasons_are_told_in_cloudwatchs_words(found: Judgement, words: str) -> None:
    assert alarm_states.reason(RULE, found) == words


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[Any, float]]:
    """The sums of what log events make, in a store of its own."""
    own = Store()
    monkeypatch.setattr(log_metrics, "STORE", own)
    monkeypatch.setattr(fault_metrics, "STORE", own)
    return lambda: {series.key: sum(b.total for b in series.buckets) for series in own.all()}


@pytest.mark.parametrize(
    "line",
    [
        "no object _aws",
        '{"_aws": 1}',
        '{"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "N"}]}}',
        '{"_aws": {"Timestamp": "soon", "CloudWatchMetrics": []}}',
        '["_aws"]',
        (
            '{"_aws": {"Timestamp": 1000, "CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [["gone"]],'
            ' "Metrics": [{"Name": "m"}]}]}, "m": 1}'
        ),
        (
            '{"_aws": {"Timestamp": 1000, "CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [[]],'
            ' "Metrics": [{"Name": "m"}]}]}, "m": "text"}'
        ),
    ],
)
def test_line_that_is_no_embedded_metric_makes_none(
    line: str, store: Callable[[], dict[Any, float]]
) -> None:
    log_metrics.embedded([{"message": line}])
    assert store() == {}


def test_metric_filter_without_a_match_has_its_default(
    store: Callable[[], dict[Any, float]],
) -> None:
    change = {"metricName": "m", "metricNamespace": "N", "metricValue": "1"}
    each = {"filterName": "f", "filterPattern": "ERROR"}
    now = int(time.time() * 1000)
    events = [{"message": "all is well", "timestamp": now}]
    log_metrics.filtered([{**each, "metricTransformations": [change]}], events)
    assert store() == {}
    change["defaultValue"] = "7"
    log_metrics.filtered([{**each, "metricTransformations": [change]}], events)
    assert store() == {("N", "m", ()): 7}
    # A pattern that is not read makes nothing, and stops nothing.
    log_metrics.filtered([{**each, "filterPattern": "[a, b]", "metricTransformations": []}], events)


@pytest.mark.parametrize(
    ("do", "at", "request_of_it", "wanted"),
    [
        (
            "throttle",
            "dynamodb:PutItem",
            {"TableName": "t"},
            {
                ("AWS/DynamoDB", "WriteThrottleEvents", (("TableName", "t"),)): 1,
                (
                    "AWS/DynamoDB",
                    "ThrottledRequests",
                    (("Operation", "PutItem"), ("TableName", "t")),
                ): 1,
            },
        ),
        (
            "unavailable",
            "dynamodb:BatchGetItem",
            {"RequestItems": {"t": {}}},
            {
                (
                    "AWS/DynamoDB",
                    "SystemErrors",
                    (("Operation", "BatchGetItem"), ("TableName", "t")),
                ): 1
            },
        ),
        (
            "unavailable",
            "dynamodb:TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "t"}}, {"Delete": {"TableName": "t"}}]},
            {
                (
                    "AWS/DynamoDB",
                    "SystemErrors",
                    (("Operation", "TransactWriteItems"), ("TableName", "t")),
                ): 1
            },
        ),
        (
            "throttle",
            "kinesis:PutRecord",
            {"StreamARN": "arn:aws:kinesis:r:a:stream/s"},
            {("AWS/Kinesis", "WriteProvisionedThroughputExceeded", (("StreamName", "s"),)): 1},
        ),
        ("slow", "dynamodb:PutItem", {"TableName": "t"}, {}),
        ("throttle", "sqs:SendMessage", {"QueueUrl": "q"}, {}),
        ("throttle", "http:GET", {"url": "/"}, {}),
    ],
)
def test_refusal_that_a_test_asked_for_counts_as_the_services_own(
    do: str,
    at: str,
    request_of_it: Any,
    wanted: dict[Any, float],
    store: Callable[[], dict[Any, float]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[str] = []
    fault = {"when": "before", "at": at, "request": "", "do": do, "path": "f"}
    monkeypatch.setattr(faults, "_waiting", [fault])
    monkeypatch.setattr(faults, "read", lambda _path, *, take: fault if take else None)
    monkeypatch.setattr(faults, "_ACTIONS", {do: lambda _fault, _at, _client: None})
    monkeypatch.setattr(faults.logs, "write", lines.append)
    faults._meet("before", at, request_of_it)
    fault_metrics.count([{"message": line} for line in lines])
    assert lines
    assert store() == wanted
