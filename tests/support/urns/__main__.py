"""`python -m tests.support.urns` compares, `--write` writes the snapshots anew."""

from __future__ import annotations

import sys

from tests.conftest import STACKS
from tests.support.program import run_stack
from tests.support.urns import FOLDER, kept, urns


def main(arguments: list[str]) -> int:
    """Return 1 where a snapshot is out of date and is not to be written."""
    stale = 0
    for stack in STACKS:
        now = urns(run_stack(stack))
        if now != kept(stack):
            stale += 1
            print(f"{stack}: {'written' if '--write' in arguments else 'out of date'}")
            if "--write" in arguments:
                (FOLDER / f"{stack}.txt").write_text(now, encoding="utf-8")
    return 0 if "--write" in arguments else min(stale, 1)


sys.exit(main(sys.argv[1:]))
