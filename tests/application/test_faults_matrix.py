"""The fault matrix has no empty cell: each names tests that exist, or the reason why there is none."""

from __future__ import annotations

import re

import pytest

from tests.support.matrix import CELLS, SOURCES
from tests.support.program import ROOT

ALL = {
    f"{fault} / {source}": cell
    for fault, row in CELLS.items()
    for source, cell in zip(SOURCES, row, strict=True)
}


@pytest.mark.parametrize("cell", [pytest.param(c, id=f"{name}: {c}") for name, c in ALL.items()])
def test_cell_names_its_tests_or_its_reason(cell: str) -> None:
    if cell.startswith("- "):
        return
    for named in cell.split(" "):
        path, _, test = named.partition("::")
        text = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert re.search(rf"^def {test}\(", text, re.MULTILINE), named
