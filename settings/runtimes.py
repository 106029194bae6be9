"""Which Lambda runtimes AWS still takes.

Source: AWS's page "Lambda runtimes" as of November 2026. AWS stops creating functions of a retired runtime at least
30 days after its deprecation and stops updating them 60 days after, so a stack that names one breaks on a later day.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from settings.text import WrongValueError, did_you_mean

DEFAULT_RUNTIME: Final = "python3.13"

_CUSTOM: Final = ("provided.al2023",)

SUPPORTED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
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
        "go": _CUSTOM,
        "rust": _CUSTOM,
        "php": _CUSTOM,
    }
)
"""Runtime family -> identifiers, oldest first. A container image has none: it brings its runtime."""

DEFAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "python": DEFAULT_RUNTIME,
        "nodejs": "nodejs22.x",
        "java": "java21",
        "dotnet": "dotnet10",
        "ruby": "ruby3.4",
        "go": "provided.al2023",
        "rust": "provided.al2023",
        "php": "provided.al2023",
    }
)
"""Runtime family -> what its functions run on where the stack file does not say."""

RETIRED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "python2.7": "2021-07-15",
        "python3.6": "2022-07-18",
        "python3.7": "2023-12-04",
        "python3.8": "2024-10-14",
        "python3.9": "2025-12-15",
        "python3.10": "2026-10-31",
        "nodejs4.3": "2020-03-06",
        "nodejs6.10": "2019-08-12",
        "nodejs8.10": "2020-03-06",
        "nodejs10.x": "2021-07-30",
        "nodejs12.x": "2023-03-31",
        "nodejs14.x": "2023-12-04",
        "nodejs16.x": "2024-06-12",
        "nodejs18.x": "2025-09-01",
        "nodejs20.x": "2026-04-30",
        "java8": "2024-01-08",
        "dotnetcore1.0": "2019-07-30",
        "dotnetcore2.0": "2019-05-30",
        "dotnetcore2.1": "2022-01-05",
        "dotnetcore3.1": "2023-04-03",
        "dotnet6": "2024-12-20",
        "dotnet8": "2026-11-10",
        "ruby2.5": "2021-07-30",
        "ruby2.7": "2023-12-07",
        "ruby3.2": "2026-03-31",
        "go1.x": "2024-01-08",
        "provided": "2024-01-08",
        "provided.al2": "2026-07-31",
    }
)
"""Identifier -> the day AWS deprecated it."""

ALL_SUPPORTED: Final = tuple(
    dict.fromkeys(runtime for family in SUPPORTED.values() for runtime in family)
)


def check_runtime(runtime: str) -> str:
    """Return a runtime that AWS supports; raise WrongValueError for another."""
    if runtime in RETIRED:
        raise WrongValueError(
            f"AWS retired this runtime on {RETIRED[runtime]}", f"use {_successor(runtime)}"
        )
    if runtime not in ALL_SUPPORTED:
        raise WrongValueError(
            f"must be one of {', '.join(ALL_SUPPORTED)}", did_you_mean(runtime, ALL_SUPPORTED)
        )
    return runtime


def _successor(runtime: str) -> str:
    """Return what a function on a retired runtime moves to; what is of no family, as Go's, runs on a custom one."""
    return next(
        (DEFAULTS[family] for family in DEFAULTS if runtime.startswith(family)), "provided.al2023"
    )
