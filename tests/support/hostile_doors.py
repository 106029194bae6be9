"""Where a stranger's body comes in: the routes that take one, with what opens each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.box import Box
from sandbox.web import Answer
from settings import wiring
from tests.support import hostile


@dataclass(frozen=True)
class Door:
    """A route that takes a body. `api`: the export with its base URL; `takes_any_object`: what an object holds is up
    to the caller, so that odd members are no mistake.
    """

    api: str
    method: str
    path: str
    takes_any_object: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def send(self, box: Box, body: bytes, content_type: str = "application/json") -> Answer:
        """The answer to that body, sent by a caller with every right."""
        headers = {"Content-Type": content_type, "If-Match": "*", **credentials(box, self.api)}
        url = f"{box.outputs[self.api]}{self.path}"
        return box.http.request(self.method, url, body=body, headers=headers)


DOORS = (
    Door("apiUrl", "POST", "/items"),
    Door("apiUrl", "PUT", "/items/0190c2d4-0000-7000-8000-000000000000"),
    Door("apiUrl", "POST", "/notifications"),
    Door("httpApiUrl", "POST", "/users"),
    Door("httpApiUrl", "POST", "/orders", takes_any_object=True),
)


@cache
def credentials(box: Box, api: str) -> dict[str, str]:
    """Headers that open every route of an API, and a canary where a browser's cookie would be."""
    headers = {"Cookie": f"session={hostile.CANARY}"}
    if api == "httpApiUrl":
        return {**headers, "Authorization": f"Bearer {box.token(cognito=True)}"}
    return {**headers, "Authorization": f"Bearer {box.token()}", "x-api-key": _unlimited_key(box)}


def _unlimited_key(box: Box) -> str:
    """An API key of our own: the program's has a throttle, which is tested elsewhere and would end these tests soon."""
    gateway = box.client("apigateway")
    api, stage = str(box.outputs["apiUrl"]).split("/")[-2:]
    key = gateway.create_api_key(name="hostile", enabled=True)
    plan = gateway.create_usage_plan(name="hostile", apiStages=[{"apiId": api, "stage": stage}])
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    return str(key["value"])


@contextmanager
def watched(box: Box) -> Iterator[None]:
    """Fails where a function behind an API logs a traceback, an error or a secret in the meantime."""
    with hostile.clean_logs(box, (*wiring.API_FUNCTIONS, wiring.AUTHORIZER), lambda: _secrets(box)):
        yield


def _secrets(box: Box) -> Iterable[str]:
    """What opens doors: the signing keys, and the tokens and the key that were sent."""
    vault = box.client("secretsmanager")
    kept = json.loads(vault.get_secret_value(SecretId=box.outputs["authSecretArn"])["SecretString"])
    yield from (text for text in _texts(kept) if len(text) >= 32)
    for api in ("apiUrl", "httpApiUrl"):
        for header in credentials(box, api).values():
            yield header.rpartition(".")[2]  # of a token its signature, which is nowhere else


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
