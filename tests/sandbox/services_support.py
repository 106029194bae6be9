"""One emulator for all tests of service files, and resources made in it as the engine makes them."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sandbox.services
from sandbox.clients import Clients
from sandbox.resources import REGISTRY, Resource

assert sandbox.services
REGION = "us-west-2"
ACCOUNT = "000000000000"


@functools.cache
def clients() -> Clients:
    """Clients of an emulator that is started once and goes with the test process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tempfile.mkdtemp(prefix="services-")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "TMPDIR": home,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true",
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.05",
        "MINISTACK_REGION": REGION,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    with Path(home, "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.launcher"],
            env=environment,
            cwd=home,
            stdout=log,
            stderr=log,
        )
    atexit.register(_stop, process, home)
    endpoint = f"http://127.0.0.1:{port}"
    _wait(process, f"{endpoint}/_ministack/health")
    return Clients(endpoint, REGION, account=ACCOUNT, seed=b"tests")


def tls_only(arn: str) -> dict[str, Any]:
    """The statement that refuses plain HTTP."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "*",
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        assert process.poll() is None, "the emulator ended"
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - loopback
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(url)


def _stop(process: subprocess.Popen[bytes], home: str) -> None:
    process.kill()
    process.wait()
    shutil.rmtree(home, ignore_errors=True)


@dataclass
class Made:
    """A resource that exists in the emulator, with what its last change said."""

    type: str
    name: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    notes: list[str]
    compat: list[str]

    @property
    def id(self) -> str:
        return self.outputs["id"]

    def __getitem__(self, key: str) -> Any:
        return self.outputs[key]

    def update(self, **changes: Any) -> Made:
        """Change inputs (None takes one away) and apply them in place."""
        inputs = {k: v for k, v in {**self.inputs, **changes}.items() if v is not None}
        r = self._resource(inputs, frozenset(changes))
        entry = REGISTRY[self.type]
        apply = entry.update or (entry.create if entry.not_simulated else None)
        assert apply is not None
        outputs = apply(r)
        assert entry.not_simulated or set(r.unread()) - set(entry.ignored) == set()
        self.inputs, self.outputs, self.notes, self.compat = inputs, outputs, r.notes, r.compat
        return self

    def delete(self) -> None:
        delete = REGISTRY[self.type].delete
        assert delete is not None
        delete(self._resource({}, frozenset()))

    def _resource(self, inputs: dict[str, Any], changed: frozenset[str]) -> Resource:
        return Resource(
            self.type, self.name, f"urn:{self.name}", inputs, clients(), self.outputs, changed
        )


def make(kind: str, name: str, /, **inputs: Any) -> Made:
    """Create a resource of the type `aws:<kind>`; every input must find its use where anything of it is real."""
    token = kind if kind.startswith("random:") else f"aws:{kind}"
    entry = REGISTRY[token]
    r = Resource(token, name, f"urn:{name}", inputs, clients())
    outputs = entry.create(r)
    unread = set(r.unread()) - set(entry.ignored)
    assert entry.not_simulated or unread == set(), f"unread inputs of {token}: {unread}"
    return Made(token, name, inputs, outputs, r.notes, r.compat)
