"""The rules as the references tell them."""

from __future__ import annotations

import ast
import re

import pytest

from settings import loading
from tests.settings.helper import ROOT
from tools.rules import OF_FUNCTIONS, OF_THE_REST, Rule, table


@pytest.mark.parametrize("rule", loading.RULES, ids=lambda rule: rule.__name__)
def test_every_rule_has_a_row_in_the_references(rule: Rule) -> None:
    ((wanted, why),) = [rows[rule] for rows in (OF_FUNCTIONS, OF_THE_REST) if rule in rows]
    for name in ("settings", "function"):
        told = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        assert (f"| {wanted} | {why} |\n" in told) == (name == "settings" or rule in OF_FUNCTIONS)


def test_no_row_is_left_of_a_rule_that_is_gone() -> None:
    assert {*OF_FUNCTIONS, *OF_THE_REST} == {*loading.RULES}


def test_rules_in_words_take_their_numbers_from_the_rules() -> None:
    files = [ROOT / "tools" / f"{name}.py" for name in ("rules", "trigger_rules", "watch_rules")]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    texts = [n.value for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    written = {found for text in texts for found in re.findall(r"\b\d+\b", str(text))}
    # The gateway's status, and one execution as the least there is.
    assert written == {"504", "1"}


def test_table_has_a_row_for_each_rule() -> None:
    assert table({}) == "| rule | why |\n|---|---|\n"
    assert table(OF_FUNCTIONS).count("\n") == len(OF_FUNCTIONS) + 2
