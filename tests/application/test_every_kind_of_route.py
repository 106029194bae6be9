"""Routes that the shipped API has none of, in a program of their own: declared by the components, called over HTTP."""

from __future__ import annotations

import base64
import json
import textwrap
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import sandbox
from sandbox.box import Box
from sandbox.web import Answer

ORIGIN = "https://a.example.com"
PROBLEM = "application/problem+json"
PROGRAM = '''
import base64
import json

import pulumi

from components.api import ApiFront, Fixed, Route
from components.authorizers import IamAuthorizer, RequestAuthorizer, TokenAuthorizer
from components.domains import Domains
from components.http_api import HttpApi, HttpRoute
from components.http_authorizers import LambdaAuthorizer
from components.function import ServerlessFunction
from components.identity import Identity
from components.keys import DataKey
from components.messaging import Queue
from components.place import Place
from components.schemas import Schemas
from components.sources import Code
from settings import ApiSettings, DataSettings, FunctionSettings, HttpApiSettings, IdentitySettings

ECHO = """
import base64
import json
def handler(event, context):
    context = event["requestContext"]
    told = {"method": event.get("httpMethod") or context["http"]["method"], "caller": context.get("authorizer"),
            "path": event.get("pathParameters"), "variables": event.get("stageVariables"),
            "body": event.get("body"), "base64": event.get("isBase64Encoded")}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(told)}
"""
GATE = """
def handler(event, context):
    good = event["headers"].get("X-Tenant", event["headers"].get("x-tenant")) == "blue"
    if event.get("version") == "2.0":
        return {"isAuthorized": good, "context": {"tenant": "blue"}}
    one = {"Action": "execute-api:Invoke", "Effect": "Allow" if good else "Deny", "Resource": event["methodArn"]}
    return {"principalId": "blue", "policyDocument": {"Version": "2012-10-17", "Statement": [one]},
            "context": {"tenant": "blue"}}
"""
place = Place.current(project="routes", stack=pulumi.get_stack())
loose = DataSettings(protect=False)
key = DataKey("data", settings=loose, place=place)
failures = Queue("failures", encryption=key)
people = Identity("people", settings=IdentitySettings(), data=loose)


def function(name, text):
    return ServerlessFunction(
        name, settings=FunctionSettings(), code=Code(pulumi.AssetArchive({"f.py": pulumi.StringAsset(text)}), "f.handler"),
        grants=[], failures=failures, encryption=key, place=place,
    )


echo, gate = function("echo", ECHO), function("gate", GATE)
tenant = RequestAuthorizer(gate, ["header.X-Tenant"], ttl=60)
domains = Domains()
front = ApiFront(
    "front",
    settings=ApiSettings(
        cors_allow_origins=("https://a.example.com",), variables={"color": "red"}, binary_media_types=("image/png",)
    ),
    authorizer=TokenAuthorizer(gate, 0),
    schemas=Schemas(),
    stage_name="own",
    domains=domains,
    encryption=key,
    place=place,
    routes=[
        Route("ANY /shop/{proxy+}", echo, public=True),
        Route("GET /things/{id}/parts/{part}", echo, public=True),
        Route("GET /asked", echo, public=True, query=["page"], headers=["X-Trace"], required=["page", "X-Trace"]),
        Route("GET /about", Fixed(200, {"name": "routes"}), public=True),
        Route("GET /tenant", echo, authorizer=tenant),
        Route("GET /me", echo, authorizer=people.authorizer()),
        Route("GET /signed", echo, authorizer=IamAuthorizer()),
        Route("GET /paid", echo, public=True, api_key=True),
    ],
)
web = HttpApi(
    "web",
    settings=HttpApiSettings(),
    authorizer=people.jwt(),
    routes=[
        HttpRoute("GET /scoped", echo, scopes=["aws.cognito.signin.user.admin"]),
        HttpRoute("GET /other", echo, scopes=["things/write"]),
        HttpRoute("GET /tenant", echo, authorizer=LambdaAuthorizer("gate", gate, ttl=0)),
    ],
    domains=domains,
    encryption=key,
    place=place,
)
pulumi.export("apiUrl", front.url)
pulumi.export("httpApiUrl", web.url)
pulumi.export("apiKeyId", front.api_key_id)
pulumi.export("userPoolId", people.pool.id)
pulumi.export("userPoolClientId", people.client.id)
'''


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """The program, running."""
    folder = tmp_path_factory.mktemp("routes")
    (folder / "Pulumi.yaml").write_text("name: routes\nruntime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    with sandbox.running("own", root=folder) as box:
        yield box


def told(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_any_method_under_a_greedy_path_reaches_the_function(routes: Box, method: str) -> None:
    said = told(routes.http.request(method, "/shop/a/b%20c"))
    assert (said["method"], said["path"]) == (method, {"proxy": "a/b c"})


def test_parts_of_a_path_and_stage_variables_reach_the_function(routes: Box) -> None:
    said = told(routes.http.get("/things/7/parts/left"))
    assert said["path"] == {"id": "7", "part": "left"}
    assert said["variables"] == {"color": "red"}


def test_bodies_of_a_binary_type_come_as_bytes(routes: Box) -> None:
    sent = {"body": b"\x89PNG\xff\x00", "headers": {"Content-Type": "image/png"}}
    said = told(routes.http.post("/shop/picture", **sent))
    assert (said["body"], said["base64"]) == (base64.b64encode(sent["body"]).decode(), True)
    said = told(routes.http.post("/shop/text", body=b"{}", headers={"Content-Type": "text/plain"}))
    assert (said["body"], said["base64"]) == ("{}", False)


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [("page=1", {"X-Trace": "1"}, 200), ("", {"X-Trace": "1"}, 400), ("page=1", {}, 400)],
)
def test_required_parameters_are_asked_for(
    routes: Box, query: str, headers: dict[str, str], status: int
) -> None:
    answer = routes.http.get(f"/asked?{query}", headers={**headers, "Origin": ORIGIN})
    assert answer.status == status
    if status == 400:
        assert (answer.headers["Content-Type"], answer.json()["status"]) == (PROBLEM, 400)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_fixed_answer_is_the_gateways(routes: Box) -> None:
    assert told(routes.http.get("/about")) == {"name": "routes"}


def test_a_tenants_authorizer_is_asked_with_the_request(routes: Box) -> None:
    assert (
        told(routes.http.get("/tenant", headers={"X-Tenant": "blue"}))["caller"]["tenant"] == "blue"
    )
    refused = {"red": 403, "": 401}
    for tenant, status in refused.items():
        answer = routes.http.get("/tenant", headers={"X-Tenant": tenant} if tenant else {})
        assert (answer.status, answer.headers["Content-Type"]) == (status, PROBLEM)


def test_people_of_the_pool_come_in_at_both_apis(routes: Box) -> None:
    token = routes.token(cognito=True)
    claims = told(routes.http.get("/me", token=token))["caller"]["claims"]
    assert claims["client_id"] == routes.outputs["userPoolClientId"]
    for bad in (None, "a.b.c", f"{token[:-4]}AAAA"):
        answer = routes.http.get("/me", **({"token": bad} if bad else {}))
        assert (answer.status, answer.headers["Content-Type"]) == (401, PROBLEM)
    web = routes.outputs["httpApiUrl"]
    scoped = told(routes.http.get(f"{web}/scoped", token=token))["caller"]["jwt"]
    assert scoped["claims"]["client_id"] == claims["client_id"]
    assert routes.http.get(f"{web}/other", token=token).status == 403


def test_function_guards_a_route_of_the_http_api(routes: Box) -> None:
    url = f"{routes.outputs['httpApiUrl']}/tenant"
    said = told(routes.http.get(url, token="x", headers={"X-Tenant": "blue"}))
    assert said["caller"]["lambda"] == {"tenant": "blue"}
    assert routes.http.get(url, token="x", headers={"X-Tenant": "red"}).status == 403


def test_signed_route_takes_who_may_and_nobody_else(routes: Box) -> None:
    iam, name = routes.client("iam"), f"caller-{uuid4()}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    own = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    assert signed(routes, own).status == 403
    api, stage = str(routes.outputs["apiUrl"]).split("/")[-2:]
    right = f"arn:aws:execute-api:{routes.region}:000000000000:{api}/{stage}/GET/signed"
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": right}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=name, PolicyName="call", PolicyDocument=policy)
    assert signed(routes, own).status == 200
    wrong = signed(routes, Credentials(own.access_key, "x"))
    assert (wrong.status, wrong.headers["Content-Type"]) == (403, PROBLEM)
    # The gateway has one name for an unsigned request and for one that no route takes.
    unsigned = routes.http.get("/signed")
    assert (unsigned.status, unsigned.headers["Content-Type"]) == (404, PROBLEM)


def signed(routes: Box, credentials: Credentials) -> Answer:
    request = AWSRequest("GET", f"{routes.outputs['apiUrl']}/signed")
    SigV4Auth(credentials, "execute-api", routes.region).add_auth(request)
    return routes.http.get("/signed", headers=dict(request.headers.items()))


def test_key_alone_opens_a_route_that_asks_for_nothing_else(routes: Box) -> None:
    good = {"x-api-key": routes.api_key()}
    assert routes.http.get("/paid", headers=good).status == 200
    for bad in ({}, {"x-api-key": "x" * 32}):
        answer = routes.http.get("/paid", headers=bad)
        assert (answer.status, answer.headers["Content-Type"]) == (403, PROBLEM)
