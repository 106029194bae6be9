"""The emulator's own memory: freed blocks go back to the system."""

import sys

_BLOCK_BYTES = 128 * 1024
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc


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
