"""Less memory for the processes that stay: service models without prose, freed blocks given back."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from sandbox.workers.seams import Seam

_BLOCK_BYTES = 128 * 1024
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc


def seams() -> list[Seam]:
    """Return the seam that thins the models the emulator itself reads."""
    reason = "the emulator keeps some 10 MB of documentation in memory"
    return [
        Seam(
            "botocore.loaders",
            "JSONFileLoader.load_file",
            ("self", "file_path"),
            reason,
            without_prose,
        )
    ]


def without_prose(_module: ModuleType, load: Callable[[Any, str], Any]) -> Callable[..., Any]:
    """Return what takes the place of botocore's `JSONFileLoader.load_file`.

    Documentation is half of a model, and botocore reads models into ordered dictionaries, which
    take twice the room of plain ones although those keep their order too. The emulator reads a
    dozen models, the zygote five, and each environment copies pages that it shares with numbers
    that count.
    """

    def load_file(self: Any, file_path: str) -> Any:
        return _bare(load(self, file_path))

    return load_file


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            # Emptied, not left out: botocore reads the one of each client context parameter.
            key: "" if key == "documentation" and isinstance(member, str) else _bare(member)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [_bare(member) for member in value]
    return value


def return_freed_memory() -> None:
    """Make the C library give large blocks back when they are freed, and keep few arenas.

    An upload of some MB otherwise raises glibc's own thresholds for good, and each of many short
    threads may get an arena. Other C libraries do this by themselves.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        tune(_M_MMAP_THRESHOLD, _BLOCK_BYTES)
        tune(_M_TRIM_THRESHOLD, _BLOCK_BYTES)
        tune(_M_ARENA_MAX, 2)
