"""Filter patterns of log subscriptions that CloudWatch Logs refuses, and those that it takes."""

from __future__ import annotations

import pytest

from sandbox.services import log_subscriptions


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ('{ $.level = "ERROR" ', "no closing }"),
        ('{ $.level = "ERROR }', "a quote is not closed"),
        ('two "words', "a quote is not closed"),
        ("[ip, user", "no closing ]"),
        ("{ ($.a = 1 }", "a parenthesis is not closed"),
        ("{ }", "no condition: ''"),
        ("{ a = 1 }", "no condition: 'a = 1'"),
        ("{ $.a = }", "no condition: '$.a ='"),
        ("{ $.a }", "no condition: '$.a'"),
        ("{ $.a = 1 && }", "no condition: ''"),
        ("x" * 1025, "1025 characters, 1024 at most"),
    ],
)
def test_pattern_that_aws_refuses_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"^InvalidParameterException: Invalid sub") as caught:
        log_subscriptions.must_be_a_pattern(pattern)
    assert str(caught.value).endswith(f"({why}): {pattern}")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "ERROR -debug",
        '?"two words" ?other',
        "%ERR.*{[%",
        "[ip, user, status = 4*]",
        '{ $.level = "ERROR" }',
        '{ $.a = "}" }',
        '{ ($.a = 1) && ($.b[0].c != "x (") || $.d = 3 }',
        "{ $.a IS NULL }",
        "{ $.a NOT EXISTS }",
        "{ $.a >= -1.5e3 }",
        "{$.a=%^x+$%}",
        "{ $.ip = 10.0.* }",
    ],
)
def test_pattern_that_aws_takes_is_taken(pattern: str) -> None:
    log_subscriptions.must_be_a_pattern(pattern)
