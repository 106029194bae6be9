"""An AWS that answers from memory, and the environment that the grants would set."""

from __future__ import annotations

import copy
import json
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import create_item
import pytest
from hypothesis import settings

from common import aws as common_aws
from common import correlation, logs, metrics, once, push, secrets
from tests.handlers.connections_endpoint import ConnectionsEndpoint
from tests.handlers.fakes import Aws, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How long an example takes is the machine's business: others use it at the same time.
settings.register_profile("handlers", deadline=None)
settings.load_profile("handlers")

_EVENTS = Path(__file__).parents[1] / "events"
_ENVIRONMENT = {
    "ITEMS_TABLE": "items",
    "AUDIT_TABLE": "audit",
    "UPLOADS_BUCKET": "uploads-bucket",
    "IMAGES_BUCKET": "images-bucket",
    "NOTIFICATIONS_TOPIC_ARN": "arn:aws:sns:us-west-2:123456789012:notifications",
    "AUTH_SECRET_ARN": "arn:aws:secretsmanager:us-west-2:123456789012:secret:auth",
    "CURSOR_KEY_SECRET_ARN": "arn:aws:secretsmanager:us-west-2:123456789012:secret:cursor",
    "SERVICE_NAME": "sandpiper",
    "STACK": "sandpiper-test",
}
_UNSET = (
    *("CORS_ALLOW_ORIGINS", "LOG_LEVEL", "LOG_SAMPLE_RATE", "UPLOAD_RETENTION_DAYS"),
    *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_LEVEL"),
    *("_X_AMZN_TRACE_ID", "AWS_XRAY_DAEMON_ADDRESS"),
)


class Context:
    """Lambda's context object, as far as the handlers look."""

    aws_request_id = "7b1f0f3e-0000-4000-8000-lambdarequest"

    def __init__(self, seconds: float = 300.0, then: float | None = None) -> None:
        """`then`: the seconds left at every look but the first."""
        self._end = time.monotonic() + seconds
        self._then = then
        self._looks = 0

    def get_remaining_time_in_millis(self) -> int:
        self._looks += 1
        if self._then is not None and self._looks > 1:
            return int(self._then * 1000)
        return int((self._end - time.monotonic()) * 1000)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test is a fresh execution environment."""
    for name, value in _ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in _UNSET:
        monkeypatch.delenv(name, raising=False)
    state: tuple[Any, ...] = (
        common_aws._clients,
        secrets._cache,
        secrets._refetched,
        logs._invocation,
        logs._secrets,
        logs._warm,
        correlation._invocation,
        metrics._counts,
    )
    once._store.cache_clear()
    for part in state:
        part.clear()
    yield
    for part in state:
        part.clear()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Every client the handlers ask for answers from here."""
    fake = Aws()
    monkeypatch.setattr(common_aws, "client", lambda service, **_: fake.client(service))
    return fake


@pytest.fixture
def table(aws: Aws) -> Table:
    """The items table."""
    return Table(aws)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectionsEndpoint]:
    """The management endpoint that SOCKET_ENDPOINT names."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, f"canary-{name}")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    monkeypatch.setenv("CONNECTIONS_TABLE", "connections")
    common_aws._session.cache_clear()
    push._idle.clear()
    with ConnectionsEndpoint() as running:
        monkeypatch.setenv("SOCKET_ENDPOINT", running.url)
        yield running
        for line in push._idle:
            line.close()
        push._idle.clear()
    common_aws._session.cache_clear()


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def event() -> Callable[[str], dict[str, Any]]:
    """`event("s3_upload")`: a fresh copy of tests/events/s3_upload.json."""
    return load


def load(name: str) -> dict[str, Any]:
    return json.loads((_EVENTS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def call(context: Context) -> Callable[..., dict[str, Any]]:
    """`call(create_item, "api_create_item", body=...)`: the answer, with its JSON body under
    "json".
    """

    def invoke(module: Any, name: str, *, headers: Any = None, **members: Any) -> dict[str, Any]:
        request = copy.deepcopy(load(name))
        request.update(members)
        for key, value in (headers or {}).items():
            request["headers"][key] = value
            request["multiValueHeaders"][key] = [value]
        answer = module.handler(request, context)
        assert isinstance(answer["body"], str)
        json.dumps(answer)
        answer["json"] = json.loads(answer["body"]) if answer["body"] else None
        return answer

    return invoke


class Output:
    """What functions wrote, each line one JSON object: messages, and metrics of ours."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._lines: list[dict[str, Any]] = []
        self._metrics: list[dict[str, Any]] = []

    def lines(self) -> list[dict[str, Any]]:
        self._read()
        found, self._lines = self._lines, []
        return found

    def metrics(self) -> list[dict[str, Any]]:
        self._read()
        found, self._metrics = self._metrics, []
        return found

    def _read(self) -> None:
        for text in self._capsys.readouterr().out.splitlines():
            line = json.loads(text)
            (self._metrics if line.get("message") == "metrics" else self._lines).append(line)


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    return Output(capsys)


@pytest.fixture
def lines(output: Output) -> Callable[[], list[dict[str, Any]]]:
    """The log lines written since the last call, each of which must be one JSON object; business
    metrics are none.
    """
    return output.lines


@pytest.fixture
def measured(output: Output) -> Callable[[], dict[str, float]]:
    """What was counted since the last call, by name: {"ItemsCreated": 1, "Orders placed": 2}."""

    def read() -> dict[str, float]:
        found: dict[str, float] = {}
        for line in output.metrics():
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            assert (directive["Namespace"], line["Stack"]) == ("Sandpiper", "sandpiper-test")
            ((stack, *dimensions),) = directive["Dimensions"]
            assert stack == "Stack"
            for metric in directive["Metrics"]:
                name = " ".join([metric["Name"], *(line[one] for one in dimensions)])
                found[name] = found.get(name, 0) + line[metric["Name"]]
        return found

    return read


class Daemon:
    """X-Ray's daemon on a port of this machine."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port = self._socket.getsockname()[1]

    def steps(self) -> dict[str, dict[str, Any]]:
        """The annotations of the subsegments that were sent since the last call, by name."""
        found: dict[str, dict[str, Any]] = {}
        while True:
            try:
                content = self._socket.recv(65_536)
            except BlockingIOError:  # on one machine, what was sent is there
                return found
            document = json.loads(content.partition(b"\n")[2])
            found[document["name"]] = document["annotations"]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """The invocations are sampled."""
    running = Daemon()
    trace = "Root=1-6923a1b2-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{running.port}")
    yield running
    running.close()


@pytest.fixture
def create(call: Any, table: Table) -> Callable[..., dict[str, Any]]:
    """`create(name=...)`: a new item as the API answered it."""
    del table

    def make(**members: Any) -> dict[str, Any]:
        body = {"name": "Binoculars", "price": "129.90"} | members
        answer = call(create_item, "api_create_item", body=json.dumps(body))
        assert answer["statusCode"] == 201
        return answer["json"]

    return make
