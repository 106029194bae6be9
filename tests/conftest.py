"""One program run per stack, shared by all tests."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator

import pytest

from tests.support.program import Run, run_stack

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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Half of a surrogate pair, which some tests log, cannot be sent from one test process to another."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report
