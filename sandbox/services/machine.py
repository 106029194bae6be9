"""Which interpreter and which processor stand in for the declared ones on this machine."""

from __future__ import annotations

import functools
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

_ANSWER_SECONDS: Final = 5


def stand_in(runtime: str, architectures: Sequence[str] | None) -> str | None:
    """What runs a function in place of what it declares; None where both agree, or nothing runs it.

    Its code cannot tell the difference until a wheel, a syntax or a module is missing on one of the two.
    """
    from builders import elf

    declared, here = (architectures or ("x86_64",))[0], elf.here() or platform.machine()
    found = _interpreter(runtime)
    if found is None:
        return None
    name, same = found
    if same and declared == here:
        return None
    return f"declared {runtime} on {declared}, run by this machine's {f'{name} on ' if name else ''}{here}"


def _interpreter(runtime: str) -> tuple[str, bool] | None:
    """What this machine has for a runtime, and whether it is what the runtime names."""
    if runtime.startswith("python"):
        version = _python()
        return f"Python {version}", runtime == f"python{version}"
    if runtime.startswith("nodejs"):
        major = node_major(shutil.which("node"))
        return (f"Node.js {major}", runtime == f"nodejs{major}.x") if major else None
    return ("", True) if runtime.startswith("provided") else None


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@functools.cache
def node_major(node: str | None) -> str | None:
    """The major version of this Node.js; None where it does not say."""
    if node is None:
        return None
    try:
        done = subprocess.run(
            [node, "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip().removeprefix("v").partition(".")[0] or None
