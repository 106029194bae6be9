"""WebSocket APIs: a real client connects, sends, gets pushes and goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.sandbox.functions_support import archive, role, within
from tests.sandbox.services_support import Made, clients, make
from tests.sandbox.socket_support import RefusedError, Socket

FUNCTION = """
import json, os
import boto3

seen = boto3.client("dynamodb")

def handler(event, context):
    at = event["requestContext"]
    key = {"id": {"S": at["connectionId"] + at["routeKey"]}}
    seen.put_item(TableName=os.environ["TABLE"], Item={**key, "event": {"S": json.dumps(event)}})
    if at["routeKey"] == "fail":
        raise ValueError("secret")
    wanted = (event.get("queryStringParameters") or {}).get("status", "200")
    if wanted == "raise":
        raise ValueError("secret")
    if wanted == "text":
        return "no answer"
    if at["routeKey"] == "quiet":
        return json.loads(event["body"])["answer"]
    if at["routeKey"] == "$connect":
        return {"statusCode": int(wanted), "body": "secret"}
    if at["routeKey"] == "push":
        api = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["MANAGEMENT"])
        api.post_to_connection(ConnectionId=at["connectionId"], Data=b'{"pushed": true}')
    return {"statusCode": 200, "body": json.dumps({"route": at["routeKey"]})}
"""
GATE = """
def handler(event, context):
    token = (event.get("queryStringParameters") or {}).get("token")
    if token == "broken":
        raise ValueError(token)
    effect = "Allow" if token == "good" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": "ada",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"level": 3},
    }
"""


class Line(NamedTuple):
    api: Made
    stage: Made
    function: Made
    gate: Made
    table: Made
    route: Any

    @property
    def url(self) -> str:
        return self.stage["invokeUrl"]


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    table = make(
        "dynamodb/table:Table",
        "seen",
        hashKey="id",
        billingMode="PAY_PER_REQUEST",
        attributes=[{"name": "id", "type": "S"}],
    )
    api = make("apigatewayv2/api:Api", "chat", protocolType="WEBSOCKET")
    stage = make("apigatewayv2/stage:Stage", "chat", apiId=api.id, name="dev", autoDeploy=True)
    rights = role(
        "chat",
        {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": table["arn"]},
        {
            "Effect": "Allow",
            "Action": "execute-api:ManageConnections",
            "Resource": f"{api['executionArn']}/dev/*/@connections/*",
        },
    )
    shared = {"runtime": "python3.13", "handler": "main.handler", "role": rights["arn"]}
    function = make(
        "lambda/function:Function",
        "chat",
        code=archive(FUNCTION),
        environment={
            "variables": {
                "TABLE": table["name"],
                "MANAGEMENT": stage["invokeUrl"].replace("ws", "http", 1),
            }
        },
        **shared,
    )
    gate_function = make("lambda/function:Function", "chat-gate", code=archive(GATE), **shared)
    gate = make(
        "apigatewayv2/authorizer:Authorizer",
        "chat",
        apiId=api.id,
        authorizerType="REQUEST",
        authorizerUri=gate_function["invokeArn"],
        identitySources=["route.request.querystring.token"],
    )
    own = make(
        "apigatewayv2/integration:Integration",
        "chat",
        apiId=api.id,
        integrationType="AWS_PROXY",
        integrationUri=function["invokeArn"],
        integrationMethod="POST",
    )

    def route(key: str, **inputs: Any) -> Made:
        given = {"apiId": api.id, "routeKey": key, "target": f"integrations/{own.id}", **inputs}
        return make("apigatewayv2/route:Route", key, **given)

    route("$connect", authorizationType="CUSTOM", authorizerId=gate.id)
    route("$disconnect")
    route("$default")
    route("push")
    route("fail")
    for key in ("ask", "quiet"):
        answering = route(key, routeResponseSelectionExpression="$default")
        make(
            "apigatewayv2/routeResponse:RouteResponse",
            key,
            apiId=api.id,
            routeId=answering.id,
            routeResponseKey="$default",
        )
    yield Line(api, stage, function, gate, table, route)
    api.delete()


def _events(line: Line, key: str) -> list[dict[str, Any]]:
    rows = clients().client("dynamodb").scan(TableName=line.table["name"])["Items"]
    return [json.loads(row["event"]["S"]) for row in rows if row["id"]["S"].endswith(key)]


def _management(line: Line) -> Any:
    import boto3

    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=line.url.replace("ws", "http", 1),
        region_name="us-west-2",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def test_address_is_a_websocket_of_this_machine(line: Line) -> None:
    base = clients().endpoint.replace("http", "ws") + f"/_aws/execute-api/{line.api.id}"
    assert (line.api["apiEndpoint"], line.url) == (base, f"{base}/dev")
    assert line.api["routeSelectionExpression"] == "$request.body.action"


@pytest.mark.parametrize(
    ("query", "status"), [("", 401), ("?token=bad", 403), ("?token=broken", 500)]
)
def test_authorizer_refuses_the_handshake(line: Line, query: str, status: int) -> None:
    with pytest.raises(RefusedError) as refused:
        Socket(line.url + query)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("wanted", "status"),
    [("raise", 502), ("text", 502), ("301", 301), ("401", 401), ("403", 403), ("501", 501)],
)
def test_function_of_connect_refuses_the_handshake_with_its_own_status(
    line: Line, wanted: str, status: int
) -> None:
    with pytest.raises(RefusedError) as refused:
        Socket(f"{line.url}?token=good&status={wanted}")
    assert refused.value.status == status
    assert "secret" not in refused.value.text
    assert {"message", "connectionId", "requestId"} == set(json.loads(refused.value.text))
    with Socket(f"{line.url}?token=good&status=201") as socket:
        socket.send({"action": "ask"})
        assert socket.receive()


@pytest.mark.parametrize("path", ["/devx", "/dev/x", "/dev/../dev", "/de", ""])
def test_only_the_address_of_a_stage_opens_a_socket(line: Line, path: str) -> None:
    base = line.url.removesuffix("/dev")
    with pytest.raises(RefusedError, match="403"):
        Socket(f"{base}{path}?token=good")
    Socket(f"{base}/dev/?token=good").close()


@pytest.mark.parametrize("answer", [None, {}, {"statusCode": 200}, {"statusCode": 200, "body": ""}])
def test_route_with_a_response_and_no_body_is_answered_with_an_empty_message(
    line: Line, answer: Any
) -> None:
    with Socket(f"{line.url}?token=good") as socket:
        socket.send({"action": "quiet", "answer": answer})
        assert socket.receive() == ""
        socket.send({"action": "quiet", "answer": {"body": "said"}})
        assert socket.receive() == "said"


def test_message_goes_to_the_route_that_it_names(line: Line) -> None:
    with Socket(f"{line.url}?token=good") as socket:
        socket.send({"action": "ask"})
        assert json.loads(socket.receive() or "") == {"route": "ask"}
        event = _events(line, "ask")[-1]
        assert event["requestContext"]["authorizer"] == {"principalId": "ada", "level": "3"}
        assert json.loads(event["body"]) == {"action": "ask"}
        socket.send("no JSON at all")
        assert within(5, lambda: _events(line, "$default"))


def test_route_without_a_declared_response_says_nothing(line: Line) -> None:
    with Socket(f"{line.url}?token=good") as socket:
        socket.send({"action": "unheard of"})
        assert socket.receive(0.5) is None


def test_failed_function_is_told_without_its_words(line: Line) -> None:
    with Socket(f"{line.url}?token=good") as socket:
        socket.send({"action": "fail"})
        told = json.loads(socket.receive() or "")
    assert told["message"] == "Internal server error"
    assert set(told) == {"message", "connectionId", "requestId"}


def test_message_that_no_route_is_for_is_forbidden() -> None:
    api = make("apigatewayv2/api:Api", "empty", protocolType="WEBSOCKET")
    stage = make("apigatewayv2/stage:Stage", "empty", apiId=api.id, name="dev", autoDeploy=True)
    with Socket(stage["invokeUrl"]) as socket:
        socket.send("hello")
        told = json.loads(socket.receive() or "")
    assert told["message"] == "Forbidden"
    api.delete()


def test_function_pushes_under_its_own_role(line: Line) -> None:
    with Socket(f"{line.url}?token=good") as socket:
        socket.send({"action": "push"})
        assert json.loads(socket.receive() or "") == {"pushed": True}


def test_gone_connection_is_410_and_disconnect_is_called(line: Line) -> None:
    management = _management(line)
    with Socket(f"{line.url}?token=good") as socket:
        socket.send({"action": "ask"})
        socket.receive()
        ids = {each["requestContext"]["connectionId"] for each in _events(line, "ask")}
        known = [each for each in ids if _is_open(management, each)]
        assert len(known) == 1
        management.post_to_connection(ConnectionId=known[0], Data=b"hello")
        assert socket.receive() == "hello"
    assert within(5, lambda: not _is_open(management, known[0]))
    with pytest.raises(management.exceptions.GoneException):
        management.post_to_connection(ConnectionId=known[0], Data=b"hello")
    ended = within(5, lambda: _events(line, f"{known[0]}$disconnect"))
    assert ended[0]["requestContext"]["eventType"] == "DISCONNECT"


def _is_open(management: Any, connection: str) -> bool:
    try:
        management.get_connection(ConnectionId=connection)
    except management.exceptions.GoneException:
        return False
    return True


def test_connection_can_be_closed_from_outside(line: Line) -> None:
    management = _management(line)
    with Socket(f"{line.url}?token=good") as socket:
        socket.send({"action": "ask"})
        socket.receive()
        ids = {each["requestContext"]["connectionId"] for each in _events(line, "ask")}
        (known,) = [each for each in ids if _is_open(management, each)]
        management.delete_connection(ConnectionId=known)
        assert socket.receive() is None


def test_default_route_hears_messages_only() -> None:
    table = make(
        "dynamodb/table:Table",
        "quiet",
        hashKey="id",
        billingMode="PAY_PER_REQUEST",
        attributes=[{"name": "id", "type": "S"}],
    )
    api = make("apigatewayv2/api:Api", "quiet", protocolType="WEBSOCKET")
    stage = make("apigatewayv2/stage:Stage", "quiet", apiId=api.id, name="dev", autoDeploy=True)
    rights = role(
        "quiet", {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": table["arn"]}
    )
    function = make(
        "lambda/function:Function",
        "quiet",
        code=archive(FUNCTION),
        runtime="python3.13",
        handler="main.handler",
        role=rights["arn"],
        environment={"variables": {"TABLE": table["name"]}},
    )
    own = make(
        "apigatewayv2/integration:Integration",
        "quiet",
        apiId=api.id,
        integrationType="AWS_PROXY",
        integrationUri=function["invokeArn"],
    )
    make(
        "apigatewayv2/route:Route",
        "quiet",
        apiId=api.id,
        routeKey="$default",
        target=f"integrations/{own.id}",
    )
    with Socket(stage["invokeUrl"]) as socket:
        socket.send("hello")
        rows = within(
            5, lambda: clients().client("dynamodb").scan(TableName=table["name"])["Items"]
        )
    kinds = [json.loads(row["event"]["S"])["requestContext"]["eventType"] for row in rows]
    assert kinds == ["MESSAGE"]
    function.delete()
    api.delete()


def test_mock_integration_answers_by_its_template(line: Line) -> None:
    mock = make(
        "apigatewayv2/integration:Integration", "mock", apiId=line.api.id, integrationType="MOCK"
    )
    answer = make(
        "apigatewayv2/integrationResponse:IntegrationResponse",
        "mock",
        apiId=line.api.id,
        integrationId=mock.id,
        integrationResponseKey="$default",
        responseTemplates={"$default": "pong"},
    )
    line.route(
        "ping", target=f"integrations/{mock.id}", routeResponseSelectionExpression="$default"
    )
    with Socket(f"{line.url}?token=good") as socket:
        socket.send({"action": "ping"})
        assert socket.receive() == "pong"
        answer.update(responseTemplates={"$default": "pang"})
        socket.send({"action": "ping"})
        assert socket.receive() == "pang"
    answer.delete()


def test_throttling_of_messages_is_noted(line: Line) -> None:
    stage = make(
        "apigatewayv2/stage:Stage",
        "noted",
        apiId=line.api.id,
        name="noted",
        autoDeploy=True,
        defaultRouteSettings={
            "throttlingBurstLimit": 5,
            "throttlingRateLimit": 5.0,
            "loggingLevel": "INFO",
        },
    )
    assert stage.notes == [
        "the gateway's execution logs and metrics are not written",
        "throttling of WebSocket messages is recorded",
    ]
    stage.delete()


def test_box_opens_a_socket_with_a_token_in_either_place(line: Line) -> None:
    from websockets.exceptions import InvalidStatus

    from sandbox import sockets
    from sandbox.errors import Mistake

    with sockets.connect(line.url, "good", query=True) as socket:
        socket.send('{"action": "ask"}')
        assert json.loads(socket.recv(timeout=10)) == {"route": "ask"}
        sent = [event.get("queryStringParameters") for event in _events(line, "$connect")]
        assert {"token": "good"} in sent
    with pytest.raises(InvalidStatus) as refused:
        sockets.connect(line.url, "good")
    assert refused.value.response.status_code == 401
    with pytest.raises(Mistake, match="exports no socketUrl"):
        sockets.connect("")


def test_message_beyond_the_limit_closes_its_connection_alone(line: Line) -> None:
    from websockets.exceptions import ConnectionClosedError

    from sandbox import sockets

    with (
        sockets.connect(line.url, "good", query=True) as socket,
        sockets.connect(line.url, "good", query=True) as other,
    ):
        longest = json.dumps({"action": "ask", "pad": "é" * 16000}, ensure_ascii=False)
        socket.send(longest)
        assert json.loads(socket.recv(timeout=10)) == {"route": "ask"}
        socket.send(longest.replace('"pad": "', '"pad": "' + "é" * 400))
        with pytest.raises(ConnectionClosedError) as closed:
            socket.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
        other.send('{"action": "ask"}')
        assert json.loads(other.recv(timeout=10)) == {"route": "ask"}
    assert within(5, lambda: _events(line, "$disconnect")[-1:])


def test_push_beyond_the_limit_is_413(line: Line) -> None:
    from botocore.exceptions import ClientError

    with Socket(f"{line.url}?token=good") as socket:
        socket.send({"action": "ask"})
        assert socket.receive()
        mark = _events(line, "$connect")[-1]["requestContext"]["connectionId"]
        with pytest.raises(ClientError, match="PayloadTooLarge"):
            _management(line).post_to_connection(ConnectionId=mark, Data=b"x" * (128 * 1024 + 1))
