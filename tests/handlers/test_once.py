"""Work is done once for a key, whoever asks how often."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from common import aws as common_aws
from common import once, queues
from tests.handlers.conftest import Context
from tests.handlers.fakes import AwsError
from tests.handlers.order_world import ENVIRONMENT, World


class Crash(BaseException):
    """The process ends here."""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(common_aws, "client", lambda service, **_: made.aws.client(service))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    once._store.cache_clear()
    return made


def test_work_is_done_once_for_a_key_and_its_result_is_kept(world: World) -> None:
    done: list[str] = []

    def work() -> dict[str, int]:
        done.append("x")
        return {"n": len(done)}

    for key in ("a#1", "a#1", "b#1", "a#2"):
        once.run(key, work, context=Context(30))
    assert once.run("a#1", work, context=Context(30)) == {"n": 1}
    assert len(done) == 3


def test_a_result_of_none_is_kept_too(world: World) -> None:
    done: list[str] = []
    for _ in range(3):
        assert once.run("a#1", lambda: done.append("x"), context=Context(30)) is None
    assert done == ["x"]


def test_what_is_kept_tells_nothing_of_the_key_and_goes_after_the_longest_wait(
    world: World,
) -> None:
    once.run("a#canary", lambda: None, context=Context(30))
    ((key, row),) = world.tables.rows["state"].items()
    assert key.startswith("once#")
    assert len(key) == len("once#") + 64
    assert "canary" not in json.dumps(row)
    assert abs(int(row["expiresAt"]["N"]) - time.time() - 14 * 86_400) < 5


def test_work_that_failed_is_done_again_at_once(world: World) -> None:
    with pytest.raises(KeyError):
        once.run("a#1", lambda: {}["x"], context=Context(30))
    assert once.run("a#1", lambda: 7, context=Context(30)) == 7


def test_while_somebody_is_at_it_nobody_else_is_until_their_invocation_has_ended(
    world: World,
) -> None:
    def crash() -> None:
        raise Crash

    with pytest.raises(Crash):
        once.run("a#1", crash, context=Context(0.2))
    with pytest.raises(queues.Later):
        once.run("a#1", lambda: 7, context=Context(30))
    time.sleep(0.25)
    assert once.run("a#1", lambda: 7, context=Context(30)) == 7


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
def test_trouble_with_the_table_is_what_it_is(world: World, operation: str) -> None:
    world.aws.fail(operation, AwsError("ProvisionedThroughputExceededException"))
    with pytest.raises(Exception, match="Provisioned") as raised:
        once.run("a#1", lambda: None, context=Context(30))
    assert common_aws.is_temporary(raised.value)


def test_the_library_is_imported_by_those_who_use_it_only() -> None:
    handlers = Path(__file__).parents[2] / "handlers"
    probe = (
        "import sys; from common import once; once.prepare(); "
        "print('aws_lambda_powertools' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(handlers)}
    done = subprocess.run(
        [sys.executable, "-c", probe], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_outcomes_are_in_order_and_none_ends_the_others() -> None:
    def work(number: int) -> Any:
        if number % 3 == 0:
            raise ValueError(number)
        return number * 2

    outcomes = queues.at_once(work, range(30))
    for number, outcome in enumerate(outcomes):
        if number % 3 == 0:
            assert isinstance(outcome, ValueError)
        else:
            assert outcome == number * 2
    assert queues.at_once(work, []) == []
