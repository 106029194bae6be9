"""Functions that cannot run here, told apart before any worker is asked.

A deployment package without code carries its reason in the file `REASON`. A custom runtime's `bootstrap` may be built
for another machine, and Node.js may be missing: then the operating system would only say that it cannot execute.
"""

import functools
import io
import platform
import shutil
import sys
import zipfile
from collections.abc import Mapping
from typing import Any

from builders import elf

REASON = ".not-in-this-sandbox"
"""Name of the file that says why a package holds no code."""


def reason(config: Mapping[str, Any], code: bytes | None) -> str | None:
    """Return why a function cannot run on this machine, or None."""
    runtime = str(config.get("Runtime") or "")
    if code:
        told, head = _look(code)
        if told is not None:
            return told
        if runtime.startswith("provided"):
            return foreign(head)
    if runtime.startswith("nodejs") and shutil.which("node") is None:
        return "there is no Node.js on this machine"
    return None


def foreign(head: bytes) -> str | None:
    """Return what is wrong with a `bootstrap` that starts with these bytes, or None."""
    built, here = elf.machine_of(head), elf.here() or platform.machine()
    if built is None:
        return None
    if sys.platform != "linux":
        return "its bootstrap is built for Linux"
    return None if built == here else f"its bootstrap is built for {built}, this machine is {here}"


@functools.lru_cache(maxsize=64)
def _look(code: bytes) -> tuple[str | None, bytes]:
    """The reason a package carries, and the first bytes of its bootstrap."""
    try:
        with zipfile.ZipFile(io.BytesIO(code)) as opened:
            names = set(opened.namelist())
            told = opened.read(REASON).decode("utf-8", "replace") if REASON in names else None
            if "bootstrap" not in names:
                return told, b""
            with opened.open("bootstrap") as bootstrap:
                return told, bootstrap.read(elf.HEADER)
    except zipfile.BadZipFile:
        return None, b""
