"""One run of a Pulumi program in this process: isolated, repeatable, its files read anew where they changed."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import importlib
import itertools
import linecache
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_in_stack

from sandbox import lean, quick
from sandbox.apply import Engine, Stopped
from sandbox.faults import in_program, refused
from sandbox.monitor import Log, Monitor
from sandbox.stack import Stack

_WORKERS: Final = 16
"""Registrations under way at once; Pulumi's default depends on the machine."""

_RUNS_BETWEEN: Final = 3
"""Runs between two looks for garbage, where one process has many: each leaves about 90 MB."""

_runs: Final = itertools.count(1)

_turn: Final = threading.Lock()
"""Pulumi's settings, `sys.modules` and `__main__` are the process's: one program at a time."""

_seen: Final[dict[str, tuple[int, int]]] = {}
"""Time and size of each file of the program when it was imported."""


@dataclass
class Run:
    """What one run of the program left.

    `faults`: lines for the user where the program itself failed. `declared`: every registration as plain data.
    """

    exports: dict[str, Any] = field(default_factory=dict)
    secret_exports: frozenset[str] = frozenset()
    declared: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def run(root: Path, stack: Stack, engine: Engine, say: Callable[[str], object]) -> Run:
    """Run `__main__.py` of `root` on the engine, as `pulumi up` would; never raises for the program's mistakes."""
    monitor = Monitor(engine, root, stack.project, stack.name)
    faults: list[str] = []
    with _turn, lean.provider(), quick.sdk(root), _imports(root), _no_collection():
        try:
            contextvars.copy_context().run(_in_context, root, stack, monitor, say)
        except Stopped:
            pass
        except pulumi.RunError as error:
            faults = refused(error, root)
        except SystemExit as error:
            faults = [f"__main__.py: the program called exit({error.code})"] if error.code else []
        except Exception as error:  # noqa: BLE001 whatever the program raises is shown as its own fault
            stopped = engine.failures or engine.restart
            faults = [] if stopped else in_program(error, root)
    return Run(monitor.exports, monitor.secret_exports, monitor.declared, faults)


def _in_context(root: Path, stack: Stack, monitor: Monitor, say: Callable[[str], object]) -> None:
    """The order of these steps matters: the loop before the mocks, the shared settings after them."""
    loop = _silent_loop()
    loops: list[asyncio.AbstractEventLoop] = []
    pool = ThreadPoolExecutor(_WORKERS, initializer=lambda: _own_loop(loops))
    asyncio.set_event_loop(loop)
    loop.set_default_executor(pool)
    pulumi.runtime.set_all_config(dict(stack.config), [])
    mocks.set_mocks(
        monitor.mocks, project=stack.project, stack=stack.name, preview=False, monitor=monitor
    )
    settings.set_root_resource(None)  # run_in_stack makes and finishes the stack itself
    settings.SETTINGS.engine = Log(say)
    settings.SETTINGS.outputs, settings.SETTINGS.lock = set(), threading.Lock()
    settings.SETTINGS.package_refs = {}
    settings.SETTINGS.root_directory = str(root)
    try:
        loop.run_until_complete(run_in_stack(lambda: _execute(root)))
    finally:
        _wind_up(loop, pool)
        for other in loops:
            other.close()
        asyncio.set_event_loop(None)
        loop.close()


def _own_loop(loops: list[asyncio.AbstractEventLoop]) -> None:
    loops.append(_silent_loop())
    asyncio.set_event_loop(loops[-1])


def _silent_loop() -> asyncio.AbstractEventLoop:
    """A loop that does not print what became of futures nobody waited for: the engine knows the failures."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)
    return loop


def _wind_up(loop: asyncio.AbstractEventLoop, pool: ThreadPoolExecutor) -> None:
    """Let registrations under way end, so that nothing made goes unrecorded, then drop what waited for them."""
    pool.shutdown(wait=True, cancel_futures=True)
    waiting = asyncio.all_tasks(loop)
    for task in waiting:
        task.cancel()
    if waiting:
        loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))


def _execute(root: Path) -> None:
    """Run the program's file as the module `__main__`, in a namespace of its own."""
    path = root / "__main__.py"
    module = types.ModuleType("__main__")
    module.__file__ = str(path)
    code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    previous = sys.modules.get("__main__")
    sys.modules["__main__"] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 running the user's program is the purpose
    finally:
        if previous is not None:
            sys.modules["__main__"] = previous


@contextmanager
def _imports(root: Path) -> Iterator[None]:
    """The program's folder is the current one and comes first on the path, as under `pulumi up`.

    Its changed modules are imported anew.
    """
    own, before = str(root), Path.cwd()
    _forget_changed(root)
    os.chdir(root)
    sys.path.insert(0, own)
    try:
        yield
    finally:
        sys.path.remove(own)
        os.chdir(before)
        _seen.update(_stamps(root))


def _forget_changed(root: Path) -> None:
    """Forget the program's modules where one of them changed, and namesakes from another program's folder."""
    stamps = _stamps(root)
    changed = any(_seen.get(file, stamp) != stamp for file, stamp in stamps.items())
    mine = {path.stem for path in root.glob("*.py")} | {
        path.parent.name for path in root.glob("*/*.py")
    }
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not file or name.partition(".")[0] not in mine or not _of_a_program(name):
            continue
        if changed or not Path(file).is_relative_to(root):
            del sys.modules[name]
    importlib.invalidate_caches()
    linecache.checkcache()


def _stamps(root: Path) -> Mapping[str, tuple[int, int]]:
    stamps = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if (
            file
            and _of_a_program(name)
            and file.startswith(f"{root}/")
            and "site-packages" not in file
        ):
            status = Path(file).stat() if Path(file).exists() else None
            stamps[file] = (status.st_mtime_ns, status.st_size) if status else (0, 0)
    return stamps


def _of_a_program(name: str) -> bool:
    """Whether a module may be the program's: never the sandbox, the tests or what runs this process."""
    return name.partition(".")[0] not in ("__main__", "sandbox", "tests", "conftest", "policies")


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the collector quiet: nearly everything a run makes lives to its end; looking for garbage costs a fifth.

    What is left of a run would at once be gone through as young. It is put among the old instead, and looked through
    with that of the next runs.
    """
    was_on = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        if was_on:
            if next(_runs) % _RUNS_BETWEEN == 0:
                gc.collect()
            gc.enable()
