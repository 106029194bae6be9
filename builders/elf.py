"""Native code must be for the processor that will run it."""

from __future__ import annotations

import platform
from typing import Final

from builders.errors import BuildError

_MAGIC: Final = b"\x7fELF"
_MACHINES: Final = {3: "i386", 62: "x86_64", 183: "arm64", 243: "riscv64"}
"""`e_machine` of an ELF header, as Lambda's settings name the processor."""
_HERE: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}

HEADER: Final = 20
"""Bytes of a file that are looked at; all functions take them or more."""


def machine_of(data: bytes) -> str | None:
    """The processor that a program or shared object is for, e.g. "arm64"; None for anything but an ELF file."""
    if not data.startswith(_MAGIC) or len(data) < HEADER:
        return None
    number = int.from_bytes(data[18:20], "big" if data[5] == 2 else "little")
    return _MACHINES.get(number, f"machine {number}")


def here() -> str | None:
    """The processor of this machine in Lambda's words, arm64 or x86_64; None for one that Lambda has not."""
    return _HERE.get(platform.machine().lower())


def check(name: str, data: bytes, architecture: str) -> None:
    """Refuse a program or shared object for another processor than `architecture` (arm64 or x86_64).

    Anything but an ELF file passes. Raises BuildError with the file's name.
    """
    machine = machine_of(data)
    if machine not in (None, architecture):
        raise BuildError(
            f"{name}: built for {machine}, and the function runs on {architecture}; lock another version of the package, "
            "or change the function's architecture"
        )
