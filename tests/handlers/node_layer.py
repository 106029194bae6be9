"""The layer of the Node.js functions, unpacked where a test can put it on NODE_PATH."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_LOCK = _ROOT / "layers" / "nodejs" / "package-lock.json"


def node_modules() -> Path:
    """The layer's node_modules folder, fetched once per lock; skips where no registry answers."""
    mark = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:16]
    folder = _ROOT / ".build" / "tests" / f"nodejs-{mark}"
    archive = folder.with_suffix(".zip")
    if not archive.is_file():
        done = subprocess.run(
            # The suite's own process may not talk to a registry.
            [sys.executable, "-m", "builders", "node_modules", str(_LOCK), str(archive)],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"the layer of the Node.js functions cannot be built: {done.stderr}")
    with zipfile.ZipFile(archive) as unpacked:
        unpacked.extractall(folder)
    return folder / "nodejs" / "node_modules"
