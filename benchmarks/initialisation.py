"""What a cold start costs before the first event: the shipped POST /items beside two anchors, in turns.

The shipped handler has the files of its archive and its built layer. Each round is a fresh interpreter that sees what
Lambda's would: the code and its layers without bytecode (nobody can write there), and boto3 with it.
"""

from __future__ import annotations

import importlib.util
import shutil
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.scratch import ROOT, Row, Scratch, spread, verdict
from builders import elf, wheels

SHIPPED = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
TYPICAL = ("aws-lambda-powertools[all]==3.37.0", "pydantic==2.14.3")
ARCHITECTURE = elf.here() or "x86_64"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"

START = """
import sys, time
sys.dont_write_bytecode = True
sys.path[:0] = sys.argv[2:]
__import__(sys.argv[1])
print(time.process_time() * 1000)
"""

TRACING = """
import sys, time
sys.dont_write_bytecode = True
sys.path[:0] = sys.argv[2:]
import botocore.session  # whose calls are traced
from common import http, aws  # and what a function has anyway
begun = time.process_time()
exec(sys.argv[1])
print((time.process_time() - begun) * 1000)
"""
OURS = "from common import segments, segments_aws"
THEIRS = "from aws_xray_sdk.core import patch; patch(['botocore'])"

VARIABLES = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-west-2",
    "AWS_REGION": "us-west-2",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_LOG_LEVEL": "INFO",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    "AWS_XRAY_SDK_ENABLED": "true",
    "ITEMS_TABLE": "items",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LOG_LEVEL": "INFO",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "SERVICE_NAME": "bench",
}


def initialisation(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """Processor time from an interpreter's start to the end of a handler's import."""
    runtime = _runtime(scratch.folder / "runtime")
    ours = _shipped(scratch.folder / "shipped")
    typical = _typical(scratch.folder / "typical")
    bare = ROOT / "benchmarks" / "anchors"
    runs: dict[str, list[float]] = {"shipped": [], "typical": [], "bare": []}
    for _ in range(max(rounds, 9)):
        runs["shipped"].append(_start("create_item", *ours, runtime))
        runs["typical"].append(_start("typical", bare, typical, runtime))
        runs["bare"].append(_start("bare", bare))
    middle = {name: statistics.median(times) for name, times in runs.items()}
    yield ("initialisation, standard library only", _said(runs["bare"]), "", "")
    yield ("initialisation, Powertools + pydantic + boto3 resource", _said(runs["typical"]), "", "")
    share, times = middle["shipped"] / middle["typical"], middle["shipped"] / middle["bare"]
    yield (
        "initialisation, shipped POST /items",
        f"{_said(runs['shipped'])} = {share:.2f} x the usual, {times:.1f} x the bare one",
        "<= 0.3 x the usual, <= 3 x the bare one",
        verdict(share <= 0.3 and times <= 3),
    )
    yield from _tracing(ours[0], typical, runtime, rounds=max(rounds, 9))


def _tracing(code: Path, typical: Path, runtime: Path, *, rounds: int) -> Iterator[Row]:
    """What an environment pays once, at its first sampled invocation, to trace calls of AWS."""
    runs: dict[str, list[float]] = {OURS: [], THEIRS: []}
    for _ in range(rounds):
        for script, times in runs.items():
            # Only the SDK needs the folder of the usual packages; what they bring of botocore stays behind Lambda's.
            times.append(_start(script, code, runtime, typical, program=TRACING))
    yield ("tracing, AWS X-Ray SDK", _said(runs[THEIRS]), "", "")
    share = statistics.median(runs[OURS]) / statistics.median(runs[THEIRS])
    yield (
        "tracing, as shipped",
        f"{_said(runs[OURS])} = {share:.2f} x the SDK",
        "<= 0.2 x the SDK",
        verdict(share <= 0.2),
    )


def _said(times: list[float]) -> str:
    return f"{statistics.median(times):.0f} ms of processor time ({spread(times, 0)})"


def _start(module: str, *path: Path, program: str = START) -> float:
    """Milliseconds of processor time of a fresh interpreter that imports one module, or runs another program."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, module, *map(str, path)],
        env=VARIABLES,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{module}: {done.stderr.strip()}")
    return float(done.stdout.splitlines()[-1])


def _runtime(folder: Path) -> Path:
    """The packages of Lambda's Python, bytecode included, and no others."""
    folder.mkdir()
    for name in SHIPPED:
        spec = importlib.util.find_spec(name)
        origin = Path(str(spec.origin if spec else ""))
        place = origin.parent if origin.name == "__init__.py" else origin
        (folder / place.name).symlink_to(place)
    return folder


def _shipped(folder: Path) -> tuple[Path, Path]:
    """The function's code and its layer, as they would be unpacked in Lambda."""
    code, opt = folder / "task", folder / "opt"
    shutil.copytree(ROOT / "handlers" / "common", code / "common", ignore=_litter)
    shutil.copy2(ROOT / "handlers" / "create_item.py", code)
    archive = folder / "common.zip"
    lock = ROOT / "layers" / "common" / "requirements.txt"
    wheels.build(lock, archive, runtime=RUNTIME, architecture=ARCHITECTURE)
    with zipfile.ZipFile(archive) as held:
        held.extractall(opt)
    return code, opt / "python"


def _typical(folder: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-compile",
        "--target",
        folder,
    ]
    subprocess.run(
        [*map(str, command), "--disable-pip-version-check", *TYPICAL],
        check=True,
        stderr=subprocess.DEVNULL,  # pip warns of the environment here, into which nothing goes
    )
    # Powertools' extras bring a botocore of their own along, as they do in the packages of most samples.
    return folder


_litter = shutil.ignore_patterns("__pycache__")
