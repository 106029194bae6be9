"""The languages of functions, and which Lambda runtimes AWS still takes.

`FAMILIES` is the one place that says what a language can do here and on Lambda: rules, references and components read it.

Source: AWS's page "Lambda runtimes" as of November 2026. AWS stops creating functions of a retired runtime at least
30 days after its deprecation and stops updating them 60 days after, so a stack that names one breaks on a later day.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from settings.text import WrongValueError, did_you_mean, listed

_CUSTOM: Final = ("provided.al2023",)


class Family(NamedTuple):
    """Functions in one language, or in container images."""

    language: str
    """Its name within a sentence."""
    runtimes: tuple[str, ...] = ()
    """Lambda's identifiers, oldest first; none where the code brings its runtime."""
    default: str = ""
    """What its functions run on where the stack file does not say; one of `runtimes`."""
    marker: str = ""
    """File (a pattern) in a function's folder that tells the family; none where a function is a file."""
    handler: str = "bootstrap"
    """What Lambda calls where nobody says; `{module}` is the handler's file without its ending."""
    modules: tuple[str, ...] = ()
    """Endings of the files in which Lambda looks for a handler; none where its name does not tell the file."""
    inline: str = ""
    """File that an inline text becomes; none where Lambda has no place for one."""
    layers: int = 0
    """Layers that the program gives each of its functions."""
    built_here: bool = False
    """The program packs or builds it from handlers/; else the stack file says where its code is."""
    compiled: bool = False
    """What is deployed is not what is written: a folder with the marker holds sources, nothing to deploy."""
    streams: bool = False
    """It can answer in a stream (`RESPONSE_STREAM`). Source: Lambda developer guide, response streaming."""
    warms: bool = False
    """Its handlers here answer a warming call."""
    samples: bool = False
    """Its handlers here log a share of the requests at DEBUG."""
    snap_start: str = ""
    """The oldest runtime that starts from a snapshot; none where none does. Source: Lambda developer guide, SnapStart."""

    def module_of(self, handler: str) -> str:
        """Return the path, without its ending, of the file that a handler is in; empty text where it names none.

        Python takes what stands before the last dot, Node.js before the first one of the file's own name.
        Source: Lambda developer guide, handlers in Python and in Node.js.
        """
        if ".py" in self.modules:
            return handler.rpartition(".")[0].replace(".", "/")
        folder, slash, file = handler.rpartition("/")
        module, dot, _ = file.partition(".")
        return folder + slash + module if dot and module else ""

    @property
    def snap_starts(self) -> tuple[str, ...]:
        """The runtimes that can start from a snapshot."""
        first = self.runtimes.index(self.snap_start) if self.snap_start else len(self.runtimes)
        return self.runtimes[first:]


IMAGE: Final = "image"
"""The family of functions that run as a container image."""

FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        "python": Family(
            "Python",
            ("python3.11", "python3.12", "python3.13", "python3.14"),
            "python3.13",
            handler="{module}.handler",
            modules=(".py", ".pyc", ".so", "/__init__.py", "/__init__.pyc"),
            inline="index.py",
            layers=1,
            built_here=True,
            warms=True,
            samples=True,
            snap_start="python3.12",
        ),
        "nodejs": Family(
            "Node.js",
            ("nodejs22.x", "nodejs24.x"),
            "nodejs22.x",
            "index.mjs",
            handler="index.handler",
            modules=(".mjs", ".js", ".cjs"),
            inline="index.mjs",
            layers=1,
            built_here=True,
            streams=True,
            warms=True,
            samples=True,
        ),
        "java": Family(
            "Java",
            (
                "java8.al2",
                "java8.al2023",
                "java11",
                "java11.al2023",
                "java17",
                "java17.al2023",
                "java21",
                "java25",
            ),
            "java21",
            "pom.xml",
            compiled=True,
            snap_start="java11",
        ),
        "dotnet": Family(
            ".NET", ("dotnet10",), "dotnet10", "*.csproj", compiled=True, snap_start="dotnet10"
        ),
        "ruby": Family("Ruby", ("ruby3.3", "ruby3.4", "ruby4.0"), "ruby3.4", "function.rb"),
        "go": Family(
            "Go",
            _CUSTOM,
            _CUSTOM[0],
            "go.mod",
            built_here=True,
            compiled=True,
            streams=True,
            warms=True,
            samples=True,
        ),
        "rust": Family("Rust", _CUSTOM, _CUSTOM[0], "Cargo.toml", compiled=True, streams=True),
        "php": Family("PHP", _CUSTOM, _CUSTOM[0], "index.php", streams=True),
        IMAGE: Family("image", marker="Dockerfile", streams=True),
    }
)
"""Name -> family. A folder that holds the markers of two is of the first."""

DEFAULT_RUNTIME: Final = FAMILIES["python"].default

NODE_RUNTIMES: Final = FAMILIES["nodejs"].runtimes
"""What a layer of Node.js modules is for."""

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
    dict.fromkeys(runtime for family in FAMILIES.values() for runtime in family.runtimes)
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


def languages(having: Callable[[Family], object]) -> str:
    """Return the languages of the families that have something, as a sentence lists them."""
    return listed([family.language for family in FAMILIES.values() if having(family)])


def snap_starting() -> str:
    """Return which languages start from snapshots, as a sentence lists them: `Java 11 and later and .NET`."""
    return listed(
        [
            family.language
            if family.snap_start == family.runtimes[0]
            else f"{family.language} {family.snap_start.removeprefix(name)} and later"
            for name, family in FAMILIES.items()
            if family.snap_start
        ]
    )


def _successor(runtime: str) -> str:
    """Return what a function on a retired runtime moves to; what is of no family, as Go's, runs on a custom one."""
    known = (family.default for name, family in FAMILIES.items() if runtime.startswith(name))
    return next(known, _CUSTOM[0])
