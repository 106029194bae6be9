"""Lambda functions, versions, aliases, permissions: read back, and called."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError

from tests.sandbox.functions_support import ECHO, archive, execution_role, invoke, stand_in
from tests.sandbox.services_support import ACCOUNT, REGION, make


def test_function_is_created_as_declared(aws: Any, function: Any) -> None:
    made = function(
        "create-item",
        name="sandpiper-dev-create-item",
        architectures=["arm64"],
        memorySize=256,
        timeout=10,
        ephemeralStorage={"size": 1024},
        environment={"variables": {"MARK": "1"}},
        kmsKeyArn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
        tracingConfig={"mode": "Active"},
        loggingConfig={
            "logFormat": "JSON",
            "logGroup": "/aws/lambda/x",
            "applicationLogLevel": "INFO",
            "systemLogLevel": "WARN",
        },
        reservedConcurrentExecutions=5,
        tags={"stack": "dev"},
        skipDestroy=False,
        sourceCodeHash="x",
    )
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:sandpiper-dev-create-item"
    assert made["arn"] == arn
    assert made["version"] == "1"
    assert made["qualifiedArn"] == f"{arn}:1"
    assert (
        made["invokeArn"]
        == f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
    )
    there = aws("lambda").get_function(FunctionName=made["name"])
    configuration = there["Configuration"]
    assert configuration["Runtime"] == "python3.13"
    assert configuration["MemorySize"] == 256
    assert configuration["EphemeralStorage"] == {"Size": 1024}
    assert configuration["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    assert configuration["CodeSha256"] == made["codeSha256"]
    assert there["Concurrency"]["ReservedConcurrentExecutions"] == 5
    assert there["Tags"] == {"stack": "dev"}
    assert made.notes == [
        "memory and /tmp sizes are recorded: this machine's are the limit",
        "its connections to other machines are refused (SANDBOX_NETWORK=open lets them out)",
        *stand_in("python3.13", "arm64"),
    ]
    assert invoke(aws, made["name"], {"a": 1}) == {"event": {"a": 1}, "mark": "1"}


def test_function_changes_in_place_and_publishes_only_what_changed(aws: Any, function: Any) -> None:
    made = function(
        "changing",
        environment={"variables": {"MARK": "1"}},
        tags={"a": "1"},
        reservedConcurrentExecutions=3,
    )
    arn = made["arn"]
    made.update(tags={"b": "2"}, reservedConcurrentExecutions=None)
    assert made["version"] == "1"
    there = aws("lambda").get_function(FunctionName=made["name"])
    assert there["Tags"] == {"b": "2"}
    assert "Concurrency" not in there
    made.update(code=archive(ECHO.replace('"event": event', '"event": "new"')))
    assert made["version"] == "2"
    assert invoke(aws, made["qualifiedArn"]) == {"event": "new", "mark": "1"}
    made.update(environment=None, timeout=20)
    assert made["version"] == "3"
    assert invoke(aws, made["qualifiedArn"]) == {"event": "new", "mark": None}
    assert invoke(aws, f"{arn}:1") == {"event": None, "mark": "1"}
    assert aws("lambda").get_function_configuration(FunctionName=made["name"])["Timeout"] == 20
    assert made["arn"] == arn


def test_function_without_publish_has_no_version(function: Any) -> None:
    made = function("latest", publish=None)
    assert made["version"] == "$LATEST"
    assert made.update(timeout=4)["version"] == "$LATEST"


def test_function_whose_runtime_does_not_run_here_is_listed(function: Any) -> None:
    made = function("jvm", runtime="java21")
    assert "no java21 runs here: invoking it is refused" in made.notes


def test_alias_moves_to_the_new_version(aws: Any, function: Any) -> None:
    made = function("aliased")
    alias = make(
        "lambda/alias:Alias",
        "live",
        functionName=made["name"],
        functionVersion=made["version"],
        name="live",
        description="now",
    )
    assert alias["arn"] == alias.id == f"{made['arn']}:live"
    assert alias["invokeArn"].endswith(f"functions/{alias['arn']}/invocations")
    made.update(code=archive(ECHO.replace('"event": event', '"event": "new"')))
    alias.update(
        functionVersion=made["version"], routingConfig={"additionalVersionWeights": {"1": 0.1}}
    )
    assert alias.notes == ["its weights are recorded: every call goes to its main version"]
    alias.update(routingConfig=None, description=None)
    assert invoke(aws, alias["arn"])["event"] == "new"
    alias.update(name="other")
    names = [a["Name"] for a in aws("lambda").list_aliases(FunctionName=made["name"])["Aliases"]]
    assert names == ["other"]
    alias.delete()
    alias.delete()


def test_permission_is_replaced_in_place(aws: Any, function: Any) -> None:
    made = function("permitted")
    make("lambda/alias:Alias", "live", functionName=made["name"], functionVersion="1", name="live")
    permission = make(
        "lambda/permission:Permission",
        "from-api",
        action="lambda:InvokeFunction",
        function=made["name"],
        principal="apigateway.amazonaws.com",
        qualifier="live",
        sourceArn="arn:aws:execute-api:r:a:api/*/*",
        sourceAccount=ACCOUNT,
    )
    permission.update(sourceArn="arn:aws:execute-api:r:a:other/*/*")
    policy = json.loads(
        aws("lambda").get_policy(FunctionName=made["name"], Qualifier="live")["Policy"]
    )
    [statement] = policy["Statement"]
    assert statement["Resource"] == f"{made['arn']}:live"
    assert statement["Condition"]["ArnLike"]["AWS:SourceArn"] == "arn:aws:execute-api:r:a:other/*/*"
    assert statement["Sid"] == permission["statementId"]
    permission.delete()
    permission.delete()


def test_provisioned_concurrency_is_recorded(aws: Any, function: Any) -> None:
    made = function("warm")
    make("lambda/alias:Alias", "live", functionName=made["name"], functionVersion="1", name="live")
    config = make(
        "lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
        "warm",
        functionName=made["name"],
        qualifier="live",
        provisionedConcurrentExecutions=2,
    )
    assert config.id == f"{made['name']},live"
    config.update(provisionedConcurrentExecutions=3)
    there = aws("lambda").get_provisioned_concurrency_config(
        FunctionName=made["name"], Qualifier="live"
    )
    assert there["RequestedProvisionedConcurrentExecutions"] == 3
    config.delete()
    with pytest.raises(ClientError):
        aws("lambda").get_provisioned_concurrency_config(
            FunctionName=made["name"], Qualifier="live"
        )


def test_ready_zip_is_deployed_as_it_is(aws: Any, tmp_path: Any) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as target:
        target.writestr("main.py", ECHO)
    (tmp_path / "f.zip").write_bytes(held.getvalue())
    made = make(
        "lambda/function:Function",
        "zipped",
        code=pulumi.FileArchive(str(tmp_path / "f.zip")),
        role=execution_role()["arn"],
        runtime="python3.13",
        handler="main.handler",
    )
    digest = hashlib.sha256(held.getvalue()).digest()
    assert made["sourceCodeHash"] == base64.b64encode(digest).decode()
    made.delete()
