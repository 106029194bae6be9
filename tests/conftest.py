"""One program run per stack, shared by all tests."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Generator

import pytest

from sandbox.box import Box
from tests.support.program import ROOT, Run, run_stack

STACKS = ("dev", "staging", "prod")


@functools.cache
def _shared_run(stack: str) -> Run:
    return run_stack(stack)


@pytest.fixture(scope="session")
def runs() -> Callable[[str], Run]:
    """The mocked run of a stack by its name, e.g. `runs("dev")`."""
    return _shared_run


@pytest.fixture(scope="session", params=STACKS)
def run(request: pytest.FixtureRequest) -> Run:
    """The mocked run of each shipped stack in turn."""
    return _shared_run(request.param)


@pytest.fixture(scope="session")
def dev() -> Run:
    """The mocked run of the dev stack."""
    return _shared_run("dev")


@pytest.fixture(scope="session")
def prod() -> Run:
    """The mocked run of the prod stack."""
    return _shared_run("prod")


LONGEST = (
    "application/test_load.py",
    "application/test_faults.py",
    "application/test_events_queues.py",
    "tools/test_documented_commands.py",
    "application/test_hostile_described.py",
    "policies/test_granted_actions.py",
    "application/test_parallel_updates.py",
    "application/test_observability_alarms.py",
)
"""Files that keep a process busy longest: begun last, they would leave the others idle."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, each with its tests in the order that was drawn."""
    rank = {str(ROOT / "tests" / file): place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(str(item.path), len(LONGEST)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed with a sandbox tells what the functions logged meanwhile: it may not fail a second time.

    Half of a surrogate pair, which some tests log, cannot be sent from one test process to another.
    """
    report = yield
    box = getattr(item, "funcargs", {}).get("box")
    if report.failed and isinstance(box, Box):
        report.sections.append(("What the functions logged", _logged(box, call.start)))
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


def _logged(box: Box, since: float) -> str:
    """The last lines since a moment that are more than INFO; `since` in seconds since the epoch."""
    try:
        lines = [
            f"{name}: {line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)}"
            for name in box.outputs["functions"]
            for line in box.logs(name, since - 1)
            if not (isinstance(line, dict) and line.get("level") in {"DEBUG", "INFO"})
        ]
    except Exception as error:  # noqa: BLE001 the failure of the test itself is what is looked for
        return f"could not be read after {time.time() - since:.1f} s: {error!r}"
    return "\n".join(lines[-60:])
