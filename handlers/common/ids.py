"""Identifiers and instants.

An item's id is a UUID version 7 (RFC 9562, section 5.7): it sorts by creation, so the index that
lists items needs no other key, and two clients never have to agree on a counter.
"""

from __future__ import annotations

import os
import re
import time

# Also accepts ids that another program put into the table; everything else cannot be an item's key
# and is not asked for.
_KEY = re.compile(r"[0-9A-Za-z_-]{1,64}")
REQUEST = "request#"  # begins the ids of rows that are requests (`idempotency`): no item's key
_latest = [0]  # the moment of the id given out last


def new() -> str:
    """A UUIDv7 as text; within one execution environment each is greater than the one before."""
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    # Method 3 of section 6.2: the 12 bits after the milliseconds hold the fraction of the
    # millisecond.
    moment = milliseconds << 12 | nanoseconds * 4096 // 1_000_000
    _latest[0] = moment = max(moment, _latest[0] + 1)
    milliseconds, fraction = moment >> 12, moment & 0xFFF
    random = int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1
    digits = f"{milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def is_key(text: str) -> bool:
    """Whether the text may be an item's id: 1 to 64 of A-Z a-z 0-9 - and _."""
    return _KEY.fullmatch(text) is not None


def is_request(text: str) -> bool:
    """Whether a row of the items table with this id says what an Idempotency-Key was used for."""
    return text.startswith(REQUEST)


def instant(seconds: float | None = None) -> str:
    """An instant (seconds since 1970; default now) as `2026-01-31T12:00:00.000Z`."""
    milliseconds = round((time.time() if seconds is None else seconds) * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{rest:03d}Z"
