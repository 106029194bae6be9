"""Freed blocks go back to the system. What glibc needs to be told, other C libraries do."""

import functools
import sys
from typing import Any

_BLOCK_BYTES = 128 * 1024
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc


@functools.cache
def _libc(function: str) -> Any:
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    return getattr(ctypes.CDLL(None), function, None)


def limit() -> None:
    """Make large blocks go back as soon as they are freed, and keep few arenas.

    An upload of some MB otherwise raises glibc's own thresholds for good, and each of many short
    threads may get an arena.
    """
    tune = _libc("mallopt")
    if tune is not None:
        tune(_M_MMAP_THRESHOLD, _BLOCK_BYTES)
        tune(_M_TRIM_THRESHOLD, _BLOCK_BYTES)
        tune(_M_ARENA_MAX, 2)


def trim() -> None:
    """Give back what is free by now."""
    release = _libc("malloc_trim")
    if release is not None:
        release(0)
