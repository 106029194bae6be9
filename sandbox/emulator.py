"""The embedded AWS: one MiniStack process on loopback, started, found again, stopped.

It runs detached in a session of its own, in an environment that holds nothing of the user's, and keeps none of the
caller's descriptors. Only light imports here: the process boots while the caller imports the rest.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sandbox import reference
from sandbox.errors import Mistake
from sandbox.place import HOME, Place, read_json, write_json
from sandbox.workers import borders

HOST: Final = "127.0.0.1"
_BOOT_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 5.0
_PORTS: Final = range(20000, 30000)
"""Below every system's ephemeral ports, so that no passing connection takes the stable port."""

_KEPT: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SANDBOX_WORKERS", borders.VARIABLE)
"""What the emulator gets of the caller's environment; handlers get none of it."""

MINUTE: Final = 60.0
"""Seconds that a minute of CloudWatch lasts."""

_MINUTE_VARIABLE: Final = "SANDPIPER_MINUTE"

_LAUNCHER_SAYS: Final = " [sandbox.workers] "

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Emulators that this process started itself: they must be waited for, or stay zombies."""


@dataclass(frozen=True)
class Emulator:
    """A started emulator. `birth` tells its process from a later one with the same number; `node` is the Node.js that
    its search path led to, which stays the one it started with. `minute`: seconds that a minute of CloudWatch lasts.
    """

    id: str
    pid: int
    birth: str
    port: int
    region: str
    started: float
    node: str = ""
    minute: float = MINUTE

    @property
    def endpoint(self) -> str:
        """The address that every AWS client of this sandbox takes."""
        return f"http://{HOST}:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether the very process still runs."""
        return _birth(self.pid) == self.birth

    @property
    def lacks_node(self) -> bool:
        """Whether there is a Node.js now, and none where this emulator looks for it."""
        there = bool(self.node) and os.access(self.node, os.X_OK)
        return not there and shutil.which("node") is not None


def start(
    place: Place,
    *,
    region: str,
    port: int | None,
    last_port: int | None = None,
    stable: bool = True,
    leashed: bool = False,
    minute: float = MINUTE,
) -> Emulator:
    """Start the emulator without waiting for it (`wait` does), and record it.

    `port` None takes the last one, or a free one: the checkout's and stack's own where `stable`. `leashed` makes it end
    with this process, however that ends. `minute` is the emulator's own. Raises `Mistake` for a port in use.
    """
    chosen = free(port) if port else _again(last_port) or _free(place if stable else None)
    place.make()
    with place.log.open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", *(["sandbox.leash"] if leashed else []), _module()],
            cwd=HOME,
            env=_environment(place, region, chosen, minute),
            stdin=subprocess.PIPE if leashed else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    made = (secrets.token_hex(8), child.pid, _birth(child.pid), chosen, region, time.time())
    emulator = Emulator(*made, node=shutil.which("node") or "", minute=minute)
    write_json(place.record, asdict(emulator))
    return emulator


def recorded(place: Place) -> Emulator | None:
    """The emulator that the state folder names, running or not."""
    found = read_json(place.record)
    try:
        return Emulator(**found) if found else None
    except TypeError:
        return None


def running(place: Place) -> Emulator | None:
    """The running emulator of this place, or None."""
    found = recorded(place)
    return found if found and found.alive else None


def wait(emulator: Emulator, place: Place) -> None:
    """Return as soon as the emulator answers; raise `Mistake` where it ends or takes longer than 30 s."""
    until = time.monotonic() + _BOOT_SECONDS
    while not healthy(emulator):
        if not emulator.alive or time.monotonic() > until:
            said = _last_words(emulator, place)
            stop(emulator, place)
            raise Mistake(f"the emulator did not start: {said}")
        time.sleep(0.004)


def _last_words(emulator: Emulator, place: Place) -> str:
    lines = place.log.read_text("utf-8", "replace").split("\n") if place.log.exists() else []
    printed = [line.strip() for line in lines if line.strip()]
    if printed:
        return printed[-1]
    child = _children.get(emulator.pid)
    code = child.poll() if child else None
    return "it printed nothing" if code is None else f"it printed nothing and ended with {code}"


def remarks(place: Place) -> list[str]:
    """What the launcher says of itself: where it falls back to the emulator's own, slower way."""
    lines = place.log.read_text("utf-8", "replace").splitlines() if place.log.exists() else []
    return [line.partition(_LAUNCHER_SAYS)[2] for line in lines if _LAUNCHER_SAYS in line]


def healthy(emulator: Emulator) -> bool:
    """Whether the emulator answers a health request now."""
    connection = http.client.HTTPConnection(HOST, emulator.port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def stop(emulator: Emulator, place: Place) -> None:
    """End the emulator and all it started, and remove its files.

    It is reset first: MiniStack ends its own workers then, which a signal alone leaves behind.
    """
    if emulator.alive:
        _reset(emulator)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(emulator.pid, number)
            if _gone(emulator):
                break
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(emulator.pid, signal.SIGKILL)  # workers that outlived it
    _forget(emulator.pid)
    place.empty()


def _reset(emulator: Emulator) -> None:
    connection = http.client.HTTPConnection(HOST, emulator.port, timeout=2)
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("POST", "/_ministack/reset")
        connection.getresponse().read()
    connection.close()


def _gone(emulator: Emulator) -> bool:
    child = _children.get(emulator.pid)
    until = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < until:
        if child.poll() is not None if child else not emulator.alive:
            return True
        time.sleep(0.005)
    return False


def _forget(pid: int) -> None:
    child = _children.pop(pid, None)
    if child is not None:
        child.wait(timeout=_STOP_SECONDS)
        if child.stdin is not None:
            child.stdin.close()


def _module() -> str:
    """Our launcher where this checkout has it, else the emulator's own entry."""
    return "sandbox.launcher" if importlib.util.find_spec("sandbox.launcher") else "ministack"


def _environment(place: Place, region: str, port: int, minute: float) -> dict[str, str]:
    """Everything that the emulator and the handlers' interpreter get to see."""
    kept = {k: os.environ[k] for k in _KEPT if k in os.environ}
    return kept | {
        "PYTHONPATH": str(HOME),
        "TMPDIR": str(place.tmp),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": region,
        "AUTH": "true",
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        _MINUTE_VARIABLE: str(minute),
        reference.ROOT_VARIABLE: str(place.root),
        reference.STATE_VARIABLE: str(place.state),
    }


def free(port: int) -> int:
    """The port itself. Raises `Mistake` where something else uses it."""
    if not _bindable(port):
        raise Mistake(f"port {port} is in use: choose another with --port, or none")
    return port


def _again(port: int | None) -> int | None:
    return port if port is not None and _bindable(port) else None


def _free(place: Place | None) -> int:
    """The port that this checkout and stack always get where it is free, else any free one."""
    if place is not None:
        mark = int(hashlib.sha256(os.fsencode(place.folder)).hexdigest(), 16)
        for step in range(20):
            port = _PORTS[(mark + step) % len(_PORTS)]
            if _bindable(port):
                return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _birth(pid: int) -> str:
    """When a process started, in the system's own words; "" where there is none (a zombie counts as none)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except (FileNotFoundError, ProcessLookupError):
        if sys.platform.startswith("linux"):
            return ""
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return "" if not answer or answer.startswith("Z") else answer.partition(" ")[2].strip()
