"""A mocked run of a program with N functions, each with its seven registrations: python -m benchmarks.many_functions N"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from components.function import ServerlessFunction
from components.keys import DataKey
from components.messaging import Queue
from components.packaging import Handlers
from components.place import Place
from components.tables import Table
from settings import DataSettings, FunctionSettings
from tests.support.program import Run, run_program


def declare(count: int, handlers: Path) -> None:
    """The program: one table, and `count` functions that read it."""
    place = Place.current(project="sandpiper", stack="bench")
    data = DataSettings()
    key = DataKey("data", settings=data, place=place)
    failures = Queue("failures", encryption=key)
    table = Table("items", settings=data, encryption=key, key="id")
    packed = Handlers(handlers)
    for number in range(count):
        ServerlessFunction(
            f"function-{number}",
            settings=FunctionSettings(),
            code=packed.code(f"function-{number}"),
            grants=[table.get()],
            failures=failures,
            encryption=key,
            place=place,
        )


def run(count: int) -> Run:
    """Run it once in this process."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            Path(folder, f"function_{number}.py").write_text("def handler(event, context): ...\n")
        return run_program(lambda: declare(count, Path(folder)), config={})


if __name__ == "__main__":
    print(len(run(int(sys.argv[1])).resources))
