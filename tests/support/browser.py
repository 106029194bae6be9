"""A real Chromium, driven over its DevTools protocol: one page, and what it asked for and complained of."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_FLAGS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    # Whatever a page asks for elsewhere fails at once, on every machine alike.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_LARGEST = 64 * 1024 * 1024  # bytes of one message, of which a page's source may be one
_SECONDS = 30.0


def program() -> str | None:
    """The path of a Chromium, None where there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Page:
    """A page. `requests`: the URLs it asked for; `complaints`: its errors, in its console and elsewhere."""

    def __init__(self, socket: ClientConnection) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._socket = socket
        self._calls = 0
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command of the protocol; raises AssertionError where the browser refuses it."""
        self._calls += 1
        self._socket.send(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(_SECONDS))
            if message.get("id") == self._calls:
                assert "error" not in message, message
                return dict(message["result"])
            self._note(message.get("method", ""), message.get("params", {}))

    def open(self, url: str) -> None:
        """Go to an address; `until` tells when what is there has come."""
        self.call("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, as JSON has it; raises AssertionError where it throws."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, expression: str, seconds: float = _SECONDS) -> None:
        """Ask every 20 ms until an expression is true; raises AssertionError after `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.evaluate(f"!!({expression})"):  # an element itself cannot be sent
                return
            time.sleep(0.02)
        raise AssertionError(f"not within {seconds} s: {expression}; {self.complaints}")

    def _note(self, event: str, said: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(str(said["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and said["type"] in {"error", "assert"}:
            self.complaints.append(str(said["args"]))
        elif event == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.complaints.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")


@contextmanager
def page(executable: str) -> Iterator[Page]:
    """A page of a browser of its own, which has nothing stored and ends with the `with`."""
    folder = tempfile.mkdtemp(prefix="browser-")
    # Chromium's own sandbox does not work for root, as which containers often run.
    flags = (*_FLAGS, "--no-sandbox") if os.geteuid() == 0 else _FLAGS
    with (Path(folder) / "output").open("wb") as output:
        browser = subprocess.Popen(
            [executable, *flags, f"--user-data-dir={folder}/profile", "about:blank"],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        with connect(_address(browser, Path(folder)), proxy=None, max_size=_LARGEST) as socket:
            yield Page(socket)
    finally:
        browser.terminate()
        browser.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _address(browser: subprocess.Popen[bytes], folder: Path) -> str:
    """Where the first page of the browser listens."""
    file = folder / "profile" / "DevToolsActivePort"
    deadline = time.monotonic() + _SECONDS
    while browser.poll() is None and time.monotonic() < deadline:
        if file.is_file() and (port := file.read_text(encoding="utf-8").partition("\n")[0]):
            pages = [each for each in _listed(int(port)) if each["type"] == "page"]
            if pages:
                return str(pages[0]["webSocketDebuggerUrl"])
        time.sleep(0.02)
    said = (folder / "output").read_text(encoding="utf-8", errors="replace")
    raise AssertionError(f"the browser does not start: {said[-2000:]}")


def _listed(port: int) -> list[dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", "/json/list")
        return list(json.loads(connection.getresponse().read()))
    finally:
        connection.close()
