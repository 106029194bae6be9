"""A sandbox of one's own for tests: `with sandbox.running("dev") as box:`."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox import domains, functions, rules, sockets, stack, tokens, web
from sandbox.clients import KEY
from sandbox.emulator import MINUTE
from sandbox.errors import Mistake
from sandbox.operations.verbs import Operations
from sandbox.place import HOME, Place
from sandbox.report import Report
from sandbox.session import Outcome, Session

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection


class Box(Operations):
    """A running stack.

    `outputs`: the stack's exports as plain values. `endpoint`, `region`: what any AWS client needs, with access key
    and secret `test`. `http`: requests relative to the export `apiUrl`. `resources`: every registration as
    {urn, type, name, inputs, parent, opts, custom}. `report`: where the sandbox does less or more than AWS.
    `broken_rules`: lines of policies/ over what was declared.
    """

    def __init__(self, stack_name: str, outcome: Outcome, place: Place) -> None:
        super().__init__(outcome.engine.aws, outcome.engine.state, place, outcome.exports)
        self.stack = stack_name
        self.endpoint = outcome.emulator.endpoint
        self.region = outcome.emulator.region
        self.resources = outcome.declared
        self.report = Report.of(outcome.engine.state, outcome.engine.invoked)
        self.broken_rules = rules.broken(outcome, root=place.root, stack=stack_name)
        address = domains.local(self._aws, str(self.outputs.get("apiUrl", self.endpoint)))
        self.http = web.Http(address, self.token)
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A boto3 client with the administrator's rights, made once per service."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._boto3(service)
            return self._clients[service]

    def token(
        self, subject: str = "developer", expires: int = 3600, *, cognito: bool = False
    ) -> str:
        """A valid token for the API; `expires` in seconds, below 0 for an expired one.

        `cognito` True makes an access token of the stack's user pool instead, which lasts as long as the pool says.
        """
        if cognito:
            return tokens.cognito(self._aws, self.outputs, subject=subject)
        return tokens.make(self._aws, self.outputs, subject=subject, expires=expires)

    def api_key(self) -> str:
        """The value of the API key, for the header `x-api-key`."""
        return tokens.api_key(self._aws, self.outputs)

    def socket(self, token: bool | str = True, *, query: bool = False) -> ClientConnection:  # noqa: FBT001, FBT002 as in `http`
        """Open the stack's WebSocket; `with box.socket() as socket:` closes it again.

        `token` True sends a fresh valid one, a text is sent as the bearer token it is, False none. `query` sends it as
        `?token=`, as browsers must. Raises `websockets.exceptions.InvalidStatus` where the API refuses.
        """
        given = self.token() if token is True else token or ""
        address = domains.local(self._aws, str(self.outputs.get("socketUrl", "")))
        return sockets.connect(address, given, query=query)

    def logs(self, name: str, since: float = 0.0) -> list[Any]:
        """What a function has logged, oldest first: JSON lines as dicts, others as text, Lambda's own left out.

        `since`: seconds since the epoch, as `time.time()` gives them; earlier lines are left out.
        """
        function = functions.named(self._state, name)
        found = functions.read(self._aws, [function], int(since * 1000))
        return [event.parsed for event in found if not event.of_platform]

    def invoke(self, name: str, event: Any = None) -> functions.Invocation:
        """Call a function with a JSON event and wait for its answer: `payload`, `error`, `log`."""
        return functions.invoke(
            self._aws, functions.named(self._state, name), event if event is not None else {}
        )

    def _boto3(self, service: str) -> Any:
        import boto3

        session = boto3.Session(
            aws_access_key_id=KEY, aws_secret_access_key=KEY, region_name=self.region
        )
        return session.client(service, endpoint_url=self.endpoint, config=self._aws.config())


@contextmanager
def running(
    stack_name: str = "dev",
    *,
    config: Mapping[str, Any] | None = None,
    port: int | None = None,
    strict: bool = True,
    root: Path = HOME,
    alarm_seconds: float = MINUTE,
) -> Iterator[Box]:
    """Bring up a private sandbox of a stack and end it at exit; nothing of it is shared with `python -m sandbox`.

    `config` is laid over the stack file: keys without a namespace are the project's, dicts are merged key by key.
    `strict` makes an input that the sandbox does not consume an error. `root` is the folder of `__main__.py`.
    `alarm_seconds`: how long a minute of CloudWatch lasts, so that a test need not wait for alarms.
    Raises `Mistake` with one line per failure. It ends even where this process is killed.
    """
    folder = Path(tempfile.mkdtemp(prefix="box-"))
    said: list[str] = []
    session = Session(
        Place(root.resolve(), stack_name, folder),
        port,
        stable=False,
        leashed=True,
        strict=strict,
        minute=alarm_seconds,
        say=said.append,
    )
    try:
        outcome = session.up(stack.load(root.resolve(), stack_name, config=config))
        if outcome.failures:
            raise Mistake("\n".join(outcome.failures))
        yield Box(stack_name, outcome, session.place)
    finally:
        session.down()
        shutil.rmtree(folder, ignore_errors=True)
