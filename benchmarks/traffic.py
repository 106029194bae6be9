"""What a running sandbox does and costs: latency, throughput, memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.scratch import ROOT, Row, Scratch, running, spread, verdict


def latency(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """One caller, warm, one table read a request."""
    with running(scratch) as (url, token):
        _load(scratch, url, token, 1, 100)
        runs = [_load(scratch, url, token, 1, 300) for _ in range(rounds)]
    p50 = statistics.median(run["p50"] for run in runs)
    p99 = statistics.median(run["p99"] for run in runs)
    yield (
        "warm GET /items/{id}, one caller, p50",
        f"{p50:.1f} ms ({spread(run['p50'] for run in runs)}; p99 {p99:.1f})",
        "<= 6 ms",
        verdict(p50 <= 6),
    )


def throughput(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """Sixteen callers at once."""
    with running(scratch) as (url, token):
        _load(scratch, url, token, 16, 800)
        runs = [_load(scratch, url, token, 16, 1600) for _ in range(rounds)]
    rates = [run["per_second"] for run in runs]
    rate = statistics.median(rates)
    errors = sum(run["errors"] for run in runs)
    yield (
        "requests per second, 16 callers",
        f"{rate:.0f} ({min(rates):.0f} to {max(rates):.0f}), {errors:.0f} errors",
        ">= 300, no error",
        verdict(rate >= 300 and not errors),
    )


def memory(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """Proportional set size of everything the sandbox runs, ten functions warm and at rest for 5 s (Linux)."""
    del rounds
    if not Path("/proc/self/smaps_rollup").exists():
        yield ("memory with 10 functions warm", "needs Linux", "<= 200 MB", "")
        return
    with running(scratch):
        made = scratch.outputs()["functions"]
        warm = [name for name, f in made.items() if f["runtime"].startswith("python")][:10]
        for name in warm:
            subprocess.run(
                [sys.executable, "-m", "sandbox", "invoke", name, "--event", "-"],
                input=b'{"warming": true}',
                cwd=scratch.folder,
                env=scratch.environment,
                capture_output=True,
                check=True,
            )
        time.sleep(5)
        total = sum(_pss(pid) for pid in _processes_under(scratch.folder)) / 1024
    yield (
        "memory with 10 functions warm (PSS), at rest",
        f"{total:.0f} MB",
        "<= 200 MB",
        verdict(total <= 200),
    )


def _load(scratch: Scratch, url: str, token: str, callers: int, requests: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", url, token, str(callers), str(requests)],
        cwd=ROOT,
        env=scratch.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return json.loads(done.stdout)


def _processes_under(folder: Path) -> list[int]:
    """Processes that belong to the scratch sandbox: by session of the one that serves its port."""
    state = json.loads(next(folder.glob(".sandbox/*/sandbox.json")).read_text(encoding="utf-8"))
    session = os.getsid(int(state["pid"]))
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == session:
                    found.append(int(entry.name))
            except (ProcessLookupError, PermissionError):
                continue
    return found


def _pss(pid: int) -> int:
    """Proportional set size in KiB."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
