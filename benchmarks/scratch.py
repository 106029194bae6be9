"""What all figures share: a scratch copy of the checkout with a sandbox of its own, spreads and verdicts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
Row = tuple[str, str, str, str]
"""Figure, what was measured, the aim, whether it is met."""


class Scratch:
    """A copy of the checkout with a sandbox of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for name in filter(None, listed.split("\0")):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        self.environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def sandbox(self, *words: str) -> str:
        """Run one sandbox command; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            sys.exit(f"sandbox {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def outputs(self) -> dict[str, object]:
        """The exports of the running stack."""
        return json.loads(self.sandbox("outputs", "--json"))["outputs"]


@contextmanager
def running(scratch: Scratch) -> Iterator[tuple[str, str]]:
    """A sandbox with one item in it: the item's URL and a token."""
    scratch.sandbox("up")
    try:
        token = scratch.sandbox("token").strip()
        api = scratch.outputs()["apiUrl"]
        request = urllib.request.Request(
            f"{api}/items",
            data=b'{"name": "bench", "price": "1.00"}',
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            item = json.load(answer)
        yield f"{api}/items/{item['id']}", token
    finally:
        scratch.sandbox("down")


def spread(values: Iterable[float], digits: int = 1) -> str:
    """The lowest and the highest of the rounds."""
    found = list(values)
    return f"{min(found):.{digits}f} to {max(found):.{digits}f}"


def verdict(met: bool) -> str:  # noqa: FBT001 (a verdict is one)
    """What the last column says."""
    return "met" if met else "missed"
