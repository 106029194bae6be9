"""The function in Go: its own tests, run by Go, and the bootstrap as Lambda runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.handlers import runtime_api

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


def test_the_bootstrap_in_go_answers_every_vector(
    go: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bootstrap = tmp_path / "bootstrap"
    _run(go, "build", "-tags", "lambda.norpc", "-o", str(bootstrap), ".")
    with runtime_api.running([str(bootstrap)], tmp_path, SERVICE_NAME="items") as function:
        assert list(runtime_api.mistakes(function)) == []
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert {(line["service"], line["function"]) for line in lines} == {("items", "checksum")}
    assert lines[0]["requestId"] == "request-1"
