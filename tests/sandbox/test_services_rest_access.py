"""Who may call a REST API: request and Cognito authorizers, signatures, keys; and what stands behind it besides functions."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox import sign_in, tokens
from tests.sandbox.functions_support import archive, role
from tests.sandbox.rest_api_support import Answer, X, call, integration
from tests.sandbox.services_support import ACCOUNT, REGION, Made, clients, make

ECHO = """
import json
def handler(event, context):
    if event["path"] == "/picture":
        return {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "body": "AQID", "isBase64Encoded": True}
    return {"statusCode": 200, "body": json.dumps(event)}
"""
GATE = """
import json
calls = 0
def handler(event, context):
    global calls
    calls += 1
    effect = "Allow" if event["headers"].get("x-tenant") == "blue" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "me", "policyDocument": policy, "context": {"calls": calls}}
"""
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "apigateway.amazonaws.com"},
        }
    ],
}


class Front(NamedTuple):
    url: str
    pool: dict[str, str]
    queue: Made
    rest: Made


def _gateways_role(
    name: str, action: str, arn: str, service: str = "apigateway", *more: dict[str, Any]
) -> Made:
    statements = [*TRUST["Statement"], *more]
    trust = json.dumps({**TRUST, "Statement": statements}).replace("apigateway", service)
    made = make("iam/role:Role", name, assumeRolePolicy=trust)
    statement = {"Effect": "Allow", "Action": action, "Resource": arn}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    make("iam/rolePolicy:RolePolicy", name, role=made["name"], policy=json.dumps(document))
    return made


DENIED = {**TRUST["Statement"][0], "Effect": "Deny"}


def _conditional(name: str, queue: Made, account: str) -> Made:
    """A role that trusts the gateway only where it acts for an API of the account; a list names it among others."""
    made = _gateways_role(name, "sqs:SendMessage", queue["arn"])
    services = ["events.amazonaws.com", "apigateway.amazonaws.com"]
    statement = {
        **TRUST["Statement"][0],
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"Service": services},
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": f"arn:aws:execute-api:{REGION}:{account}:*/dev/POST/*"},
        },
    }
    return made.update(assumeRolePolicy=json.dumps({**TRUST, "Statement": [statement]}))


def _sending(queue: Made, sender: str | None) -> dict[str, Any]:
    accepted = '{"messageId":"$input.path(\'$.SendMessageResponse.SendMessageResult.MessageId\')","at":"$stageVariables.color"}'
    header = {"schema": {"type": "string"}}
    return {
        "responses": {
            "202": {"description": "ok", "headers": {"X-Request": header}},
            "502": {"description": "refused", "headers": {"Content-Type": header}},
        },
        f"{X}integration": {
            "type": "aws",
            "httpMethod": "POST",
            "uri": f"arn:aws:apigateway:{REGION}:sqs:path/{ACCOUNT}/{queue['name']}",
            **({"credentials": sender} if sender else {}),
            "passthroughBehavior": "never",
            "requestTemplates": {
                "application/json": (
                    "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
                    "&MessageAttribute.1.Name=by&MessageAttribute.1.Value.DataType=String"
                    "&MessageAttribute.1.Value.StringValue=$context.identity.sourceIp"
                )
            },
            "responses": {
                "2\\d{2}": {
                    "statusCode": "202",
                    "responseTemplates": {"application/json": accepted},
                    "responseParameters": {"method.response.header.X-Request": "context.requestId"},
                },
                "default": {
                    "statusCode": "502",
                    "responseTemplates": {
                        "application/json": '{"title":"Bad Gateway","id":"$context.requestId"}'
                    },
                    "responseParameters": {
                        "method.response.header.Content-Type": "'application/problem+json'"
                    },
                },
            },
        },
    }


def _mock() -> dict[str, Any]:
    return {
        "responses": {"200": {"description": "ok"}, "409": {"description": "no"}},
        f"{X}integration": {
            "type": "mock",
            "passthroughBehavior": "when_no_templates",
            "requestTemplates": {"application/json": '{"statusCode":$input.params("status")}'},
            "responses": {
                "200": {
                    "statusCode": "200",
                    "responseTemplates": {
                        "application/json": '{"path":"$context.path","say":"$input.params(\'say\')"}'
                    },
                },
                "409": {
                    "statusCode": "409",
                    "responseTemplates": {
                        "application/json": '{"in":"$stageVariables.color","as":"$util.base64Encode($input.params(\'say\'))"}'
                    },
                },
            },
        },
    }


def _schemes(gate: Made, pool_arn: str) -> dict[str, Any]:
    def scheme(kind: str, **authorizer: Any) -> dict[str, Any]:
        made = {"type": "apiKey", "name": "Authorization", "in": "header", f"{X}authtype": kind}
        return made | ({f"{X}authorizer": authorizer} if authorizer else {})

    def asking(source: str, ttl: int) -> dict[str, Any]:
        return scheme(
            "custom",
            type="request",
            authorizerUri=gate["invokeArn"],
            identitySource=source,
            authorizerResultTtlInSeconds=ttl,
        )

    tenant = "method.request.header.X-Tenant, method.request.querystring.q"
    return {
        "tenant": asking(tenant, 300),
        "fresh": asking("method.request.header.X-Tenant", 0),
        "address": asking("context.identity.sourceIp, method.request.header.X-Tenant", 60),
        "people": scheme("cognito_user_pools", type="cognito_user_pools", providerARNs=[pool_arn]),
        "sigv4": scheme("awsSigv4"),
        "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
    }


def _document(own: Made, gate: Made, pool_arn: str, queue: Made) -> dict[str, Any]:
    def route(**more: Any) -> dict[str, Any]:
        return {"responses": {}, f"{X}integration": integration(own), **more}

    def behind(scheme: str, *scopes: str) -> dict[str, Any]:
        return {"get": route(security=[{scheme: list(scopes)}])}

    asked = [
        {"name": name, "in": place, "required": True, "schema": {"type": "string"}}
        for name, place in (("page", "query"), ("X-Trace", "header"))
    ]
    good = _gateways_role("gateway-good", "sqs:SendMessage", queue["arn"])
    other = _gateways_role("gateway-other", "sqs:ReceiveMessage", queue["arn"])
    untrusted = _gateways_role("gateway-none", "sqs:SendMessage", queue["arn"], "lambda")
    problem = '{"title":$context.error.messageString,"type":"$context.error.responseType"}'
    senders = {
        "notices": good["arn"],
        "wrong": other["arn"],
        "untrusted": untrusted["arn"],
        "denied": _gateways_role(
            "gateway-denied", "sqs:SendMessage", queue["arn"], "apigateway", DENIED
        )["arn"],
        "elsewhere": _conditional("gateway-elsewhere", queue, "999999999999")["arn"],
        "here": _conditional("gateway-here", queue, ACCOUNT)["arn"],
        "nobody": None,
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": "access", "version": "1"},
        f"{X}binary-media-types": ["image/png"],
        f"{X}request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        f"{X}request-validator": "all",
        f"{X}gateway-responses": {
            kind: {"responseTemplates": {"application/json": problem}}
            for kind in ("DEFAULT_4XX", "DEFAULT_5XX")
        },
        "paths": {
            "/tenant": behind("tenant"),
            "/fresh": behind("fresh"),
            "/address": behind("address"),
            "/people": behind("people"),
            "/admins": behind("people", "aws.cognito.signin.user.admin"),
            "/signed": behind("sigv4"),
            "/asked": {"get": route(parameters=asked)},
            "/picture": {"post": route()},
            "/big": {"post": route()},
            "/mock": {"get": _mock()},
            "/{proxy+}": {f"{X}any-method": route()},
            **{f"/{name}": {"post": _sending(queue, arn)} for name, arn in senders.items()},
        },
        "components": {"securitySchemes": _schemes(gate, pool_arn)},
    }


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    arn = role("access")["arn"]

    def function(name: str, text: str) -> Made:
        given = {"runtime": "python3.13", "handler": "main.handler", "publish": True}
        return make("lambda/function:Function", name, code=archive(text), role=arn, **given)

    pool = make("cognito/userPool:UserPool", "access")
    client = make(
        "cognito/userPoolClient:UserPoolClient",
        "access",
        userPoolId=pool.id,
        explicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )
    queue = make("sqs/queue:Queue", "access")
    own, gate = function("access-own", ECHO), function("access-gate", GATE)
    body = json.dumps(_document(own, gate, pool["arn"], queue))
    rest = make("apigateway/restApi:RestApi", "access", body=body)
    deployed = make("apigateway/deployment:Deployment", "access", restApi=rest.id)
    stage = make(
        "apigateway/stage:Stage",
        "access",
        restApi=rest.id,
        deployment=deployed.id,
        stageName="dev",
        variables={"color": "red"},
    )
    yield Front(
        stage["invokeUrl"], {"userPoolId": pool.id, "userPoolClientId": client.id}, queue, rest
    )
    rest.delete()
    pool.delete()
    queue.delete()


def test_integrations_that_run_are_not_listed_as_if_they_did_not(front: Front) -> None:
    assert front.rest.notes == []


def test_request_authorizer_is_asked_once_for_the_same_sources(front: Front) -> None:
    def calls(tenant: str, query: str) -> Any:
        answer = call(f"{front.url}/tenant?q={query}", X_Tenant=tenant)
        return answer.json["requestContext"]["authorizer"]["calls"]

    assert calls("blue", "1") == calls("blue", "1")
    assert calls("blue", "2") != calls("blue", "1")


def test_request_authorizer_without_a_cache_is_asked_each_time(front: Front) -> None:
    def asked() -> int:
        answer = call(f"{front.url}/fresh", X_Tenant="blue")
        return int(answer.json["requestContext"]["authorizer"]["calls"])

    assert asked() < asked()


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/tenant?q=1", {}, 401),
        ("/tenant?q=", {"X_Tenant": "blue"}, 401),
        ("/tenant", {"X_Tenant": "blue"}, 401),
        ("/tenant?q=1", {"X_Tenant": "red"}, 403),
        ("/address", {"X_Tenant": "blue"}, 200),
        ("/address", {}, 401),
        ("/fresh", {}, 401),
    ],
)
def test_missing_source_is_401_and_a_refusal_403(
    front: Front, path: str, headers: dict[str, str], status: int
) -> None:
    assert call(front.url + path, **headers).status == status


def test_request_has_one_id_wherever_it_is_told(front: Front) -> None:
    answer = call(f"{front.url}/fresh", X_Tenant="blue")
    assert answer.headers["x-amzn-requestid"] == answer.json["requestContext"]["requestId"]
    failed = call(f"{front.url}/wrong", "POST", {"message": "x"})
    assert failed.headers["x-amzn-requestid"] == failed.json["id"]


def _identity_token(front: Front) -> str:
    tokens.cognito(clients(), front.pool)
    user = {"UserPoolId": front.pool["userPoolId"], "Username": "developer"}
    answer = (
        clients()
        .client("cognito-idp")
        .admin_initiate_auth(
            UserPoolId=user["UserPoolId"],
            ClientId=front.pool["userPoolClientId"],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user["Username"], "PASSWORD": sign_in.password_of(user)},
        )
    )
    return str(answer["AuthenticationResult"]["IdToken"])


def test_scopes_decide_which_token_of_the_pool_is_taken(front: Front) -> None:
    access, identity = tokens.cognito(clients(), front.pool), _identity_token(front)

    def status(path: str, token: str) -> int:
        return call(front.url + path, Authorization=f"Bearer {token}").status

    assert (status("/admins", access), status("/admins", identity)) == (200, 401)
    assert (status("/people", identity), status("/people", access)) == (200, 401)
    assert status("/admins", access[:-4] + "AAAA") == 401
    assert call(f"{front.url}/admins").status == 401
    claims = call(f"{front.url}/admins", Authorization=access).json["requestContext"]
    assert claims["authorizer"]["claims"]["username"] == "developer"


def _signed(url: str, key: str, secret: str, service: str = "execute-api") -> Answer:
    request = AWSRequest("GET", url)
    SigV4Auth(Credentials(key, secret), service, REGION).add_auth(request)
    return call(url, **{k.replace("-", "_"): v for k, v in request.headers.items()})


def test_signed_method_takes_a_true_signature_only(front: Front) -> None:
    url = f"{front.url}/signed?b=2&a=1"
    answer = _signed(url, "test", "test")
    assert answer.status == 200
    assert answer.json["requestContext"]["identity"]["userArn"]
    for wrong in (
        _signed(url, "test", "guessed"),
        _signed(url, "AKIAUNKNOWN", "test"),
        _signed(url, "test", "test", service="lambda"),
        call(url),
        call(url, Authorization="Bearer a.b.c"),
    ):
        assert wrong.status == 403
        assert set(wrong.json) == {"title", "type"}
    assert _signed(url, "test", "guessed").json["type"] == "INVALID_SIGNATURE"


def test_signed_method_asks_for_the_callers_right(front: Front) -> None:
    iam = clients().client("iam")
    iam.create_user(UserName="caller")
    key = iam.create_access_key(UserName="caller")["AccessKey"]
    ask: Callable[[], Answer] = lambda: _signed(  # noqa: E731
        f"{front.url}/signed", key["AccessKeyId"], key["SecretAccessKey"]
    )
    assert ask().status == 403
    arn = f"{front.rest['executionArn']}/dev/GET/signed"
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="caller", PolicyName="call", PolicyDocument=policy)
    assert ask().status == 200


def test_body_goes_to_the_queue_without_a_function(front: Front) -> None:
    sqs = clients().client("sqs")
    sqs.purge_queue(QueueUrl=front.queue.id)  # other tests send to it too
    text = '{"message": "a&b=c %41 + é \\u0001"}'
    answer = call(f"{front.url}/notices", "POST", text)
    assert answer.status == 202
    assert answer.json["at"] == "red"
    assert len(answer.headers["X-Request"]) == 36
    received = sqs.receive_message(QueueUrl=front.queue.id, MessageAttributeNames=["All"])
    (message,) = received["Messages"]
    assert (message["MessageId"], message["Body"]) == (answer.json["messageId"], text)
    assert message["MessageAttributes"]["by"]["StringValue"] == "127.0.0.1"


def test_trust_may_name_the_apis_that_it_is_for(front: Front) -> None:
    assert call(f"{front.url}/here", "POST", {"message": "x"}).status == 202


def test_body_of_another_type_has_no_template_and_is_415(front: Front) -> None:
    answer = call(f"{front.url}/notices", "POST", "text", Content_Type="text/plain")
    assert (answer.status, answer.json["type"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("path", ["wrong", "nobody"])
def test_role_without_the_right_is_the_queues_refusal(front: Front, path: str) -> None:
    answer = call(f"{front.url}/{path}", "POST", {"message": "x"})
    assert (answer.status, answer.json["title"]) == (502, "Bad Gateway")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(answer.json["id"]) == 36


@pytest.mark.parametrize("path", ["untrusted", "denied", "elsewhere"])
def test_role_that_does_not_trust_the_gateway_is_500(front: Front, path: str) -> None:
    answer = call(f"{front.url}/{path}", "POST", {"message": "x"})
    assert (answer.status, answer.json["type"]) == (500, "API_CONFIGURATION_ERROR")


def test_templates_of_a_mock_see_the_request(front: Front) -> None:
    answer = call(f"{front.url}/mock?status=200&say=hello")
    assert (answer.status, answer.json) == (200, {"path": "/dev/mock", "say": "hello"})
    answer = call(f"{front.url}/mock?status=409&say=hello")
    assert (answer.status, answer.json) == (409, {"in": "red", "as": "aGVsbG8="})


@pytest.mark.parametrize(
    ("query", "headers", "missing"),
    [("", {"X_Trace": "1"}, "page"), ("?page=1", {}, "X-Trace"), ("", {}, "X-Trace")],
)
def test_missing_parameter_reaches_no_function(
    front: Front, query: str, headers: dict[str, str], missing: str
) -> None:
    answer = call(f"{front.url}/asked{query}", **headers)
    assert (answer.status, answer.json["type"]) == (400, "BAD_REQUEST_PARAMETERS")
    assert missing in answer.json["title"]
    assert call(f"{front.url}/asked?page=1", X_Trace="1").status == 200


def test_binary_types_come_and_go_as_bytes(front: Front) -> None:
    answer = call(f"{front.url}/any/where", "PUT", "\x00\x01", Content_Type="image/png")
    assert (answer.json["body"], answer.json["isBase64Encoded"]) == ("AAE=", True)
    assert answer.json["pathParameters"] == {"proxy": "any/where"}
    assert answer.json["stageVariables"] == {"color": "red"}
    request = urllib.request.Request(f"{front.url}/picture", b"{}", method="POST")  # noqa: S310 - loopback
    for accept, body in (("image/png,*/*", b"\x01\x02\x03"), ("*/*", b"AQID")):
        request.add_header("Accept", accept)
        with urllib.request.urlopen(request, timeout=10) as got:  # noqa: S310 - loopback
            assert got.read() == body


@pytest.mark.parametrize(("size", "status"), [(5, 200), (6, 413), (10, 413)])
def test_body_that_is_too_long_is_413(front: Front, size: int, status: int) -> None:
    answer = call(f"{front.url}/big", "POST", "x" * (size * 1024 * 1024 + 1))
    assert answer.status == status
    if status == 413:
        assert answer.json == {"message": "Request Too Long"}


def _ruled(name: str, *statements: dict[str, Any]) -> tuple[Made, int]:
    """An API of one public answer under a resource policy, and the status of a call."""
    every = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    body = {
        "openapi": "3.0.1",
        "info": {"title": name, "version": "1"},
        f"{X}policy": {"Version": "2012-10-17", "Statement": [{**every, **s} for s in statements]},
        "paths": {"/mock": {"get": _mock()}},
    }
    rest = make("apigateway/restApi:RestApi", name, body=json.dumps(body))
    deployed = make("apigateway/deployment:Deployment", name, restApi=rest.id)
    stage = make(
        "apigateway/stage:Stage", name, restApi=rest.id, deployment=deployed.id, stageName="dev"
    )
    return rest, call(f"{stage['invokeUrl']}/mock?status=200").status


def test_policy_over_addresses_refuses_nobody_here_and_says_so() -> None:
    elsewhere = {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}
    rest, status = _ruled(
        "addresses", {"Effect": "Allow"}, {"Effect": "Deny", "Condition": elsewhere}
    )
    assert status == 200
    assert rest.notes == ["its policy judges no address: every caller comes from this machine"]
    rest.delete()
    inside = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    rest, status = _ruled("inside", {"Effect": "Allow", "Condition": inside})
    assert (status, len(rest.notes)) == (200, 1)
    rest.delete()


def test_policy_over_anything_else_is_judged() -> None:
    rest, status = _ruled("refusing", {"Effect": "Allow"}, {"Effect": "Deny"})
    assert (status, rest.notes) == (403, [])
    rest.delete()
