"""MiniStack with the sandbox's changes: `python -m sandbox.launcher`, set up by environment only.

It takes the variables that MiniStack takes (GATEWAY_PORT, BIND_HOST, AUTH ...). SANDBOX_WORKERS=stock
leaves MiniStack's own Lambda workers in place.
"""

import atexit
import gc
import importlib
import logging
import os
import sys
from types import ModuleType

from sandbox.workers import memory
from sandbox.workers.nursery import Nursery, unavailable

SWITCH_SECONDS = 0.001
"""How long a thread may keep the interpreter: the event loop is busy while answers come in."""

logger = logging.getLogger("sandbox.workers")


def main() -> None:
    """Place the seams, start the process that forks environments, and serve until terminated."""
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    memory.limit()
    reason = unavailable()
    nursery = Nursery() if reason is None else None
    _install(nursery)
    # MiniStack reads its variables on import, hence here.
    from ministack import app

    if nursery is None:
        logger.warning("Lambda functions run in MiniStack's own, slower workers: %s", reason)
    else:
        # Not before: whoever waits for the emulator's port needs the processor more.
        nursery.start()
    # Measured together, these two are worth a tenth of the throughput with 16 callers.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    sys.setswitchinterval(SWITCH_SECONDS)
    sys.argv = ["ministack"]
    app.main()


def _install(nursery: Nursery | None) -> None:
    from sandbox.workers import seams

    changes = [seam for room in _rooms() for seam in room.seams()]
    if nursery is not None:
        from sandbox.workers import worker_seams
        from sandbox.workers.archives import Archives
        from sandbox.workers.pool import Pool

        archives = Archives()
        atexit.register(archives.remove)
        changes += worker_seams.seams(Pool(nursery, archives))
    seams.install(changes)


def _rooms() -> list[ModuleType]:
    """The modules with seams. The order matters where two change one spot: a later one goes around an earlier one.

    Those of REST calls come before `gateway_seams`, which goes around one of them without naming it.
    """
    names = (
        *("alarm", "metric", "lambda", "custom", "alias", "async", "rest_call", "rest_template"),
        *("gateway", "rest_access", "url", "http_api", "socket", "iam", "clock", "model"),
        *("transport", "graphql", "matching", "reference", "stream", "topic", "bus", "mapping"),
        *("queue", "subscription", "measure", "insights", "front", "table", "trigger", "mail"),
        *("schedule", "iot", "trace", "visit"),
    )
    return [importlib.import_module(f"sandbox.workers.{name}_seams") for name in names]


if __name__ == "__main__":
    main()
