"""A forked environment shows a handler what AWS would, and lives as long."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from tests.sandbox.workers_support import REQUEST_ID, Launcher, archive


def test_handler_sees_declared_variables_and_those_of_lambda_only(box: Launcher) -> None:
    source = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"
    environ = box.run(source, Environment={"Variables": {"DECLARED": "yes"}}).ok
    assert environ["DECLARED"] == "yes"
    assert environ["AWS_REGION"] == environ["AWS_DEFAULT_REGION"] == "us-west-2"
    assert environ["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{box.port}"
    assert environ["TZ"] == ":UTC"
    assert environ["_HANDLER"] == "app.handler"
    assert set(environ) == {
        "DECLARED",
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION"),
        *("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_INITIALIZATION_TYPE"),
        *("AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING"),
        *("AWS_XRAY_DAEMON_ADDRESS", "_X_AMZN_TRACE_ID"),
        *("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "LANG", "PATH", "TZ", "_HANDLER"),
    }


def test_trace_id_changes_with_each_call_where_tracing_is_active(box: Launcher) -> None:
    source = "import os\ndef handler(e, c):\n    return os.environ.get('_X_AMZN_TRACE_ID')\n"
    name = box.function(source, TracingConfig={"Mode": "Active"})
    first, second = box.invoke(name).ok, box.invoke(name).ok
    assert first.startswith("Root=1-")
    assert first != second


def test_only_the_packages_of_the_runtime_can_be_imported(box: Launcher) -> None:
    source = """
import importlib
def handler(names, context):
    found = []
    for name in names:
        try:
            importlib.import_module(name)
            found.append(name)
        except ModuleNotFoundError:
            pass
    return found
"""
    names = ["boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "json"]
    strangers = ["yaml", "pydantic", "pulumi", "ministack", "hypercorn", "pip", "sandbox"]
    assert box.run(source, [*names, *strangers]).ok == names


def test_bundled_package_wins_over_that_of_the_runtime(box: Launcher) -> None:
    source = (
        "import boto3, urllib3\ndef handler(e, c):\n    return [boto3.MARK, urllib3.__version__]\n"
    )
    mark, version = box.run(source, files={"boto3": "MARK = 'mine'"}).ok
    assert mark == "mine"
    assert version


def test_layers_are_merged_and_later_ones_win(box: Launcher) -> None:
    client = box.client("lambda")
    versions = []
    for number in (1, 2):
        files = {"python___shared": f"NUMBER = {number}", f"python___only{number}": "x = 1"}
        layer = client.publish_layer_version(
            LayerName=f"layer-{number}", Content={"ZipFile": archive(**files)}
        )
        versions.append(layer["LayerVersionArn"])
    source = """
import only1, only2, shared, sys
def handler(event, context):
    return [shared.NUMBER, [folder for folder in sys.path if "site-packages" in folder]]
"""
    assert box.run(source, Layers=versions).ok == [2, []]


def test_context_is_complete(box: Launcher) -> None:
    source = """
def handler(event, context):
    context.log("from the context")
    assert context.identity.cognito_identity_id is None
    names = ("function_name function_version invoked_function_arn memory_limit_in_mb "
             "aws_request_id log_group_name log_stream_name client_context").split()
    return {"left": context.get_remaining_time_in_millis(),
            **{name: getattr(context, name) for name in names}}
"""
    name = box.function(source, Timeout=7, MemorySize=192)
    reply = box.invoke(name)
    context = reply.ok
    assert 6000 < context.pop("left") <= 7000
    started = REQUEST_ID.search(reply.log)
    assert started
    stream = context.pop("log_stream_name")
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST][0-9a-f]{32}", stream)
    assert {found for found, _ in box.messages(name)} == {stream}
    assert context == {
        "function_name": name,
        "function_version": "$LATEST",
        "invoked_function_arn": f"arn:aws:lambda:us-west-2:000000000000:function:{name}",
        "memory_limit_in_mb": "192",
        "aws_request_id": started[1],
        "log_group_name": f"/aws/lambda/{name}",
        "client_context": None,
    }
    assert "from the context" in reply.log


def test_invoked_arn_names_the_alias_it_came_through(box: Launcher) -> None:
    source = """
import json
def handler(event, context):
    seen = [context.invoked_function_arn, context.function_version]
    return {"statusCode": 200, "body": json.dumps(seen)} if event else seen
"""
    name = box.function(source, Publish=True)
    box.client("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    expected = [f"arn:aws:lambda:us-west-2:000000000000:function:{name}:live", "1"]
    assert box.invoke(name, Qualifier="live").ok == expected
    status, _, body = box.get(box.api(name, qualifier="live"))
    assert (status, json.loads(body)) == (200, expected)


def test_calls_run_under_the_role_of_the_function(box: Launcher) -> None:
    source = """
import boto3
def handler(event, context):
    return boto3.client("dynamodb").list_tables()["TableNames"]
"""
    name = box.function(source)
    denied = box.invoke(name).failure
    assert denied["errorType"] == "ClientError"
    assert "AccessDenied" in denied["errorMessage"]
    allow = {"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}
    box.client("iam").put_role_policy(
        RoleName="tests",
        PolicyName="list",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    assert isinstance(box.invoke(name).ok, list)


def test_temporary_folder_is_the_environment_s_own_and_goes_with_it(box: Launcher) -> None:
    source = """
import tempfile
def handler(event, context):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        return file.name
"""
    name = box.function(source)
    file = Path(box.invoke(name).ok)
    assert file.is_file()
    assert file.is_relative_to(box.tmp)
    box.change(name)
    box.invoke(name)
    until = time.monotonic() + 5
    while file.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not file.exists()
