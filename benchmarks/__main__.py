"""Measure what docs/performance.md claims, side by side in one run, and print a Markdown table.

    python -m benchmarks [--rounds 5] [--only start,latency,throughput,reload,memory,mocks]

Everything happens in a scratch copy of the checkout, on loopback, and stops by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("start", "latency", "throughput", "reload", "memory", "mocks")
Row = tuple[str, str, str, str]


class Scratch:
    """A copy of the checkout with a sandbox of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for name in filter(None, listed.split("\0")):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        self.environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def sandbox(self, *words: str) -> str:
        """Run one sandbox command; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            sys.exit(f"sandbox {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def outputs(self) -> dict[str, object]:
        """The exports of the running stack."""
        return json.loads(self.sandbox("outputs", "--json"))["outputs"]


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
        rows = [
            row for part in chosen for row in globals()[f"measure_{part}"](scratch, options.rounds)
        ]
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of {options.rounds} rounds\n"
    )
    print("| figure | measured | aim | |\n|---|---|---|---|")
    for figure, measured, aim, verdict in rows:
        print(f"| {figure} | {measured} | {aim} | {verdict} |")


def measure_start(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """Process start to the first 200, beside the floor, in turns."""
    scratch.sandbox("up")
    scratch.sandbox("down")
    ours, floor = [], []
    for _ in range(rounds):
        floor.append(_floor(scratch))
        ours.append(_first_answer(scratch))
        scratch.sandbox("down")
    up, bare = statistics.median(ours), statistics.median(floor)
    yield (
        "floor: bare MiniStack, one function, one API",
        f"{bare:.2f} s ({min(floor):.2f} to {max(floor):.2f})",
        "",
        "",
    )
    yield (
        "`sandbox up`, process start to first 200, whole program",
        f"{up:.2f} s ({min(ours):.2f} to {max(ours):.2f}) = {up / bare:.2f} x floor",
        "<= 2 x floor, < 3 s",
        _verdict(up <= 2 * bare and up < 3),
    )


def _first_answer(scratch: Scratch) -> float:
    """Seconds from process start to the line in which `up` says that /health answered."""
    begin, took = time.perf_counter(), None
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "sandbox", "up"],
        cwd=scratch.folder,
        env=scratch.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stdout or ():
            if "answers 200" in line:
                took = time.perf_counter() - begin
    if process.returncode or took is None:
        sys.exit("`sandbox up` did not answer")
    return took


def _floor(scratch: Scratch) -> float:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        command = [sys.executable, str(ROOT / "benchmarks" / "floor.py"), str(_free_port()), folder]
        with subprocess.Popen(
            command, env=scratch.environment, stdout=subprocess.PIPE, text=True
        ) as process:
            line = process.stdout.readline() if process.stdout else ""
            took = time.perf_counter() - begin
        if "answered" not in line:
            sys.exit("the floor did not answer")
        return took


def measure_latency(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """One caller, warm, one table read a request."""
    with _running(scratch) as (url, token):
        _load(scratch, url, token, 1, 100)
        runs = [_load(scratch, url, token, 1, 300) for _ in range(rounds)]
    p50 = statistics.median(run["p50"] for run in runs)
    p99 = statistics.median(run["p99"] for run in runs)
    yield (
        "warm GET /items/{id}, one caller, p50",
        f"{p50:.1f} ms ({_range(run['p50'] for run in runs)}; p99 {p99:.1f})",
        "<= 6 ms",
        _verdict(p50 <= 6),
    )


def measure_throughput(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """Sixteen callers at once."""
    with _running(scratch) as (url, token):
        _load(scratch, url, token, 16, 800)
        runs = [_load(scratch, url, token, 16, 1600) for _ in range(rounds)]
    rates = [run["per_second"] for run in runs]
    rate = statistics.median(rates)
    errors = sum(run["errors"] for run in runs)
    yield (
        "requests per second, 16 callers",
        f"{rate:.0f} ({min(rates):.0f} to {max(rates):.0f}), {errors:.0f} errors",
        ">= 300, no error",
        _verdict(rate >= 300 and not errors),
    )


def measure_reload(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """A handler saved under `watch`, to the first new answer."""
    handler = scratch.folder / "handlers" / "health.py"
    original = handler.read_text(encoding="utf-8")
    times = []
    with _running(scratch):
        url = f"{scratch.outputs()['apiUrl']}/health"
        watch = subprocess.Popen(
            [sys.executable, "-u", "-m", "sandbox", "watch"],
            cwd=scratch.folder,
            env=scratch.environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            time.sleep(5)
            for turn in range(rounds + 1):
                marker = f"turn-{turn}"
                begin = time.perf_counter()
                handler.write_text(
                    f'{original}\n\ndef handler(event, context):\n    return {{"statusCode": 200, "body": "{marker}"}}\n',
                    encoding="utf-8",
                )
                _until_body(url, marker)
                times.append((time.perf_counter() - begin) * 1000)
                time.sleep(0.5)
        finally:
            watch.terminate()
            watch.wait(20)
            handler.write_text(original, encoding="utf-8")
    middle = statistics.median(times[1:])
    spread = f"{min(times[1:]):.0f} to {max(times[1:]):.0f}"
    yield (
        "handler saved to new answer",
        f"{middle:.0f} ms ({spread})",
        "<= 100 ms",
        _verdict(middle <= 100),
    )


def measure_memory(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """Proportional set size of everything the sandbox runs, ten functions warm and at rest for 5 s (Linux)."""
    del rounds
    if not Path("/proc/self/smaps_rollup").exists():
        yield ("memory with 10 functions warm", "needs Linux", "<= 200 MB", "")
        return
    with _running(scratch):
        for name in list(scratch.outputs()["functions"])[:10]:
            subprocess.run(
                [sys.executable, "-m", "sandbox", "invoke", name],
                cwd=scratch.folder,
                env=scratch.environment,
                capture_output=True,
                check=False,
            )
        time.sleep(5)
        total = sum(_pss(pid) for pid in _processes_under(scratch.folder)) / 1024
    yield (
        "memory with 10 functions warm (PSS), at rest",
        f"{total:.0f} MB",
        "<= 200 MB",
        _verdict(total <= 200),
    )


def measure_mocks(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """A whole process that runs a program of 10, 50, 200 functions on mocks."""
    for count, aim in ((10, 1.0), (50, 1.5), (200, 4.0)):
        times = []
        for _ in range(rounds):
            begin = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "benchmarks.many_functions", str(count)],
                cwd=ROOT,
                env=scratch.environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            times.append(time.perf_counter() - begin)
        middle = statistics.median(times)
        yield (
            f"mocked run, {count} functions",
            f"{middle:.2f} s ({_range(times, 2)})",
            f"<= {aim} s",
            _verdict(middle <= aim),
        )


@contextmanager
def _running(scratch: Scratch) -> Iterator[tuple[str, str]]:
    """A sandbox with one item in it: the item's URL and a token."""
    scratch.sandbox("up")
    try:
        token = scratch.sandbox("token").strip()
        api = scratch.outputs()["apiUrl"]
        request = urllib.request.Request(
            f"{api}/items",
            data=b'{"name": "bench", "price": "1.00"}',
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            item = json.load(answer)
        yield f"{api}/items/{item['id']}", token
    finally:
        scratch.sandbox("down")


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


def _until_body(url: str, wanted: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with urllib.request.urlopen(url, timeout=10) as answer:
            if answer.read().decode() == wanted:
                return
        time.sleep(0.002)
    sys.exit(f"{url} never answered {wanted}")


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _range(values: Iterable[float], digits: int = 1) -> str:
    found = list(values)
    return f"{min(found):.{digits}f} to {max(found):.{digits}f}"


def _verdict(met: bool) -> str:  # noqa: FBT001 (a verdict is one)
    return "met" if met else "missed"


if __name__ == "__main__":
    main()
