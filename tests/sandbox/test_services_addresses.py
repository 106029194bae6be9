"""Functions reach this machine only: what they are told of a domain leads here, everything else is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

from sandbox.workers import borders
from tests.sandbox.functions_support import execution_role, invoke
from tests.sandbox.services_support import Made, clients, make
from tests.sandbox.socket_support import Socket
from tests.sandbox.workers_support import Launcher

DOMAIN = "live.addresses.example"
TOLD = """
import os
kept = os.environ["TO"]
def handler(event, context):
    return [kept, os.environ["TO"], os.environ["TOGETHER"]]
"""
NODE = """
export const handler = async (event) => {
  if (!event) return [process.env.TO, process.env.TO, process.env.TOGETHER];
  try { await fetch(event); return "reached"; } catch (error) { return String(error.cause); }
};
"""
CALL = """
import socket, urllib.request
def handler(event, context):
    if isinstance(event, list):
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"1", tuple(event))
    try:
        return urllib.request.urlopen(event, timeout=3).status
    except OSError as error:
        return str(error)
"""
HEALTH = "/_ministack/health"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")


@pytest.fixture(scope="module")
def stage() -> Iterator[Made]:
    """A WebSocket API that keeps every connection open."""
    api = make("apigatewayv2/api:Api", "addresses", protocolType="WEBSOCKET")
    yield make("apigatewayv2/stage:Stage", "addresses", apiId=api.id, name="dev", autoDeploy=True)
    api.delete()


@pytest.fixture
def mapped(stage: Made) -> Iterator[Callable[[], None]]:
    """Maps the stage under its domain."""
    block = {"certificateArn": "arn:aws:acm:us-west-2:000000000000:certificate/1"}
    block |= {"endpointType": "REGIONAL", "securityPolicy": "TLS_1_2"}
    named: dict[str, Any] = {"domainName": DOMAIN}
    domain = make(
        "apigatewayv2/domainName:DomainName", "addresses", domainNameConfiguration=block, **named
    )
    to = {"apiId": stage["apiId"], "stage": stage.id, "apiMappingKey": "v1"}
    yield lambda: make("apigatewayv2/apiMapping:ApiMapping", "addresses", **to, **named) and None
    domain.delete()


def _node(**variables: str) -> Made:
    return make(
        "lambda/function:Function",
        "addresses-node",
        code=pulumi.AssetArchive({"index.mjs": pulumi.StringAsset(NODE)}),
        role=execution_role()["arn"],
        runtime="nodejs22.x",
        handler="index.handler",
        environment={"variables": variables},
    )


VARIABLES = {"TO": f"https://{DOMAIN}/v1", "TOGETHER": f"https://{DOMAIN}/v1 and more"}


def _local(stage: Made) -> str:
    return stage["invokeUrl"].replace("ws", "http", 1)


def test_variable_under_a_domain_leads_here_even_where_it_is_mapped_later(
    aws: Any, function: Callable[..., Made], stage: Made, mapped: Callable[[], None]
) -> None:
    told = function("addresses", TOLD, environment={"variables": VARIABLES})
    before = invoke(aws, told["arn"])
    assert before == [VARIABLES["TO"], VARIABLES["TO"], VARIABLES["TOGETHER"]]
    mapped()
    assert invoke(aws, told["arn"]) == [_local(stage), _local(stage), VARIABLES["TOGETHER"]]
    shown = aws("lambda").get_function_configuration(FunctionName=told["name"])
    assert shown["Environment"]["Variables"] == VARIABLES


@needs_node
def test_variable_of_nodejs_leads_here_too(
    aws: Any, stage: Made, mapped: Callable[[], None]
) -> None:
    told = _node(**VARIABLES)
    assert invoke(aws, told["arn"])[0] == VARIABLES["TO"]
    mapped()
    assert invoke(aws, told["arn"])[0] == _local(stage)
    told.delete()


def test_push_to_a_domain_reaches_the_socket_of_this_machine(
    aws: Any, function: Callable[..., Made], stage: Made, mapped: Callable[[], None]
) -> None:
    mapped()
    push = """
import json, os, boto3
def handler(event, context):
    api = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["TO"])
    api.post_to_connection(ConnectionId=event, Data=b"pushed")
"""
    rights = {"Effect": "Allow", "Action": "execute-api:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
    role = execution_role()["name"]
    make("iam/rolePolicy:RolePolicy", "addresses-push", role=role, policy=document)
    told = function("addresses-push", push, environment={"variables": VARIABLES})
    connected = """
import os
def handler(event, context):
    return {"statusCode": 200, "body": event["requestContext"]["connectionId"]}
"""
    routes = function("addresses-routes", connected)
    own = make(
        "apigatewayv2/integration:Integration",
        "addresses",
        apiId=stage["apiId"],
        integrationType="AWS_PROXY",
        integrationUri=routes["invokeArn"],
    )
    make(
        "apigatewayv2/route:Route",
        "addresses",
        apiId=stage["apiId"],
        routeKey="$default",
        target=f"integrations/{own.id}",
        routeResponseSelectionExpression="$default",
    )
    with Socket(stage["invokeUrl"]) as socket:
        socket.send("who am I")
        assert invoke(aws, told["arn"], socket.receive()) is None
        assert socket.receive() == "pushed"


def test_connection_to_another_machine_is_refused_unasked(
    aws: Any, function: Callable[..., Made]
) -> None:
    calls = function("addresses-calls", CALL)
    border = (
        f"its connections to other machines are refused ({borders.VARIABLE}=open lets them out)"
    )
    assert border in calls.notes
    for place in ("https://nowhere.example/", "http://192.0.2.1/", "http://[2001:db8::1]/"):
        assert borders.SAID in invoke(aws, calls["arn"], place)
    port = clients().endpoint.rpartition(":")[2]
    for name in ("127.0.0.1", "localhost"):
        assert invoke(aws, calls["arn"], f"http://{name}:{port}{HEALTH}") == 200
    assert borders.SAID in invoke(aws, calls["arn"], ["192.0.2.1", 9])["errorMessage"]


@needs_node
def test_connection_of_nodejs_to_another_machine_is_refused_too(aws: Any) -> None:
    calls = _node()
    for place in ("https://nowhere.example/", "http://192.0.2.1/"):
        assert borders.SAID in invoke(aws, calls["arn"], place)
    assert invoke(aws, calls["arn"], clients().endpoint + HEALTH) == "reached"
    calls.delete()


def test_border_may_be_opened(tmp_path: Path) -> None:
    code = """
import socket
def handler(event, context):
    try:
        # Nobody need be there: the broadcast address is no machine of its own.
        socket.create_connection(("255.255.255.255", 9), 1)
    except OSError as error:
        return str(error)
"""
    launcher = Launcher(tmp_path, **{borders.VARIABLE: "open"})
    try:
        assert borders.SAID not in launcher.run(code).ok
    finally:
        launcher.stop()


def test_what_cannot_be_stopped_at_the_border_is_told(function: Callable[..., Made]) -> None:
    custom = function("addresses-custom", runtime="provided.al2023")
    unguarded = "its connections to other machines are not refused: mind what it is told to call"
    assert unguarded in custom.notes
