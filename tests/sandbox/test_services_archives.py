"""Deployment packages: the same bytes for the same content, wherever it lies; layers built once."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi
import pytest

from builders import BuildError, wheels
from sandbox import faults
from sandbox.resources import REGISTRY, RETRY, Resource
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


def wheels_made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Replace the builder of wheels by one that packs the lock itself."""
    calls: list[Path] = []

    def build(lock: Path) -> bytes:
        calls.append(lock)
        return make_zip({"python/thing.py": lock.read_bytes()})

    monkeypatch.setattr(wheels, "build_here", build)
    return calls


def test_layer_is_built_once_for_each_content_of_its_requirements(
    monkeypatch: pytest.MonkeyPatch, requirements: Path
) -> None:
    calls = wheels_made(monkeypatch)
    first = lambda_layers.python(requirements)
    assert lambda_layers.python(requirements) == first
    assert len(calls) == 1
    assert zipfile.ZipFile(io.BytesIO(first)).namelist() == ["python/thing.py"]
    requirements.write_text("thing==1.1 --hash=sha256:00\n")
    lambda_layers.python(requirements)
    assert len(calls) == 2
    cache = requirements.parents[2] / ".sandbox" / "cache" / "layers"
    assert len(list(cache.iterdir())) == 2


def test_layer_that_two_targets_share_is_built_once(
    monkeypatch: pytest.MonkeyPatch, requirements: Path
) -> None:
    calls: list[Path] = []

    def build(lock: Path) -> bytes:
        calls.append(lock)
        time.sleep(0.1)
        return make_zip({"python/thing.py": lock.read_bytes()})

    monkeypatch.setattr(wheels, "build_here", build)
    with ThreadPoolExecutor(4) as threads:
        contents = list(threads.map(lambda_layers.python, [requirements] * 4))
    assert len(calls) == len(set(contents)) == 1
    assert len(list((requirements.parents[2] / ".sandbox" / "cache" / "layers").iterdir())) == 1


def test_layer_is_built_again_by_another_builder_and_months_later_the_old_one_goes(
    monkeypatch: pytest.MonkeyPatch, requirements: Path, tmp_path: Path
) -> None:
    calls = wheels_made(monkeypatch)
    lambda_layers.python(requirements)
    [old] = (requirements.parents[2] / ".sandbox" / "cache" / "layers").iterdir()
    os.utime(old, (0, 0))
    (tmp_path / "wheels.py").write_text("changed")
    monkeypatch.setattr(wheels, "__file__", str(tmp_path / "wheels.py"))
    lambda_layers.python(requirements)
    assert len(calls) == 2
    [new] = old.parent.iterdir()
    assert new != old


def test_layer_that_cannot_be_built_says_why_in_one_line_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, requirements: Path
) -> None:
    def refuse(_lock: Path) -> bytes:
        raise BuildError("layers/common/requirements.txt: thing 1.0 is nowhere")

    monkeypatch.setattr(wheels, "build_here", refuse)
    with pytest.raises(BuildError, match=r"thing 1\.0 is nowhere") as caught:
        lambda_layers.python(requirements)
    assert faults.is_expected(caught.value)
    assert list((requirements.parents[2] / ".sandbox" / "cache" / "layers").iterdir()) == []


def test_layer_version_is_published_from_its_own_requirements(
    monkeypatch: pytest.MonkeyPatch, requirements: Path
) -> None:
    from tests.sandbox.services_support import clients, make

    wheels_made(monkeypatch)
    built = requirements.parents[2] / ".build" / "layers"
    layer = make(
        "lambda/layerVersion:LayerVersion",
        "common-layer-python313-arm64",
        layerName="sandpiper-dev-common-python313-arm64",
        code=pulumi.FileArchive(str(built / "common-python3.13-arm64-1111111111111111.zip")),
        compatibleRuntimes=["python3.13"],
        compatibleArchitectures=["arm64"],
    )
    assert layer["arn"] == layer.id == f"{layer['layerArn']}:1"
    assert layer["version"] == "1"
    there = clients().client("lambda").get_layer_version_by_arn(Arn=layer["arn"])
    assert there["CompatibleArchitectures"] == ["arm64"]
    layer.update(
        code=pulumi.FileArchive(str(built / "common-python3.13-arm64-2222222222222222.zip"))
    )
    assert layer["version"] == "1"
    requirements.write_text("thing==1.1 --hash=sha256:00\n")
    layer.update(
        code=pulumi.FileArchive(str(built / "common-python3.13-arm64-3333333333333333.zip"))
    )
    assert layer["version"] == "2"
    layer.delete()
    versions = clients().client("lambda").list_layer_versions(LayerName=layer["layerName"])
    assert [v["Version"] for v in versions["LayerVersions"]] == [1]


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "layers" / "nodejs" / "package-lock.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    return file


def test_node_layer_is_built_from_its_lock(monkeypatch: pytest.MonkeyPatch, lock: Path) -> None:
    from tests.sandbox.services_support import make

    def build(_lock: Path, archive: Path) -> None:
        archive.write_bytes(make_zip({"nodejs/node_modules/x/index.js": b"0"}))

    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/node")
    monkeypatch.setattr(lambda_layers, "fetch_modules", build)
    code = pulumi.FileArchive(
        str(lock.parents[2] / ".build" / "layers" / "nodejs-1111111111111111.zip")
    )
    layer = make("lambda/layerVersion:LayerVersion", "nodejs-layer", code=code)
    assert layer.notes == []
    assert RETRY not in layer.outputs
    [kept] = (lock.parents[2] / ".sandbox" / "cache" / "layers").iterdir()
    assert layer["sourceCodeSize"] == kept.stat().st_size
    layer.delete()


def test_modules_that_cannot_be_fetched_end_in_the_builders_line(lock: Path) -> None:
    lock.write_text("no lock")
    with pytest.raises(BuildError, match=r"^layers/nodejs/package-lock\.json: "):
        lambda_layers.fetch_modules(lock, lock.with_name("out.zip"))


@pytest.mark.parametrize(
    ("node", "note"),
    [
        (None, "it is empty: there is no Node.js on this machine"),
        ("/usr/bin/node", "it is empty: the registry cannot be reached"),
    ],
)
def test_node_layer_that_cannot_be_had_is_empty_until_it_can(
    monkeypatch: pytest.MonkeyPatch, lock: Path, node: str | None, note: str
) -> None:
    from tests.sandbox.services_support import make

    def refuse(_lock: Path, _archive: Path) -> None:
        raise BuildError("the registry cannot be reached")

    monkeypatch.setattr(shutil, "which", lambda _name: node)
    monkeypatch.setattr(lambda_layers, "fetch_modules", refuse)
    code = pulumi.FileArchive(
        str(lock.parents[2] / ".build" / "layers" / "nodejs-1111111111111111.zip")
    )
    layer = make("lambda/layerVersion:LayerVersion", "nodejs-layer", code=code)
    assert layer.notes == [note]
    assert layer[RETRY] == ["code"]
    before = layer["version"]
    layer.update(code=code)
    assert layer["version"] == before
    layer.delete()


def test_layer_without_requirements_is_its_archive() -> None:
    from tests.sandbox.services_support import make

    code = pulumi.AssetArchive({"python/thing.py": pulumi.StringAsset("x = 1")})
    layer = make("lambda/layerVersion:LayerVersion", "ready-layer", code=code)
    assert layer["layerName"].startswith("ready-layer-")
    assert layer["sourceCodeSize"] == len(zip_bytes(code))
    layer.delete()


def test_layer_is_its_archive_though_a_folder_of_this_checkout_has_its_name() -> None:
    from tests.sandbox.services_support import make

    code = pulumi.AssetArchive({"python/thing.py": pulumi.StringAsset("x = 1")})
    layer = make("lambda/layerVersion:LayerVersion", "common-layer", code=code)
    assert layer["sourceCodeSize"] == len(zip_bytes(code))
    layer.delete()


def test_note_of_another_kind_is_no_reason_to_build_a_layer_again() -> None:
    from tests.sandbox.services_support import clients

    code = pulumi.AssetArchive({"python/thing.py": pulumi.StringAsset("x = 1")})
    kind = "aws:lambda/layerVersion:LayerVersion"
    r = Resource(kind, "noted-layer", "urn:noted", {"code": code}, clients())
    r.note("it is only looked at here")
    assert RETRY not in REGISTRY[kind].create(r)


def test_modules_are_waited_for_in_vain_for_so_long_only(
    monkeypatch: pytest.MonkeyPatch, lock: Path
) -> None:
    monkeypatch.setattr(lambda_layers, "_FETCH_SECONDS", 0.01)
    with pytest.raises(BuildError, match=r"^npm's registry did not answer within 0\.01 s$"):
        lambda_layers.fetch_modules(lock, lock.with_name("out.zip"))
