"""Where a sandbox keeps its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.place import Place


@pytest.mark.parametrize(("above", "stays"), [(".sandbox", False), ("tmp", True)])
def test_what_is_cleared_is_the_sandboxs_own(tmp_path: Path, above: str, *, stays: bool) -> None:
    """The folder above goes too where it is the checkout's own for sandboxes, never where it is another's."""
    place = Place(tmp_path, "dev", tmp_path / above / "dev")
    place.make()
    place.clear()
    assert not place.folder.exists()
    assert (tmp_path / above).exists() == stays
