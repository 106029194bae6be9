"""One `up`, whoever asks for it: the command, the watcher or a test."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sandbox import emulator as emulators
from sandbox import seed as seeds
from sandbox.emulator import Emulator
from sandbox.place import Place

if TYPE_CHECKING:
    from sandbox.apply import Engine, Registration
    from sandbox.clients import Clients
    from sandbox.stack import Stack
    from sandbox.state import State


_LONG_SECONDS: Final = 1.5
"""What is under way after two such spans without any progress is named to the user."""


@dataclass
class Outcome:
    """What one `up` did.

    `exports`: the stack's outputs, secrets in clear. `declared`: every registration as plain data. `restarts`: why
    the sandbox was started over, if it was. `failures`: lines for the user; empty where all went well. `remarks`: what
    is to be said of the stack's files.
    """

    emulator: Emulator
    engine: Engine
    exports: dict[str, Any]
    declared: list[dict[str, Any]]
    restarts: list[str]
    failures: list[str]
    remarks: Sequence[str] = ()


@dataclass
class Session:
    """A sandbox of one stack that can be brought up again and again.

    `say` prints a line, `progress` gets each resource as it is done, `stable` asks for the checkout's own port,
    `strict` makes an input that nobody reads an error, `leashed` ends the emulator with this process. `minute`: seconds
    that a minute of CloudWatch is to last; None keeps what runs, 60 in a fresh one.
    """

    place: Place
    port: int | None = None
    stable: bool = True
    strict: bool = False
    leashed: bool = False
    minute: float | None = None
    say: Callable[[str], object] = print
    progress: Callable[[str, Registration], object] = lambda _what, _registration: None
    _restarts: list[str] = field(default_factory=list)
    _saved: int = 0
    _last_port: int | None = None
    _last_minute: float = emulators.MINUTE
    _aws: Clients | None = None

    def up(self, stack: Stack) -> Outcome:
        """Start the sandbox where it does not run, and apply the program.

        Raises `Mistake` where the sandbox itself cannot start; failures of resources are in the outcome.
        """
        for line in stack.remarks:
            self.say(line)
        with self.place.locked(self._waiting):
            self._restarts = []
            emulator = self._existing(stack) or self._start(stack)
            outcome = self._apply(stack, emulator)
            if reason := outcome.engine.restart:
                self._stop(outcome.emulator, reason)
                outcome = self._apply(stack, self._start(stack))
            return outcome

    def down(self) -> bool:
        """End the sandbox and remove all it left; False where nothing ran."""
        if not self.place.folder.exists():
            return False
        with self.place.locked(self._waiting):
            found = emulators.recorded(self.place)
            if found is not None:
                emulators.stop(found, self.place)
            self.place.clear()
        return found is not None

    def holding(self) -> AbstractContextManager[None]:
        """The stack's lock, for a change outside of `up`."""
        return self.place.locked(self._waiting)

    def in_step(self) -> bool:
        """Whether the state file is still the one that this session wrote last."""
        return self._stamp() == self._saved

    def save(self, state: State) -> None:
        """Write the state file."""
        state.save(self.place.state)
        self._saved = self._stamp()

    def _stamp(self) -> int:
        return self.place.state.stat().st_mtime_ns if self.place.state.exists() else 0

    def _waiting(self) -> None:
        self.say(f"another command works on stack {self.place.stack}: waiting for it")

    def _existing(self, stack: Stack) -> Emulator | None:
        """The running emulator where it can be kept; else it is ended, with a word."""
        found = emulators.recorded(self.place)
        if found is None:
            return None
        if not found.alive:
            self._stop(found, "the emulator that ran here before has ended")
        elif not self.place.state.exists():
            self._stop(found, "the last run was cut off")
        elif self.port is not None and self.port != found.port:
            emulators.free(self.port)  # before anything is ended
            self._stop(found, f"it runs on port {found.port}, {self.port} is asked for")
        elif found.region != stack.region:
            self._stop(found, f"it runs in {found.region}, the stack now names {stack.region}")
        elif self.minute not in (None, found.minute):
            self._stop(found, f"a minute of its alarms lasts {found.minute:g} s")
        elif found.lacks_node:
            self._stop(found, "Node.js was installed")
        else:
            return found
        return None

    def _stop(self, emulator: Emulator, reason: str) -> None:
        self._restarts.append(reason)
        self._last_port = emulator.port
        self._last_minute = emulator.minute
        self.say(f"starting over: {reason}")
        emulators.stop(emulator, self.place)

    def _start(self, stack: Stack) -> Emulator:
        return emulators.start(
            self.place,
            region=stack.region,
            port=self.port,
            last_port=self._last_port,
            stable=self.stable,
            leashed=self.leashed,
            minute=self._last_minute if self.minute is None else self.minute,
        )

    def _apply(self, stack: Stack, emulator: Emulator) -> Outcome:
        emulator, aws, state, booting = self._open(stack, emulator)
        from sandbox import program
        from sandbox.apply import Engine
        from sandbox.secrecy import HIDDEN

        engine = Engine(aws, state, self.strict, self.progress)
        state.busy = True
        self.save(state)
        try:
            with _patience(engine, self.say):
                run = program.run(self.place.root, stack, engine, self.say)
            if not (run.faults or engine.failures or engine.restart):
                engine.finish()
                state.exports = {**run.exports, **dict.fromkeys(run.secret_exports, HIDDEN)}
        finally:
            state.busy = False
            self.save(state)
            if engine.traces:
                self.place.trace.write_text("\n".join(engine.traces), "utf-8")
        # Where the emulator did not start, that is what failed, not the first resource.
        booting.seed()
        failures = run.faults + engine.failures
        return Outcome(
            emulator, engine, run.exports, run.declared, self._restarts, failures, stack.remarks
        )

    def _open(self, stack: Stack, emulator: Emulator) -> tuple[Emulator, Clients, State, _Booting]:
        """Clients and state of the emulator once it answers; a foreign or half-applied one is replaced.

        The program's imports take longer than the emulator's start: they run side by side, and with a fresh emulator
        the program begins before it answers.
        """
        booting = _Booting(emulator, self.place)
        from sandbox import program, randomness, services, state  # noqa: F401 the types register themselves
        from sandbox.clients import Clients

        if booting.fresh:
            self._aws = Clients(emulator.endpoint, emulator.region, booting=booting.fresh_seed)
            return emulator, self._aws, state.State.load(self.place.state, emulator.id), booting
        seed = booting.seed()
        found = state.State.load(self.place.state, emulator.id)
        if seed is None or found.busy:
            self._stop(
                emulator,
                "the last run was cut off" if found.busy else "the emulator was reset from outside",
            )
            return self._open(stack, self._start(stack))
        if self._aws is None or self._aws.endpoint != emulator.endpoint or self._aws.seed != seed:
            self._aws = Clients(emulator.endpoint, emulator.region, seed=seed)
        return emulator, self._aws, found, booting


@contextmanager
def _patience(engine: Engine, say: Callable[[str], object]) -> Iterator[None]:
    """Name what takes long (the first build of a layer installs packages), each resource once."""
    done, named = threading.Event(), set[str]()

    def wait() -> None:
        before = -1
        while not done.wait(_LONG_SECONDS):
            count = sum(engine.counts.values())
            for urn, wanted in list(engine.under_way.items()) if count == before else ():
                if urn not in named:
                    named.add(urn)
                    say(f"still making {wanted.title}")
            before = count

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _Booting:
    """Waits for the emulator and plants or fetches its seed in a thread, while the caller goes on."""

    def __init__(self, emulator: Emulator, place: Place) -> None:
        self._emulator, self._place = emulator, place
        self.fresh = not place.state.exists()
        self._seed = secrets.token_bytes(seeds.BYTES) if self.fresh else None
        self._error: Exception | None = None
        self._answers = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def seed(self) -> bytes | None:
        """The seed; None where the emulator does not hold ours. Raises `Mistake` where it does not start."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._seed

    def fresh_seed(self) -> bytes:
        """The seed of a fresh emulator as soon as that answers, planted or not. Raises as `seed` does."""
        self._answers.wait()
        return self._seed or self.seed() or b""

    def _run(self) -> None:
        try:
            emulators.wait(self._emulator, self._place)
            if self._seed is None:
                self._seed = seeds.find(self._emulator)
            else:
                self._answers.set()
                seeds.plant(self._emulator, self._seed)
        except Exception as error:  # noqa: BLE001 handed to the thread that asked
            self._error, self._seed = error, None
        finally:
            self._answers.set()
