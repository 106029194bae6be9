"""A mark that follows contents, and nothing of this machine."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import ModuleType

import pytest

from builders import BuildError, fingerprint, zips


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


def test_mark_changes_with_the_code_of_the_modules_that_are_named_and_no_other(
    tmp_path: Path,
) -> None:
    (made_of, code, other) = files(tmp_path, {"a": "x", "code.py": "1", "other.py": "1"})
    module = ModuleType("code")
    module.__file__ = str(code)
    before = fingerprint.of([made_of], by=[module])
    other.write_text("2", encoding="utf-8")
    assert fingerprint.of([made_of], by=[module]) == before
    code.write_text("2", encoding="utf-8")
    assert len({before, fingerprint.of([made_of], by=[module]), fingerprint.of([made_of])}) == 3


def test_archives_of_older_contents_go_after_30_days_and_no_others(tmp_path: Path) -> None:
    new, young, old = (tmp_path / f"song-arm64-{digit * 16}.zip" for digit in "abc")
    others = [tmp_path / name for name in (f"wren-arm64-{'a' * 16}.zip", "song-arm64.zip", "c.zip")]
    for file in (young, old, *others):
        zips.write(file, {})
        os.utime(file, (0, 0) if file != young else None)
    zips.write(new, {})
    assert set(tmp_path.iterdir()) == {new, young, *others}


def test_file_that_is_missing_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"gone\.txt: cannot be read \(No such file"):
        fingerprint.of([tmp_path / "gone.txt"])
