"""`python -m builders node_modules LOCK ARCHIVE`: one build in a process of its own.

The sandbox fetches modules this way: a program that runs it may forbid itself the network, as test suites do.
"""

from __future__ import annotations

import sys
from pathlib import Path

from builders import BuildError, node_modules


def main(words: list[str]) -> int:
    """The exit code; what went wrong is one line on standard error."""
    match words:
        case ["node_modules", lock, archive]:
            try:
                node_modules.build(Path(lock), Path(archive))
            except BuildError as error:
                sys.stderr.write(f"{error}\n")
                return 1
            return 0
        case _:
            sys.stderr.write("usage: python -m builders node_modules LOCK ARCHIVE\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
