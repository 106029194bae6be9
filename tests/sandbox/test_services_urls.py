"""Function URLs: where they are, who may call them, what a browser is told."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore import auth
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.sandbox.functions_support import ECHO, archive, role
from tests.sandbox.services_support import ACCOUNT, REGION, Made, clients, make

ANSWER = """
def handler(event, context):
    return {"statusCode": 200, "headers": {"x-mine": "yes"}, "body": context.function_version}
"""


def live(made: Made) -> Made:
    return make(
        "lambda/alias:Alias", "live", functionName=made["name"], functionVersion="1", name="live"
    )


def url(made: Made, **more: Any) -> Made:
    given = {"authorizationType": "AWS_IAM", "qualifier": "live", **more}
    return make("lambda/functionUrl:FunctionUrl", "url", functionName=made["name"], **given)


def fetch(
    address: str,
    *,
    key: Credentials | None = None,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    signer: tuple[type[SigV4Auth], str, str] = (SigV4Auth, "lambda", REGION),
    sent_body: bytes | None = None,
) -> tuple[int, dict[str, str], str]:
    """Call an address, signed where there is a key; `sent_body` goes out in place of the signed one."""
    request = AWSRequest(method, address, headers=headers or {}, data=body)
    if key:
        sign, *scope = signer
        sign(key, *scope).add_auth(request)
    given = dict(request.headers.items())
    sent = urllib.request.Request(  # noqa: S310 loopback
        str(request.url), sent_body or body, method=method, headers=given
    )
    try:
        with urllib.request.urlopen(sent, timeout=10) as got:  # noqa: S310 loopback
            return got.status, {k.lower(): v for k, v in got.headers.items()}, got.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            read = {k.lower(): v for k, v in error.headers.items()}
            return error.code, read, error.read().decode()


def session(aws: Any, name: str, *statements: dict[str, Any]) -> Credentials:
    """Credentials of a role that everyone in the account may take."""
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    made = make(
        "iam/role:Role",
        name,
        assumeRolePolicy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    if statements:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        make("iam/rolePolicy:RolePolicy", name, role=made["name"], policy=json.dumps(document))
    got = aws("sts").assume_role(RoleArn=made["arn"], RoleSessionName="caller")["Credentials"]
    return Credentials(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])


def test_url_that_asks_for_a_signature_refuses_everyone_else(function: Any) -> None:
    made = function("guarded", ANSWER)
    live(made)
    address = url(made)["functionUrl"]
    status, headers, body = fetch(address)
    assert status == 403
    assert json.loads(body)["Message"].startswith("Forbidden")
    assert headers["x-amzn-errortype"] == "AccessDeniedException"
    status, _, body = fetch(address, key=Credentials("AKIANOBODY", "secret"))
    assert status == 403
    assert "Forbidden" not in body


ADMIN = Credentials("test", "test")

PARTS = """
def handler(event, context):
    return {"statusCode": 200, "body": event["rawPath"] + "?" + event["rawQueryString"] + event.get("body", "")}
"""


@pytest.fixture
def signed(function: Any) -> Iterator[str]:
    """The address of a URL that asks for a signature and answers what it was sent."""
    made = function("signed", PARTS)
    live(made)
    there = url(made)
    yield str(there["functionUrl"])
    there.delete()


def test_forged_signature_is_refused(signed: str) -> None:
    header = (
        f"AWS4-HMAC-SHA256 Credential=test/20200101/{REGION}/lambda/aws4_request, "
        "SignedHeaders=host, Signature=deadbeef"
    )
    assert fetch(signed, headers={"Authorization": header})[0] == 403
    dated = {"Authorization": header, "X-Amz-Date": "20200101T000000Z"}
    status, headers, body = fetch(signed, headers=dated)
    assert (status, headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")
    assert json.loads(body)["message"].startswith("Signature expired")
    status, headers, body = fetch(signed, key=Credentials("test", "wrong"))
    assert (status, headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")
    assert "does not match" in json.loads(body)["message"]


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (("lambda", "eu-west-1"), "scoped to a valid region, not 'eu-west-1'"),
        (("execute-api", REGION), "scoped to correct service: 'lambda'"),
    ],
)
def test_signature_for_another_place_is_refused(
    signed: str, aws: Any, scope: tuple[str, str], said: str
) -> None:
    for key in (ADMIN, session(aws, f"from-{scope[0]}")):
        status, _, body = fetch(signed, key=key, signer=(SigV4Auth, *scope))
        assert status == 403
        assert said in json.loads(body)["message"]


@pytest.mark.parametrize("minutes", [-6, 6])
def test_signature_counts_for_five_minutes(
    signed: str, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    when = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr(auth, "get_current_datetime", lambda: when)
    assert fetch(signed, key=ADMIN)[0] == 403
    monkeypatch.undo()
    assert fetch(signed, key=ADMIN)[0] == 200


def test_session_is_known_by_its_token(signed: str, aws: Any) -> None:
    key = session(aws, "tokened", {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"})
    assert fetch(signed, key=key)[0] == 200
    for other in ("", "another"):
        assert fetch(signed, key=Credentials(key.access_key, key.secret_key, other))[0] == 403
    assert fetch(signed, key=Credentials("test", "test", "token of nobody"))[0] == 403


def test_body_query_and_path_are_signed(signed: str) -> None:
    address = f"{signed}a%20b/c%2Fd?x=1%2F2&a=%C3%A9&empty="
    body = b'{"name": "Notebook"}'
    plain = {"Content-Type": "application/json"}
    status, _, text = fetch(address, key=ADMIN, method="POST", body=body, headers=plain)
    assert (status, text[-len(body) :]) == (200, body.decode())
    assert fetch(address, key=ADMIN, method="POST", body=body, sent_body=b"other")[0] == 403
    hashed = {"X-Amz-Content-SHA256": "0" * 64}
    assert fetch(address, key=ADMIN, method="POST", body=body, headers=hashed)[0] == 403


def test_presigned_address_opens_until_it_expires(signed: str) -> None:
    class Long(SigV4QueryAuth):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, expires=60)

    class Over(SigV4QueryAuth):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, expires=-1)

    assert fetch(f"{signed}?x=1", key=ADMIN, signer=(Long, "lambda", REGION))[0] == 200
    assert fetch(f"{signed}?x=1", key=ADMIN, signer=(Over, "lambda", REGION))[0] == 403
    wrong = Credentials("test", "wrong")
    assert fetch(f"{signed}?x=1", key=wrong, signer=(Long, "lambda", REGION))[0] == 403


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl_signs_as_the_url_expects(signed: str) -> None:
    def curl(secret: str) -> str:
        command = f"curl -sS --aws-sigv4 aws:amz:{REGION}:lambda --user test:{secret}".split()
        command += ["-H", "Content-Type: application/json", "-d", '{"a": 1}']
        # Older releases sign a query as it stands: AWS wants it sorted.
        command += ["-w", " %{http_code}", f"{signed}orders?a=1&b=2"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert curl("test").endswith('{"a": 1} 200')
    assert curl("wrong").endswith(" 403")


def test_signed_caller_needs_both_rights_on_the_alias(aws: Any, function: Any) -> None:
    made = function("asked", ANSWER)
    alias = live(made)
    address = url(made)["functionUrl"]
    allow = {"Effect": "Allow", "Resource": alias["arn"]}
    names = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
    nothing = session(aws, "nothing")
    half = session(aws, "half", {**allow, "Action": names[0]})
    bare = session(aws, "bare", {**allow, "Action": list(names), "Resource": made["arn"]})
    for key in (nothing, half, bare):
        status, _, body = fetch(address, key=key)
        assert (status, json.loads(body)["Message"][:9]) == (403, "Forbidden")
    via = {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    both = session(
        aws,
        "both",
        {**allow, "Action": names[0]},
        {**allow, "Action": names[1], "Condition": via},
    )
    status, headers, body = fetch(address, key=both)
    assert (status, headers["x-mine"], body) == (200, "yes", "1")


def test_principal_is_let_in_by_the_permissions_of_the_function(aws: Any, function: Any) -> None:
    made = function("principal", ANSWER)
    live(made)
    address = url(made)["functionUrl"]
    key = session(aws, "partner")
    arn = (
        f"arn:aws:iam::{ACCOUNT}:role/" + aws("sts").get_caller_identity()["Arn"].partition(":")[0]
    )
    arn = next(r["Arn"] for r in aws("iam").list_roles()["Roles"] if "partner" in r["RoleName"])
    common = {"function": made["name"], "qualifier": "live", "principal": arn}
    make(
        "lambda/permission:Permission",
        "url",
        action="lambda:InvokeFunctionUrl",
        functionUrlAuthType="AWS_IAM",
        **common,
    )
    assert fetch(address, key=key)[0] == 403
    make(
        "lambda/permission:Permission",
        "function",
        action="lambda:InvokeFunction",
        invokedViaFunctionUrl=True,
        **common,
    )
    assert fetch(address, key=key)[0] == 200


def test_public_url_answers_everyone_as_long_as_its_permissions_stand(
    aws: Any, function: Any
) -> None:
    made = function("public", ANSWER)
    live(made)
    public = url(made, authorizationType="NONE")
    assert fetch(public["functionUrl"])[0] == 200
    policy = json.loads(
        aws("lambda").get_policy(FunctionName=made["name"], Qualifier="live")["Policy"]
    )
    assert [s["Sid"] for s in policy["Statement"]] == [
        "FunctionURLAllowPublicAccess",
        "FunctionURLAllowInvokeAction",
    ]
    aws("lambda").remove_permission(
        FunctionName=made["name"], Qualifier="live", StatementId="FunctionURLAllowInvokeAction"
    )
    assert fetch(public["functionUrl"])[0] == 403


def test_url_goes_to_the_version_behind_its_alias(aws: Any, function: Any) -> None:
    made = function("moving", ANSWER)
    alias = live(made)
    address = url(made, authorizationType="NONE")["functionUrl"]
    made.update(code=archive(ANSWER.replace("context.function_version", "'new'")))
    assert fetch(address)[2] == "1"
    alias.update(functionVersion=made["version"])
    assert fetch(address)[2] == "new"


def test_browser_gets_the_answers_that_the_cors_settings_name(function: Any) -> None:
    made = function("browsed", ANSWER)
    live(made)
    cors = {
        "allowOrigins": ["https://shop.test"],
        "allowMethods": ["GET", "POST"],
        "allowHeaders": ["content-type"],
        "exposeHeaders": ["x-mine"],
        "maxAge": 600,
        "allowCredentials": True,
    }
    address = url(made, authorizationType="NONE", cors=cors)["functionUrl"]
    origin = {"Origin": "https://shop.test"}
    asked = {**origin, "Access-Control-Request-Method": "POST"}
    status, headers, _ = fetch(address, method="OPTIONS", headers=asked)
    assert status == 200
    assert headers["access-control-allow-origin"] == "https://shop.test"
    assert headers["access-control-allow-methods"] == "GET,POST"
    assert headers["access-control-allow-headers"] == "content-type"
    assert headers["access-control-max-age"] == "600"
    assert headers["access-control-allow-credentials"] == "true"
    status, headers, _ = fetch(address, headers=origin)
    assert (status, headers["access-control-expose-headers"]) == (200, "x-mine")
    other = fetch(address, headers={"Origin": "https://elsewhere.test"})[1]
    assert "access-control-allow-origin" not in other


def test_refusal_carries_the_cors_answer_too(function: Any) -> None:
    made = function("refusing", ANSWER)
    live(made)
    address = url(made, cors={"allowOrigins": ["*"], "allowMethods": ["GET"]})["functionUrl"]
    assert fetch(address, method="OPTIONS", headers={"Origin": "https://a.test"})[0] == 200
    status, headers, _ = fetch(address, headers={"Origin": "https://a.test"})
    assert (status, headers["access-control-allow-origin"]) == (403, "*")


def test_url_keeps_its_address_until_it_names_another_alias(aws: Any, function: Any) -> None:
    made = function("kept", ECHO)
    live(made)
    make("lambda/alias:Alias", "next", functionName=made["name"], functionVersion="1", name="next")
    first = url(made, cors={"allowOrigins": ["*"]}, invokeMode="RESPONSE_STREAM")
    address, arn = first["functionUrl"], made["arn"]
    assert first.id == f"{made['name']}/live"
    assert first["functionArn"] == f"{arn}:live"
    assert first["urlId"] in address
    assert first.notes == ["its answers are sent once they are whole: nothing is streamed here"]
    first.update(cors=None, invokeMode="BUFFERED", authorizationType="NONE")
    assert first["functionUrl"] == address
    there = aws("lambda").get_function_url_config(FunctionName=made["name"], Qualifier="live")
    assert (there["AuthType"], there["InvokeMode"]) == ("NONE", "BUFFERED")
    assert not there.get("Cors")
    first.update(qualifier="next")
    assert first["functionUrl"] != address
    first.delete()
    first.delete()
    assert fetch(first["functionUrl"])[0] == 404


def test_role_of_a_function_may_call_the_url_it_is_granted(function: Any) -> None:
    """The way an application's own handler calls another's URL."""
    made = function("served", ANSWER)
    alias = live(made)
    address = url(made)["functionUrl"]
    caller_role = role(
        "calling",
        {
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"],
            "Resource": alias["arn"],
        },
    )
    source = f"""
import urllib.request
import boto3
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest

def handler(event, context):
    request = AWSRequest("GET", "{address}")
    SigV4Auth(boto3.Session().get_credentials(), "lambda", "{REGION}").add_auth(request)
    sent = urllib.request.Request("{address}", headers=dict(request.headers.items()))
    with urllib.request.urlopen(sent) as got:
        return got.read().decode()
"""
    calling = make(
        "lambda/function:Function",
        "calling",
        code=archive(source),
        role=caller_role["arn"],
        runtime="python3.13",
        handler="main.handler",
        timeout=10,
    )
    answer = clients().client("lambda").invoke(FunctionName=calling["name"], Payload=b"{}")
    assert json.loads(answer["Payload"].read()) == "1"
    calling.delete()
