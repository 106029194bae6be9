"""Metric math as rules read it: what is no expression, and the value of what is one."""

from __future__ import annotations

import pytest

from policies import expressions

RATE = "IF(invocations >= 10, 100 * errors / invocations, 0)"


@pytest.mark.parametrize(
    ("text", "values", "wanted"),
    [
        (RATE, {"errors": 1.0, "invocations": 20.0}, 5.0),
        (RATE, {"errors": 9.0, "invocations": 9.0}, 0.0),
        (RATE, {"errors": None, "invocations": 20.0}, None),
        ("errors / invocations", {"errors": 1.0, "invocations": 0.0}, None),
        ("FILL(reads, 0) + FILL(writes, 0)", {"reads": None, "writes": 2.0}, 2.0),
        ("SUM([a, b]) - MAX([a, b]) * MIN([a, b])", {"a": 2.0, "b": 3.0}, -1.0),
        ("AVG(METRICS())", {"a": 2.0, "b": None}, 2.0),
        ("ABS(-a) == 2 AND (a != 3 || a < 1)", {"a": 2.0}, 1.0),
        ("100 - within > 1 && within <= 98", {"within": 98.5}, 0.0),
    ],
)
def test_value_is_that_of_metric_math(
    text: str, values: dict[str, float | None], wanted: float | None
) -> None:
    assert expressions.value(text, values) == wanted


@pytest.mark.parametrize("text", ["a +", "a[0]", "STDDEV(a)", "unknown", "IF(a)"])
def test_what_is_not_understood_has_no_value(text: str) -> None:
    with pytest.raises(ValueError, match="no"):
        expressions.value(text, {"a": 1.0})


def test_problems_name_what_is_unknown() -> None:
    assert [*expressions.problems(RATE, {"errors", "invocations"})] == []
    (unknown,) = expressions.problems("100 * errors / calls", {"errors"})
    assert unknown.endswith("speaks of calls, which no query is called")
    (called,) = expressions.problems("RATIO(errors)", {"errors"})
    assert "calls RATIO, which is not among" in called
