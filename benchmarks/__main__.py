"""Measure what docs/performance.md claims, side by side in one run, and print a Markdown table.

    python -m benchmarks [--rounds 5] [--only start,latency,...]

Everything happens in a scratch copy of the checkout, on loopback, and stops by itself. `initialisation` and `layers`
fetch packages from the package index.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks import initialisation, layers, sockets, startup, traffic
from benchmarks.scratch import Row, Scratch

PARTS: Mapping[str, Callable[[Scratch, int], Iterator[Row]]] = {
    "start": startup.start,
    "latency": traffic.latency,
    "throughput": traffic.throughput,
    "reload": startup.reload,
    "memory": traffic.memory,
    "mocks": startup.mocks,
    "pushes": sockets.pushes,
    "routes": sockets.routes,
    "initialisation": initialisation.initialisation,
    "layers": layers.layers,
}


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(PARTS))
    options = parser.parse_args()
    chosen = options.only.split(",")
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="sandpiper-bench-") as folder:
        scratch = Scratch(Path(folder))
        rows = [row for part in chosen for row in PARTS[part](scratch, options.rounds)]
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of {options.rounds} rounds\n"
    )
    print("| figure | measured | aim | |\n|---|---|---|---|")
    for figure, measured, aim, verdict in rows:
        print(f"| {figure} | {measured} | {aim} | {verdict} |")


if __name__ == "__main__":
    main()
