"""A handlers' folder that stays as it is when the program grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings.wiring import WIRED


@pytest.fixture(scope="session")
def handlers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a handler for each function that the rules know by name."""
    folder = tmp_path_factory.mktemp("handlers")
    (folder / "common").mkdir()
    for name in WIRED:
        (folder / f"{name.replace('-', '_')}.py").touch()
    return folder
