"""One line for whatever went wrong: what AWS said, or where the program went wrong."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import Any, Final

_PLACED: Final = re.compile(r"[\w./-]+\.(?:yaml|yml|json|py|lock|toml|txt)(?::\d+)?: ")
"""How a line begins that names a place itself."""


def aws_said(error: Any) -> str:
    """`code: message` of a failed API call, in one line; any other error by its own words."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict) and "Error" in answer:
        fault = answer["Error"]
        return _line(f"{fault.get('Code', 'Unknown')}: {fault.get('Message', '')}".rstrip(": "))
    return _line(str(error)) or type(error).__name__


def each_said(error: Any) -> list[str]:
    """What an error says, one line for each mistake where it holds several (`lines`)."""
    lines = getattr(error, "lines", None)
    return [_line(line) for line in lines] if lines else [aws_said(error)]


def is_missing(error: Any) -> bool:
    """Whether a failed API call says that the thing named does not exist."""
    code = str((getattr(error, "response", None) or {}).get("Error", {}).get("Code", ""))
    return code == "404" or any(
        w in code for w in ("NotFound", "NoSuch", "NonExistent", "DoesNotExist")
    )


def is_expected(error: BaseException) -> bool:
    """Whether the error is about the resource (AWS refused it, an input is wrong), not a flaw of the sandbox."""
    named = {cls.__name__ for cls in type(error).__mro__}
    ours = type(error).__module__.startswith("sandbox.")
    return ours or bool(named & {"BotoCoreError", "BuildError", "ClientError", "ValueError"})


def in_program(error: BaseException, root: Path) -> list[str]:
    """Where and why the program raised: `settings.py:12: KeyError: 'x'`, then the lines that led there.

    Only the program's own files are named; a syntax error names the place it lies at.
    """
    kind = type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return [f"{_relative(error.filename, root)}:{error.lineno}: {kind}: {error.msg}"]
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _own(f.filename, root)]
    places = [f"{_relative(f.filename, root)}:{f.lineno}" for f in reversed(frames)]
    said = f"{kind}: {_line(str(error))}".rstrip(": ")
    if not places:
        return [said]
    return [
        f"{places[0]}: {said}",
        *(f"  called from {place}" for place in dict.fromkeys(places[1:])),
    ]


def refused(error: BaseException, root: Path) -> list[str]:
    """The lines of a refusal that the program raised itself, each with the line of `__main__.py` that led to it.

    A line that begins with a file, as those about a stack file do, stays as it is.
    """
    program = str(root / "__main__.py")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == program]
    place = f"__main__.py:{frames[-1].lineno}: " if frames else ""
    lines = str(error).splitlines() or ["the program stopped without a reason"]
    return [line if _PLACED.match(line) else f"{place}{line}" for line in lines]


def _own(file: str, root: Path) -> bool:
    path = Path(file)
    inside = path.is_relative_to(root) and "site-packages" not in path.parts
    return inside and not path.is_relative_to(Path(__file__).parent)


def _relative(file: str, root: Path) -> str:
    path = Path(file)
    return str(path.relative_to(root)) if path.is_relative_to(root) else file


def _line(text: str) -> str:
    return " ".join(part.strip() for part in text.splitlines() if part.strip())


def as_read(*places: str) -> list[str]:
    """Places `file:line` in the order in which one reads them: registrations arrive in parallel, in any order."""

    def key(place: str) -> tuple[str, int]:
        file, _, line = place.rpartition(":")
        return (file, int(line)) if line.isdigit() else (place, 0)

    return sorted(places, key=key)
