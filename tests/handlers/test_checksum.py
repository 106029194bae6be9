"""The function in Go: its own tests, run by Go, and the bootstrap as Lambda runs it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from builders import go as builder
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
    # As the builder compiles: Go then finds what it has compiled of its own library before.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    done = subprocess.run(
        command, cwd=_CHECKSUM, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_function_in_go_passes_its_own_tests_and_vet(go: str) -> None:
    flags = ("-trimpath", "-tags=lambda.norpc", "-vet=all")
    said = _run(go, "test", "-count=1", "-v", *flags, "./...")
    assert "--- PASS: TestEveryVectorIsAnsweredAsInEveryOtherRuntime" in said
    assert "SKIP" not in said


def test_the_function_in_go_is_formatted(go: str) -> None:
    assert _run(str(Path(go).with_name("gofmt")), "-l", ".") == ""


def test_the_bootstrap_in_go_answers_every_vector(go: str, tmp_path: Path) -> None:
    del go
    archive = tmp_path / "checksum.zip"
    machine = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
    builder.build(_CHECKSUM, archive, architecture=machine, exact=False)
    with zipfile.ZipFile(archive) as built:
        bootstrap = Path(built.extract("bootstrap", tmp_path))
    bootstrap.chmod(0o755)
    with (
        (tmp_path / "lines").open("w+", encoding="utf-8") as output,
        runtime_api.running([str(bootstrap)], tmp_path, output, SERVICE_NAME="items") as function,
    ):
        assert list(runtime_api.wrong_lines(function, output)) == []
        assert list(runtime_api.mistakes(function)) == []
        output.seek(0)
        lines = [json.loads(line) for line in output]
    assert {(line["service"], line["function"]) for line in lines} == {("items", "checksum")}
    assert tuple(lines[0])[: len(runtime_api.HEAD)] == runtime_api.HEAD
