"""Functions in Go: one program that Lambda can execute, or one clear line."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from builders import BuildError, go

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go here")
MACHINES = {"arm64": 183, "x86_64": 62}


def module(folder: Path, main: str = "func main() { println(1) }", more: str = "") -> Path:
    """A module without dependencies: nothing is fetched."""
    source = folder / "handlers" / "bird_song"
    source.mkdir(parents=True)
    (source / "go.mod").write_text(f"module birdsong\n\ngo 1.18\n{more}", encoding="utf-8")
    (source / "main.go").write_text(f"package main\n\n{main}\n", encoding="utf-8")
    return source


@needs_go
@pytest.mark.parametrize("architecture", MACHINES)
def test_archive_is_a_program_for_the_processor_that_lambda_may_execute(
    tmp_path: Path, architecture: str
) -> None:
    archive = tmp_path / ".build" / "functions" / "b.zip"
    go.build(module(tmp_path), archive, architecture=architecture)
    with zipfile.ZipFile(archive) as made:
        (entry,) = made.infolist()
        program = made.read(entry)
    assert (entry.filename, entry.external_attr >> 16 & 0o777) == ("bootstrap", 0o755)
    assert program[:4] == b"\x7fELF"
    assert program[18] == MACHINES[architecture]
    assert str(tmp_path).encode() not in program
    (tmp_path / "bootstrap").write_bytes(program)
    words = ["go", "tool", "buildid", str(tmp_path / "bootstrap")]
    assert subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() == ""
    assert list(archive.parent.iterdir()) == [archive]


@needs_go
def test_developers_own_settings_do_not_enter_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A package that C would serve, where it were let in.
    source = module(tmp_path, 'import "os/user"\n\nfunc main() { user.Current() }')
    monkeypatch.setenv("CGO_ENABLED", "0")
    go.build(source, tmp_path / "a.zip", architecture="x86_64")
    for name, value in {"GOFLAGS": "-race -tags=x", "GOAMD64": "v3", "CGO_ENABLED": "1"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "go.work").write_text("go 1.18\n", encoding="utf-8")
    go.build(source, tmp_path / "b.zip", architecture="x86_64")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@needs_go
def test_program_that_does_not_compile_is_one_line_with_file_and_place(tmp_path: Path) -> None:
    source = module(tmp_path, "func main() { sing() }")
    told = r"^handlers/bird_song: \./main\.go:3:15: undefined: sing$"
    with pytest.raises(BuildError, match=told):
        go.build(source, tmp_path / "b.zip", architecture="arm64")
    assert not (tmp_path / "b.zip").exists()


@needs_go
def test_version_of_go_is_told() -> None:
    assert (go.toolchain() or "").startswith("go1.")


def test_without_go_one_line_says_so_and_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert go.toolchain() is None
    with pytest.raises(BuildError) as refused:
        go.build(module(tmp_path), tmp_path / "b.zip", architecture="arm64")
    assert str(refused.value) == (
        "handlers/bird_song: Go is needed to build it and is not on PATH; install it (https://go.dev/dl), or switch "
        "the function off: functions.bird-song.enabled: false"
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The environments that Go was called with; it fails without a word."""
    environments: list[dict[str, str]] = []

    def run(
        command: list[str], *, env: dict[str, str], **_: object
    ) -> subprocess.CompletedProcess[str]:
        environments.append(env)
        return subprocess.CompletedProcess(command, 1, "", "# birdsong\n")

    monkeypatch.setattr(go.shutil, "which", lambda _: "/bin/go")
    monkeypatch.setattr(go.subprocess, "run", run)
    monkeypatch.delenv("GOTOOLCHAIN", raising=False)
    return environments


def test_toolchain_line_names_the_exact_compiler_unless_the_environment_does(
    tmp_path: Path, asked: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = module(tmp_path, more="\ntoolchain go1.99.1\n")
    for own in (None, "local"):
        if own:
            monkeypatch.setenv("GOTOOLCHAIN", own)
        with pytest.raises(BuildError, match=r"^handlers/bird_song: Go failed without a word$"):
            go.build(source, tmp_path / "b.zip", architecture="arm64")
    assert [environment["GOTOOLCHAIN"] for environment in asked] == ["go1.99.1", "local"]
    assert {environment["GOARCH"] for environment in asked} == {"arm64"}


@pytest.mark.usefixtures("asked")
def test_folder_without_a_module_is_refused(tmp_path: Path) -> None:
    source = module(tmp_path)
    (source / "go.mod").unlink()
    with pytest.raises(BuildError, match=r"^handlers/bird_song: has no go\.mod$"):
        go.build(source, tmp_path / "b.zip", architecture="arm64")


def test_go_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], timeout: int, **_: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(go.shutil, "which", lambda _: "/bin/go")
    monkeypatch.setattr(go.subprocess, "run", hang)
    with pytest.raises(BuildError, match=r"^handlers/bird_song: Go did not finish within 600 s$"):
        go.build(module(tmp_path), tmp_path / "b.zip", architecture="arm64")


def test_archive_is_named_after_folder_processor_and_what_the_program_is_made_of(
    tmp_path: Path,
) -> None:
    source = module(tmp_path)
    before = go.archive_name(source, "arm64")
    assert re.fullmatch(r"bird_song-arm64-[0-9a-f]{16}\.zip", before)
    (source / "main_test.go").touch()
    assert go.archive_name(source, "arm64") == before
    (source / "table.txt").touch()
    assert len({before, *(go.archive_name(source, a) for a in MACHINES)}) == 3


def test_sources_are_what_the_program_is_made_of(tmp_path: Path) -> None:
    source = module(tmp_path)
    for name in (
        "go.sum",
        "main_test.go",
        "sub/x.go",
        "table.txt",
        "testdata/x.go",
        ".git/x",
        ".env",
    ):
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).touch()
    found = [file.relative_to(source).as_posix() for file in go.sources(source)]
    assert found == ["go.mod", "go.sum", "main.go", "sub/x.go", "table.txt"]
