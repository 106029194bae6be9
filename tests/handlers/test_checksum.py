"""The function in Go: its own tests, run by Go."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_CHECKSUM = Path(__file__).parents[2] / "handlers" / "checksum"


@pytest.fixture(scope="module")
def go() -> str:
    """The Go command."""
    found = shutil.which("go")
    if found is None:
        pytest.skip("Go is not installed")
    return found


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=_CHECKSUM, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_function_in_go_passes_its_own_tests(go: str) -> None:
    said = _run(go, "test", "-count=1", "-v", "./...")
    assert "--- PASS: TestEveryVectorIsAnsweredAsInEveryOtherRuntime" in said
    assert "SKIP" not in said


def test_the_function_in_go_is_formatted_and_vetted(go: str) -> None:
    assert _run(str(Path(go).with_name("gofmt")), "-l", ".") == ""
    _run(go, "vet", "./...")
