"""Where a function's code may come from, and what happens to code that cannot run on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest

from sandbox.resources import RETRY
from sandbox.services import lambda_code, machine
from sandbox.services.archives import make_zip, zip_bytes
from sandbox.workers import refusals
from tests.sandbox.functions_support import (
    ECHO,
    GO,
    archive,
    execution_role,
    invoke,
    within,
)
from tests.sandbox.services_support import ACCOUNT, REGION, Made, clients, make

NEEDS_GO = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("go") is None, reason="there is no Go for Linux here"
)
NEEDS_NODE = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js here")

NODE = """
import double from "double";
export const handler = async (event, context) => {
  console.log("node was here");
  if (event === "fail") throw new TypeError("not that");
  return {
    twice: double(event), mark: process.env.MARK, port: process.env.GATEWAY_PORT,
    group: process.env.AWS_LAMBDA_LOG_GROUP_NAME, endpoint: process.env.AWS_ENDPOINT_URL,
    stream: [process.env.AWS_LAMBDA_LOG_STREAM_NAME, context.logStreamName],
  };
};
"""


def made_of(name: str, code: Any, /, **inputs: Any) -> Made:
    given = {"runtime": "python3.13", "handler": "main.handler", "publish": True, **inputs}
    role = execution_role()["arn"]
    more = {} if code is None else {"code": code}
    return make("lambda/function:Function", name, role=role, **more, **given)


def refusal(aws: Any, made: Made) -> str:
    document = invoke(aws, made["name"])
    assert document["errorType"] == "Runtime.NotSimulated"
    return document["errorMessage"]


def sha(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def lines(aws: Any, group: str, word: str) -> list[str]:
    logs = aws("logs")
    try:
        found = logs.filter_log_events(logGroupName=group)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [e["message"] for e in found if word in e["message"]]


def streams(aws: Any, group: str) -> list[str]:
    found = aws("logs").describe_log_streams(logGroupName=group)["logStreams"]
    return [stream["logStreamName"] for stream in found]


def test_inline_text_and_a_folder_are_code(aws: Any, tmp_path: Path) -> None:
    inline = made_of("inline", pulumi.AssetArchive({"main.py": pulumi.StringAsset(ECHO)}))
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "main.py").write_text(ECHO)
    folder = made_of("folder", pulumi.FileArchive(str(tmp_path)), handler="pkg/main.handler")
    for made in (inline, folder):
        assert invoke(aws, made["name"], 5)["event"] == 5
        made.delete()


def test_object_of_a_bucket_is_code_and_tells_its_true_hash(aws: Any) -> None:
    bucket = make("s3/bucket:Bucket", "artifacts")
    first, second = (zip_bytes(archive(ECHO + f"# {n}\n")) for n in (1, 2))
    aws("s3").put_object(Bucket=bucket.id, Key="f.zip", Body=first)
    made = made_of("stored", None, s3Bucket=bucket.id, s3Key="f.zip", sourceCodeHash="given")
    assert invoke(aws, made["name"], 1)["event"] == 1
    assert made["sourceCodeHash"] == made["codeSha256"] == sha(first)
    assert made["sourceCodeSize"] == len(first)
    aws("s3").put_object(Bucket=bucket.id, Key="f.zip", Body=second)
    made.update(sourceCodeHash="another")
    assert (made["version"], made["codeSha256"]) == ("2", sha(second))
    there = aws("lambda").get_function_configuration(FunctionName=made["name"], Qualifier="2")
    assert there["CodeSha256"] == sha(second)
    made.delete()


def test_object_that_is_not_here_is_refused_until_it_is(aws: Any) -> None:
    bucket = make("s3/bucket:Bucket", "late-artifacts")
    made = made_of("late", None, s3Bucket=bucket.id, s3Key="f.zip")
    reason = f"s3://{bucket.id}/f.zip is not in this sandbox"
    assert f"invoking it is refused: {reason}" in made.notes
    assert refusal(aws, made).endswith(f"was not executed: {reason}")
    assert made[RETRY] == ["code"]
    made.update()
    assert made["version"] == "1"
    aws("s3").put_object(Bucket=bucket.id, Key="f.zip", Body=zip_bytes(archive()))
    made.update()
    assert made["version"] == "2"
    assert RETRY not in made.outputs
    assert invoke(aws, made["name"], 1)["event"] == 1
    made.delete()


def test_image_is_deployed_by_its_digest_and_refused_when_called(aws: Any) -> None:
    digest = "ab" * 32
    uri = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/inference"
    made = made_of(
        "image",
        None,
        runtime=None,
        handler=None,
        packageType="Image",
        imageUri=f"{uri}@sha256:{digest}",
        imageConfig={
            "commands": ["app.handler"],
            "entryPoints": ["/run"],
            "workingDirectory": "/app",
        },
        environment={"variables": {"MODEL_BUCKET": "models"}},
    )
    assert made["codeSha256"] == digest
    assert "no image runs here: invoking it is refused" in made.notes
    there = aws("lambda").get_function_configuration(FunctionName=made["name"])
    assert there["ImageConfigResponse"]["ImageConfig"] == {
        "Command": ["app.handler"],
        "EntryPoint": ["/run"],
        "WorkingDirectory": "/app",
    }
    assert "does not run container images" in refusal(aws, made)
    made.update(imageUri=f"{uri}:v2")
    assert made["version"] == "2"
    assert made["codeSha256"] == hashlib.sha256(f"{uri}:v2".encode()).hexdigest()
    made.delete()


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A checkout with one Go function; returns the archive that the program names."""
    folder = tmp_path / "handlers" / "adder"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module example.com/adder\n\ngo 1.21\n")
    (folder / "main.go").write_text(GO)
    return tmp_path / ".build" / "functions" / "adder-arm64-0123456789abcdef.zip"


@NEEDS_GO
def test_go_function_is_built_for_this_machine_and_runs(aws: Any, module: Path) -> None:
    made = made_of(
        "adder",
        pulumi.FileArchive(str(module)),
        runtime="provided.al2023",
        handler="bootstrap",
        architectures=["arm64"],
        environment={"variables": {"MARK": "set"}},
        loggingConfig={"logFormat": "JSON", "logGroup": "/of/adder"},
    )
    answer = invoke(aws, made["name"], {"n": 1})
    assert answer["event"] == {"n": 1}
    assert answer["machine"] == {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    assert answer["endpoint"] == clients().endpoint
    assert (answer["mark"], answer["group"], answer["host"]) == ("set", "/of/adder", "")
    assert lines(aws, "/of/adder", "go was here")
    assert [answer["stream"]] == streams(aws, "/of/adder")
    assert within(3, lambda: lines(aws, "/of/adder", '"type":"platform.report"'))
    cache = module.parents[2] / ".sandbox" / "cache" / "functions"
    [kept] = cache.iterdir()
    assert kept.read_bytes()
    source = module.parents[2] / "handlers" / "adder" / "main.go"
    source.write_text("package main\n\nfunc main() { wrong }\n")
    with pytest.raises(Exception, match=r"main\.go:3:15: undefined: wrong"):
        made.update(code=pulumi.FileArchive(str(module)))
    assert invoke(aws, made["name"], {"n": 2})["event"] == {"n": 2}
    made.delete()


@NEEDS_GO
def test_go_function_that_does_not_build_is_refused_with_its_line(aws: Any, module: Path) -> None:
    (module.parents[2] / "handlers" / "adder" / "main.go").write_text("package main\n\nbroken\n")
    made = made_of("broken", pulumi.FileArchive(str(module)), runtime="provided.al2023")
    assert "main.go:3:1" in refusal(aws, made)
    made.delete()


def test_go_function_without_a_toolchain_says_so_and_is_refused(
    aws: Any, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from builders import go

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(go, "toolchain", lambda: None)
    made = made_of("toolless", pulumi.FileArchive(str(module)), runtime="provided.al2023")
    reason = "no Go toolchain is on this machine (https://go.dev/dl)"
    assert f"invoking it is refused: {reason}" in made.notes
    assert refusal(aws, made).endswith(reason)
    made.delete()


@pytest.mark.parametrize(
    ("system", "machine", "reason"),
    [
        ("darwin", "arm64", "what is built for Lambda runs on Linux only"),
        ("linux", "riscv64", "Lambda knows no riscv64, which this machine is"),
    ],
)
def test_machine_that_runs_nothing_of_lambdas_is_told_so(
    module: Path, monkeypatch: pytest.MonkeyPatch, system: str, machine: str, reason: str
) -> None:
    from sandbox import sources

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    source = sources.of_function(module)
    assert source is not None
    assert lambda_code._built(source, fresh=True).refusal == reason


def elf(machine: int) -> bytes:
    """The head of a program for Linux, small end first."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + machine.to_bytes(2, "little")


@pytest.mark.skipif(sys.platform != "linux", reason="it is refused for its system here")
def test_program_for_another_machine_is_refused_plainly(aws: Any, tmp_path: Path) -> None:
    other, name = (183, "arm64") if platform.machine() == "x86_64" else (62, "x86_64")
    (tmp_path / "f.zip").write_bytes(make_zip({"bootstrap": elf(other)}))
    code = pulumi.FileArchive(str(tmp_path / "f.zip"))
    made = made_of("foreign", code, runtime="provided.al2023", handler="bootstrap")
    here = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
    reason = f"its bootstrap is built for {name}, this machine is {here}"
    assert f"invoking it is refused: {reason}" in made.notes
    assert not [note for note in made.notes if note.startswith("declared")]
    assert refusal(aws, made).endswith(reason)
    assert within(3, lambda: lines(aws, f"/aws/lambda/{made['name']}", "Runtime.NotSimulated"))
    made.delete()


def test_foreign_is_told_by_the_header_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert refusals.foreign(elf(183)) is None
    assert refusals.foreign(b"#!/bin/sh\n") is None
    assert refusals.foreign(b"") is None
    assert (
        refusals.foreign(elf(40)) == "its bootstrap is built for machine 40, this machine is arm64"
    )
    monkeypatch.setattr(sys, "platform", "darwin")
    assert refusals.foreign(elf(183)) == "its bootstrap is built for Linux"


def test_script_is_a_bootstrap_too(aws: Any) -> None:
    script = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  head=$(mktemp)
  curl -sS -D "$head" "$api/next" >/dev/null
  id=$(grep -i lambda-runtime-aws-request-id "$head" | tr -d '[:space:]' | cut -d: -f2)
  curl -sS -X POST "$api/$id/response" -d '"from a script"' >/dev/null
done
"""
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    code = pulumi.AssetArchive({"bootstrap": pulumi.StringAsset(script)})
    made = made_of("scripted", code, runtime="provided.al2023", handler="bootstrap", timeout=9)
    assert invoke(aws, made["name"]) == "from a script"
    made.delete()


def node_layer(name: str = "double-layer") -> Made:
    package = '{"name": "double", "version": "1.0.0", "main": "index.js"}'
    return make(
        "lambda/layerVersion:LayerVersion",
        name,
        code=pulumi.AssetArchive(
            {
                "nodejs/node_modules/double/package.json": pulumi.StringAsset(package),
                "nodejs/node_modules/double/index.js": pulumi.StringAsset(
                    "module.exports = (n) => n * 2;"
                ),
            }
        ),
    )


@NEEDS_NODE
def test_node_function_imports_from_its_layer_and_logs_to_its_own_group(aws: Any) -> None:
    layer = node_layer()
    made = made_of(
        "noding",
        pulumi.AssetArchive({"index.mjs": pulumi.StringAsset(NODE)}),
        runtime="nodejs22.x",
        handler="index.handler",
        layers=[layer["arn"]],
        environment={"variables": {"MARK": "set"}},
        loggingConfig={"logFormat": "JSON", "logGroup": "/of/noding"},
    )
    answer = invoke(aws, made["name"], 21)
    told = answer.pop("stream")
    assert answer == {
        "twice": 42,
        "mark": "set",
        "group": "/of/noding",
        "endpoint": clients().endpoint,
    }
    assert within(3, lambda: lines(aws, "/of/noding", "node was here")) == ["node was here"]
    [report] = lines(aws, "/of/noding", '"type":"platform.report"')
    assert json.loads(report)["record"]["status"] == "success"
    invoke(aws, made["name"], 1)
    assert told == streams(aws, "/of/noding") * 2
    document = invoke(aws, made["name"], "fail")
    assert document["errorType"] == "TypeError"
    assert document["errorMessage"] == "not that"
    assert document["trace"][0] == "TypeError: not that"
    assert "file:///var/task/index.mjs:" in document["trace"][1]
    logged = lines(aws, "/of/noding", "index.mjs:")
    assert logged
    assert all("/var/task/index.mjs:" in line for line in logged)
    assert not [line for line in logged if "ministack-lambda" in line]
    made.delete()


@NEEDS_NODE
def test_node_function_is_ended_at_its_timeout(aws: Any) -> None:
    code = pulumi.AssetArchive(
        {"index.mjs": pulumi.StringAsset("export const handler = () => new Promise(() => {});")}
    )
    made = made_of("stuck", code, runtime="nodejs22.x", handler="index.handler", timeout=1)
    document = invoke(aws, made["name"])
    assert document["errorType"] == "Sandbox.Timedout"
    assert document["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    made.delete()


def test_node_function_without_node_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    reason = "there is no Node.js on this machine"
    assert refusals.reason({"Runtime": "nodejs22.x"}, make_zip({"index.mjs": b""})) == reason
    made = made_of("nodeless", archive(), runtime="nodejs22.x")
    assert f"{reason}: invoking it is refused" in made.notes
    made.delete()


def test_machine_that_differs_from_the_declared_one_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(machine, "_python", lambda: "3.11")
    said = "run by this machine's"
    told = machine.stand_in("python3.13", ["arm64"])
    assert told == f"declared python3.13 on arm64, {said} Python 3.11 on x86_64"
    assert machine.stand_in("python3.11", ["x86_64"]) is None
    assert machine.stand_in("python3.11", None) is None
    assert machine.stand_in("python3.11", ["arm64"]) is not None
    assert machine.stand_in("provided.al2023", None) is None
    told = machine.stand_in("provided.al2023", ["arm64"])
    assert told == f"declared provided.al2023 on arm64, {said} x86_64"
    assert machine.stand_in("java21", ["arm64"]) is None
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v20.1.2\n")
    node.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _name: str(node))
    assert machine.stand_in("nodejs20.x", None) is None
    told = machine.stand_in("nodejs22.x", None)
    assert told == f"declared nodejs22.x on x86_64, {said} Node.js 20 on x86_64"
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert machine.stand_in("nodejs22.x", ["arm64"]) is None


def test_layer_from_outside_is_empty_and_named(aws: Any, function: Any) -> None:
    theirs = (
        f"arn:aws:lambda:{REGION}:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:7"
    )
    made = function("layered", layers=[theirs])
    assert f"layer {theirs} is from outside: it is empty here" in made.notes
    assert invoke(aws, made["name"], 1)["event"] == 1


def test_role_and_dead_letters_from_outside_get_stand_ins(aws: Any) -> None:
    source = """
import boto3
def handler(event, context):
    return [boto3.client("sts").get_caller_identity()["Arn"], len(boto3.client("s3").list_buckets()["Buckets"]) >= 0]
"""
    theirs = "arn:aws:iam::123456789012:role/path/shared-execution"
    queue = f"arn:aws:sqs:{REGION}:123456789012:dead"
    given = {"code": archive(source), "runtime": "python3.13", "handler": "main.handler"}
    made = make(
        "lambda/function:Function",
        "guest",
        role=theirs,
        timeout=10,
        deadLetterConfig={"targetArn": queue},
        **given,
    )
    assert made.compat == [
        "everything: its execution role is from outside, what that may do is not known"
    ]
    assert "its dead-letter target is from outside: what fails for good is dropped" in made.notes
    arn, listed = invoke(aws, made["name"])
    assert ":assumed-role/shared-execution/" in arn
    assert listed
    made.update(timeout=11)
    made.delete()


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (
            {
                "fileSystemConfig": {
                    "arn": f"arn:aws:elasticfilesystem:{REGION}:1:access-point/a",
                    "localMountPath": "/mnt/a",
                }
            },
            "no file system is mounted",
        ),
        (
            {
                "vpcConfig": {
                    "subnetIds": ["s"],
                    "securityGroupIds": ["g"],
                    "ipv6AllowedForDualStack": True,
                }
            },
            "it runs on this machine's network, in no VPC",
        ),
        (
            {
                "codeSigningConfigArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-1"
            },
            "code signing is recorded: signatures are not checked",
        ),
        (
            {"snapStart": {"applyOn": "PublishedVersions"}},
            "no snapshot is taken: a published version is loaded ahead of its first call",
        ),
        (
            {"kmsKeyArn": f"arn:aws:kms:{REGION}:111122223333:key/0"},
            "its key is from outside: it is recorded, and encrypts nothing here",
        ),
    ],
)
def test_setting_without_an_effect_is_said(function: Any, given: Any, note: str) -> None:
    made = function("noted", **given)
    assert note in made.notes
    [name] = given
    assert note not in made.update(**{name: None}).notes


def test_code_signing_config_is_read_back(aws: Any, function: Any) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-1"
    made = function("signed", codeSigningConfigArn=arn)
    read = aws("lambda").get_function_code_signing_config
    assert read(FunctionName=made["name"])["CodeSigningConfigArn"] == arn
    made.update(codeSigningConfigArn=None)
    assert not read(FunctionName=made["name"])["CodeSigningConfigArn"]
