"""What `up` prints at its end: what it did, what there is now, what is wrong with it, what to try."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sandbox import emulator as emulators

if TYPE_CHECKING:
    from sandbox.place import Place
    from sandbox.screen import Screen
    from sandbox.session import Outcome

_FUNCTION: Final = "aws:lambda/function:Function"


def show(place: Place, outcome: Outcome, screen: Screen, began: float) -> int:
    """Print what an `up` did; answers the exit code."""
    from concurrent.futures import ThreadPoolExecutor

    from sandbox import described, hints, report, rules

    if outcome.failures:
        screen.fail(outcome.failures, len(outcome.engine.state.resources))
        _remind(outcome, screen)
        return 1
    exports = outcome.engine.state.exports
    # While the first function starts, nobody needs this process.
    with ThreadPoolExecutor(1) as aside:
        unreadable = aside.submit(_unreadable, outcome, place.root)
        healthy = _health(outcome, screen)
    for text in unreadable.result():
        screen.fault(text)
    for text in described.faults(outcome, place.root):
        screen.fault(text)
    screen.line(_summary(outcome, time.perf_counter() - began))
    screen.block("Outputs:", report.table(exports))
    screen.block("", report.Report.of(outcome.engine.state, outcome.engine.invoked).lines())
    screen.block("The emulator says:", [f"  {line}" for line in emulators.remarks(place)])
    broken = rules.broken(outcome, root=place.root, stack=place.stack)
    screen.block(
        "What AWS would refuse, or a review object to (rules in policies/):" if broken else "",
        broken,
    )
    screen.block("Try it:", hints.lines(outcome, place))
    _remind(outcome, screen)
    return 0 if healthy else 1


def _remind(outcome: Outcome, screen: Screen) -> None:
    """Say once more, where it is read, what was said of the stack's files at the start."""
    for text in outcome.remarks:
        screen.fault(text)


def _unreadable(outcome: Outcome, root: Path) -> list[str]:
    """A line for each handler that its language cannot read: the first call would only answer an error."""
    from sandbox import syntax
    from sandbox.values import asset_paths

    functions = (r for r in outcome.engine.registered.values() if r.type == _FUNCTION)
    archives = (value for r in functions for value in r.inputs.values())
    return syntax.faults_of({path for value in archives for path in asset_paths(value)}, root)


def _summary(outcome: Outcome, seconds: float) -> str:
    counts = outcome.engine.counts
    done = ", ".join(
        f"{counts[word]} {word}" for word in ("created", "updated", "deleted") if counts[word]
    )
    same = f"{counts['same']} unchanged" if counts["same"] else ""
    what = ", ".join(part for part in (done, same) if part) or "no resources"
    return f"{what}; up at {outcome.emulator.endpoint} in {seconds:.1f} s"


def _health(outcome: Outcome, screen: Screen) -> bool:
    """One real request through gateway and function, where the stack has an API."""
    from sandbox import domains
    from sandbox.web import Http

    url = outcome.engine.state.exports.get("apiUrl")
    if not url:
        return True
    url = domains.local(outcome.engine.aws, str(url))

    began = time.perf_counter()
    try:
        answer = Http(url, lambda: "").get("/health")
    except OSError as error:
        screen.fault(f"GET {url}/health: {error}")
        return False
    screen.line(
        f"GET /health answers {answer.status} in {(time.perf_counter() - began) * 1000:.0f} ms"
    )
    if answer.status != 200:
        screen.fault(f"GET {url}/health: {answer.text}; see `python -m sandbox logs health`")
    return answer.status == 200
