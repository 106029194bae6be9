"""Zip files: readable by Lambda, the same bytes everywhere, whole or not there, no larger than Lambda takes."""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import BuildError, zips
from builders.zips import Deflated, File

NAMES = st.text("abcä.", min_size=1, max_size=6).filter(lambda name: set(name) != {"."})


def test_entries_are_sorted_dated_1980_and_readable_by_everyone(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    zips.write(archive, {"b.py": File(b"b"), "a/ä.py": File(b"a" * 99), "run": File(b"r", 0o755)})
    with zipfile.ZipFile(archive) as made:
        assert made.testzip() is None
        assert made.namelist() == ["a/ä.py", "b.py", "run"]
        modes = [stat.filemode(entry.external_attr >> 16) for entry in made.infolist()]
        assert modes == ["-rw-r--r--", "-rw-r--r--", "-rwxr-xr-x"]
        assert {entry.date_time for entry in made.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.create_system for entry in made.infolist()} == {3}
        assert made.read("a/ä.py") == b"a" * 99


@given(st.dictionaries(NAMES, st.binary(max_size=200), max_size=8), st.randoms())
def test_archive_holds_what_it_was_given_in_whatever_order(
    files: dict[str, bytes], chance: object
) -> None:
    shuffled = list(files.items())
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    content = zips.pack({name: File(data) for name, data in files.items()})
    assert content == zips.pack({name: File(data) for name, data in shuffled})
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        assert {name: made.read(name) for name in made.namelist()} == files


def test_stream_that_comes_compressed_is_taken_over_as_it_is(tmp_path: Path) -> None:
    data = b"compressed elsewhere " * 50
    stream = zlib.compress(data, level=9, wbits=-15)
    zips.write(tmp_path / "a.zip", {"f": File(Deflated(stream, zlib.crc32(data), len(data)))})
    assert stream in (tmp_path / "a.zip").read_bytes()
    ((entry, found),) = zips.read(tmp_path / "a.zip")
    assert (entry.filename, found) == ("f", Deflated(stream, zlib.crc32(data), len(data)))
    with zipfile.ZipFile(tmp_path / "a.zip") as made:
        assert made.read("f") == data


def test_what_comes_without_a_stream_is_stored_for_zlib_differs_from_machine_to_machine() -> None:
    content = zips.pack({"f": File(b"a" * 1000)})
    assert b"a" * 1000 in content


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up", "a/../../up", "a//b", "./a", "", "a\\b", "c:a", "a\0b", "a\nb"]
)
def test_name_that_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BuildError, match="not a file's name inside of an archive") as refused:
        zips.write(tmp_path / "a.zip", {name: File(b"")})
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_file_that_is_a_folder_too_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"^a/b: is a file, and a folder of a/b/c$"):
        zips.write(tmp_path / "a.zip", {"a/b": File(b""), "a/b/c": File(b"")})


def test_archive_that_cannot_be_written_leaves_nothing_and_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "a.zip"
    zips.write(archive, {"f": File(b"old")})
    before = archive.read_bytes()

    def fail(*_: object) -> Path:
        raise OSError("disk is full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk is full"):
        zips.write(archive, {"f": File(b"new")})
    assert list(tmp_path.iterdir()) == [archive]
    assert archive.read_bytes() == before


def test_sizes_are_those_of_the_file_and_of_what_it_unpacks_to(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    zips.write(archive, {"f": File(b"x" * 5000), "g": File(b"y" * 70)})
    assert zips.sizes(archive) == (archive.stat().st_size, 5070)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (
            "ZIPPED_LIMIT",
            r"at most 0\.0009766 MB to be uploaded directly \(got .* MB\); .* S3: a function's s3_bucket and s3_key",
        ),
        (
            "UNZIPPED_LIMIT",
            r"at most 0\.0009766 MB unzipped, with all layers \(got 0\.004978 MB\); .*image",
        ),
    ],
)
def test_archive_larger_than_lambda_takes_is_refused_with_limit_size_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, told: str
) -> None:
    monkeypatch.setattr(zips, limit, 1024)
    with pytest.raises(BuildError, match=rf"^a\.zip: must be {told}") as refused:
        zips.write(tmp_path / "a.zip", {"f": File(os.urandom(5120)), "g": File(b"g" * 100)})
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_more_files_than_a_zip_file_can_count_are_refused() -> None:
    with pytest.raises(BuildError, match=r"at most 65,535 files"):
        zips.pack({f"{number}": File(b"") for number in range(65_536)})


def test_what_is_no_zip_file_is_refused_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    for file in ("a.zip", "missing.zip"):
        with pytest.raises(BuildError, match=f"{file}: not a zip file that can be read"):
            zips.sizes(tmp_path / file)
    with pytest.raises(BuildError, match=r"^a\.zip: not a zip file$"):
        list(zips.read(tmp_path / "a.zip"))
