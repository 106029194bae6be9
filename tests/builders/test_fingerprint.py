"""A mark that follows contents, and nothing of this machine."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from builders import BuildError, fingerprint


def files(folder: Path, contents: dict[str, str]) -> list[Path]:
    for name, text in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in contents]


def test_mark_is_16_hex_digits_and_the_same_for_the_same_contents_elsewhere(tmp_path: Path) -> None:
    ours = files(tmp_path / "one", {"main.go": "a", "sub/b.go": "b"})
    theirs = files(tmp_path / "other" / "place", {"main.go": "a", "sub/b.go": "b"})
    for file in theirs:
        os.utime(file, (0, 0))
        file.chmod(0o700)
    mark = fingerprint.of(ours, "arm64")
    assert re.fullmatch("[0-9a-f]{16}", mark)
    assert fingerprint.of(reversed(theirs), "arm64") == mark


def test_mark_changes_with_a_content_a_name_and_a_word(tmp_path: Path) -> None:
    marks = [
        fingerprint.of(files(tmp_path / "0", {"a": "x", "b": "y"}), "arm64"),
        fingerprint.of(files(tmp_path / "1", {"a": "x", "b": "z"}), "arm64"),
        fingerprint.of(files(tmp_path / "2", {"a": "x", "c": "y"}), "arm64"),
        fingerprint.of(files(tmp_path / "3", {"a": "y", "b": "x"}), "arm64"),
        fingerprint.of(files(tmp_path / "4", {"a": "x", "b": "y"}), "x86_64"),
        fingerprint.of(files(tmp_path / "5", {"a": "x", "b": "y"}), "arm", "64"),
        fingerprint.of([], "arm64"),
    ]
    assert len(set(marks)) == len(marks)


def test_mark_changes_with_the_builders_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (made_of,) = files(tmp_path, {"a": "x"})
    before = fingerprint.of([made_of])
    monkeypatch.setattr(fingerprint, "_builders", lambda: "another version")
    assert fingerprint.of([made_of]) != before


def test_file_that_is_missing_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"gone\.txt: cannot be read \(No such file"):
        fingerprint.of([tmp_path / "gone.txt"])
