"""How long it takes until something answers: the sandbox's start, a saved handler, a mocked run."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator

from benchmarks.scratch import ROOT, Row, Scratch, running, spread, verdict


def start(scratch: Scratch, rounds: int) -> Iterator[Row]:
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
        verdict(up <= 2 * bare and up < 3),
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


def reload(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """A handler saved under `watch`, to the first new answer."""
    handler = scratch.folder / "handlers" / "health.py"
    original = handler.read_text(encoding="utf-8")
    times = []
    with running(scratch):
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
    yield (
        "handler saved to new answer",
        f"{middle:.0f} ms ({spread(times[1:], 0)})",
        "<= 100 ms",
        verdict(middle <= 100),
    )


def mocks(scratch: Scratch, rounds: int) -> Iterator[Row]:
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
            f"{middle:.2f} s ({spread(times, 2)})",
            f"<= {aim} s",
            verdict(middle <= aim),
        )


def _until_body(url: str, wanted: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with urllib.request.urlopen(url, timeout=10) as answer:
            if answer.read().decode() == wanted:
                return
        time.sleep(0.002)
    sys.exit(f"{url} never answered {wanted}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
