"""HTTP APIs: functions, authorizers, CORS and limits, called over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.sandbox.functions_support import archive, execution_role
from tests.sandbox.rest_api_support import ORIGIN, call
from tests.sandbox.services_support import Made, clients, make

ECHO = """
import json
def handler(event, context):
    if event["rawPath"].endswith("/fails"):
        raise ValueError("secret")
    return {
        "statusCode": 200,
        "headers": {"Access-Control-Allow-Origin": "*", "X-Own": "1"},
        "body": json.dumps({"event": event, "arn": context.invoked_function_arn}),
    }
"""
GATE = """
def handler(event, context):
    return {"isAuthorized": event["identitySource"] == ["good"], "context": {"caller": "me"}}
"""
PASSWORD = "Correct-horse-7"


class Front(NamedTuple):
    api: Made
    integration: Made
    stage: Made
    alias: Made
    pool: Made
    client: Made
    jwt: Made
    gate: Made

    @property
    def url(self) -> str:
        return self.stage["invokeUrl"]


def _function(name: str, text: str) -> Made:
    return make(
        "lambda/function:Function",
        name,
        code=archive(text),
        role=execution_role()["arn"],
        runtime="python3.13",
        handler="main.handler",
        publish=True,
    )


def _route(front: Front, key: str, **inputs: Any) -> Made:
    target = f"integrations/{front.integration.id}"
    return make(
        "apigatewayv2/route:Route", key, apiId=front.api.id, routeKey=key, target=target, **inputs
    )


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    """An API with a function behind an alias, a user pool and both kinds of authorizer."""
    own, gate_function = _function("http-own", ECHO), _function("http-gate", GATE)
    alias = make(
        "lambda/alias:Alias", "live", name="live", functionName=own["name"], functionVersion="1"
    )
    api = make(
        "apigatewayv2/api:Api",
        "shop",
        protocolType="HTTP",
        corsConfiguration={
            "allowOrigins": [ORIGIN],
            "allowMethods": ["GET", "POST"],
            "allowHeaders": ["authorization"],
            "maxAge": 600,
        },
        tags={"a": "1"},
    )
    integration = make(
        "apigatewayv2/integration:Integration",
        "own",
        apiId=api.id,
        integrationType="AWS_PROXY",
        integrationUri=alias["invokeArn"],
        integrationMethod="POST",
        payloadFormatVersion="2.0",
    )
    stage = make(
        "apigatewayv2/stage:Stage",
        "dev",
        apiId=api.id,
        name="dev",
        autoDeploy=True,
        stageVariables={"color": "red"},
        defaultRouteSettings={"throttlingBurstLimit": 100, "throttlingRateLimit": 100},
        routeSettings=[
            {"routeKey": "GET /narrow", "throttlingBurstLimit": 1, "throttlingRateLimit": 2}
        ],
        tags={"a": "1"},
    )
    pool = make("cognito/userPool:UserPool", "people", passwordPolicy={"minimumLength": 12})
    client = make(
        "cognito/userPoolClient:UserPoolClient",
        "web",
        userPoolId=pool.id,
        explicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        preventUserExistenceErrors="ENABLED",
    )
    jwt = make(
        "apigatewayv2/authorizer:Authorizer",
        "jwt",
        apiId=api.id,
        authorizerType="JWT",
        identitySources=["$request.header.Authorization"],
        jwtConfiguration={"audiences": [client.id], "issuer": f"https://{pool['endpoint']}"},
    )
    gate = make(
        "apigatewayv2/authorizer:Authorizer",
        "gate",
        apiId=api.id,
        authorizerType="REQUEST",
        authorizerUri=gate_function["invokeArn"],
        authorizerPayloadFormatVersion="2.0",
        enableSimpleResponses=True,
        identitySources=["$request.header.X-Pass"],
        authorizerResultTtlInSeconds=0,
    )
    made = Front(api, integration, stage, alias, pool, client, jwt, gate)
    _route(made, "GET /open/{id}")
    _route(made, "GET /fails")
    _route(made, "GET /narrow")
    _route(made, "GET /mine", authorizationType="JWT", authorizerId=jwt.id)
    _route(
        made,
        "GET /scoped",
        authorizationType="JWT",
        authorizerId=jwt.id,
        authorizationScopes=["items/write"],
    )
    _route(made, "GET /gated", authorizationType="CUSTOM", authorizerId=gate.id)
    yield made
    api.delete()
    pool.delete()


@pytest.fixture(scope="module")
def tokens(front: Front) -> dict[str, str]:
    idp = clients().client("cognito-idp")
    user = {"UserPoolId": front.pool.id, "Username": "ada"}
    idp.admin_create_user(**user, MessageAction="SUPPRESS")
    idp.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    return _sign_in(front.client.id, "ada", PASSWORD)


def _sign_in(client: str, name: str, password: str) -> dict[str, str]:
    answer = (
        clients()
        .client("cognito-idp")
        .initiate_auth(
            ClientId=client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )
    )
    return answer["AuthenticationResult"]


def test_route_reaches_the_alias_with_payload_two(front: Front) -> None:
    answer = call(f"{front.url}/open/7?page=2")
    assert answer.status == 200
    event = answer.json["event"]
    assert (event["version"], event["routeKey"]) == ("2.0", "GET /open/{id}")
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/dev/open/7"
    assert event["pathParameters"] == {"id": "7"}
    assert event["queryStringParameters"] == {"page": "2"}
    assert answer.json["arn"] == front.alias["arn"]


def test_addresses_are_those_of_this_machine(front: Front) -> None:
    base = f"{clients().endpoint}/_aws/execute-api/{front.api.id}"
    assert front.api["apiEndpoint"] == base
    assert front.url == f"{base}/dev"
    assert front.api["executionArn"].endswith(f":{front.api.id}")
    assert front.stage["executionArn"] == f"{front.api['executionArn']}/dev"


def test_unknown_route_and_stage_are_not_found(front: Front) -> None:
    for url in (f"{front.url}/nowhere", front.url.replace("/dev", "/prod") + "/open/1"):
        answer = call(url)
        assert (answer.status, answer.json) == (404, {"message": "Not Found"})


def test_failed_function_shows_nothing_of_itself(front: Front) -> None:
    answer = call(f"{front.url}/fails", Origin=ORIGIN)
    assert (answer.status, answer.json) == (500, {"message": "Internal Server Error"})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize("kind", ["AccessToken", "IdToken"])
def test_token_of_the_pool_opens_a_jwt_route(
    front: Front, tokens: dict[str, str], kind: str
) -> None:
    answer = call(f"{front.url}/mine", Authorization=f"Bearer {tokens[kind]}")
    assert answer.status == 200
    claims = answer.json["event"]["requestContext"]["authorizer"]["jwt"]["claims"]
    assert claims["iss"] == f"https://{front.pool['endpoint']}"
    assert "ada" in (claims.get("username"), claims.get("cognito:username"))


def test_foreign_tokens_are_refused(front: Front, tokens: dict[str, str]) -> None:
    good = tokens["AccessToken"]
    head, body, signature = good.split(".")
    other = make("cognito/userPoolClient:UserPoolClient", "other", userPoolId=front.pool.id)
    wrong = [
        "",
        "rubbish",
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}.",
        _sign_in(other.id, "ada", PASSWORD)["AccessToken"],
        "x" * 9000,
    ]
    for token in wrong:
        answer = call(f"{front.url}/mine", Authorization=f"Bearer {token}", Origin=ORIGIN)
        assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert call(f"{front.url}/mine").status == 401
    assert call(f"{front.url}/scoped", Authorization=f"Bearer {good}").status == 403


def test_function_decides_about_its_route(front: Front) -> None:
    answer = call(f"{front.url}/gated", X_Pass="good")
    assert answer.status == 200
    context = answer.json["event"]["requestContext"]["authorizer"]
    assert context == {"lambda": {"caller": "me"}}
    assert call(f"{front.url}/gated", X_Pass="bad").status == 403
    assert call(f"{front.url}/gated").status == 401


def test_preflight_answers_the_declared_origin_only(front: Front) -> None:
    wish = {"Access_Control_Request_Method": "GET"}
    answer = call(f"{front.url}/mine", "OPTIONS", Origin=ORIGIN, **wish)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Methods"] == "GET,POST"
    assert answer.headers["Access-Control-Max-Age"] == "600"
    other = call(f"{front.url}/mine", "OPTIONS", Origin="https://evil.example", **wish)
    assert other.status == 204
    assert "Access-Control-Allow-Origin" not in other.headers


def test_own_cors_headers_of_a_function_are_dropped(front: Front) -> None:
    answer = call(f"{front.url}/open/1", Origin="https://evil.example")
    assert answer.headers["X-Own"] == "1"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_throttled_route_is_429_and_opens_again(front: Front) -> None:
    answers = [call(f"{front.url}/narrow") for _ in range(6)]
    refused = [each for each in answers if each.status == 429]
    assert answers[0].status == 200
    assert refused
    assert refused[0].json == {"message": "Too Many Requests"}
    assert call(f"{front.url}/open/1").status == 200
    time.sleep(0.6)
    assert call(f"{front.url}/narrow").status == 200


def test_api_changes_in_place(front: Front) -> None:
    api = make("apigatewayv2/api:Api", "changing", protocolType="HTTP", corsConfiguration={})
    v2 = clients().client("apigatewayv2")
    before = api.id
    api.update(name="renamed", description="new", tags={"b": "2"})
    found = v2.get_api(ApiId=api.id)
    assert (api.id, found["Name"], found["Description"]) == (before, "renamed", "new")
    assert v2.get_tags(ResourceArn=api["arn"])["Tags"] == {"b": "2"}
    api.update(corsConfiguration={"allowOrigins": ["*"]})
    assert v2.get_api(ApiId=api.id)["CorsConfiguration"]["AllowOrigins"] == ["*"]
    api.update(corsConfiguration=None)
    assert "CorsConfiguration" not in v2.get_api(ApiId=api.id)
    api.delete()
    with pytest.raises(v2.exceptions.NotFoundException):
        v2.get_api(ApiId=api.id)


def test_route_loses_and_gains_its_authorizer(front: Front) -> None:
    route = _route(front, "GET /moving", authorizationType="JWT", authorizerId=front.jwt.id)
    assert call(f"{front.url}/moving").status == 401
    route.update(authorizationType=None, authorizerId=None)
    assert call(f"{front.url}/moving").status == 200
    route.update(authorizationType="CUSTOM", authorizerId=front.gate.id)
    assert call(f"{front.url}/moving", X_Pass="good").status == 200
    route.delete()
    assert call(f"{front.url}/moving").status == 404


def test_integration_and_authorizer_change_in_place(front: Front) -> None:
    v2 = clients().client("apigatewayv2")
    made = make(
        "apigatewayv2/integration:Integration",
        "changing",
        apiId=front.api.id,
        integrationType="HTTP_PROXY",
        integrationUri="http://127.0.0.1:1/",
        integrationMethod="GET",
        requestParameters={"append:header.a": "1"},
    )
    before = made.id
    made.update(requestParameters=None, description="new")
    found = v2.get_integration(ApiId=front.api.id, IntegrationId=made.id)
    assert (made.id, found.get("RequestParameters"), found["Description"]) == (before, None, "new")
    made.delete()
    gate = make(
        "apigatewayv2/authorizer:Authorizer",
        "changing",
        apiId=front.api.id,
        authorizerType="JWT",
        identitySources=["$request.header.Authorization"],
        jwtConfiguration={"audiences": ["a"], "issuer": "https://issuer.example"},
    )
    gate.update(jwtConfiguration={"audiences": ["b"], "issuer": "https://issuer.example"})
    found = v2.get_authorizer(ApiId=front.api.id, AuthorizerId=gate.id)
    assert found["JwtConfiguration"]["Audience"] == ["b"]
    gate.delete()


def test_stage_changes_and_says_what_is_recorded(front: Front) -> None:
    stage = make(
        "apigatewayv2/stage:Stage",
        "logged",
        apiId=front.api.id,
        name="$default",
        accessLogSettings={"destinationArn": "arn:aws:logs:x", "format": "$context.requestId"},
        defaultRouteSettings={"detailedMetricsEnabled": True},
    )
    assert stage["invokeUrl"] == f"{front.api['apiEndpoint']}/"
    assert stage.notes == [
        "the gateway's execution logs and metrics are not written",
        "changes of routes are live at once, whatever is deployed",
    ]
    answer = call(f"{stage['invokeUrl']}open/7")
    assert answer.json["event"]["rawPath"] == "/open/7"
    stage.update(accessLogSettings=None, autoDeploy=True, defaultRouteSettings=None)
    assert stage.notes == []
    found = clients().client("apigatewayv2").get_stage(ApiId=front.api.id, StageName="$default")
    assert (found["AutoDeploy"], found.get("AccessLogSettings")) == (True, None)
    stage.delete()


def test_deployment_is_replaced(front: Front) -> None:
    made = make(
        "apigatewayv2/deployment:Deployment", "one", apiId=front.api.id, triggers={"a": "1"}
    )
    before = made.id
    made.update(triggers={"a": "2"})
    assert made.id != before
    made.delete()


def test_domain_reaches_its_api_by_host(front: Front) -> None:
    domain = make(
        "apigatewayv2/domainName:DomainName",
        "own",
        domainName="shop.example.com",
        domainNameConfiguration={
            "certificateArn": "arn:aws:acm:us-west-2:000000000000:certificate/a",
            "endpointType": "REGIONAL",
            "securityPolicy": "TLS_1_2",
        },
        tags={"a": "1"},
    )
    mapping = make(
        "apigatewayv2/apiMapping:ApiMapping",
        "own",
        apiId=front.api.id,
        domainName=domain.id,
        stage="dev",
        apiMappingKey="v1",
    )
    assert domain["domainNameConfiguration"]["targetDomainName"]
    url = f"{clients().endpoint}/v1/open/3"
    assert call(url, Host="shop.example.com").status == 200
    mapping.update(apiMappingKey="v2")
    assert call(url.replace("v1", "v2"), Host="shop.example.com").status == 200
    domain.update(tags={"b": "2"})
    mapping.delete()
    domain.delete()


def test_notes_name_what_does_not_run(front: Front) -> None:
    asked = _route(
        front,
        "OPTIONS /asked",
        requestParameters=[{"requestParameterKey": "route.request.header.a", "required": True}],
    )
    assert asked.notes == [
        "its models and required parameters are not checked",
        "OPTIONS requests reach no function: the API's CORS settings answer them, or nothing does",
    ]
    asked.delete()
    old = make(
        "apigatewayv2/integration:Integration",
        "noted",
        apiId=front.api.id,
        integrationType="AWS_PROXY",
        integrationUri=front.alias["invokeArn"],
        timeoutMilliseconds=5000,
    )
    assert old.notes == [
        "its function gets events of payload format 2.0, not 1.0",
        "its timeout is recorded: a function's own timeout ends a request",
    ]
    queue = make(
        "apigatewayv2/integration:Integration",
        "queue",
        apiId=front.api.id,
        integrationType="AWS_PROXY",
        integrationSubtype="SQS-SendMessage",
        payloadFormatVersion="1.0",
    )
    assert queue.notes == ["integrations of type SQS-SendMessage do not run here"]
    made = make(
        "apigatewayv2/model:Model", "m", apiId=front.api.id, name="M", schema=json.dumps({})
    )
    assert made.id


def test_body_that_is_too_long_is_413(front: Front) -> None:
    _route(front, "POST /long")
    answer = call(f"{front.url}/long", "POST", "x" * (10 * 1024 * 1024 + 1), Origin=ORIGIN)
    assert (answer.status, answer.json) == (413, {"message": "Request Entity Too Large"})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
