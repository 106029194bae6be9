"""How long an event takes from its cause to its effect in the sandbox: python -m benchmarks.events [ROUNDS]

Prints a Markdown table: the first one, for which an environment starts, and the median of those after it.
"""

from __future__ import annotations

import statistics
import sys
import time

import sandbox
from tests.application.conftest import QUICK
from tests.support.effects import Effects, unique
from tests.support.faults import SOURCES, Source

_POLL_SECONDS = 0.005
_PATIENCE_SECONDS = 60


def main(rounds: int) -> None:
    """Measure each source in turn."""
    print("| source | function | first | median |\n|---|---|---|---|")
    with sandbox.running("dev", config=QUICK) as box:
        for name, source in SOURCES.items():
            took = [_once(Effects(box), source) for _ in range(rounds + 1)]
            median = statistics.median(took[1:])
            print(
                f"| {name} | {source.function} | {took[0] * 1000:.0f} ms | {median * 1000:.0f} ms |"
            )


def _once(effects: Effects, source: Source) -> float:
    mark = unique("m")
    source.prepare(effects, mark)
    begun = time.perf_counter()
    source.cause(effects, mark)
    while not source.count(effects, mark):
        if time.perf_counter() - begun > _PATIENCE_SECONDS:
            sys.exit(f"{source.function}: no effect within {_PATIENCE_SECONDS} s")
        time.sleep(_POLL_SECONDS)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
