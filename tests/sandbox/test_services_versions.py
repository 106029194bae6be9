"""Versions that stay until somebody deletes them, and who may delete them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.functions_support import ECHO, archive, invoke, role
from tests.sandbox.services_support import Made, make

CLEANER = """
import boto3
client = boto3.client("lambda")

def handler(event, context):
    try:
        answer = getattr(client, event["call"])(**event["given"])
    except client.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return [v["Version"] for v in answer.get("Versions", [])] or "done"
"""


def deployed(function: Any, name: str, *, times: int) -> Made:
    """A function that was changed until it had that many versions."""
    made = function(name)
    for number in range(2, times + 1):
        made.update(code=archive(ECHO + f"# {number}\n"))
    return made


def versions(aws: Any, made: Made) -> list[str]:
    found = aws("lambda").list_versions_by_function(FunctionName=made["name"])["Versions"]
    return [version["Version"] for version in found]


def alias(made: Made, name: str, version: str, **more: Any) -> Made:
    return make(
        "lambda/alias:Alias",
        name,
        functionName=made["name"],
        functionVersion=version,
        name=name,
        **more,
    )


def test_versions_stay_until_somebody_deletes_them(aws: Any, function: Any) -> None:
    made = deployed(function, "five", times=5)
    assert versions(aws, made) == ["$LATEST", "1", "2", "3", "4", "5"]
    aws("lambda").delete_function(FunctionName=made["name"], Qualifier="2")
    assert versions(aws, made) == ["$LATEST", "1", "3", "4", "5"]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws("lambda").invoke(FunctionName=made["name"], Qualifier="2")
    assert invoke(aws, f"{made['arn']}:1", {"a": 1})["event"] == {"a": 1}
    made.update(code=archive(ECHO + "# 6\n"))
    assert made["version"] == "6"


def test_version_behind_an_alias_cannot_be_deleted(aws: Any, function: Any) -> None:
    made = deployed(function, "aliased-versions", times=3)
    alias(made, "live", "3")
    alias(made, "next", "2", routingConfig={"additionalVersionWeights": {"1": 0.1}})
    for version in ("1", "2", "3"):
        with pytest.raises(ClientError, match="ResourceConflictException"):
            aws("lambda").delete_function(FunctionName=made["name"], Qualifier=version)
    assert versions(aws, made) == ["$LATEST", "1", "2", "3"]


def test_alias_serves_its_version_while_latest_is_another(aws: Any, function: Any) -> None:
    made = function("split")
    alias(made, "live", "1")
    aws("lambda").update_function_configuration(
        FunctionName=made["name"], Environment={"Variables": {"MARK": "draft"}}
    )
    assert invoke(aws, f"{made['name']}:live")["mark"] is None
    assert invoke(aws, made["name"])["mark"] == "draft"
    settings = aws("lambda").get_function_configuration
    latest, live = (
        settings(FunctionName=made["name"]),
        settings(FunctionName=made["name"], Qualifier="live"),
    )
    assert latest["Environment"] == {"Variables": {"MARK": "draft"}}
    assert "Environment" not in live or not live["Environment"].get("Variables")
    assert (latest["Version"], live["Version"]) == ("$LATEST", "1")


def test_configuration_is_read_back_as_it_was_changed(aws: Any, function: Any) -> None:
    made = function("read-back", environment={"variables": {"A": "1"}})
    made.update(
        memorySize=512,
        timeout=9,
        ephemeralStorage={"size": 2048},
        description="changed",
        loggingConfig={"logFormat": "JSON", "applicationLogLevel": "DEBUG"},
        environment={"variables": {"B": "2"}},
        vpcConfig={"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]},
    )
    there = aws("lambda").get_function_configuration(FunctionName=made["name"])
    assert (there["MemorySize"], there["Timeout"], there["Description"]) == (512, 9, "changed")
    assert there["EphemeralStorage"] == {"Size": 2048}
    assert there["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
    assert there["Environment"]["Variables"] == {"B": "2"}
    assert there["VpcConfig"]["SubnetIds"] == ["subnet-1"]
    assert there["LastModified"] == made["lastModified"]
    assert "it runs on this machine's network, in no VPC" in made.notes


def test_code_that_did_not_change_makes_no_version(function: Any) -> None:
    made = function("same-code")
    made.update(code=archive())
    assert made["version"] == "1"


def test_right_to_delete_versions_is_no_right_to_delete_the_function(
    aws: Any, function: Any
) -> None:
    """The rights of the function that removes old versions, judged as on AWS."""
    made = deployed(function, "guarded-versions", times=3)
    alias(made, "live", "3")
    reading = {
        "Effect": "Allow",
        "Action": ["lambda:ListVersionsByFunction", "lambda:ListAliases"],
        "Resource": made["arn"],
    }
    deleting = {
        "Effect": "Allow",
        "Action": "lambda:DeleteFunction",
        "Resource": f"{made['arn']}:*",
    }
    cleaner = make(
        "lambda/function:Function",
        "cleaner",
        code=archive(CLEANER),
        role=role("cleaning", reading, deleting)["arn"],
        runtime="python3.13",
        handler="main.handler",
        timeout=10,
    )
    name = {"FunctionName": made["name"]}

    def ask(call: str, **given: Any) -> Any:
        return invoke(aws, cleaner["name"], {"call": call, "given": {**name, **given}})

    assert cleaner.compat == []
    assert ask("delete_function") == "AccessDeniedException"
    assert versions(aws, made) == ["$LATEST", "1", "2", "3"]
    assert ask("delete_function", Qualifier="3") == "ResourceConflictException"
    assert ask("delete_function", Qualifier="1") == "done"
    assert ask("list_versions_by_function") == ["$LATEST", "2", "3"]
    assert ask("list_aliases") == "done"
    assert ask("delete_alias", Name="live") == "AccessDeniedException"
    assert ask("get_alias", Name="live") == "AccessDeniedException"
    assert ask("get_function_configuration") == "AccessDeniedException"
    assert ask("publish_version") == "AccessDeniedException"
    cleaner.delete()


def test_right_to_invoke_an_alias_is_judged_by_the_alias(aws: Any, function: Any) -> None:
    made = function("called")
    live = alias(made, "live", "1")
    source = """
import boto3
client = boto3.client("lambda")
def handler(event, context):
    try:
        client.invoke(**event)
    except client.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return "called"
"""
    allowed = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": live["arn"]}
    made_role = role("calling-alias", allowed)
    assert made_role.compat == []
    caller = make(
        "lambda/function:Function",
        "caller",
        code=archive(source),
        role=made_role["arn"],
        runtime="python3.13",
        handler="main.handler",
        timeout=10,
    )
    for given, answer in (
        ({"FunctionName": live["arn"]}, "called"),
        ({"FunctionName": f"{made['name']}:live"}, "called"),
        ({"FunctionName": made["name"], "Qualifier": "live"}, "called"),
        ({"FunctionName": made["name"]}, "AccessDeniedException"),
        ({"FunctionName": made["name"], "Qualifier": "1"}, "AccessDeniedException"),
    ):
        assert invoke(aws, caller["name"], given) == answer, json.dumps(given)
    caller.delete()
