"""Layers of Python packages: what is in them, and what is refused."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from builders import BuildError, bytecode, pip, wheels
from builders.locks import Pin
from tests.builders.support import PLATFORMS, elf, lock, wheel

HERE = f"python{sys.version_info.major}.{sys.version_info.minor}"
PYC = f"__pycache__/bird.{sys.implementation.cache_tag}.pyc"


def build(requirements: Path, architecture: str = "arm64", **more: object) -> dict[str, bytes]:
    """Name -> content of the layer; its mode must be for everyone."""
    archive = requirements.parents[2] / ".build" / "bird.zip"
    words = {"runtime": HERE, **more}
    wheels.build(requirements, archive, architecture=architecture, **words)  # type: ignore[arg-type]
    assert list(archive.parent.iterdir()) == [archive]
    return unpacked(archive.read_bytes())


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        assert made.testzip() is None
        return {name: made.read(name) for name in made.namelist()}


def place(tmp_path: Path) -> Path:
    return tmp_path / "layers" / "birds" / "requirements.txt"


def refused(requirements: Path, **more: object) -> str:
    """The one line that a build ends in; it leaves no archive."""
    archive = requirements.parents[2] / ".build" / "bird.zip"
    words = {"runtime": HERE, "architecture": "arm64", **more}
    with pytest.raises(BuildError) as error:
        wheels.build(requirements, archive, **words)  # type: ignore[arg-type]
    assert not archive.exists()
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def shelf(index: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, taken from without pip."""

    def download(pins: Iterable[Pin], *_: object, **__: object) -> list[Path]:
        names = {pin.name for pin in pins}
        return [file for file in sorted(index.iterdir()) if file.name.partition("-")[0] in names]

    monkeypatch.setattr(pip, "download", download)
    return index


def test_layer_holds_the_wheels_of_the_functions_processor(index: Path, tmp_path: Path) -> None:
    made = [wheel(index, platform) for platform in PLATFORMS.values()]
    requirements = lock(place(tmp_path), *made)
    for architecture, platform in PLATFORMS.items():
        found = build(requirements, architecture)
        assert found["python/bird.py"] == f"SONG = '{platform}'\n".encode()


def test_layer_keeps_code_licence_and_metadata_and_nothing_that_lambda_has_no_use_for(
    shelf: Path, tmp_path: Path
) -> None:
    data = "bird-1.0.data"
    files = {
        "birds/__init__.py": b"",
        "birds/songs.pyi": b"",
        "birds/testing/real.py": b"",
        "birds/RECORD": b"a file of its own that is called like this",
        f"{data}/purelib/birds/pure.py": b"",
        f"{data}/platlib/birds/native.so": elf("arm64"),
        f"{data}/data/share/birds/nest.txt": b"",
        "birds/tests/test_songs.py": b"",
        "birds/sub/tests/data.bin": b"",
        "birds/__pycache__/x.cpython-39.pyc": b"",
        "birds/__pycache__/kernel.nbi": b"",
        "birds/old.pyc": b"",
        "bin/sing": b"#!/machine/python",
        f"{data}/scripts/sing": b"#!python",
        f"{data}/headers/bird.h": b"",
        "bird-1.0.dist-info/entry_points.txt": b"[console_scripts]\nsing = bird:SONG\n",
        "bird-1.0.dist-info/INSTALLER": b"pip",
        "bird-1.0.dist-info/REQUESTED": b"",
    }
    requirements = lock(place(tmp_path), wheel(shelf, files=files))
    assert sorted(build(requirements)) == [
        "python/bird-1.0.dist-info/METADATA",
        "python/bird-1.0.dist-info/WHEEL",
        "python/bird-1.0.dist-info/entry_points.txt",
        "python/bird-1.0.dist-info/licenses/LICENSE",
        "python/bird.py",
        "python/birds/RECORD",
        "python/birds/__init__.py",
        "python/birds/native.so",
        "python/birds/pure.py",
        "python/birds/songs.pyi",
        "python/birds/testing/real.py",
        "python/share/birds/nest.txt",
    ]


def test_program_in_a_wheel_may_be_executed_and_all_else_is_plain(
    shelf: Path, tmp_path: Path
) -> None:
    modes = {"birds/run": 0o100700, "bird.py": 0o100600}
    requirements = lock(
        place(tmp_path), wheel(shelf, files={"birds/run": b"#!/bin/sh"}, modes=modes)
    )
    build(requirements)
    with zipfile.ZipFile(tmp_path / ".build" / "bird.zip") as made:
        found = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in made.infolist()}
    assert found.pop("python/birds/run") == 0o755
    assert set(found.values()) == {0o644}


def test_layer_leaves_out_what_lambda_ships(shelf: Path, tmp_path: Path) -> None:
    shipped = [wheel(shelf, name=name) for name in ("boto3", "urllib3", "python_dateutil")]
    requirements = lock(place(tmp_path), wheel(shelf), *shipped)
    assert {name.split("/")[1] for name in build(requirements)} == {"bird.py", "bird-1.0.dist-info"}


def test_layer_of_nothing_but_what_lambda_ships_is_empty(shelf: Path, tmp_path: Path) -> None:
    assert build(lock(place(tmp_path), wheel(shelf, name="six"))) == {}


def test_changed_byte_in_a_wheel_fails_the_build_with_one_line(index: Path, tmp_path: Path) -> None:
    made = wheel(index)
    requirements = lock(place(tmp_path), made)
    content = bytearray(made.read_bytes())
    content[40] ^= 1
    made.write_bytes(content)
    assert refused(requirements) == (
        f"layers/birds/requirements.txt ({HERE}, arm64): bird==1.0: the file's hash is none of the locked ones; "
        "someone may have changed it (`make lock` after a wanted change)"
    )


def test_package_without_a_wheel_for_the_processor_is_named(index: Path, tmp_path: Path) -> None:
    requirements = lock(place(tmp_path), wheel(index, PLATFORMS["x86_64"]))
    assert refused(requirements) == (
        f"layers/birds/requirements.txt ({HERE}, arm64): bird==1.0: no wheel for this runtime and architecture with a "
        "locked hash"
    )


@pytest.mark.parametrize("name", ["birds/native.so", "birds/lib.so.1.2", "birds/helper"])
def test_x86_shared_object_in_an_arm64_layer_is_refused_by_its_name(
    shelf: Path, tmp_path: Path, name: str
) -> None:
    requirements = lock(
        place(tmp_path), wheel(shelf, PLATFORMS["arm64"], files={name: elf("x86_64")})
    )
    told = f" python/{name}: built for x86_64, and the function runs on arm64; lock another version"
    assert told in refused(requirements)


def test_files_of_one_name_must_be_equal(shelf: Path, tmp_path: Path) -> None:
    one = wheel(shelf, files={"common/__init__.py": b"", "common/a.py": b"a"})
    other = wheel(shelf, name="wren", files={"common/__init__.py": b"", "common/b.py": b"b"})
    requirements = lock(place(tmp_path), one, other)
    assert {"python/common/a.py", "python/common/b.py"} <= set(build(requirements))
    (tmp_path / ".build" / "bird.zip").unlink()
    other = wheel(shelf, name="wren", files={"common/__init__.py": b"other"})
    assert refused(lock(place(tmp_path), one, other)) == (
        "python/common/__init__.py: bird-1.0-py3-none-any.whl and wren-1.0-py3-none-any.whl hold different files of "
        "this name"
    )


@pytest.mark.parametrize(
    ("files", "modes", "told"),
    [
        ({"../outside.py": b""}, {}, "'../outside.py': not a file's name inside of an archive"),
        ({"/etc/x": b""}, {}, "'/etc/x': not a file's name inside of an archive"),
        ({"link.py": b"bird.py"}, {"link.py": 0o120777}, "link.py: is a link"),
    ],
    ids=["up", "root", "link"],
)
def test_wheel_that_reaches_out_of_its_folder_is_refused(
    shelf: Path,
    tmp_path: Path,
    files: Mapping[str, bytes],
    modes: Mapping[str, int],
    told: str,
) -> None:
    requirements = lock(place(tmp_path), wheel(shelf, files=files, modes=modes))
    assert refused(requirements).endswith(told)


def test_index_that_cannot_be_reached_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    requirements = lock(place(tmp_path), wheel(tmp_path / "unseen"))
    assert "the package index cannot be reached" in refused(requirements)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("/x/python: No module named pip\n", "this Python has no pip; `.* -m ensurepip` installs"),
        ("WARNING: a\nERROR: b is broken\nERROR: c\n", "b is broken$"),
        ("strange\nwords\n", "strange$"),
        ("", "pip failed without a word$"),
    ],
)
def test_whatever_pip_says_becomes_one_line(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, told: str
) -> None:
    requirements = lock(place(tmp_path), wheel(index))
    asked: list[str] = []

    def refuse(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.extend(command)
        return subprocess.CompletedProcess(command, 1, "", said)

    monkeypatch.setattr(pip.subprocess, "run", refuse)
    line = refused(requirements, runtime="python3.13")
    assert line.startswith("layers/birds/requirements.txt (python3.13, arm64): ")
    assert {"--require-hashes", "--only-binary=:all:", "--python-version=3.13"} <= set(asked)
    assert {"--platform=manylinux_2_34_aarch64", "--platform=manylinux2014_aarch64"} <= set(asked)
    assert re.search(told, line)
    with pytest.raises(BuildError, match=told):
        wheels.build_here(requirements)


def test_pip_that_does_not_end_is_ended(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(command: list[str], timeout: int, **_: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(pip.subprocess, "run", hang)
    assert "pip did not finish within 600 s" in refused(lock(place(tmp_path), wheel(index)))


def test_bytecode_is_what_the_interpreter_really_runs(shelf: Path, tmp_path: Path) -> None:
    """The source is changed afterwards, and what was compiled before still speaks."""
    source = {"bird.py": b"SONG = 'compiled'\nprint(SONG)\n"}
    build(lock(place(tmp_path), wheel(shelf, files=source)), compile=True)
    with zipfile.ZipFile(tmp_path / ".build" / "bird.zip") as layer:
        layer.extractall(tmp_path / "opt")
    module = tmp_path / "opt" / "python" / "bird.py"
    for text, expected in (("SONG = 'changed'\nprint(SONG)\n", "compiled"), (None, "changed")):
        if text is None:
            shutil.rmtree(module.parent / "__pycache__")
        else:
            module.write_text(text, encoding="utf-8")
        said = subprocess.run(
            [sys.executable, "-B", "-c", "import bird"],
            env={"PYTHONPATH": str(module.parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert said.split()[0] == expected


def test_bytecode_is_unchecked_and_names_lambdas_path(shelf: Path, tmp_path: Path) -> None:
    source = {
        "bird.py": b"def sing():\n    return {'a', 'b', 'c'}\n",
        "birds/template.py": b"class {{ name }}: pass\n",
        "birds/songs.py": b"pass\n",
    }
    found = build(lock(place(tmp_path), wheel(shelf, files=source)), compile=True)
    pyc = found[f"python/{PYC}"]
    assert pyc[:8] == importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, "little")
    assert pyc[8:16] == importlib.util.source_hash(source["bird.py"])
    assert b"/opt/python/bird.py" in pyc
    assert str(tmp_path).encode() not in pyc
    compiled = sorted(name for name in found if name.endswith(".pyc"))
    assert compiled == [f"python/{PYC}", f"python/birds/{PYC.replace('bird.', 'songs.')}"]


def test_bytecode_for_another_version_of_python_is_refused_with_a_remedy(
    shelf: Path, tmp_path: Path
) -> None:
    runtime = "python3.14" if HERE != "python3.14" else "python3.13"
    line = refused(lock(place(tmp_path), wheel(shelf)), compile=True, runtime=runtime)
    assert line == (
        f"layers/birds/requirements.txt: bytecode for {runtime} is made by Python {runtime[6:]} only, and this is "
        f"{HERE}; run Pulumi in an environment of that version, or set packaging.compile: false"
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (subprocess.CalledProcessError(1, ["python"], stderr=b"a\nMemoryError\n"), "MemoryError"),
        (subprocess.CalledProcessError(-9, ["python"], stderr=b""), "it did not finish"),
        (subprocess.TimeoutExpired(["python"], 300), "it did not finish"),
    ],
)
def test_bytecode_that_cannot_be_made_is_one_line(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(bytecode.subprocess, "run", fail)
    line = refused(lock(place(tmp_path), wheel(shelf)), compile=True)
    assert line.startswith(f"bytecode: Python cannot compile the packages ({told}); ")


def test_layer_for_this_machine_is_copied_from_the_environment_where_it_has_the_version(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels.pip, "download", pytest.fail)
    with zipfile.ZipFile(wheel(tmp_path / "unseen", files={"birds/tests/x.py": b""})) as made:
        made.extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    content = wheels.build_here(
        lock(place(tmp_path), tmp_path / "unseen/bird-1.0-py3-none-any.whl")
    )
    assert sorted(unpacked(content)) == [
        "python/bird-1.0.dist-info/METADATA",
        "python/bird-1.0.dist-info/WHEEL",
        "python/bird-1.0.dist-info/licenses/LICENSE",
        "python/bird.py",
    ]


def test_layer_for_this_machine_comes_from_the_index_where_the_environment_lacks_it(
    index: Path, tmp_path: Path
) -> None:
    content = wheels.build_here(lock(place(tmp_path), wheel(index)))
    assert unpacked(content)["python/bird.py"] == b"SONG = 'any'\n"


@pytest.mark.parametrize("lost", ["bird.py", "bird-1.0.dist-info/RECORD"])
def test_package_of_which_the_environment_has_lost_a_file_is_fetched(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    made = wheel(shelf)
    with zipfile.ZipFile(made) as files:
        files.extractall(tmp_path / "site")
    (tmp_path / "site" / lost).unlink()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert "python/bird.py" in unpacked(wheels.build_here(lock(place(tmp_path), made)))


def test_wheels_are_no_newer_than_the_runtimes_own_glibc() -> None:
    """Python 3.11 runs on Amazon Linux 2: a wheel for glibc 2.28 would end there at its import."""
    newest = {r: pip.target(r, "arm64")[2] for r in ("python3.11", "python3.12", "python3.13")}
    assert newest == {
        "python3.11": "--platform=manylinux_2_26_aarch64",
        "python3.12": "--platform=manylinux_2_34_aarch64",
        "python3.13": "--platform=manylinux_2_34_aarch64",
    }
