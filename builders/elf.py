"""Native code must be for the processor that will run it."""

from __future__ import annotations

from typing import Final

from builders.errors import BuildError

_MAGIC: Final = b"\x7fELF"
_MACHINES: Final = {3: "i386", 40: "arm", 62: "x86_64", 183: "arm64", 243: "riscv"}
"""`e_machine` of an ELF header, as Lambda's settings name the processor."""

HEADER: Final = 20
"""Bytes of a file that `check` looks at."""


def check(name: str, data: bytes, architecture: str) -> None:
    """Refuse a program or shared object for another processor than `architecture` (arm64 or x86_64).

    `data` is the file or its first 20 bytes; anything but an ELF file passes. Raises BuildError with the file's name.
    """
    if not data.startswith(_MAGIC) or len(data) < HEADER:
        return
    order = "big" if data[5] == 2 else "little"
    number = int.from_bytes(data[18:20], order)
    machine = _MACHINES.get(number, f"machine {number}")
    if machine != architecture:
        raise BuildError(f"{name}: built for {machine}, and the function runs on {architecture}")
