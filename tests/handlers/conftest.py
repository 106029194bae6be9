"""An AWS that answers from memory, and the environment that the grants would set."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import create_item
import pytest
from hypothesis import settings

from common import aws as common_aws
from common import logs, once, push, secrets
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
}
_UNSET = ("CORS_ALLOW_ORIGINS", "LOG_LEVEL", "UPLOAD_RETENTION_DAYS", "AWS_LAMBDA_FUNCTION_NAME")


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


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """The log lines written since the last call, each of which must be one JSON object."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return read


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
