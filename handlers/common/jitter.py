"""Pauses between attempts: shorter by chance, so that not all who wait come back at one moment."""

from __future__ import annotations

import os


def jittered(seconds: float) -> float:
    """The pause in seconds, by chance up to a half shorter."""
    return seconds * (0.5 + os.urandom(1)[0] / 512)
