"""What is wrong with a handler's source, as its own language says it: one line, before anything is called."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from sandbox import faults
from sandbox.place import read_json, write_json

_CHECK_SECONDS: Final = 10
_NODE: Final = (".mjs", ".cjs", ".js")
_READ: Final = "read-handlers.json"


def fault(path: Path, root: Path) -> str:
    """What Python or Node.js has against a source; nothing where it is neither's, or gone again."""
    if path.suffix == ".py":
        return _python_fault(path, root)
    return _node_fault(path) if path.suffix in _NODE else ""


def faults_of(paths: Iterable[Path], root: Path) -> list[str]:
    """What is wrong with any of these sources, a line each.

    What was found to be in order is not read again until it changes: the cache under `.sandbox/` knows times and sizes.
    """
    cache = root / ".sandbox" / "cache" / _READ
    known = read_json(cache) or {}
    stamps = {path: _stamp(path) for path in paths if path.suffix in (".py", *_NODE)}
    unread = sorted(path for path, stamp in stamps.items() if known.get(str(path)) != stamp)
    if not unread:
        return []
    # Node.js is a process for each file: they run side by side.
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda path: fault(path, root), unread))
    broken = {path for path, text in zip(unread, said, strict=True) if text}
    with contextlib.suppress(OSError):  # another stack's `up` may write the same file
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_json(cache, {str(p): stamp for p, stamp in stamps.items() if p not in broken})
    return [text for text in said if text]


def _stamp(path: Path) -> list[int]:
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_mtime_ns, found.st_size]


def _python_fault(path: Path, root: Path) -> str:
    """What Python has against a module."""
    try:
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return "\n".join(faults.in_program(error, root))
    except FileNotFoundError:
        pass
    return ""


def _node_fault(path: Path) -> str:
    """What Node.js has against a module: `handlers/x/index.mjs:3: SyntaxError: ...`; nothing where it is missing."""
    if (node := shutil.which("node")) is None:
        return ""
    command = [node, "--check", str(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_CHECK_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"{_shown(str(path))}: node --check did not answer within {_CHECK_SECONDS} s"
    if done.returncode == 0:
        return ""
    lines = done.stderr.splitlines()
    place = next((line for line in lines if line.startswith((str(path), "file://"))), str(path))
    said = next((line for line in lines if "Error: " in line), "it cannot be read")
    return f"{_shown(place.removeprefix('file://'))}: {said}"


def _shown(place: str) -> str:
    return place.removeprefix(f"{Path.cwd()}/")
