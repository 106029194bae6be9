"""A handlers' folder that stays as it is when the program grows."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from settings.wiring import MARKERS, WIRED

UNWIRED = {
    "products": "nodejs",
    "checksum": "go",
    "checksum-java": "java",
    "checksum-dotnet": "dotnet",
    "checksum-ruby": "ruby",
    "inference": "image",
}
"""Functions that no route or trigger needs, and the families they are written in."""


@pytest.fixture(scope="session")
def handlers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a handler for each function that the rules know by name, and for one of most families.

    Beside it lie the files of the project that stack files of the tests name.
    """
    project = tmp_path_factory.mktemp("project")
    folder = project / "handlers"
    (folder / "common").mkdir(parents=True)
    for name in WIRED:
        (folder / f"{name.replace('-', '_')}.py").touch()
    markers = {family: marker for marker, family in MARKERS.items()}
    for name, family in UNWIRED.items():
        (folder / name.replace("-", "_")).mkdir()
        (folder / name.replace("-", "_") / markers[family].replace("*", "function")).touch()
    _fill(project)
    return folder


def _fill(project: Path) -> None:
    (project / "nothing").mkdir()
    (project / "built").mkdir()
    (project / "built" / "bootstrap").write_text("#!/bin/sh", encoding="utf-8")
    (project / "notes.zip").write_text("no archive", encoding="utf-8")
    for name, text in (("ready.zip", "print()"), ("hollow.zip", "")):
        with zipfile.ZipFile(project / name, "w") as archive:
            archive.writestr("index.py", text)
    with (project / "heavy.zip").open("wb") as file:
        file.truncate(52_428_801)
    # Its directory says that it unpacks to one byte more than Lambda takes.
    data = bytearray((project / "ready.zip").read_bytes())
    size = data.index(b"PK\x01\x02") + 24
    data[size : size + 4] = (262_144_001).to_bytes(4, "little")
    (project / "swelling.zip").write_bytes(data)
