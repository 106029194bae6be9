"""The description that API Gateway gets, kept as a file: no change of it is by accident.

`python -m tests.components.test_gateway_document` writes the files anew; a reviewer then reads the difference, which is
what the next `pulumi up` deploys.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.program import Run, run_stack

FOLDER = Path(__file__).parent / "gateway"
STACKS = ("dev", "prod")
"""One that names a web origin and one that names none, with a cache."""


def described(run: Run) -> str:
    """The description as people read it; names and ARNs are those of a mocked run."""
    body: dict[str, Any] = json.loads(
        str(run.one("aws:apigateway/restApi:RestApi", "api-rest").get("body"))
    )
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def kept(stack: str) -> Path:
    return FOLDER / f"{stack}.json"


@pytest.mark.parametrize("stack", STACKS)
def test_description_is_the_one_that_was_reviewed(runs: Callable[[str], Run], stack: str) -> None:
    expected = kept(stack).read_text(encoding="utf-8").splitlines()
    assert described(runs(stack)).splitlines() == expected, "python -m " + __name__


def test_files_are_those_of_the_stacks() -> None:
    assert sorted(file.stem for file in FOLDER.iterdir()) == sorted(STACKS)


if __name__ == "__main__":
    for name in STACKS:
        kept(name).parent.mkdir(exist_ok=True)
        kept(name).write_text(described(run_stack(name)), encoding="utf-8")
