"""The health function behind the load balancer, asked over real HTTP (the sandbox has no TLS)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import sandbox
from tests.support.program import ROOT

CERTIFICATE = "arn:aws:acm:us-west-2:000000000000:certificate/01234567-89ab-cdef-0123-456789abcdef"
PROGRAM = f"""
from pathlib import Path

import pulumi

from components.function import ServerlessFunction
from components.keys import DataKey
from components.load_balancer import LoadBalancer, Target
from components.messaging import Queue
from components.packaging import Handlers
from components.place import Place
from settings import DataSettings, FunctionSettings, LoadBalancerSettings, PackagingSettings

place = Place.current(project=pulumi.get_project(), stack=pulumi.get_stack())
key = DataKey("data", settings=DataSettings(protect=False), place=place)
sizes = FunctionSettings()
handlers = Handlers(Path({str(ROOT)!r}) / "handlers", packaging=PackagingSettings())
health = ServerlessFunction(
    "health",
    settings=sizes,
    code=handlers.code("health", sizes, "python"),
    failures=Queue("failures", encryption=key),
    encryption=key,
    place=place,
)
balancer = LoadBalancer(
    "balancer",
    settings=LoadBalancerSettings(
        enabled=True,
        subnet_ids=("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"),
        security_group_ids=("sg-0123456789abcdef0",),
        certificate_arn={CERTIFICATE!r},
    ),
    targets=[Target("/health", health)],
    place=place,
)
pulumi.export("loadBalancerUrl", balancer.url)
"""

Ask = Callable[..., http.client.HTTPResponse]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks the load balancer of a small program for a path."""
    root: Path = tmp_path_factory.mktemp("balanced")
    (root / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    (root / "Pulumi.yaml").write_text("name: balanced\nruntime: python\n", encoding="utf-8")
    (root / "Pulumi.dev.yaml").write_text("config:\n  aws:region: us-west-2\n", encoding="utf-8")
    with sandbox.running("dev", root=root) as box:
        url = urlsplit(box.outputs["loadBalancerUrl"])
        assert url.scheme == "http", "so does the sandbox speak"
        connections: list[http.client.HTTPConnection] = []

        def get(path: str, *, port: int | None = None) -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection(url.netloc, timeout=10)
            connections.append(connection)
            # The port that a client names picks the listener.
            headers = {"Host": f"api.example.com:{port}"} if port else {}
            connection.request("GET", url.path + path, headers=headers)
            return connection.getresponse()

        yield get
        for connection in connections:
            connection.close()


def test_health_answers_behind_the_load_balancer(ask: Ask) -> None:
    answer = ask("/health", port=443)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert json.load(answer)["status"] == "ok"


@pytest.mark.parametrize("path", ["/", "/health/more", "/items"])
def test_what_no_function_answers_is_not_found(ask: Ask, path: str) -> None:
    answer = ask(path, port=443)
    assert answer.status == 404
    assert json.load(answer)["title"] == "Not Found"


def test_plain_http_is_sent_to_https(ask: Ask) -> None:
    answer = ask("/health?a=b", port=80)
    assert answer.status == 301
    assert answer.headers["Location"] == "https://api.example.com:443/health?a=b"


def test_the_address_that_the_stack_exports_leads_to_the_functions(ask: Ask) -> None:
    assert ask("/health").status == 200
