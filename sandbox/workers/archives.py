"""Function code and layers on disk: one folder per content, unpacked once.

A folder is named after what is in it, so new code never meets old files and nothing has to be
invalidated. Everything lies under one folder in TMPDIR, which goes when the emulator goes.
"""

import functools
import hashlib
import io
import os
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path


class Archives:
    """Unpacked archives, by content."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="environments-"))
        self._lock = threading.Lock()
        self._empty = self._root / "empty"
        self._empty.mkdir()

    def unpack(self, archives: Sequence[bytes]) -> Path:
        """Return a folder with the archives' files, later ones over earlier ones, as in /opt.

        Raises `zipfile.BadZipFile` for what is no archive.
        """
        if not archives:
            return self._empty
        folder = self._root / _digest_of_all([_digest(archive) for archive in archives])
        with self._lock:
            if not folder.exists():
                draft = Path(tempfile.mkdtemp(dir=self._root))
                for archive in archives:
                    _extract(archive, draft)
                draft.rename(folder)
        return folder

    def scratch(self) -> str:
        """Make a folder that stands for one environment's /tmp and return its path."""
        return tempfile.mkdtemp(prefix="tmp-", dir=self._root)

    def log_file(self) -> int:
        """Return a descriptor of an unnamed file that every writer appends to."""
        descriptor, name = tempfile.mkstemp(prefix="log-", dir=self._root)
        os.close(descriptor)
        descriptor = os.open(name, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        Path(name).unlink()
        return descriptor

    def remove(self) -> None:
        """Remove every folder."""
        shutil.rmtree(self._root, ignore_errors=True)


def remove_scratch(folder: str) -> None:
    """Remove what `Archives.scratch` made, whatever a handler left in it."""
    shutil.rmtree(folder, ignore_errors=True)


@functools.lru_cache(maxsize=64)
def _digest(archive: bytes) -> str:
    """Hash an archive; remembered because a layer of many MB serves many environments."""
    return hashlib.sha256(archive).hexdigest()


def _digest_of_all(digests: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()[:32]


def _extract(archive: bytes, folder: Path) -> None:
    """Unpack with the mode bits that say a file may be executed; names cannot leave the folder."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for member in opened.infolist():
            target = Path(opened.extract(member, folder))
            executable = (member.external_attr >> 16) & 0o111
            if executable and not member.is_dir():
                target.chmod(target.stat().st_mode | executable)
