"""How large layers are and how long they take: ours beside a plain `pip install` of the same packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.scratch import ROOT, Row, Scratch, verdict
from builders import pip, wheels, zips

WANTED = "aws-lambda-powertools[tracer]\npydantic\nPillow\n"
"""What applications of this kind take along."""

TARGET = {"runtime": "python3.13", "architecture": "arm64"}


def layers(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """Megabytes and seconds; the download is part of a first build, as it is for a user."""
    del rounds
    folder = scratch.folder / "layer"
    folder.mkdir()
    lock = folder / "requirements.txt"
    _lock(folder / "requirements.in", lock)
    plain = _plain(lock, folder / "plain")
    began = time.perf_counter()
    wheels.build(lock, folder / "ours.zip", **TARGET)
    took = time.perf_counter() - began
    size = zips.sizes(folder / "ours.zip").zipped / 1e6
    yield ("layer of Powertools, pydantic and Pillow, plain pip, zipped", f"{plain:.1f} MB", "", "")
    yield (
        "the same layer, built here",
        f"{size:.1f} MB = {size / plain:.2f} x plain, in {took:.1f} s",
        "<= 14 MB",
        verdict(size <= 14),
    )
    for name in ("common", "imaging"):
        yield from _shipped(name, folder)


def _shipped(name: str, folder: Path) -> Iterator[Row]:
    lock, archive = ROOT / "layers" / name / "requirements.txt", folder / f"{name}.zip"
    began = time.perf_counter()
    wheels.build(lock, archive, **TARGET)
    took = time.perf_counter() - began
    size = zips.sizes(archive).zipped / 1e6
    yield (
        f"layer {name}",
        f"{size:.1f} MB, first build {took:.1f} s, then none: it is kept by its lock's hash",
        "",
        "",
    )


def _lock(wanted: Path, lock: Path) -> None:
    """Exact versions with hashes, as `make lock` writes them (needs uv)."""
    if shutil.which("uv") is None:
        sys.exit("the part `layers` needs uv: pip install uv")
    wanted.write_text(WANTED, encoding="utf-8")
    command = ["uv", "pip", "compile", "--quiet", "--generate-hashes", "--python-version", "3.13"]
    command += ["--python-platform", "aarch64-manylinux2014", "--output-file", str(lock)]
    subprocess.run([*command, str(wanted)], check=True, env={**os.environ})


def _plain(lock: Path, folder: Path) -> float:
    """Megabytes of what `pip install --target` makes of the same lock, zipped."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
    command += [*pip.target(**TARGET), "--no-deps", "--disable-pip-version-check", "-r", str(lock)]
    subprocess.run(command, check=True)
    archive = shutil.make_archive(str(folder), "zip", folder)
    return Path(archive).stat().st_size / 1e6
