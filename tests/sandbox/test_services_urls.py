"""Function URLs: where they are, who may call them, what a browser is told."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from botocore.auth import SigV4Auth
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
) -> tuple[int, dict[str, str], str]:
    """Call an address, signed where there is a key."""
    request = AWSRequest(method, address, headers=headers or {})
    if key:
        SigV4Auth(key, "lambda", REGION).add_auth(request)
    given = dict(request.headers.items())
    sent = urllib.request.Request(address, method=method, headers=given)  # noqa: S310 loopback
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
from botocore.auth import SigV4Auth
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
