"""Ten thousand orders through the running stack, some poison, crashing or repeated: python -m benchmarks.soak [COUNT]

Prints the figures; ends with 1 where an order is lost, doubled or left behind.
"""

from __future__ import annotations

import argparse
import sys

import sandbox
from tests.application.conftest import QUICK
from tests.support import load
from tests.support.effects import Effects

_MESSAGES_A_SECOND = 15
"""What the slowest machine is given time for."""


def main() -> int:
    """Bring the stack up, send, judge, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("count", type=int, nargs="?", default=10_000, help="messages (10000)")
    parser.add_argument("--seed", type=int, default=6, help="of what is poison, and of the order")
    given = parser.parse_args()
    wanted = load.make(given.count, seed=given.seed)
    with sandbox.running("dev", config=QUICK) as box:
        patience = 60.0 + given.count / _MESSAGES_A_SECOND
        figures = load.run(Effects(box), wanted, patience=patience)
    print(figures)
    for kind, found in figures.mistakes.items():
        print(f"{kind}: {len(found)}, as {found[:3]}", file=sys.stderr)
    print(
        f"{len(wanted.poison)} poison, {len(wanted.crashing)} crashing, {len(wanted.good)} orders"
    )
    return 1 if figures.mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
