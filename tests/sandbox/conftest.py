"""What many tests of the sandbox need: clients of the one emulator, functions in it, and a launcher of our own workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.functions_support import builder
from tests.sandbox.services_support import Made, clients
from tests.sandbox.workers_support import Launcher


@pytest.fixture(scope="session")
def aws() -> Any:
    """Makes a boto3 client of the emulator by its service's name, e.g. `aws("lambda")`."""
    return clients().client


@pytest.fixture
def function() -> Iterator[Callable[..., Made]]:
    """Makes published functions, which go with the test."""
    yield from builder()


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """A running `sandbox.launcher`; each function in it has a name of its own."""
    launcher = Launcher(tmp_path_factory.mktemp("launcher"))
    yield launcher
    launcher.stop()
