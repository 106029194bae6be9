"""Lambda runtimes as data: which there are, and what only some of them can do."""

from __future__ import annotations

from collections.abc import Mapping

SUPPORTED: Mapping[str, tuple[str, ...]] = {
    "python": ("python3.11", "python3.12", "python3.13", "python3.14"),
    "nodejs": ("nodejs22.x", "nodejs24.x"),
    "java": (
        "java8.al2",
        "java8.al2023",
        "java11",
        "java11.al2023",
        "java17",
        "java17.al2023",
        "java21",
        "java25",
    ),
    "dotnet": ("dotnet10",),
    "ruby": ("ruby3.3", "ruby3.4", "ruby4.0"),
    "provided": ("provided.al2023",),
}
"""Family -> the runtimes that AWS patches (Lambda developer guide, Lambda runtimes, November 2026), oldest first."""

KNOWN = frozenset(runtime for family in SUPPORTED.values() for runtime in family)

_WITHOUT_SNAPSHOTS = {"python3.11", "java8.al2", "java8.al2023"}

SNAP_START = frozenset(
    runtime
    for family in ("python", "java", "dotnet")
    for runtime in SUPPORTED[family]
    if runtime not in _WITHOUT_SNAPSHOTS
)
"""Runtimes that can start from a snapshot (Lambda developer guide, SnapStart)."""

BUFFERED_ONLY = frozenset({"python", "java", "dotnet", "ruby"})
"""Families whose managed runtimes cannot stream an answer (Lambda developer guide, response streaming)."""


def family(runtime: object) -> str:
    """The family of a supported runtime; empty for any other."""
    return next((name for name, runtimes in SUPPORTED.items() if runtime in runtimes), "")
