"""What is in an archive, and that it is the same on every machine."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import layers
from components.packaging import Handlers
from settings import FunctionSettings
from tests.support.program import ROOT, Run
from tests.support.tiny import Parts, tiny

WHEELS = {"aarch64": "manylinux_2_17_aarch64", "x86_64": "manylinux_2_17_x86_64"}


@pytest.fixture
def handlers(tmp_path: Path) -> Path:
    """A folder of handlers as a developer's machine leaves it."""
    folder = tmp_path / "handlers"
    for file in (
        "f.py",
        "g.py",
        "common/__init__.py",
        "common/deep/x.py",
        "common/data.txt",
        "ruff.toml",
    ):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(f"# {file}\n", encoding="utf-8")
    for cache in ("__pycache__/f.cpython-311.pyc", "common/__pycache__/x.cpython-311.pyc"):
        (folder / cache).parent.mkdir(exist_ok=True)
        (folder / cache).write_bytes(os.urandom(16))
    return folder


def contents(archive: pulumi.Archive) -> dict[str, str]:
    """Name in the archive -> text of the file."""
    assert isinstance(archive, pulumi.AssetArchive)
    files: Mapping[str, Any] = archive.assets
    return {name: Path(asset.path).read_text(encoding="utf-8") for name, asset in files.items()}


def test_archive_has_exactly_its_handler_and_the_shared_code(handlers: Path) -> None:
    code = Handlers(handlers).code("f")
    assert list(contents(code.archive)) == ["common/__init__.py", "common/deep/x.py", "f.py"]
    assert code.handler == "f.handler"


def test_archive_is_the_same_wherever_and_whenever_it_is_made(
    handlers: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere" / "handlers"
    shutil.copytree(handlers, moved)
    for file in moved.rglob("*.py"):
        os.utime(file, (0, 0))
    (moved / "common" / "__pycache__" / "new.pyc").write_bytes(b"new")
    ours, theirs = Handlers(handlers).code("f").archive, Handlers(moved).code("f").archive
    assert list(contents(ours).items()) == list(contents(theirs).items())


def test_archive_changes_with_its_handler_and_not_with_another(handlers: Path) -> None:
    before = contents(Handlers(handlers).code("f").archive)
    (handlers / "g.py").write_text("# changed\n", encoding="utf-8")
    assert contents(Handlers(handlers).code("f").archive) == before
    (handlers / "f.py").write_text("# changed\n", encoding="utf-8")
    assert contents(Handlers(handlers).code("f").archive) != before


def test_function_without_a_handler_is_refused_by_its_name(handlers: Path) -> None:
    with pytest.raises(FileNotFoundError, match="function 'no-such' has no handler"):
        Handlers(handlers).code("no-such")


def test_every_shipped_archive_holds_one_handler_and_common_only(dev: Run) -> None:
    common = {
        p.relative_to(ROOT / "handlers").as_posix()
        for p in (ROOT / "handlers/common").rglob("*.py")
    }
    for function in dev.all("aws:lambda/function:Function"):
        handler = str(function.get("handler"))
        held = contents(function.get("code"))
        assert set(held) == common | {handler.replace(".handler", ".py")}
        assert not [name for name in held if "__pycache__" in name or name.endswith(".pyc")]


def wheel(folder: Path, platform: str) -> Path:
    """A wheel with one module and one console script, for one platform."""
    file = folder / f"bird-1.0-py3-none-{platform}.whl"
    info = "bird-1.0.dist-info"
    parts = {
        "bird.py": f"SONG = '{platform}'\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: bird\nVersion: 1.0\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: false\nTag: py3-none-{platform}\n",
        f"{info}/entry_points.txt": "[console_scripts]\nsing = bird:SONG\n",
    }
    record = "".join(f"{n},sha256={_digest(t.encode())},{len(t)}\n" for n, t in parts.items())
    with zipfile.ZipFile(file, "w") as out:
        for name, text in {**parts, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            out.writestr(name, text)
    return file


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hashed requirements that pip finds in a folder, without an index."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    hashes = [hashlib.sha256(wheel(wheels, p).read_bytes()).hexdigest() for p in WHEELS.values()]
    file = tmp_path / "requirements.txt"
    file.write_text("bird==1.0 " + " ".join(f"--hash=sha256:{h}" for h in hashes), encoding="utf-8")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return file


def test_layer_holds_the_wheels_of_the_functions_machine_under_python(
    requirements: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "build" / "bird.zip"
    layers.build_layer(requirements, archive, runtime="python3.13", architecture="arm64")
    with zipfile.ZipFile(archive) as built:
        assert built.read("python/bird.py") == b"SONG = 'manylinux_2_17_aarch64'\n"
        assert not [n for n in built.namelist() if "bin/" in n or n.endswith(("RECORD", ".pyc"))]
        assert {entry.date_time for entry in built.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in built.infolist()} == {0o644}
    assert list(archive.parent.iterdir()) == [archive]


def test_layer_that_pip_refuses_ends_in_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.extend(command)
        return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: hashes differ\n")

    monkeypatch.setattr(subprocess, "run", refuse)
    file = tmp_path / "requirements.txt"
    with pytest.raises(pulumi.RunError) as refused:
        layers.build_layer(
            file, tmp_path / "out" / "b.zip", runtime="python3.13", architecture="x86_64"
        )
    assert str(refused.value) == f"{file}: ERROR: hashes differ"
    assert list((tmp_path / "out").iterdir()) == []
    assert {"--require-hashes", "--only-binary=:all:", "--python-version=3.13"} <= set(asked)
    assert "--platform=manylinux2014_x86_64" in asked


def test_layer_is_the_same_byte_for_byte_whatever_the_files_dates_and_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"b/x.py": "x", "a.py": "a", "bin/tool": "#!/machine/python", "d/RECORD": "r"}
    listed = Path.rglob
    for date, place in enumerate(("one", "two")):
        for name, text in files.items():
            (tmp_path / place / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place / name).write_text(text, encoding="utf-8")
            os.utime(tmp_path / place / name, (date, date))
        layers._zip(tmp_path / place, tmp_path / f"{place}.zip")
        # Another file system may list a folder the other way round.
        monkeypatch.setattr(Path, "rglob", lambda *given: sorted(listed(*given), reverse=True))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as made:
        assert made.namelist() == ["python/a.py", "python/b/x.py"]


def test_layer_is_built_once_per_content_runtime_and_architecture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "layers" / "birds").mkdir(parents=True)
    requirements = tmp_path / "layers" / "birds" / "requirements.txt"
    requirements.write_text("bird==1.0\n", encoding="utf-8")
    built: list[str] = []

    def build(_: Path, archive: Path, *, runtime: str, architecture: str) -> None:
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.touch()
        built.append(f"{runtime} {architecture}")

    monkeypatch.setattr(layers, "build_layer", build)

    def declare(parts: Parts, *, build: bool = True, **sizes: Any) -> None:
        layers.Layer(
            "birds",
            root=tmp_path,
            used_by=FunctionSettings(**sizes),
            place=parts.place,
            build=build,
            description="Songs",
            license_info="MIT",
        )

    tiny(declare)
    tiny(declare)
    tiny(lambda parts: declare(parts, architecture="x86_64"))
    requirements.write_text("bird==1.1\n", encoding="utf-8")
    tiny(lambda parts: declare(parts, build=False))
    assert built == ["python3.13 arm64", "python3.13 x86_64"]
    run = tiny(declare)
    assert built[2:] == ["python3.13 arm64"]
    version = run.one("aws:lambda/layerVersion:LayerVersion", "birds-layer")
    assert version.get("layerName") == "sandpiper-tiny-birds"
    assert version.get("compatibleRuntimes") == ["python3.13"]
    assert version.get("compatibleArchitectures") == ["arm64"]
