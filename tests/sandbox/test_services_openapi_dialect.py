"""The OpenAPI dialect: every violation is refused by its exact line."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.openapi import DialectError, read
from tests.sandbox.openapi_support import DOCUMENT

ROWS = Path(__file__).with_name("openapi_violations.jsonl").read_text("utf-8").splitlines()
VIOLATIONS = [json.loads(row) for row in ROWS]
"""Each: the path of what is changed in the document, its new value (or that it is gone), the line."""


def changed(path: list[str | int], row: dict[str, Any]) -> str:
    document: Any = copy.deepcopy(DOCUMENT)
    place = document
    for step in path[:-1]:
        place = place[step]
    if "gone" in row:
        del place[path[-1]]
    elif path[-1] == "+":
        place.append(row["value"])
    else:
        place[path[-1]] = row["value"]
    return json.dumps(document)


@pytest.mark.parametrize("row", VIOLATIONS, ids=[row["line"][:90] for row in VIOLATIONS])
def test_violation_is_refused_by_its_line(row: dict[str, Any]) -> None:
    with pytest.raises(DialectError) as caught:
        read(changed(row["path"], row))
    assert row["line"] in caught.value.lines


def test_every_mistake_gets_its_line() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["info"] = {}
    document["security"] = []
    with pytest.raises(DialectError) as caught:
        read(json.dumps(document))
    assert len(caught.value.lines) == 3
    assert str(caught.value) == "\n".join(caught.value.lines)


def test_body_that_is_not_json_is_refused() -> None:
    with pytest.raises(DialectError, match=r"^\$: the body is not JSON: "):
        read("openapi: 3.0.1")
