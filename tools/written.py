"""Documents that are written by a command, and compared by its `--check`."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def keep(
    documents: Callable[[], Mapping[Path, str]],
    module: str,
    description: str,
    arguments: list[str] | None,
    *,
    root: Path,
) -> int:
    """Write the documents below `root` that differ from their files, or with `--check` name them; return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when a document is out of date"
    )
    check = parser.parse_args(arguments).check
    stale = {path: text for path, text in documents().items() if not _holds(path, text)}
    for path, text in stale.items():
        name = path.relative_to(root)
        if check:
            print(f"{name}: out of date; run python -m {module}", file=sys.stderr)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"{name}: written")
    return 1 if check and stale else 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
