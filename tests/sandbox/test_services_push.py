"""A change in a table reaches 200 WebSockets within a second, whatever else reads its stream."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.sandbox.functions_support import archive, role
from tests.sandbox.services_support import Made, clients, make

CLIENTS = 200
ROUTES = """
import os
import boto3

table = boto3.client("dynamodb")

def handler(event, context):
    mark = {"id": {"S": event["requestContext"]["connectionId"]}}
    table.put_item(TableName=os.environ["CONNECTIONS"], Item=mark)
    return {"statusCode": 200}
"""
PUBLISH = """
import http.client, json, os, threading, time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

session, table = boto3.Session(), boto3.client("dynamodb")
to = urlsplit(os.environ["MANAGEMENT"])
kept = threading.local()
ring = ThreadPoolExecutor(16)

def post(row):
    mark, data = row["id"]["S"], b'{"pushed": true}'
    request = AWSRequest("POST", f"{to.geturl()}/@connections/{mark.replace('=', '%3D')}", data=data)
    SigV4Auth(session.get_credentials(), "execute-api", session.region_name).add_auth(request)
    if not hasattr(kept, "wire"):
        kept.wire = http.client.HTTPConnection(to.netloc)
    kept.wire.request("POST", urlsplit(request.url).path, data, dict(request.headers))
    answer = kept.wire.getresponse()
    answer.read()
    return answer.status

def handler(event, context):
    began = time.perf_counter()
    rows = table.scan(TableName=os.environ["CONNECTIONS"])["Items"]
    found = list(ring.map(post, rows))
    print(json.dumps({"status": sorted(set(found)), "count": len(found), "took": time.perf_counter() - began}))
"""
SLOW = """
import time
def handler(event, context):
    time.sleep(3)
"""


class Line(NamedTuple):
    url: str
    items: Made
    publisher: Made


def _table(name: str, **inputs: Any) -> Made:
    key = {"hashKey": "id", "attributes": [{"name": "id", "type": "S"}]}
    return make("dynamodb/table:Table", name, billingMode="PAY_PER_REQUEST", **key, **inputs)


def _function(name: str, text: str, rights: Made, **variables: str) -> Made:
    return make(
        "lambda/function:Function",
        name,
        code=archive(text),
        role=rights["arn"],
        runtime="python3.13",
        handler="main.handler",
        timeout=20,
        memorySize=512,
        environment={"variables": variables},
    )


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    """A socket, a table with two readers of its stream: one pushes, the one before it is slow."""
    items = _table("pushed", streamEnabled=True, streamViewType="NEW_AND_OLD_IMAGES")
    connections = _table("connected")
    api = make("apigatewayv2/api:Api", "push", protocolType="WEBSOCKET")
    stage = make("apigatewayv2/stage:Stage", "push", apiId=api.id, name="dev", autoDeploy=True)
    rights = role("push", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    shared = {"CONNECTIONS": connections["name"]}
    routes = _function("push-routes", ROUTES, rights, **shared)
    to = stage["invokeUrl"].replace("ws", "http", 1)
    publisher = _function("push-publisher", PUBLISH, rights, MANAGEMENT=to, **shared)
    slow = _function("push-slow", SLOW, rights)
    own = make(
        "apigatewayv2/integration:Integration",
        "push",
        apiId=api.id,
        integrationType="AWS_PROXY",
        integrationUri=routes["invokeArn"],
        integrationMethod="POST",
    )
    target = f"integrations/{own.id}"
    make("apigatewayv2/route:Route", "in", apiId=api.id, routeKey="$connect", target=target)
    readers = [
        make(
            "lambda/eventSourceMapping:EventSourceMapping",
            function["name"],
            eventSourceArn=items["streamArn"],
            functionName=function["arn"],
            startingPosition="LATEST",
        )
        for function in (slow, publisher)
    ]
    yield Line(stage["invokeUrl"], items, publisher)
    for made in (*readers, api, items, connections):
        made.delete()


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[list[ClientConnection]]:
    opened: list[ClientConnection] = []
    try:
        for _ in range(CLIENTS // 20):
            opened += await asyncio.gather(*(connect(url, proxy=None) for _ in range(20)))
        yield opened
    finally:
        await asyncio.gather(*(each.close() for each in opened))


async def _reached(line: Line) -> list[float]:
    """Seconds from the write to each client's message."""
    database = clients().client("dynamodb")
    async with _connected(line.url) as opened:
        took = []
        for mark in ("first", "second"):
            began = time.perf_counter()
            database.put_item(TableName=line.items["name"], Item={"id": {"S": mark}})

            async def heard(each: ClientConnection, began: float = began) -> float:
                assert json.loads(await asyncio.wait_for(each.recv(), 30)) == {"pushed": True}
                return time.perf_counter() - began

            took = await asyncio.gather(*map(heard, opened))
        return took


def test_two_hundred_clients_hear_of_a_change_within_a_second(line: Line) -> None:
    took = asyncio.run(_reached(line))
    assert len(took) == CLIENTS
    assert max(took) < 1
