"""Deployment packages: the same bytes for the same content, wherever it lies; layers built once."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pulumi
import pytest

from sandbox.errors import Mistake
from sandbox.services import lambda_layers
from sandbox.services.archives import content_hash, files_of, make_zip, zip_bytes


def tree(root: Path, *, mtime: int, mode: int) -> Path:
    for name, text in (("main.py", "a"), ("common/b.py", "b"), ("common/a.py", "c")):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        os.utime(file, (mtime, mtime))
    return root


def test_archive_is_the_same_bytes_whatever_time_mode_and_order(tmp_path: Path) -> None:
    first = tree(tmp_path / "one", mtime=1_000_000_000, mode=0o600)
    second = tree(tmp_path / "two", mtime=1_700_000_000, mode=0o755)
    names = ["main.py", "common/b.py", "common/a.py"]
    archives = [
        pulumi.FileArchive(str(first)),
        pulumi.AssetArchive({n: pulumi.FileAsset(str(second / n)) for n in reversed(names)}),
        pulumi.AssetArchive(
            {
                "main.py": pulumi.StringAsset("a"),
                "common": pulumi.FileArchive(str(second / "common")),
            }
        ),
    ]
    assert len({zip_bytes(archive) for archive in archives}) == 1
    assert len({content_hash(archive) for archive in archives}) == 1


def test_archive_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        strict = zip_bytes(pulumi.FileArchive(str(tree(tmp_path / "a", mtime=1, mode=0o600))))
    finally:
        os.umask(before)
    assert strict == zip_bytes(pulumi.FileArchive(str(tree(tmp_path / "b", mtime=2, mode=0o644))))


def test_entries_are_dated_1980_sorted_and_readable_by_all() -> None:
    packed = zipfile.ZipFile(
        io.BytesIO(make_zip({"b.py": b"", "a.py": b"x", "bootstrap": b"#!/bin/sh\n"}))
    )
    entries = packed.infolist()
    assert [entry.filename for entry in entries] == ["a.py", "b.py", "bootstrap"]
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [oct(entry.external_attr >> 16) for entry in entries] == [
        "0o100644",
        "0o100644",
        "0o100755",
    ]


def test_other_content_or_name_is_another_hash() -> None:
    def of(name: str, text: str) -> str:
        return content_hash(pulumi.AssetArchive({name: pulumi.StringAsset(text)}))

    assert len({of("a", "x"), of("a", "y"), of("b", "x")}) == 3


def test_ready_archives_are_read_as_files(tmp_path: Path) -> None:
    packed = make_zip({"bin/run": b"#!"})
    (tmp_path / "a.zip").write_bytes(packed)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as target:
        entry = tarfile.TarInfo("./bin/run")
        entry.size = 2
        target.addfile(entry, io.BytesIO(b"#!"))
    assert zip_bytes(pulumi.FileArchive(str(tmp_path / "a.zip"))) == packed
    for name in ("a.zip", "a.tar.gz"):
        nested = pulumi.AssetArchive({"x": pulumi.FileArchive(str(tmp_path / name))})
        assert files_of(nested) == {"x/bin/run": b"#!"}


def test_archive_from_elsewhere_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"reads code from this machine only, not from https://x/y\.zip"
    ):
        zip_bytes(pulumi.RemoteArchive("https://x/y.zip"))


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    file = tmp_path / "layers" / "common" / "requirements.txt"
    file.parent.mkdir(parents=True)
    file.write_text("thing==1.0 --hash=sha256:00\n")
    return file


def pip(monkeypatch: pytest.MonkeyPatch, *, error: str = "") -> list[list[str]]:
    """Replace pip by one that installs a file, or fails with `error` on stderr."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        target = Path(command[command.index("--target") + 1])
        for name in ("thing.py", "bin/thing", "__pycache__/thing.pyc"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text("x")
        return subprocess.CompletedProcess(command, 1 if error else 0, "", error)

    monkeypatch.setattr(lambda_layers.subprocess, "run", run)
    return calls


def test_layer_is_built_once_for_each_content_of_its_requirements(
    monkeypatch: pytest.MonkeyPatch, requirements: Path
) -> None:
    calls = pip(monkeypatch)
    first = lambda_layers.build(requirements)
    assert lambda_layers.build(requirements) == first
    assert len(calls) == 1
    assert {"--require-hashes", "--only-binary=:all:"} <= set(calls[0])
    assert zipfile.ZipFile(io.BytesIO(first)).namelist() == ["python/thing.py"]
    requirements.write_text("thing==1.1 --hash=sha256:00\n")
    lambda_layers.build(requirements)
    assert len(calls) == 2
    cache = requirements.parents[2] / ".sandbox" / "cache" / "layers"
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "/usr/bin/python: No module named pip",
            "layers/common/requirements.txt: this Python has no pip; `",
        ),
        (
            "WARNING: x\nERROR: No matching distribution found for thing\n",
            "layers/common/requirements.txt: pip cannot install it: No matching distribution found for thing (",
        ),
        ("", "layers/common/requirements.txt: pip cannot install it: no reason given ("),
    ],
)
def test_layer_that_cannot_be_built_says_why_in_one_line(
    monkeypatch: pytest.MonkeyPatch, requirements: Path, said: str, told: str
) -> None:
    pip(monkeypatch, error=said)
    if not said:
        monkeypatch.setattr(
            lambda_layers.subprocess,
            "run",
            lambda *_, **__: subprocess.CompletedProcess([], 1, "", ""),
        )
    with pytest.raises(Mistake) as caught:
        lambda_layers.build(requirements)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)
    cache = requirements.parents[2] / ".sandbox" / "cache" / "layers"
    assert list(cache.iterdir()) == []


def test_layer_version_is_published_from_its_own_requirements(
    monkeypatch: pytest.MonkeyPatch, requirements: Path
) -> None:
    from tests.sandbox.services_support import clients, make

    pip(monkeypatch)
    code = pulumi.FileArchive(str(requirements.parents[2] / ".build" / "layers" / "common-1.zip"))
    layer = make(
        "lambda/layerVersion:LayerVersion",
        "common-layer",
        layerName="sandpiper-dev-common",
        code=code,
        compatibleRuntimes=["python3.13"],
        compatibleArchitectures=["arm64"],
    )
    assert layer["arn"] == layer.id == f"{layer['layerArn']}:1"
    assert layer["version"] == "1"
    requirements.write_text("thing==1.1 --hash=sha256:00\n")
    layer.update(code=pulumi.FileArchive(str(code.path).replace("1.zip", "2.zip")))
    assert layer["version"] == "2"
    layer.delete()
    versions = clients().client("lambda").list_layer_versions(LayerName="sandpiper-dev-common")
    assert [v["Version"] for v in versions["LayerVersions"]] == [1]


def test_layer_without_requirements_is_its_archive() -> None:
    from tests.sandbox.services_support import make

    code = pulumi.AssetArchive({"python/thing.py": pulumi.StringAsset("x = 1")})
    layer = make("lambda/layerVersion:LayerVersion", "ready-layer", code=code)
    assert layer["layerName"].startswith("ready-layer-")
    assert layer["sourceCodeSize"] == len(zip_bytes(code))
    layer.delete()


def test_layer_of_packages_that_are_here_needs_no_pip(
    monkeypatch: pytest.MonkeyPatch, requirements: Path
) -> None:
    calls = pip(monkeypatch)
    version = metadata.version("PyJWT")
    requirements.write_text(f"# locked\npyjwt=={version} \\\n    --hash=sha256:00\n")
    names = zipfile.ZipFile(io.BytesIO(lambda_layers.build(requirements))).namelist()
    assert "python/jwt/__init__.py" in names
    assert not [name for name in names if "__pycache__" in name or ".." in name]
    assert calls == []


@pytest.mark.parametrize("line", ["pyjwt==0.0.1", "pyjwt==2.15.1 ; python_version < '3'", "pyjwt"])
def test_layer_of_other_packages_is_left_to_pip(
    monkeypatch: pytest.MonkeyPatch, requirements: Path, line: str
) -> None:
    calls = pip(monkeypatch)
    requirements.write_text(f"{line}\n")
    lambda_layers.build(requirements)
    assert len(calls) == 1
