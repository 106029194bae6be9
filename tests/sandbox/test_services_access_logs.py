"""Access logs of HTTP and WebSocket stages, and of REST stages behind an authorizer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.functions_support import within
from tests.sandbox.rest_api_support import call
from tests.sandbox.services_support import ACCOUNT, REGION, Made, make
from tests.sandbox.socket_support import RefusedError, Socket

FIELDS = {
    "requestId": "$context.requestId",
    "ip": "$context.identity.sourceIp",
    "time": "$context.requestTime",
    "routeKey": "$context.routeKey",
    "eventType": "$context.eventType",
    "connectionId": "$context.connectionId",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "integrationError": "$context.integrationErrorMessage",
    "authorizerError": "$context.authorizer.error",
    "caller": "$context.authorizer.principalId",
    "level": "$context.authorizer.lambda.level",
    "agent": "$context.identity.userAgent.",
}
ANSWER = """
def handler(event, context):
    if "fail" in (event.get("rawPath", "").strip("/"), event.get("body")):
        raise ValueError("no such lamp")
    return {"statusCode": 200, "body": event["requestContext"]["requestId"]}
"""
GATE = """
def handler(event, context):
    token = (event.get("queryStringParameters") or {}).get("token")
    if token == "broken":
        raise ValueError("out of order")
    if token == "odd":
        return {"odd": True}
    effect = "Allow" if token == "good" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": "*"}
    return {"principalId": "ada", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"level": 3}}
"""


def allowed(function: Made, api: str) -> None:
    make(
        "lambda/permission:Permission",
        f"{function.name}-{api}",
        action="lambda:InvokeFunction",
        function=function["name"],
        principal="apigateway.amazonaws.com",
        sourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*",
    )


def settings(name: str) -> dict[str, Any]:
    group = make("cloudwatch/logGroup:LogGroup", name, name=f"/access/{name}")
    return {"destinationArn": group["arn"], "format": json.dumps(FIELDS)}


def lines_of(aws: Any, name: str) -> list[dict[str, str]]:
    found = aws("logs").filter_log_events(logGroupName=f"/access/{name}")["events"]
    return [json.loads(each["message"]) for each in found]


def front(aws: Any, function: Any, name: str, protocol: str, **more: Any) -> tuple[str, str, str]:
    """An API with a stage that logs, its id, the address of the stage, and the target of routes."""
    answers, gate = function(f"{name}-answers", ANSWER), function(f"{name}-gate", GATE)
    api = make("apigatewayv2/api:Api", name, protocolType=protocol, **more)
    for each in (answers, gate):
        allowed(each, api.id)
    client = aws("apigatewayv2")
    integration = client.create_integration(
        ApiId=api.id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=answers["invokeArn"],
        **({"PayloadFormatVersion": "2.0"} if protocol == "HTTP" else {}),
    )["IntegrationId"]
    version = {"AuthorizerPayloadFormatVersion": "2.0"} if protocol == "HTTP" else {}
    authorizer = client.create_authorizer(
        ApiId=api.id,
        AuthorizerType="REQUEST",
        AuthorizerUri=gate["invokeArn"],
        IdentitySource=[] if protocol == "HTTP" else ["route.request.querystring.token"],
        Name="gate",
        **version,
    )["AuthorizerId"]
    guarded = {"AuthorizationType": "CUSTOM", "AuthorizerId": authorizer}
    target = f"integrations/{integration}"
    routes = {"GET /open": {}, "GET /fail": {}, "GET /shut": guarded}
    if protocol == "WEBSOCKET":
        routes = {"$connect": guarded, "$default": {}, "$disconnect": {}}
    for key, auth in routes.items():
        client.create_route(ApiId=api.id, RouteKey=key, Target=target, **auth)
    stage = make(
        "apigatewayv2/stage:Stage",
        name,
        apiId=api.id,
        name="$default" if protocol == "HTTP" else "dev",
        autoDeploy=True,
        accessLogSettings=settings(name),
    )
    assert not [note for note in stage.notes if "access" in note]
    return api.id, stage["invokeUrl"].rstrip("/"), target


def test_http_stage_logs_routes_refusals_and_failures(aws: Any, function: Any) -> None:
    _api, url, _target = front(aws, function, "logged-http", "HTTP")
    answers = [
        call(f"{url}/{path}")
        for path in ("open", "nothing", "shut?token=good", "shut?token=broken", "shut?token=bad")
    ]
    lines = lines_of(aws, "logged-http")
    assert [line["status"] for line in lines] == [str(each.status) for each in answers]
    named = [line["requestId"] for line in lines]
    assert named == [each.headers["apigw-requestid"] for each in answers]
    opened, missing, shut, broken, bad = lines
    assert (opened["routeKey"], opened["requestId"]) == ("GET /open", answers[0].text)
    assert (opened["ip"], opened["connectionId"]) == ("127.0.0.1", "-")
    assert opened["agent"].startswith("Python-urllib")
    assert opened["agent"].endswith(".")
    assert (missing["status"], missing["routeKey"]) == ("404", "-")
    assert len({line["requestId"] for line in lines}) == 5
    assert shut["level"] == "3"
    assert shut["authorizerError"] == "-"
    assert (broken["status"], broken["authorizerError"]) == ("500", "out of order")
    assert (bad["status"], bad["authorizerError"]) == ("403", "-")
    assert call(f"{url}/fail").status == 500
    assert lines_of(aws, "logged-http")[-1]["integrationError"] == "no such lamp"
    odd = call(f"{url}/shut?token=odd")
    said = lines_of(aws, "logged-http")[-1]["authorizerError"]
    assert (odd.status, said.startswith("The response from the Lambda Authorizer")) == (500, True)


def test_socket_stage_logs_handshakes_messages_and_goodbyes(aws: Any, function: Any) -> None:
    select = {"routeSelectionExpression": "$request.body.action"}
    _api, url, _target = front(aws, function, "logged-socket", "WEBSOCKET", **select)
    with Socket(f"{url}?token=good") as opened:
        opened.send("hello")
        opened.send("fail")
        within(5, lambda: len(lines_of(aws, "logged-socket")) == 3)
    for token in ("bad", "broken"):
        with pytest.raises(RefusedError):
            Socket(f"{url}?token={token}")
    within(5, lambda: len(lines_of(aws, "logged-socket")) == 6)
    told = [
        (line["eventType"], line["routeKey"], line["status"], line["integrationError"])
        for line in lines_of(aws, "logged-socket")
    ]
    assert sorted(told) == sorted(
        [
            ("CONNECT", "$connect", "200", "-"),
            ("MESSAGE", "$default", "200", "-"),
            ("MESSAGE", "$default", "500", "no such lamp"),
            ("CONNECT", "$connect", "403", "-"),
            ("CONNECT", "$connect", "500", "-"),
            ("DISCONNECT", "$disconnect", "200", "-"),
        ]
    )
    errors = {line["authorizerError"] for line in lines_of(aws, "logged-socket")}
    assert errors == {"-", "out of order"}
    connections = [line["connectionId"] for line in lines_of(aws, "logged-socket")[:3]]
    assert len(set(connections)) == 1


def test_a_destination_that_is_no_log_group_gets_nothing(aws: Any, function: Any) -> None:
    _api, url, _target = front(aws, function, "logged-nowhere", "HTTP")
    client = aws("apigatewayv2")
    stream = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/amazon-apigateway-a"
    given = {"DestinationArn": stream, "Format": "$context.requestId"}
    client.update_stage(ApiId=_api, StageName="$default", AccessLogSettings=given)
    assert call(f"{url}/open").status == 200
    assert lines_of(aws, "logged-nowhere") == []
