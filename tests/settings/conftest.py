"""A handlers' folder that stays as it is when the program grows."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from settings.runtimes import FAMILIES
from settings.wiring import SWITCHED, WIRED

NOT_PYTHON = {
    "products": "nodejs",
    "checksum": "go",
    "checksum-java": "java",
    "checksum-dotnet": "dotnet",
    "checksum-ruby": "ruby",
    "inference": "image",
}
"""Functions in other languages than most, and their families."""


@pytest.fixture(scope="session")
def handlers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a handler for each function that the rules know by name, and for one of most families.

    Beside it lie the files of the project that stack files of the tests name.
    """
    project = tmp_path_factory.mktemp("project")
    folder = project / "handlers"
    (folder / "common").mkdir(parents=True)
    for name in (WIRED | SWITCHED.keys()) - NOT_PYTHON.keys():
        (folder / f"{name.replace('-', '_')}.py").touch()
    for name, family in NOT_PYTHON.items():
        (folder / name.replace("-", "_")).mkdir()
        marker = FAMILIES[family].marker.replace("*", "function")
        (folder / name.replace("-", "_") / marker).touch()
    _fill(project)
    return folder


def _fill(project: Path) -> None:
    (project / "nothing").mkdir()
    (project / "built").mkdir()
    (project / "built" / "bootstrap").write_text("#!/bin/sh", encoding="utf-8")
    (project / "built" / "package").mkdir()
    for name in (
        "index.py",
        "index.mjs",
        "package/module.py",
        "quick.cpython-313-aarch64-linux-gnu.so",
    ):
        (project / "built" / name).touch()
    for name in (".venv", "built/.cache", ".build/app", "unbuilt/__pycache__"):
        (project / name).mkdir(parents=True)
        (project / name / "app.py").touch()
    (project / "leak").symlink_to(project.parent)
    (project / "notes.zip").write_text("no archive", encoding="utf-8")
    for name, text in (("ready.zip", "print()"), ("hollow.zip", "")):
        with zipfile.ZipFile(project / name, "w") as archive:
            archive.writestr("index.py", text)
    data = bytearray((project / "ready.zip").read_bytes())
    # A zip file may follow other bytes; with these it has one more than Lambda takes.
    with (project / "heavy.zip").open("wb") as file:
        file.seek(52_428_801 - len(data))
        file.write(data)
    # Its directory says that it holds one byte more than Lambda takes.
    size = data.index(b"PK\x01\x02") + 24
    data[size : size + 4] = (262_144_001).to_bytes(4, "little")
    (project / "swelling.zip").write_bytes(data)
