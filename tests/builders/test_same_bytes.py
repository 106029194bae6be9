"""Every archive is the same bytes on two machines that agree on nothing but the sources."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.support import (
    PLATFORMS,
    Registry,
    elf,
    integrity,
    lock,
    package_lock,
    tarball,
    wheel,
)
from tests.support.program import ROOT

HERE = f"python{sys.version_info.major}.{sys.version_info.minor}"

BUILD = f"""
import os, sys, zlib
from pathlib import Path
os.umask(int(sys.argv[2], 8))
listed = Path.iterdir
if sys.argv[2] == "0077":
    # Another file system lists a folder the other way round, and another zlib compresses otherwise.
    Path.iterdir = lambda self: iter(sorted(listed(self), reverse=True))
    zlib.compressobj = zlib.compress = None
    import decimal, json, sqlite3
from builders import go, node_modules, wheels
kind, out = sys.argv[1], Path("out.zip")
if kind == "go":
    go.build(Path("handlers/song").absolute(), out, architecture="arm64")
elif kind == "node":
    node_modules.build(Path("layers/nodejs/package-lock.json"), out)
else:
    wheels.build(
        Path("layers/birds/requirements.txt"), out,
        runtime="{HERE}", architecture="arm64", compile=kind == "bytecode",
    )
"""

SOURCE = b"""
'''A module with all that a compiler may order or share.'''
NAMES = {'a', 'b', 'c', 'dd', ' ', 'x y'}
def sing(song, *, loud=False):
    if song in {'one', 'two', 'three', 'four'} or song == 'self':
        return [x for x in (1.5, 10**30, b'bytes', 'x y', 'self', None) if x][1:2]
    return lambda: (song, loud, NAMES)
class Bird:
    def __init__(self): self.name = 'name'
    def self(self): return 'A module', 'path', 'sys'
"""


def checkout(source: Path, place: Path, *, date: int) -> Path:
    """A copy of the sources as another machine would have it."""
    shutil.copytree(source, place, copy_function=shutil.copyfile)
    for file in sorted(place.rglob("*"), reverse=bool(date)):
        os.utime(file, (date, date))
    return place


@pytest.fixture
def sources(tmp_path: Path, index: Path, npm: Registry) -> Path:
    """A small project with one of each kind."""
    project = tmp_path / "project"
    parts = {f"birds/m{n}.py": SOURCE.replace(b"sing", b"sing%d" % n) for n in range(20)}
    native = {**parts, "birds/native.so": elf("arm64"), "birds/data/z.txt": b"z" * 500}
    lock(
        project / "layers/birds/requirements.txt",
        wheel(index, PLATFORMS["arm64"], files=native),
        wheel(index, name="wren", files={"birds/extra.py": SOURCE}),
    )
    entries = {}
    for name in ("a", "@b/c", "d"):
        content = tarball({f"package/{n}.js": b"// %d\n" % n * 99 for n in range(9)})
        npm.files[f"/{name}/-/{name.rpartition('/')[2]}-1.0.0.tgz"] = content
        entries[f"node_modules/{name}"] = {"version": "1.0.0", "integrity": integrity(content)}
    package_lock(project / "layers/nodejs/package-lock.json", entries)
    (project / "handlers/song").mkdir(parents=True)
    (project / "handlers/song/go.mod").write_text("module song\n\ngo 1.18\n", encoding="utf-8")
    (project / "handlers/song/main.go").write_text(
        'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("song") }\n', encoding="utf-8"
    )
    return project


def built(kind: str, folder: Path, mask: str, **environment: str) -> str:
    """SHA-256 of what a fresh process builds in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, kind, mask],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (folder / "out.zip").stat().st_mode & 0o777 == 0o644
    return hashlib.sha256((folder / "out.zip").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "kind",
    [
        "wheels",
        "bytecode",
        "node",
        pytest.param(
            "go",
            marks=pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go here"),
        ),
    ],
)
def test_two_machines_build_the_same_bytes(kind: str, sources: Path, tmp_path: Path) -> None:
    ours = checkout(sources, tmp_path / "ours", date=1_000_000_000)
    theirs = checkout(sources, tmp_path / "far" / "from" / "here", date=0)
    one = built(kind, ours, "0022", LC_ALL="C.UTF-8", PYTHONHASHSEED="1", TZ="UTC")
    other = built(kind, theirs, "0077", LC_ALL="C", PYTHONHASHSEED="2", TZ="Asia/Tokyo")
    assert one == other
