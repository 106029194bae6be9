"""The reference page: who gets it, what it holds, and which addresses its requests go to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import sandbox
from sandbox import reference
from sandbox.box import Box
from sandbox.emulator import HOST
from sandbox.web import Answer
from tests.sandbox.cli_support import HEAD, Project

PROGRAM = (
    HEAD
    + """
secret = Resource("aws:secretsmanager/secret:Secret", "auth")
Resource("aws:secretsmanager/secretVersion:SecretVersion", "auth", secretId=secret.arn,
         secretString='{"kid": "1", "key": "0123456789abcdef0123456789abcdef", "iss": "me", "aud": "you"}')
rest = Resource("aws:apigateway/restApi:RestApi", "shop")
key = Resource("aws:apigateway/apiKey:ApiKey", "shop", value=None)
pulumi.export("apiUrl", rest.id.apply(lambda mark: f"http://ENDPOINT/_aws/execute-api/{mark}/dev"))
pulumi.export("authSecretArn", secret.arn)
pulumi.export("apiKeyId", key.id)
"""
)
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "servers": [{"url": "/"}],
    "paths": {},
    "components": {
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            "cognito": {"type": "http", "scheme": "bearer"},
            "other": {"type": "oauth2", "flows": {}},
        }
    },
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A stack with an address, a signing secret and a key, and a document that asks for more than that."""
    from sandbox import emulator

    port = emulator._free(None)
    folder = tmp_path_factory.mktemp("reference") / "shop"
    project = Project(folder, PROGRAM.replace("ENDPOINT", f"{HOST}:{port}"))
    (project.root / "openapi.json").write_text(json.dumps(DOCUMENT))
    with sandbox.running(root=project.root, port=port) as box:
        yield box


def get(box: Box, name: str = "", **headers: str) -> Answer:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return box.http.get(f"{box.endpoint}{reference.PATH}{name}", headers=named)


def test_page_and_all_it_loads_come_from_this_very_server(shop: Box) -> None:
    page = get(shop)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "//" not in page.text
    for name in ("page.js", "swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"):
        assert name == "page.js" or name in reference._ASSETS
        assert get(shop, name).status == 200
        assert f'"{name}"' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "connect-src 'self'" in policy
    assert "http" not in policy


def test_document_names_the_running_api_and_its_credentials_are_filled_in(shop: Box) -> None:
    settings = get(shop, "settings.json").json()
    assert settings["document"]["servers"] == [{"url": shop.outputs["apiUrl"]}]
    assert settings["document"]["info"] == DOCUMENT["info"]
    assert set(settings["credentials"]) == {"bearer", "key"}
    assert settings["credentials"]["bearer"].count(".") == 2
    assert settings["credentials"]["key"] == shop.api_key()


def test_page_under_another_name_of_this_machine_calls_the_api_by_that_name(shop: Box) -> None:
    host = f"localhost:{shop.endpoint.rpartition(':')[2]}"
    settings = get(shop, "settings.json", Host=host).json()
    assert settings["document"]["servers"][0]["url"].startswith(f"http://{host}/_aws/")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::1", "", "0.0.0.0"])  # noqa: S104
@pytest.mark.parametrize("name", ["", "settings.json", "page.js"])
def test_foreign_host_gets_nothing(shop: Box, host: str, name: str) -> None:
    answer = get(shop, name, Host=host)
    assert answer.status == 403
    assert answer.text == "The reference page is for this machine only.\n"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_page_of_another_origin_cannot_read_the_token(shop: Box, site: str) -> None:
    assert get(shop, "settings.json", Sec_Fetch_Site=site).status == 403
    own = get(shop, "settings.json", Sec_Fetch_Site="same-origin", Origin="https://evil.example")
    assert own.status == 200
    assert "Access-Control-Allow-Origin" not in own.headers
    assert own.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert own.headers["Cache-Control"] == "no-store"


def test_address_without_its_slash_leads_to_the_page(shop: Box) -> None:
    answer = shop.http.get(shop.endpoint + reference.PATH.rstrip("/"))
    assert (answer.status, answer.headers["Location"]) == (308, reference.PATH)


@pytest.mark.parametrize(
    "name", ["nothing", "../../../Pulumi.yaml", "swagger-editor-bundle.js", "__init__.py"]
)
def test_nothing_else_is_served(shop: Box, name: str) -> None:
    assert get(shop, name).status == 404


def test_page_is_only_read(shop: Box) -> None:
    for method in ("POST", "DELETE", "OPTIONS"):
        assert shop.http.request(method, shop.endpoint + reference.PATH).status == 405


def test_program_without_a_document_has_no_page(tmp_path: Path) -> None:
    assert not reference.exists(tmp_path)
    environment = {
        reference.ROOT_VARIABLE: str(tmp_path),
        reference.STATE_VARIABLE: str(tmp_path / "state.json"),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": "1",
        "MINISTACK_REGION": "us-west-2",
    }
    for given in (environment, {}):
        status, _, body = reference.answer(
            reference.PATH, "GET", {"host": "127.0.0.1:1"}, environment=given
        )
        assert (status, body) == (404, b"This sandbox has no reference page.\n")


def test_document_that_is_none_is_told_on_the_page(tmp_path: Path) -> None:
    site = reference.Site(tmp_path, tmp_path / "state.json", "http://127.0.0.1:1", "us-west-2")
    (tmp_path / "openapi.json").write_text("[]")
    assert reference._settings(site, {"host": "127.0.0.1:1"})[0] == 500
    (tmp_path / "openapi.json").write_text("{}")
    assert reference._settings(site, {"host": "127.0.0.1:1"})[0] == 503
