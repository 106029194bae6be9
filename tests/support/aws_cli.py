"""The real AWS CLI without its start-up: one process has imported it, and each command is a fork of that process.

`AwsCli` puts a program `aws` into a folder for a shell's PATH; every call is recorded with what became of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY = b"ready"
OFTEN = (
    "cloudwatch get-metric-statistics --namespace n --metric-name m --period 60 --start-time 0 --end-time 1",
    "cloudwatch describe-alarms",
    "logs filter-log-events --log-group-name g",
    "logs describe-log-groups",
    "lambda get-function-configuration --function-name f",
    "sqs get-queue-attributes --queue-url https://example.com/q",
    "apigatewayv2 get-apis",
)
"""Commands that are made in advance and not sent: every later one finds what they have read."""

UNSENT = "AWS_CLI_UNSENT"
"""Environment variable of a shell: commands are read, checked and made into requests, and these are not sent."""
EXAMPLE = "example-of-an-answer-that-nobody-gave"
"""What such a command answers: long enough for an id."""

CLIENT = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as link:
    link.connect({path!r})
    said = json.dumps([os.getcwd(), dict(os.environ), sys.argv[1:]]).encode()
    socket.send_fds(link, [len(said).to_bytes(4, "big")], [0, 1, 2])
    link.sendall(said)
    sys.exit(int(link.recv(8) or b"1"))
"""


@dataclass(frozen=True)
class Call:
    """One call of `aws`: in which folder, its arguments, whether it was sent, its exit code, and what went wrong."""

    folder: str
    arguments: Sequence[str]
    sent: bool
    code: int
    said: str

    def options(self, name: str) -> list[str]:
        """All values after an option, up to the next one."""
        found = list(self.arguments)
        if name not in found:
            return []
        rest = found[found.index(name) + 1 :]
        ends = next((i for i, value in enumerate(rest) if value.startswith("--")), len(rest))
        return rest[:ends]


class AwsCli:
    """A running CLI: `folder` holds the program `aws`, `calls()` what was asked of it so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journal = folder / "calls.jsonl"
        # A socket's address has 107 characters at most, and a test's folder may have more.
        self._short = tempfile.mkdtemp(prefix="aws-")
        address = f"{self._short}/s"
        environment = {
            **os.environ,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-west-2",
        }
        self._server = subprocess.Popen(
            [sys.executable, __file__, address, str(self._journal)],
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline().strip() == READY, "the AWS CLI does not start"
        program = folder / "aws"
        program.write_text(CLIENT.format(python=sys.executable, path=address), encoding="utf-8")
        program.chmod(0o755)

    def calls(self, folder: Path) -> list[Call]:
        """All calls from a shell's folder, in the order in which they ended."""
        if not self._journal.exists():
            return []
        lines = self._journal.read_text(encoding="utf-8").splitlines()
        calls = [Call(**json.loads(line)) for line in lines]
        return [call for call in calls if call.folder == str(folder)]

    def stop(self) -> None:
        """End the process."""
        self._server.kill()
        self._server.communicate()
        for left in Path(self._short).iterdir():
            left.unlink()
        Path(self._short).rmdir()


@contextlib.contextmanager
def running(folder: Path) -> Generator[AwsCli]:
    """The CLI, for as long as the block lasts."""
    made = AwsCli(folder)
    try:
        yield made
    finally:
        made.stop()


def _serve(address: str, journal: str) -> None:
    # Imported in the child process only. What is read here is there already for every command.
    from awscli import clidriver

    driver = clidriver.create_clidriver()
    driver.session.register("before-send", _keep)
    for command in OFTEN:
        with contextlib.suppress(_NotSent):
            driver.main(command.split())
    driver.session.unregister("before-send", _keep)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        sys.stdout.buffer.write(READY + b"\n")
        sys.stdout.flush()
        while True:
            link, _ = door.accept()
            if os.fork() == 0:
                _answer(driver, link, Path(journal))
            link.close()


def _answer(driver: Any, link: socket.socket, journal: Path) -> None:
    """Run one command as its caller would: with the caller's folder, environment, input and output."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, _, _ = socket.recv_fds(link, 4, 3)
    with link.makefile("rb") as sent:
        folder, environment, arguments = json.loads(sent.read(int.from_bytes(size, "big")))
    os.chdir(folder)
    os.environ.update({name: said for name, said in environment.items() if name[:4] == "AWS_"})
    with tempfile.TemporaryFile() as caught:
        for theirs, ours in zip([*files[:2], caught.fileno()], range(3), strict=True):
            os.dup2(theirs, ours)
        code = _run(driver, arguments)
        caught.seek(0)
        said = caught.read()
    with contextlib.suppress(OSError):
        os.write(files[2], said)
    call = {
        "folder": folder,
        "arguments": arguments,
        "sent": UNSENT not in os.environ,
        "code": code,
        "said": said.decode(),
    }
    with journal.open("a", encoding="utf-8") as lines:
        lines.write(f"{json.dumps(call)}\n")
    link.sendall(str(code).encode())
    os._exit(0)


class _NotSent(BaseException):
    """A request that stood ready to be sent; no library takes this for a failure of its own."""


def _keep(**_: object) -> None:
    raise _NotSent


def _run(driver: Any, arguments: list[str]) -> int:
    if os.environ.get(UNSENT):
        driver.session.register("before-send", _keep)
    try:
        code = int(driver.main(arguments) or 0)
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    except _NotSent:
        sys.stdout.write(f'"{EXAMPLE}"\n')
        sys.stdout.flush()
        return 0
    except BrokenPipeError:
        return 0
    return code


if __name__ == "__main__":
    _serve(*sys.argv[1:])
