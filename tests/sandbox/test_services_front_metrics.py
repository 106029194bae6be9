"""What gateways and balancers count of their requests and messages, by API and by stage."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from sandbox.workers import front_seams
from sandbox.workers.metric_store import Store
from tests.sandbox.rest_api_support import call
from tests.sandbox.services_support import Made, clients, make
from tests.sandbox.socket_support import RefusedError, Socket

HTTP = """
def handler(event, context):
    if event["rawPath"].endswith("fails"):
        raise ValueError
    return {"statusCode": 200, "body": "ok"}
"""
CHAT = """
def handler(event, context):
    if event.get("body") == "raise":
        raise ValueError
    return {"statusCode": 500 if event.get("body") == "refuse" else 200}
"""


def front(protocol: str, function: Made, *routes: str, **api: Any) -> Made:
    """A stage of an API whose routes lead to one function."""
    made = make("apigatewayv2/api:Api", f"counted-{protocol}", protocolType=protocol, **api)
    integration = make(
        "apigatewayv2/integration:Integration",
        "counted",
        apiId=made.id,
        integrationType="AWS_PROXY",
        integrationUri=function["invokeArn"],
        integrationMethod="POST",
    )
    for route in routes:
        make(
            "apigatewayv2/route:Route",
            route,
            apiId=made.id,
            routeKey=route,
            target=f"integrations/{integration.id}",
        )
    make(
        "lambda/permission:Permission",
        f"counted-{protocol}",
        action="lambda:InvokeFunction",
        function=function["name"],
        principal="apigateway.amazonaws.com",
        sourceArn=f"{made['executionArn']}/*",
    )
    return make("apigatewayv2/stage:Stage", "dev", apiId=made.id, name="dev", autoDeploy=True)


def sums(stage: Made, *names: str) -> dict[str, float]:
    """Sums of the API's metrics, which are those of its one stage."""

    def total(name: str, **dimensions: str) -> float:
        points = (
            clients()
            .client("cloudwatch")
            .get_metric_statistics(
                Namespace="AWS/ApiGateway",
                MetricName=name,
                Dimensions=[{"Name": n, "Value": v} for n, v in dimensions.items()],
                StartTime=time.time() - 600,
                EndTime=time.time() + 60,
                Period=3600,
                Statistics=["Sum"],
            )["Datapoints"]
        )
        return sum(point["Sum"] for point in points)

    api = str(stage.inputs["apiId"])
    found = {name: total(name, ApiId=api) for name in names}
    assert found == {name: total(name, ApiId=api, Stage="dev") for name in names}
    return found


def test_requests_of_an_http_api_are_counted(function: Callable[..., Made]) -> None:
    stage = front("HTTP", function("counted-http", HTTP), "GET /{proxy+}")
    for path, status in (("a", 200), ("fails", 500)):
        assert call(f"{stage['invokeUrl']}/{path}").status == status
    assert call(f"{stage['invokeUrl']}/a", "POST").status == 404
    assert sums(stage, "Count", "4xx", "5xx") == {"Count": 3, "4xx": 1, "5xx": 1}
    latency = sums(stage, "Latency", "IntegrationLatency")
    assert latency["Latency"] >= latency["IntegrationLatency"]


def test_messages_of_a_websocket_are_counted(function: Callable[..., Made]) -> None:
    chat = function("counted-chat", CHAT)
    stage = front(
        "WEBSOCKET", chat, "$connect", "$default", routeSelectionExpression="$request.body.action"
    )
    url = stage["invokeUrl"]
    with Socket(url) as line:
        for text in ("hello", "refuse", "raise"):
            line.send(text)
        assert "Internal server error" in (line.receive() or "")
    wanted = {
        "ConnectCount": 1,
        "MessageCount": 3,
        "IntegrationError": 1,
        "ExecutionError": 1,
        "ClientError": 0,
    }
    assert sums(stage, *wanted) == wanted
    with contextlib.suppress(RefusedError):
        Socket(f"{url}/elsewhere").close()
    assert sums(stage, *wanted) == wanted, "what reaches no stage is not counted"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[tuple[str, int], float]]:
    """Sums by metric and number of dimensions, in a store of its own."""
    own = Store()
    monkeypatch.setattr(front_seams, "STORE", own)
    return lambda: {
        (s.key[1], len(s.key[2])): sum(bucket.total for bucket in s.buckets)
        for s in own.all()
        if s.unit == "Count"
    }


def built(attribute: str, original: Any) -> Any:
    seam = next(each for each in front_seams.seams() if each.attribute == attribute)
    return seam.build(ModuleType("emulator"), original)


def test_answers_of_targets_and_of_the_balancer_itself_are_told_apart(
    store: Callable[[], dict[tuple[str, int], float]],
) -> None:
    answers = iter([(503, {}, b""), (502, {}, b'{"message": "Lambda error: x"}')])
    group = "arn:aws:elasticloadbalancing:r:a:targetgroup/own/1"

    async def target(_function: str, _group: str) -> Any:
        return next(answers)

    invoke = built("_invoke_lambda_target", target)

    async def dispatch(_balancer: Any, *, fixed: bool = False) -> Any:
        return (404, {}, b"") if fixed else await invoke("f", group)

    serve = built("dispatch_request", dispatch)
    balancer = {"LoadBalancerArn": "arn:aws:elasticloadbalancing:r:a:loadbalancer/app/front/1"}

    async def three() -> None:
        for fixed in (False, False, True):
            await serve(balancer, fixed=fixed)

    asyncio.run(three())
    assert store() == {
        ("HTTPCode_ELB_4XX_Count", 1): 1,
        ("HTTPCode_ELB_5XX_Count", 1): 1,
        ("HTTPCode_Target_5XX_Count", 1): 1,
        ("HTTPCode_Target_5XX_Count", 2): 1,
        ("RequestCount", 1): 3,
        ("RequestCount", 2): 1,
    }


def test_questions_to_a_graphql_api_are_counted(
    store: Callable[[], dict[tuple[str, int], float]],
) -> None:
    answers = iter([(200, {}, b'{"errors": []}'), (401, {}, b""), (500, {}, b"")])
    ask = built("_execute_graphql", lambda _api, _data: next(answers))
    for _ in range(3):
        ask("api", {})
    assert store() == {("4XXError", 1): 1, ("5XXError", 1): 1, ("Requests", 1): 3}
