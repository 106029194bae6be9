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

REASON = ".not-in-this-sandbox"
"""Name of the file that says why a package holds no code."""

_ELF = b"\x7fELF"
_MACHINES = {62: "x86_64", 183: "arm64", 243: "riscv64"}
"""e_machine of an ELF header (System V ABI) in Lambda's words."""
_HERE = {"amd64": "x86_64", "aarch64": "arm64"}


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
    if head[:4] != _ELF:
        return None
    if sys.platform != "linux":
        return "its bootstrap is built for Linux"
    order = "little" if head[5:6] == b"\x01" else "big"
    machine = int.from_bytes(head[18:20], order)
    here = _HERE.get(platform.machine(), platform.machine())
    built = _MACHINES.get(machine, f"machine {machine}")
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
                return told, bootstrap.read(20)
    except zipfile.BadZipFile:
        return None, b""
