"""docs/mission.md tells the truth: every row is there once, and every test it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "mission.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([RX]\d+) \|(.*)\|$", TEXT, re.MULTILINE)


def test_every_row_is_there_once_and_in_order() -> None:
    requirements = [row for row, _ in ROWS if row.startswith("R")]
    mistakes = [row for row, _ in ROWS if row.startswith("X")]
    assert requirements == [f"R{number}" for number in range(1, 164)]
    assert mistakes == [f"X{number}" for number in range(1, 17)]


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)", TEXT))))
def test_a_test_that_the_mission_names_exists(named: tuple[str, str]) -> None:
    file, name = named
    assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


def test_a_built_row_names_a_test_unless_it_asks_for_a_document() -> None:
    bare = {row for row, rest in ROWS if "| built |" in rest and "::test_" not in rest}
    documents = {"R129", "R139", "R140", "R141", "R143", "R145", "R147", "R151", "R153"}
    assert bare == documents


def test_the_count_of_rows_is_right() -> None:
    requirements = [rest for row, rest in ROWS if row.startswith("R")]
    built, part = (
        sum(f"| {state} |" in rest for rest in requirements) for state in ("built", "part")
    )
    assert f"{built} are built, {part} in part, {163 - built - part} not yet" in TEXT
