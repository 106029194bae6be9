"""Which Lambda runtimes AWS still takes.

Source: AWS's page "Lambda runtimes" as of November 2026. AWS stops creating functions of a retired runtime at least
30 days after its deprecation and stops updating them 60 days after, so a stack that names one breaks on a later day.
"""

from typing import Final

from settings.text import WrongValueError, did_you_mean

DEFAULT_RUNTIME: Final = "python3.13"
DEFAULT_NODE_RUNTIME: Final = "nodejs22.x"

SUPPORTED: Final = {
    "python": ("python3.11", "python3.12", "python3.13", "python3.14"),
    "nodejs": ("nodejs22.x", "nodejs24.x"),
}
"""Runtime family -> identifiers, oldest first."""

RETIRED: Final = {
    "python2.7": "2021-07-15",
    "python3.6": "2022-07-18",
    "python3.7": "2023-12-04",
    "python3.8": "2024-10-14",
    "python3.9": "2025-12-15",
    "python3.10": "2026-10-31",
    "nodejs14.x": "2023-12-04",
    "nodejs16.x": "2024-06-12",
    "nodejs18.x": "2025-09-01",
    "nodejs20.x": "2026-04-30",
}
"""Identifier -> the day AWS deprecated it."""

ALL_SUPPORTED: Final = tuple(runtime for family in SUPPORTED.values() for runtime in family)


def check_runtime(runtime: str) -> str:
    """Return a runtime that AWS supports; raise WrongValueError for another."""
    if runtime in RETIRED:
        newest = DEFAULT_RUNTIME if runtime.startswith("python") else DEFAULT_NODE_RUNTIME
        raise WrongValueError(f"AWS retired this runtime on {RETIRED[runtime]}", f"use {newest}")
    if runtime not in ALL_SUPPORTED:
        raise WrongValueError(
            f"must be one of {', '.join(ALL_SUPPORTED)}", did_you_mean(runtime, ALL_SUPPORTED)
        )
    return runtime
