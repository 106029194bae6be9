"""What each command does."""

from __future__ import annotations

import gc
import json
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sandbox import closing
from sandbox import emulator as emulators
from sandbox import stack as stacks
from sandbox.emulator import Emulator
from sandbox.errors import Mistake
from sandbox.place import HOME, Place
from sandbox.screen import Screen
from sandbox.session import Session

if TYPE_CHECKING:
    from sandbox.clients import Clients
    from sandbox.state import State

_POLL_SECONDS: Final = 0.25
_CACHE: Final = "cache"
"""The one folder under .sandbox/ that belongs to no stack."""


def up(options: Namespace) -> int:
    """`up`: apply the program, call /health once, show what there is."""
    began = time.perf_counter()
    root = _root(options)
    screen = Screen()
    session = _session(root, options, screen)
    outcome = session.up(stacks.load(root, options.stack, options.config))
    return closing.show(session.place, outcome, screen, began)


def watch(options: Namespace) -> int:
    """`watch`: up, then logs and saved files until Ctrl-C."""
    from sandbox.watch import Watcher

    gc.enable()
    root = _root(options)
    screen = Screen()
    began = time.perf_counter()
    session = _session(root, options, screen)
    watcher = Watcher(session, lambda: stacks.load(root, options.stack, options.config), screen)
    return watcher.run(began)


def outputs(options: Namespace) -> int:
    """`outputs`: the table, or everything as JSON."""
    from sandbox import report

    place, emulator, state = running(options)
    if not options.json:
        print("\n".join(report.table(state.exports)))
        return 0
    document = {
        "endpoint": emulator.endpoint,
        "region": emulator.region,
        "stack": place.stack,
        "outputs": state.exports,
    }
    print(json.dumps(document, indent=2))
    return 0


def token(options: Namespace) -> int:
    """`token`: the token, or the API key, alone."""
    from sandbox import tokens

    if options.expires is not None and (options.cognito or options.api_key):
        raise Mistake("--expires: the user pool says how long; an API key does not expire", code=2)
    if options.subject is not None and options.api_key:
        raise Mistake("--subject: an API key names nobody", code=2)
    _, emulator, state = running(options)
    named = {} if options.subject is None else {"subject": options.subject}
    lasting = {} if options.expires is None else {"expires": options.expires}
    make = tokens.api_key if options.api_key else tokens.cognito if options.cognito else tokens.make
    print(make(clients(emulator), state.exports, **named, **lasting))
    return 0


def invoke(options: Namespace) -> int:
    """`invoke`: the payload on standard output, the log on standard error; 1 on a function error."""
    from sandbox import functions

    _, emulator, state = running(options)
    function = functions.named(state, options.name)
    answer = functions.invoke(clients(emulator), function, _event(options.event))
    print(json.dumps(answer.payload, indent=2))
    if answer.log:
        print(answer.log.rstrip(), file=sys.stderr)
    if answer.error:
        kind = answer.payload.get("errorType") if isinstance(answer.payload, dict) else None
        said = f"{answer.error} error: {kind}" if kind else f"{answer.error} error"
        print(f"{options.name}: {said}", file=sys.stderr)
    return 1 if answer.error else 0


def _event(source: str | None) -> Any:
    if source is None:
        return {}
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Mistake(
            f"--event {source}: {getattr(error, 'strerror', None) or 'not UTF-8'}", code=2
        ) from None
    try:
        return json.loads(text)
    except ValueError as error:
        raise Mistake(f"--event {source}: no JSON: {error}", code=2) from None


def logs(options: Namespace) -> int:
    """`logs`: what was logged, then what comes where following."""
    from sandbox import functions

    _, emulator, state = running(options)
    known = functions.find(state)
    wanted = [functions.named(state, options.name)] if options.name else list(known.values())
    gc.enable()
    tail = functions.Tail(clients(emulator), wanted)
    screen = Screen()
    while True:
        found = [event for event in tail.read() if options.find in event.text]
        screen.events(found, named=not options.name)
        if not options.follow:
            return 0
        if not emulator.alive:
            raise Mistake("the sandbox has ended")
        time.sleep(_POLL_SECONDS)


def status(options: Namespace) -> int:
    """`status`: each sandbox of this checkout; 1 where none runs."""
    from sandbox.report import Report
    from sandbox.state import State

    root = _root(options)
    names = [options.stack] if options.stack else _known(root)
    code = 1
    for name in names:
        place = Place.of(root, name)
        emulator = emulators.running(place)
        if emulator is None:
            crashed = emulators.recorded(place) is not None
            print(f"{name}: {'has ended without `down`' if crashed else 'not running'}")
            continue
        code = 0
        state = State.load(place.state, emulator.id)
        minutes = int((time.time() - emulator.started) / 60)
        print(
            f"{name}: {len(state.resources)} resources at {emulator.endpoint} in {emulator.region}, "
            f"process {emulator.pid}, for {minutes} min"
        )
        print("\n".join(Report.of(state).lines(every=options.ignored)))
    if not names:
        print("no sandbox runs in this checkout")
    return code


def down(options: Namespace) -> int:
    """`down`: end one stack's sandbox, or all of this checkout."""
    root = _root(options)
    ended = 0
    for name in [options.stack] if options.stack else _known(root):
        if Session(Place.of(root, name)).down():
            print(f"{name}: ended")
            ended += 1
    if not ended:
        print("no sandbox was running")
    return 0


def _root(options: Namespace) -> Path:
    """The folder of the program: as told, else the current one where it is a project, else this checkout."""
    if options.cwd is not None:
        return Path(options.cwd).resolve()
    here = Path.cwd()
    return here if (here / "Pulumi.yaml").exists() else HOME


def _session(root: Path, options: Namespace, screen: Screen) -> Session:
    place = Place.of(root, options.stack)
    return Session(
        place,
        options.port,
        minute=options.alarm_seconds,
        say=screen.line,
        progress=screen.progress,
    )


def _known(root: Path) -> list[str]:
    """The stacks that have a sandbox, running or not, or left a folder of one."""
    folders = (path for path in (root / ".sandbox").glob("*") if path.is_dir())
    return sorted(folder.name for folder in folders if folder.name != _CACHE)


def running(options: Namespace) -> tuple[Place, Emulator, State]:
    """The sandbox that a command means: the named stack's, else the only one, else dev's."""
    from sandbox.state import State

    root = _root(options)
    alive = [name for name in _known(root) if emulators.running(Place.of(root, name))]
    name = options.stack or (alive[0] if len(alive) == 1 else "dev")
    place = Place.of(root, name)
    emulator = emulators.running(place)
    if len(alive) > 1 and not options.stack:
        stacks = ", ".join(alive)
        if emulator is None:
            raise Mistake(f"several stacks run: name one of {stacks} with --stack", code=2)
        print(f"stack {name} is meant; --stack names another of {stacks}", file=sys.stderr)
    if emulator is None:
        more = f" (running: {', '.join(alive)})" if alive else ""
        raise Mistake(
            f"no sandbox of stack {name} is running{more}: start it with `python -m sandbox up --stack {name}`"
        )
    return place, emulator, State.load(place.state, emulator.id)


def clients(emulator: Emulator) -> Clients:
    """Clients of a running sandbox."""
    from sandbox.clients import Clients

    return Clients(emulator.endpoint, emulator.region)
