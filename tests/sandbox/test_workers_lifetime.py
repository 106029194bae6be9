"""Forked environments are shared out, replaced and ended; nothing runs on after the launcher."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sandbox.workers import nursery, pool
from tests.sandbox.workers_support import ECHO, Launcher, archive, ended

PROCESS = "import os\ndef handler(e, c):\n    return os.getpid()\n"


def test_environment_is_used_again_until_the_function_changes(box: Launcher) -> None:
    name = box.function(PROCESS)
    first = box.invoke(name).ok
    assert box.invoke(name).ok == first
    box.change(name)
    assert box.invoke(name).ok != first
    assert ended(first)


def test_new_code_answers_at_once(box: Launcher) -> None:
    name = box.function("def handler(e, c):\n    return 'old'\n")
    assert box.invoke(name).ok == "old"
    for number in range(3):
        code = archive(app=f"def handler(e, c):\n    return {number}\n")
        box.client("lambda").update_function_code(FunctionName=name, ZipFile=code)
        assert box.invoke(name).ok == number


def test_concurrent_calls_get_environments_of_their_own(box: Launcher, tmp_path: Path) -> None:
    # Each of them waits for all the others.
    source = """
import os, time
def handler(folder, context):
    open(f"{folder}/{os.getpid()}", "w").close()
    while len(os.listdir(folder)) < 12:
        time.sleep(0.02)
    return os.getpid()
"""
    name = box.function(source, Timeout=60)
    with ThreadPoolExecutor(12) as threads:
        processes = list(threads.map(lambda _: box.invoke(name, str(tmp_path)).ok, range(12)))
    assert len(set(processes)) == 12


def test_function_that_calls_itself_does_not_wait_for_itself(box: Launcher) -> None:
    source = """
import boto3, json, os
client = boto3.client("lambda")
def handler(depth, context):
    if depth == 0:
        return 0
    answer = client.invoke(FunctionName=context.function_name, Payload=json.dumps(depth - 1))
    return 1 + json.loads(answer["Payload"].read())
"""
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
    box.client("iam").put_role_policy(
        RoleName="tests",
        PolicyName="invoke",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    assert box.run(source, 6).ok == 6


def test_endless_chain_of_calls_is_stopped_by_the_emulator(box: Launcher) -> None:
    source = """
import boto3, json
client = boto3.client("lambda")
def handler(depth, context):
    answer = client.invoke(FunctionName=context.function_name, Payload=json.dumps(depth + 1))
    body = answer["Payload"].read()
    return json.loads(body) if "FunctionError" not in answer else depth
"""
    test_function_that_calls_itself_does_not_wait_for_itself(box)
    # AWS runs 16 calls of a chain: the sixteenth fails on its own call, the fifteenth reports that.
    assert box.run(source, 1).ok == 15


def test_what_an_environment_started_ends_with_it(box: Launcher) -> None:
    source = """
import os, subprocess, sys
def handler(event, context):
    if event:
        os._exit(1)
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid
"""
    name = box.function(source)
    exited = box.invoke(name).ok
    box.invoke(name, "end")
    assert ended(exited)
    retired = box.invoke(name).ok
    box.change(name)
    assert isinstance(box.invoke(name).ok, int)
    assert ended(retired)


def test_killed_zygote_is_replaced(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path)
    try:
        source = "import os\ndef handler(e, c):\n    return [os.getpid(), os.getppid()]\n"
        name = launcher.function(source)
        first, zygote = launcher.invoke(name).ok
        os.kill(zygote, signal.SIGKILL)
        launcher.change(name)
        second, another = launcher.invoke(name).ok
        assert (second, another) != (first, zygote)
    finally:
        launcher.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_runs_on_after_the_launcher_ended(tmp_path: Path, number: int) -> None:
    tmp = tmp_path / "tmp"
    tmp.mkdir()
    launcher = Launcher(tmp)
    report = tmp_path / "processes"
    source = f"""
import os, time
from pathlib import Path
def handler(event, context):
    if event:
        Path({str(report)!r}).write_text(str(os.getpid()))
        time.sleep(60)
    return [os.getpid(), os.getppid()]
"""
    name = launcher.function(source, Timeout=60)
    processes = launcher.invoke(name).ok
    launcher.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload="1")
    until = time.monotonic() + 5
    while not (report.exists() and report.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    launcher.stop(number)
    busy = int(report.read_text())
    assert all(ended(process) for process in [*processes, busy])
    if number == signal.SIGTERM:
        assert list(tmp.iterdir()) == []


def test_stock_workers_take_over_where_forking_is_not_wanted(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path, SANDBOX_WORKERS="stock")
    try:
        assert launcher.run(ECHO, 5).ok == 5
        assert "SANDBOX_WORKERS=stock" in launcher.log.read_text()
    finally:
        launcher.stop()


class Idle:
    """Stands for an environment."""

    def __init__(self, make: str) -> None:
        self.make = make
        self.last_used = 0.0
        self.closed = False

    def close(self) -> None:
        self.closed = True


def leased(fleet: pool.Fleet, make: str) -> Any:
    environment = fleet.lease(make)
    if environment is not None:
        return environment
    with fleet.starting():
        return Idle(make)


def test_surplus_environments_go_first_and_the_last_one_much_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(pool.time, "monotonic", lambda: clock[0])
    fleet = pool.Fleet(("arn", "1"))
    both = [leased(fleet, "a"), leased(fleet, "a")]
    for environment in both:
        fleet.release(environment)
    clock[0] += pool.SURPLUS_SECONDS + 1
    fleet.trim(keep_last=True)
    assert [environment.closed for environment in both] == [True, False]
    fleet.trim(keep_last=False)
    assert both[1].closed


def test_environment_of_an_older_make_is_closed_when_it_comes_back() -> None:
    fleet = pool.Fleet(("arn", "1"))
    old = leased(fleet, "old")
    new = leased(fleet, "new")
    fleet.release(old)
    fleet.release(new)
    assert old.closed
    assert not new.closed
    assert fleet.lease("new") is new


def test_call_waits_a_moment_for_an_environment_and_then_starts_one() -> None:
    fleet = pool.Fleet(("arn", "1"))
    for _ in range(pool.EAGER):
        leased(fleet, "a")
    started = time.monotonic()
    assert fleet.lease("a") is None
    assert time.monotonic() - started >= pool.PATIENCE_SECONDS * 0.9


def test_calls_of_a_crowd_are_served_by_those_that_run_while_one_more_starts() -> None:
    fleet = pool.Fleet(("arn", "1"))
    busy = [leased(fleet, "a") for _ in range(pool.EAGER)]
    assert fleet.lease("a") is None
    with ThreadPoolExecutor(1) as others, fleet.starting():
        waiting = others.submit(fleet.lease, "a")
        with pytest.raises(TimeoutError):
            waiting.result(pool.PATIENCE_SECONDS * 3)
        fleet.release(busy[0])
        assert waiting.result(5) is busy[0]


@pytest.mark.parametrize(("holder", "name"), [(nursery.os, "fork"), (nursery.socket, "send_fds")])
def test_missing_system_call_is_a_reason(
    monkeypatch: pytest.MonkeyPatch, holder: Any, name: str
) -> None:
    assert nursery.unavailable() is None
    monkeypatch.delattr(holder, name)
    assert nursery.unavailable() == f"this Python has no {holder.__name__}.{name}"
