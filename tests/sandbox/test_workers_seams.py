"""Each spot where the emulator is changed fits it, and does what it is for."""

from __future__ import annotations

import importlib
import json
import pkgutil
import shutil
import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING

import botocore.session
import pytest

from sandbox import workers
from sandbox.workers import gateway_seams, model_seams, preload, seams, worker_seams
from tests.sandbox.workers_support import ECHO, Launcher, archive

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    "answer",
    [
        "None",
        "'text'",
        "{}",
        "{'body': 'no status'}",
        "{'statusCode': 'ok', 'body': ''}",
        "{'statusCode': 99, 'body': ''}",
        "{'statusCode': 200, 'body': {'an': 'object'}}",
        "{'statusCode': 200, 'body': '', 'cookies': []}",
        "{'statusCode': 200, 'body': '', 'headers': {'x': {}}}",
        "{'statusCode': 200, 'body': '', 'headers': []}",
        "{'statusCode': 200, 'body': '', 'multiValueHeaders': {'x': 'y'}}",
        "{'statusCode': 200, 'body': '', 'isBase64Encoded': 'no'}",
    ],
)
def test_malformed_answer_is_refused(answer: str) -> None:
    with pytest.raises(gateway_seams.MalformedAnswerError):
        gateway_seams.proxy_answer(eval(answer))  # noqa: S307 - the table above


def test_well_formed_answer_is_read_as_aws_reads_it() -> None:
    answer = {
        "statusCode": "201",
        "headers": {"a": 1, "b": True, "c": None},
        "multiValueHeaders": {"d": ["x", 2]},
        "body": None,
    }
    assert gateway_seams.proxy_answer(answer) == {
        "statusCode": 201,
        "headers": {"a": "1", "b": "true"},
        "multiValueHeaders": {"d": ["x", "2"]},
        "body": "",
    }


def test_malformed_answer_and_failed_function_are_502_without_a_trace(box: Launcher) -> None:
    for source in ("def handler(e, c):\n    return 'x'\n", "def handler(e, c):\n    1 / 0\n"):
        status, headers, body = box.get(box.api(box.function(source)))
        assert status == 502
        assert json.loads(body) == {"message": "Internal server error"}
        assert headers["x-amzn-ErrorType"] == "InternalServerErrorException"


def test_malformed_answer_takes_the_gateway_response_of_the_api(box: Launcher) -> None:
    path = box.api(box.function("def handler(e, c):\n    return 'x'\n"))
    api = path.split("/")[3]
    box.client("apigateway").put_gateway_response(
        restApiId=api,
        responseType="DEFAULT_5XX",
        responseParameters={"gatewayresponse.header.X-Mine": "'yes'"},
        responseTemplates={"application/json": '{"title":$context.error.messageString}'},
    )
    status, headers, body = box.get(box.deploy(api))
    assert (status, headers["X-Mine"]) == (502, "yes")
    assert json.loads(body) == {"title": "Internal server error"}


def test_throttled_function_is_500_and_takes_the_gateway_response_of_the_api(
    box: Launcher,
) -> None:
    """API Gateway has its own answer: Lambda's 429 and its words stay inside."""
    name = box.function("def handler(e, c):\n    return {'statusCode': 200}\n")
    path = box.api(name)
    box.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    status, headers, body = box.get(path)
    assert status == 500
    assert json.loads(body) == {"message": "Internal server error"}
    assert headers["x-amzn-ErrorType"] == "InternalServerErrorException"
    api = path.split("/")[3]
    box.client("apigateway").put_gateway_response(
        restApiId=api,
        responseType="INTEGRATION_FAILURE",
        statusCode="503",
        responseTemplates={"application/problem+json": '{"a": 1}', "application/json": "{}"},
    )
    status, _, body = box.get(box.deploy(api))
    assert (status, body) == (503, "{}")


def test_function_url_does_not_show_a_trace(box: Launcher) -> None:
    name = box.function("def handler(e, c):\n    raise KeyError('private')\n")
    url = box.client("lambda").create_function_url_config(FunctionName=name, AuthType="NONE")
    for number, right in enumerate(
        (
            {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
            {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
        )
    ):
        box.client("lambda").add_permission(
            FunctionName=name, StatementId=f"public-{number}", Principal="*", **right
        )
    identifier = url["FunctionUrl"].split("//")[1].split(".")[0]
    status, _, body = box.get(f"/_aws/lambda-url/{identifier}/")
    assert status == 502
    assert "private" not in body


@pytest.mark.parametrize("runtime_name", ["java21", "ruby3.3", "dotnet8"])
def test_runtime_that_cannot_run_is_refused_loudly(box: Launcher, runtime_name: str) -> None:
    failure = box.run(ECHO, Runtime=runtime_name).failure
    assert failure["errorType"] == "Runtime.NotSimulated"
    assert f"does not run the runtime {runtime_name}" in failure["errorMessage"]


def test_container_image_is_refused_loudly(box: Launcher) -> None:
    box.client("lambda").create_function(
        FunctionName="image",
        PackageType="Image",
        Role=box.role,
        Code={"ImageUri": "000000000000.dkr.ecr.us-west-2.amazonaws.com/none:latest"},
    )
    failure = box.invoke("image").failure
    assert failure["errorType"] == "Runtime.NotSimulated"
    assert "does not run container images" in failure["errorMessage"]


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js here")
def test_node_functions_run_in_the_workers_of_the_emulator(box: Launcher) -> None:
    name = box.function("", Runtime="nodejs22.x")
    code = archive(app="exports.handler = async (event) => event + 1;", suffix=".js")
    box.client("lambda").update_function_code(FunctionName=name, ZipFile=code)
    assert box.invoke(name, 4).ok == 5


def test_every_execution_counts_in_cloudwatch_whoever_asked_for_it(box: Launcher) -> None:
    name = box.function("def handler(e, c):\n    1 / 0\n")
    box.get(box.api(name))
    box.invoke(name)
    now = time.time()
    for metric in ("Invocations", "Errors"):
        points = box.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=now - 600,
            EndTime=now + 600,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        assert sum(point["Sum"] for point in points) == 2, metric


def test_websocket_routes_run_in_forked_environments(box: Launcher) -> None:
    source = """
import os
def handler(event, context):
    return {"statusCode": 500 if "SECRET_OF_THE_HOST" in os.environ else 200}
"""
    arn = f"arn:aws:lambda:us-west-2:000000000000:function:{box.function(source)}"
    gateway = box.client("apigatewayv2")
    api = gateway.create_api(
        Name="socket", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    invocations = f"arn:aws:apigateway:us-west-2:lambda:path/2015-03-31/functions/{arn}/invocations"
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=invocations
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="$connect", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="test", AutoDeploy=True)
    assert box.upgrade(f"/_aws/execute-api/{api}/test") == 101


def test_snapstart_version_is_loaded_when_it_is_published(box: Launcher) -> None:
    name = box.function(
        "raise OSError('not ready')\n",
        Runtime="python3.13",
        SnapStart={"ApplyOn": "PublishedVersions"},
    )
    client = box.client("lambda")
    version = client.publish_version(FunctionName=name)["Version"]
    until = time.monotonic() + 5
    while time.monotonic() < until:
        state = client.get_function_configuration(FunctionName=name, Qualifier=version)
        if state["State"] != "Pending":
            break
        time.sleep(0.02)
    assert (state["State"], state["StateReason"]) == ("Failed", "not ready")


def every_seam() -> Iterator[seams.Seam]:
    for found in pkgutil.iter_modules(workers.__path__):
        if found.name.endswith("_seams"):
            module = importlib.import_module(f"{workers.__name__}.{found.name}")
            yield from module.seams(*([None] if module is worker_seams else []))


@pytest.mark.parametrize("seam", list(every_seam()), ids=lambda seam: seam.attribute)
def test_seam_fits_the_installed_emulator(seam: seams.Seam) -> None:
    assert seam.mismatch(importlib.import_module(seam.module)) is None


def test_seam_that_does_not_fit_leaves_the_emulator_s_own_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    module = ModuleType("changed")
    original = module.work = lambda event, extra: None  # type: ignore[attr-defined]
    module.TICK = 7  # type: ignore[attr-defined]
    replace = lambda *_: None  # noqa: E731
    for seam in (
        seams.Seam("changed", "work", ("event",), "work is slow", replace),
        seams.Seam("changed", "gone", ("event",), "work is gone", replace),
        seams.Seam("changed", "Class.method", ("self",), "method is gone", replace),
        seams.Seam("changed", "TICK", 10, "ticks are slow", replace),
        seams.Seam("changed", "work", ("event", "extra"), "no helper", replace, needs=("help",)),
    ):
        assert not seam.install(module)
        assert seam.reason in caplog.text
    assert module.work is original
    assert module.TICK == 7


def test_head_of_a_model_says_what_the_whole_model_says() -> None:
    whole = botocore.session.get_session()
    for service in ("apigateway", "cloudwatch", "dynamodb", "lambda", "s3", "sqs"):
        metadata = model_seams.read_metadata(service)
        assert metadata == whole.get_service_model(service).metadata
    assert model_seams.read_metadata("no-such-service") is None


def test_model_is_read_whole_when_more_than_its_head_is_asked_for() -> None:
    model = model_seams.Model({"protocol": "json"}, lambda: ModuleType("whole"))
    assert model.metadata["protocol"] == "json"
    assert model.__name__ == "whole"


def test_models_are_kept_without_their_prose() -> None:
    read = {"documentation": "long", "shapes": [{"documentation": {"type": "string"}}]}
    load = model_seams.without_prose(ModuleType("loaders"), lambda *_: read)
    assert load(None, "path") == {
        "documentation": "",
        "shapes": [{"documentation": {"type": "string"}}],
    }


def test_free_room_between_objects_is_found_in_the_statistics_of_this_python() -> None:
    rows = preload._free_blocks(sys._debugmallocstats)
    assert len(rows) > 20
    assert all(size % 16 == 0 and free >= 0 for size, free in rows)
