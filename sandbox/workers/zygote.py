"""The process that preloads boto3 and forks execution environments.

Run as `python -I -S zygote.py DESCRIPTOR SITE`: isolated and without site-packages, so that a
handler sees the standard library, its own code and layers, and the packages that AWS's Python
runtime ships, nothing else of this machine. One thread only: a fork then copies a quiet process.
"""

import contextlib
import gc
import importlib.machinery
import json
import os
import signal
import socket
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


class RuntimePackages:
    """An import finder for the packages of AWS's runtime; asked last, so bundled copies win."""

    def __init__(self, site: str, names: frozenset[str]) -> None:
        self._site = [site]
        self._names = names

    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a top-level runtime package in the emulator's site-packages."""
        if path is None and name in self._names:
            return importlib.machinery.PathFinder.find_spec(name, self._site, target)
        return None


class Zygote:
    """The loop that forks: one order in, one child out, one report per child that ended."""

    def __init__(self, control: socket.socket, preloaded: frozenset[str]) -> None:
        from sandbox.workers import runtime, wire

        self._wire = wire
        self._runtime = runtime
        self._stream = wire.Stream(control)
        self._preloaded = preloaded
        self._children: set[int] = set()
        self.filling: list[bytes] = []

    def run(self) -> None:
        """Fork on request until the emulator is gone, then end every environment."""
        signal.signal(signal.SIGCHLD, self._collect)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            self._stream.send(self._wire.READY)
            while True:
                self._fork(*self._stream.receive_with_descriptors())
        except (self._wire.ClosedError, ConnectionError):
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for child in self._children:
                _end_group(child)

    def _fork(self, payload: bytes, descriptors: list[int]) -> None:
        # A child that ended before it is noted would stay in the set for ever.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = self._grow_up(payload, descriptors)
            finally:
                os._exit(code)
        self._children.add(child)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        for descriptor in descriptors:
            os.close(descriptor)

    def _grow_up(self, payload: bytes, descriptors: list[int]) -> int:
        self._runtime.become_leader()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        self._stream.close()
        data, log = descriptors
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        stream = self._wire.Stream(socket.socket(fileno=data))
        stream.send(self._wire.BORN, number=os.getpid())
        return self._runtime.Environment(stream, json.loads(payload), self._preloaded).live()

    def _collect(self, *_: object) -> None:
        """Reap ended children, end what they left running, and tell the emulator how they went."""
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            self._children.discard(child)
            _end_group(child)
            report = self._wire.dump([child, os.waitstatus_to_exitcode(status)])
            with contextlib.suppress(self._wire.ClosedError):
                self._stream.send(self._wire.EXIT, report)


def _end_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def main() -> None:
    """Preload, hide every trace of the sandbox from handlers, and serve orders."""
    control, site = int(sys.argv[1]), sys.argv[2]
    root = str(Path(__file__).resolve().parents[2])
    sys.path.insert(0, root)
    from sandbox.workers import borders, preload, runtime

    sys.path.remove(root)
    gc.disable()
    before = set(sys.modules)
    sys.meta_path.append(RuntimePackages(site, runtime.PACKAGES))
    preload.preload()
    if not borders.is_open():
        borders.shut()
    # Top-level names only: an environment that looked at each module's name would copy its page.
    preloaded = frozenset(name.partition(".")[0] for name in set(sys.modules) - before)
    zygote = Zygote(socket.socket(fileno=control), preloaded)
    for name in [name for name in sys.modules if name.partition(".")[0] == "sandbox"]:
        del sys.modules[name]
    zygote.filling = preload.fill_holes()
    gc.freeze()
    zygote.run()


if __name__ == "__main__":
    main()
