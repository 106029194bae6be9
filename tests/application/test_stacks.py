"""Every shipped stack comes up, breaks no rule with what it really became, and answers."""

from __future__ import annotations

import re

import pytest

import sandbox


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_every_shipped_stack_comes_up_and_answers(stack: str) -> None:
    with sandbox.running(stack) as box:
        assert box.http.get("/health").status == 200
        made = box.http.post("/items", token=True, json={"name": "lamp", "price": "1.00"})
        assert made.status == 201
        assert box.broken_rules == []
        assert box.report.unread == []
        assert box.outputs["functions"]["health"]["name"] == f"sandpiper-{stack}-health"


def test_a_rule_that_is_broken_is_said_with_the_line_that_breaks_it() -> None:
    short = {"triggers": {"queues": {"notifications": {"visibility_timeout_seconds": 31}}}}
    with sandbox.running("dev", config=short) as box:
        assert len(box.broken_rules) == 1
        line = box.broken_rules[0]
    assert re.match(r"__main__\.py:\d+: notifications-queue: .*visibility", line), line
