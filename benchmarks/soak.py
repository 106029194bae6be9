"""Ten thousand orders through the running stack, some poison, crashing or repeated: python -m benchmarks.soak [COUNT]

Prints the figures; ends with 1 where an order is lost, doubled or left behind.
"""

from __future__ import annotations

import argparse
import json
import sys

import sandbox
from tests.support import load
from tests.support.effects import Effects

# A busy machine ends no function that is only waiting for its turn: a timeout repeats the steps since the order's row.
_PATIENT = {
    "functions": {"order-processor": {"timeout": 15}},
    "triggers": {"queues": {"orders": {"visibility_timeout_seconds": 16}}},
}
_MESSAGES_A_SECOND = 15
"""What the slowest machine is given time for."""


def main() -> int:
    """Bring the stack up, send, judge, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("count", type=int, nargs="?", default=10_000, help="messages (10000)")
    parser.add_argument("--seed", type=int, default=6, help="of what is poison, and of the order")
    given = parser.parse_args()
    wanted = load.make(given.count, seed=given.seed)
    with sandbox.running("dev", config=_PATIENT) as box:
        patience = 120.0 + given.count / _MESSAGES_A_SECOND
        figures = load.run(Effects(box), wanted, patience=patience)
        lines = [json.dumps(line) for line in box.logs("order-processor")]
    print(figures)
    late = sum('"status": "timeout"' in line for line in lines)
    unheard = sum("ReadTimeoutError" in line for line in lines)
    print(
        f"{late} timeouts of the function, {unheard} messages whose service did not answer in time"
    )
    for kind, found in figures.mistakes.items():
        print(f"{kind}: {len(found)}, as {found[:3]}", file=sys.stderr)
    print(
        f"{len(wanted.poison)} poison, {len(wanted.crashing)} crashing, {len(wanted.good)} orders"
    )
    return 1 if figures.mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
