"""What is uploaded depends on the sources alone: not on the machine, the checkout, or what ran before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.program import ROOT, run_stack

PARTS = (
    "__main__.py",
    "builders",
    "components",
    "canaries",
    "handlers",
    "layers",
    "policies",
    "sandbox",
    "schemas",
    "settings",
    "tests",
)

CHANGED = {
    "handlers/get_item.py": "get-item-function",
    "handlers/products/index.mjs": "products-function",
    "handlers/checksum/main.go": "checksum-function",
}
"""File -> the function that carries it, and no other does."""

PRINT = """
import json, sys
from pathlib import Path
from tests.support.program import digests, run_stack
found = {"": digests(run_stack("prod"))}
for file in map(Path, sys.argv[1:]):
    before = file.read_bytes()
    file.write_bytes(before + b"\\n")
    found[str(file)] = digests(run_stack("prod"))
    file.write_bytes(before)
print(json.dumps(found))
"""


def checkout(place: Path, *, mask: int, date: int) -> Path:
    """A copy of the sources, as another machine would have them."""
    before = os.umask(mask)
    try:
        for part in (*PARTS, *(p.name for p in ROOT.glob("Pulumi*.yaml"))):
            source = ROOT / part
            if source.is_dir():
                litter = shutil.ignore_patterns("__pycache__", "node_modules")
                shutil.copytree(source, place / part, ignore=litter, copy_function=shutil.copyfile)
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, place / part)
    finally:
        os.umask(before)
    for file in place.rglob("*"):
        os.utime(file, (date, date))
    return place


def digests_of(place: Path, *changed: str, **environment: str) -> dict[str, dict[str, str]]:
    """What the program in that checkout would upload, by resource: as it is (""), and with each file changed in turn."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PRINT, *changed],
        cwd=place,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("one"), mask=0o022, date=1_700_000_000)


@pytest.fixture(scope="module")
def runs(here: Path) -> Mapping[str, Mapping[str, str]]:
    return digests_of(here, *CHANGED, LC_ALL="C", PYTHONHASHSEED="1")


@pytest.fixture(scope="module")
def ours(runs: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    return runs[""]


def test_two_checkouts_upload_the_same_bytes(ours: Mapping[str, str], tmp_path: Path) -> None:
    there = checkout(tmp_path / "somewhere" / "else", mask=0o077, date=1_000_000_000)
    theirs = digests_of(there, LC_ALL="C.UTF-8", PYTHONHASHSEED="2", TZ="Asia/Tokyo")[""]
    assert theirs == ours
    assert {"create-item-function", "products-function", "checksum-function"} <= set(ours)
    assert [name for name in ours if "-layer" in name]


@pytest.mark.parametrize("file", CHANGED)
def test_changed_handler_changes_exactly_its_function(
    file: str, runs: Mapping[str, Mapping[str, str]]
) -> None:
    before, after = runs[""], runs[file]
    assert {name for name in before if after[name] != before[name]} == {CHANGED[file]}


def test_what_tools_leave_behind_changes_nothing(ours: Mapping[str, str], here: Path) -> None:
    for litter in (
        "handlers/__pycache__/get_item.cpython-313.pyc",
        "handlers/common/__pycache__/http.cpython-313.pyc",
        "handlers/products/node_modules/big.js/big.js",
        "handlers/products/.nyc_output/run.json",
        "handlers/checksum/.cache",
        "handlers/.pytest_cache/README.md",
    ):
        (here / litter).parent.mkdir(parents=True, exist_ok=True)
        (here / litter).write_text("left behind")
    assert digests_of(here)[""] == ours


def test_this_checkout_uploads_what_a_fresh_one_would(ours: Mapping[str, str]) -> None:
    """The suite has been running here: handlers were imported, Go and Node.js were at work."""
    from tests.support.program import digests

    assert digests(run_stack("prod")) == ours
