"""Archives under .build/: what they are made from, and that only this decides whether they have changed."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from sandbox import sources
from sandbox.values import asset_paths, fingerprints


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in (
        ("handlers/sum/go.mod", "module sum\n"),
        ("handlers/sum/main.go", "package main\n"),
        ("handlers/sum/main_test.go", "package main\n"),
        ("handlers/sum-all/go.mod", "module all\n"),
        ("handlers/scripts/run.sh", "#!/bin/sh\n"),
        ("layers/common/requirements.txt", "thing==1.0\n"),
        ("layers/nodejs/package-lock.json", "{}"),
        ("layers/nodejs/package.json", "{}"),
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def archive(root: Path, name: str) -> pulumi.FileArchive:
    return pulumi.FileArchive(str(root / ".build" / name))


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("functions/sum-arm64-0123012301230123.zip", "handlers/sum"),
        ("functions/sum-all-x86_64-0123012301230123.zip", "handlers/sum-all"),
        ("functions/scripts-arm64-0123012301230123.zip", None),
        ("functions/sum.zip", None),
        ("functions/sum-mine.zip", None),
        ("functions/sum-arm64.zip", None),
        ("functions/sum-0123012301230123.zip", None),
        ("functions/sum-arm64-0123.zip", None),
        ("functions/sum-arm64-0123012301230123.zip.zip", None),
        ("layers/sum-arm64-0123012301230123.zip", None),
    ],
)
def test_function_is_found_by_the_name_of_its_archive(
    root: Path, name: str, folder: str | None
) -> None:
    found = sources.of_function(root / ".build" / name)
    assert (found and found.folder) == (root / folder if folder else None)


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        ("layers/common-python3.13-arm64-0123012301230123.zip", "layers/common/requirements.txt"),
        ("layers/common-1.zip", None),
        ("layers/common-0123012301230123.zip", None),
        ("layers/common-mine-arm64-0123012301230123.zip", None),
        ("layers/nodejs-mine.zip", None),
        ("layers/nodejs-0123012301230123.zip", "layers/nodejs/package-lock.json"),
        ("layers/other-0123012301230123.zip", None),
        ("functions/common-0123012301230123.zip", None),
    ],
)
def test_layer_is_found_by_the_name_of_its_archive(root: Path, name: str, lock: str | None) -> None:
    found = sources.of_layer(root / ".build" / name)
    assert (found and list(found.files)) == ([root / lock] if lock else None)
    assert found is None or found.root == root


def test_archive_counts_by_its_sources_whatever_its_mark_and_content(root: Path) -> None:
    def of(name: str) -> dict[str, str]:
        return fingerprints({"code": archive(root, name)}, b"key")

    before = of("functions/sum-arm64-0123012301230123.zip")
    assert of("functions/sum-arm64-4567456745674567.zip") == before
    built = root / ".build" / "functions" / "sum-arm64-4567456745674567.zip"
    built.parent.mkdir(parents=True)
    built.write_bytes(b"built for another machine")
    assert of("functions/sum-arm64-4567456745674567.zip") == before
    (root / "handlers/sum/main_test.go").write_text("package main // changed\n")
    assert of("functions/sum-arm64-0123012301230123.zip") == before
    (root / "handlers/sum/main.go").write_text("package main // changed\n")
    assert of("functions/sum-arm64-0123012301230123.zip") != before
    layer = of("layers/nodejs-0123012301230123.zip")
    (root / "layers/nodejs/package-lock.json").write_text('{"lockfileVersion": 3}')
    assert of("layers/nodejs-0123012301230123.zip") != layer


def test_saved_source_carries_the_function_and_a_saved_lock_does_not(root: Path) -> None:
    """A lock concerns every function of the layer: the whole program is run for it."""
    assert list(asset_paths(archive(root, "functions/sum-arm64-0123012301230123.zip"))) == [
        root / "handlers/sum/go.mod",
        root / "handlers/sum/main.go",
    ]
    lock = root / "layers/nodejs/package-lock.json"
    assert lock not in list(asset_paths(archive(root, "layers/nodejs-0123012301230123.zip")))
