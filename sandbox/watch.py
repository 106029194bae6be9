"""`watch`: handler logs stream by, a saved handler is swapped in place, a saved program is applied."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from sandbox import closing, described, faults, functions, swap, syntax
from sandbox.apply import Engine, Registration
from sandbox.errors import Mistake
from sandbox.screen import Screen
from sandbox.session import Outcome, Session
from sandbox.stack import Stack
from sandbox.values import asset_paths

_STEP_MS: Final = 5
"""How long the watcher waits for one more change of the same save."""

_QUIET_SECONDS: Final = 0.7
"""After a swap the program is run once more, as soon as nothing was saved for this long: its exports name versions."""

_LOG_SECONDS: Final = 0.3
_SKIPPED: Final = {
    "sandbox",
    "tests",
    "docs",
    "benchmarks",
    "tools",
    "policies",
    "node_modules",
    "__pycache__",
    "venv",
}
"""Folders of a checkout that the program does not read."""


class Watcher:
    """Watches a checkout until Ctrl-C."""

    def __init__(self, session: Session, load: Callable[[], Stack], screen: Screen) -> None:
        self._session, self._load, self._screen = session, load, screen
        self._root = session.place.root
        self._saved: queue.SimpleQueue[set[Path]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._outcome: Outcome | None = None
        self._broken: set[str] = set()
        """Resources whose last code could not be put in place: a run of the program would only say so again."""
        self._told: tuple[list[str], float] = [], 0.0
        """What was wrong with the last run of the program, and when that was said."""

    def run(self, began: float) -> int:
        """Bring the stack up and watch; answers the exit code."""
        self._up(lambda outcome: closing.show(self._session.place, outcome, self._screen, began))
        threads = [
            threading.Thread(target=self._follow),
            *(self._watching(p, r) for p, r in self._places()),
        ]
        for thread in threads:
            thread.daemon = True
            thread.start()
        self._screen.line(
            "\nWatching; Ctrl-C ends it, the sandbox stays until `python -m sandbox down`."
        )
        try:
            self._loop()
        except KeyboardInterrupt:
            self._screen.line("\nwatching has ended")
        finally:
            self._stop.set()
        for thread in threads:
            thread.join(timeout=2)
        return 0

    def _loop(self) -> None:
        stale = False
        while True:
            try:
                paths = self._saved.get(
                    timeout=_QUIET_SECONDS if stale and not self._broken else None
                )
            except queue.Empty:
                self._up(self._quietly)
                stale = False
                continue
            while not self._saved.empty():
                paths |= self._saved.get()
            stale = self._handle(paths, stale=stale)

    def _handle(self, paths: set[Path], *, stale: bool) -> bool:
        """Apply saved files; answers whether the exports are stale now, as they may be before."""
        carriers = self._carriers(paths)
        others = {p for p in paths if p not in carriers}
        if any(_matters(p, self._root) for p in others) or (carriers and self._outcome is None):
            self._up(self._loudly)
            return False
        return self._swap(carriers) or stale

    def _up(self, tell: Callable[[Outcome], object]) -> None:
        try:
            outcome = self._session.up(self._load())
        except Mistake as mistake:
            self._complain([str(mistake)], again=tell != self._quietly)
            return
        self._outcome = _completed(outcome, self._outcome)
        self._broken.clear()
        tell(outcome)
        self._told = list(outcome.failures), time.monotonic()

    def _complain(self, failures: list[str], *, again: bool) -> None:
        """Say what is wrong, but not what was just said; where nobody has saved a file (not `again`), not what stands there."""
        texts, moment = self._told
        self._told = failures, time.monotonic()
        if failures == texts and not (again and time.monotonic() - moment > _QUIET_SECONDS):
            return
        for text in failures:
            self._screen.fault(text)

    def _loudly(self, outcome: Outcome) -> None:
        if outcome.failures:
            self._complain(outcome.failures, again=True)
            return
        for text in described.faults(outcome, self._root):
            self._screen.fault(text)
        counts = {word: n for word, n in outcome.engine.counts.items() if n and word != "same"}
        self._screen.line(
            f"applied: {', '.join(f'{n} {w}' for w, n in counts.items()) or 'nothing changed'}"
        )
        if outcome.restarts:
            url = outcome.engine.state.exports.get("apiUrl")
            self._screen.line(
                f"the sandbox is a new one: {url or outcome.emulator.endpoint}; earlier tokens no longer hold"
            )

    def _quietly(self, outcome: Outcome) -> None:
        if outcome.failures:
            self._complain(outcome.failures, again=False)
        elif any(n for word, n in outcome.engine.counts.items() if word != "same"):
            self._loudly(outcome)

    def _carriers(self, paths: set[Path]) -> dict[Path, list[Registration]]:
        """For each saved file the resources whose archives carry it."""
        found: dict[Path, list[Registration]] = {}
        if self._outcome is not None:
            for wanted in self._outcome.engine.registered.values():
                for file in (f for value in wanted.inputs.values() for f in asset_paths(value)):
                    if file in paths:
                        found.setdefault(file, []).append(wanted)
        return found

    def _swap(self, carriers: dict[Path, list[Registration]]) -> bool:
        """New code into the functions that carry a saved file; a file that does not compile is only reported."""
        if [path for path in carriers if not self._compiles(path)] or self._outcome is None:
            return False
        began = time.perf_counter()
        if not self._session.in_step():
            self._up(self._loudly)  # another command has applied something since
            return False
        touched = list(
            {wanted.urn: wanted for many in carriers.values() for wanted in many}.values()
        )
        with self._session.holding():
            live = [wanted for wanted in touched if self._replaced(self._outcome.engine, wanted)]
            self._session.save(self._outcome.engine.state)
        if live:
            names = ", ".join(sorted(wanted.name for wanted in live))
            self._screen.line(
                f"{names}: new code live in {(time.perf_counter() - began) * 1000:.0f} ms"
            )
        return bool(live)

    def _replaced(self, engine: Engine, wanted: Registration) -> bool:
        """Put a resource's new code in place; what is wrong with it is reported, the next save may mend it."""
        try:
            swap.replace(engine, wanted.urn)
        except Exception as error:  # noqa: BLE001 whatever a service file raises is this resource's failure
            self._screen.fault(f"{wanted.title}: {faults.aws_said(error)}")
            self._broken.add(wanted.urn)
            return False
        self._broken.discard(wanted.urn)
        return True

    def _compiles(self, path: Path) -> bool:
        """Whether a saved source can be read at all; Go's are compiled on the way into the function."""
        said = syntax.fault(path, self._root)
        if not path.exists():
            return False  # an editor replaces the file: the next event brings it
        if said:
            self._screen.fault(said)
        return not said

    def _places(self) -> Iterable[tuple[list[Path], bool]]:
        """The root itself, and below it only what a program reads: a virtual environment has too many folders."""
        yield [self._root], False
        inside = [
            p
            for p in self._root.iterdir()
            if p.is_dir() and p.name not in _SKIPPED and p.name[0] != "."
        ]
        if inside:
            yield inside, True

    def _watching(self, paths: list[Path], recursive: bool) -> threading.Thread:  # noqa: FBT001 one of two threads
        import watchfiles

        def watch() -> None:
            changes = watchfiles.watch(
                *paths,
                recursive=recursive,
                step=_STEP_MS,
                debounce=50,
                stop_event=self._stop,
                rust_timeout=200,
            )
            for batch in changes:
                self._saved.put({Path(path) for _, path in batch})

        return threading.Thread(target=watch)

    def _follow(self) -> None:
        since = int(time.time() * 1000)
        tail: Any = None
        outcome: Outcome | None = None
        while not self._stop.wait(_LOG_SECONDS):
            if self._outcome is not None and outcome is not self._outcome:
                outcome = self._outcome
                tail = functions.Tail(
                    outcome.engine.aws, functions.find(outcome.engine.state).values(), since
                )
            try:
                lines = tail.read() if tail else []
            except Exception:  # noqa: BLE001, S112 the sandbox starts over; its logs follow once it is up
                continue
            since = max([since, *(event.time + 1 for event in lines)])
            self._screen.events(lines, named=True)


def _completed(outcome: Outcome, before: Outcome | None) -> Outcome:
    """A run that has failed knows what it has not come to from the run before: handlers are swapped all the same."""
    if outcome.failures and before is not None and not outcome.restarts:
        for urn, wanted in before.engine.registered.items():
            if urn in outcome.engine.state.resources:
                outcome.engine.registered.setdefault(urn, wanted)
    return outcome


_READ: Final = frozenset((".py", ".yaml", ".yml", ".json", ".txt", ".toml"))
"""Suffixes of what the program itself reads, the locks of its layers among them."""

_CODE: Final = frozenset((".mjs", ".cjs", ".js", ".go", ".mod", ".sum"))
"""Suffixes of handlers in other languages: a new file makes another archive."""

_TESTS: Final = ("_test.go", ".test.mjs", ".test.js", ".test.cjs")


def _matters(path: Path, root: Path) -> bool:
    """Whether saving this file may change what the program declares."""
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    if not parts or parts[0] in _SKIPPED or any(part.startswith(".") for part in parts):
        return False
    if path.suffix in _CODE:
        ours = parts[0] == "handlers" and "node_modules" not in parts
        return ours and not path.name.endswith(_TESTS)
    return path.suffix in _READ
