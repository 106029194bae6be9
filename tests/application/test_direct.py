"""Functions that are called directly or by a URL of their own, in each of the three runtimes that run here."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.box import Box

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
needs_go = pytest.mark.skipif(not shutil.which("go"), reason="Go is not installed")

CALLER = Credentials("test", "test")
ORDER = {"items": [{"id": "cord", "quantity": 7}, {"id": "lamp", "quantity": 3, "price": "0.10"}]}


def call(
    box: Box, path: str, body: Any = None, *, caller: Credentials | None = CALLER
) -> tuple[int, Any]:
    """Status and JSON of a call of the products function at its URL, signed by `caller`."""
    url = box.outputs["functions"]["products"]["url"].rstrip("/") + path
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = AWSRequest("POST" if data is not None else "GET", url, data=data)
    if caller is not None:
        SigV4Auth(caller, "lambda", "us-west-2").add_auth(request)
    sent = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        url, data=data, headers=dict(request.headers), method=request.method
    )
    try:
        with urllib.request.urlopen(sent, timeout=10) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@needs_node
def test_products_are_listed_at_the_functions_own_url(box: Box) -> None:
    status, answer = call(box, "/products")
    assert status == 200
    assert answer["message"] == "List of products"


@needs_node
def test_an_order_is_created_and_added_up_exactly(box: Box) -> None:
    """Seven times 0.145 is 1.015 in decimals, and less in binary fractions; the module comes from the layer."""
    status, answer = call(box, "/orders", ORDER)
    assert (status, answer["message"]) == (201, "Order created")
    assert answer["order"]["items"] == ORDER["items"]
    assert answer["total"] == "1.32"


@needs_node
@pytest.mark.parametrize("body", [b"{", b"[]", b"", b"\xff", b'{"items": "x"}'])
def test_a_wrong_order_is_400_and_never_more(box: Box, body: bytes) -> None:
    status, answer = call(box, "/orders", body)
    assert (status, answer["status"]) == (400, 400)


@needs_node
def test_another_path_is_404(box: Box) -> None:
    assert call(box, "/nothing")[0] == 404


def test_an_unsigned_call_is_refused_before_the_function(box: Box) -> None:
    status, answer = call(box, "/products", caller=None)
    assert status == 403
    assert answer["Message"].startswith("Forbidden")


@needs_go
def test_checksums_are_those_of_the_content(box: Box) -> None:
    content = b"sandpiper"
    answer = box.invoke("checksum", {"content": base64.b64encode(content).decode()})
    assert answer.error is None
    assert answer.payload["size"] == len(content)
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert answer.payload["sha256"] == digest


@needs_go
def test_a_wrong_request_for_checksums_is_an_error_with_a_type(box: Box) -> None:
    assert box.invoke("checksum", {"content": "?"}).error


def test_after_many_deploys_the_newest_and_the_aliased_versions_remain(box: Box) -> None:
    client, name = box.client("lambda"), box.outputs["functions"]["health"]["name"]
    first = client.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    made = [_publish(client, name, f"deploy {number}") for number in range(7)]
    answer = box.invoke("version-cleaner", {})
    assert answer.error is None, answer.payload
    assert set(_versions(client, name)) == {"$LATEST", first, *made[-5:]}
    assert box.http.get("/health").status == 200


def _publish(client: Any, name: str, description: str) -> str:
    client.update_function_configuration(FunctionName=name, Description=description)
    version: str = client.publish_version(FunctionName=name)["Version"]
    return version


def _versions(client: Any, name: str) -> list[str]:
    return [v["Version"] for v in client.list_versions_by_function(FunctionName=name)["Versions"]]
