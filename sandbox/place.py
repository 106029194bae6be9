"""Where one sandbox keeps its few files: `.sandbox/<stack>/` of the checkout, ignored by git."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HOME: Final = Path(__file__).resolve().parent.parent
"""The checkout that this package lies in."""

_SOCKET_ROOM: Final = 60
"""A Unix socket's path may have 104 characters on macOS; workers put theirs into the temporary folder."""


@dataclass(frozen=True)
class Place:
    """The folders and files of one stack's sandbox; none of them exists before `make`."""

    root: Path
    stack: str
    folder: Path

    @classmethod
    def of(cls, root: Path, stack: str) -> Place:
        """The place of `stack` in the checkout `root`."""
        return cls(root, stack, root / ".sandbox" / stack)

    @property
    def record(self) -> Path:
        """Which emulator runs: its id, process, port and region."""
        return self.folder / "sandbox.json"

    @property
    def state(self) -> Path:
        """Which resources exist, without any input value."""
        return self.folder / "state.json"

    @property
    def log(self) -> Path:
        """What the emulator itself prints."""
        return self.folder / "ministack.log"

    @property
    def trace(self) -> Path:
        """The traceback behind the last error that is the sandbox's own fault."""
        return self.folder / "error.log"

    @property
    def tmp(self) -> Path:
        """The emulator's temporary folder; outside the checkout where a socket's path would grow too long."""
        inside = self.folder / "tmp"
        if len(os.fsencode(inside)) <= _SOCKET_ROOM:
            return inside
        mark = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"sandbox-{os.getuid()}-{mark}"

    def make(self) -> None:
        """Make the folders, readable by their owner only."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        ignore = self.folder.parent / ".gitignore"
        if self.folder.parent.name == ".sandbox" and not ignore.exists():
            ignore.write_text("*\n")
        shutil.rmtree(self.tmp, ignore_errors=True)
        self.tmp.mkdir(mode=0o700)

    def clear(self) -> None:
        """Remove everything, a `.sandbox` that holds no more included; nothing happens where nothing is."""
        self.empty()
        shutil.rmtree(self.folder, ignore_errors=True)
        above = self.folder.parent
        with contextlib.suppress(OSError):
            if above.name == ".sandbox" and {p.name for p in above.iterdir()} <= {".gitignore"}:
                shutil.rmtree(above)

    def empty(self) -> None:
        """Remove everything but the lock, which the caller holds."""
        shutil.rmtree(self.tmp, ignore_errors=True)
        for file in (self.record, self.state, self.log, self.trace):
            file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self, waiting: Callable[[], object]) -> Iterator[None]:
        """Hold this stack's lock; `waiting` is called once where another command holds it."""
        file = self._lock(waiting)
        try:
            yield
        finally:
            if self._is_bare():
                self.clear()  # what was to start here has failed
            os.close(file)

    def _is_bare(self) -> bool:
        """Whether nothing lies here but the lock."""
        return self.folder.is_dir() and {path.name for path in self.folder.iterdir()} == {"lock"}

    def _lock(self, waiting: Callable[[], object]) -> int:
        path = self.folder / "lock"
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            except FileNotFoundError:
                continue  # `down` removed the folder in between
            _wait(file, waiting)
            with contextlib.suppress(FileNotFoundError):
                if os.fstat(file).st_ino == path.stat().st_ino:
                    return file
            os.close(file)  # the holder was `down`, and it removed the file


def _wait(file: int, waiting: Callable[[], object]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting()
        fcntl.flock(file, fcntl.LOCK_EX)


def read_json(path: Path) -> Any:
    """A JSON file's content, or None where it is missing or broken."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file in one step, readable by its owner only."""
    draft = path.with_suffix(".new")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(
            json.dumps(value)
        )  # with an indent, or piece by piece, it takes ten times as long
    draft.replace(path)
