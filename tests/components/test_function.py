"""ServerlessFunction: what it may do, what it is told, how big it is."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest
from pulumi_aws import iam

from components.function import FunctionTweaks
from components.grants import Grant, Statement
from components.layers import Layer
from components.place import Place
from settings import FunctionSettings
from tests.support.program import ROOT, Run
from tests.support.tiny import Parts, memory, tiny

FUNCTION, ROLE_POLICY = "aws:lambda/function:Function", "aws:iam/rolePolicy:RolePolicy"

ITEMS = "arn:aws:dynamodb:us-west-2:123456789012:table/items-table-0123456"
AUDIT = "arn:aws:dynamodb:us-west-2:123456789012:table/audit-table-0123456"
UPLOADS, IMAGES = "arn:aws:s3:::uploads-bucket-0123456", "arn:aws:s3:::images-bucket-0123456"
AUTH = "arn:aws:secretsmanager:us-west-2:123456789012:secret:auth-secret-0123456"
CURSOR = "arn:aws:secretsmanager:us-west-2:123456789012:secret:cursor-key-secret-0123456"
NOTICES = "arn:aws:sns:us-west-2:123456789012:notifications-topic-0123456"

MAY: dict[str, set[tuple[str, str]]] = {
    "create-item": {("dynamodb:PutItem", ITEMS), ("kms:Decrypt", "dynamodb")},
    "get-item": {("dynamodb:GetItem", ITEMS), ("kms:Decrypt", "dynamodb")},
    "list-items": {
        ("dynamodb:Query", f"{ITEMS}/index/by-collection"),
        ("kms:Decrypt", "dynamodb"),
        ("secretsmanager:GetSecretValue", CURSOR),
        ("kms:Decrypt", "secretsmanager"),
    },
    "update-item": {("dynamodb:UpdateItem", ITEMS), ("kms:Decrypt", "dynamodb")},
    "delete-item": {("dynamodb:DeleteItem", ITEMS), ("kms:Decrypt", "dynamodb")},
    "health": set(),
    "authorizer": {("secretsmanager:GetSecretValue", AUTH), ("kms:Decrypt", "secretsmanager")},
    "image-processor": {
        ("s3:GetObject", f"{UPLOADS}/uploads/*"),
        ("kms:Decrypt", "s3"),
        ("s3:PutObject", f"{IMAGES}/thumbnails/*"),
        ("kms:GenerateDataKey", "s3"),
    },
    "data-transformer": {("dynamodb:PutItem", AUDIT), ("kms:Decrypt", "dynamodb")},
    "notification-sender": {
        ("sns:Publish", NOTICES),
        ("kms:GenerateDataKey", "sns"),
        ("kms:Decrypt", "sns"),
    },
    "cleanup-job": {("s3:ListBucket", UPLOADS), ("s3:DeleteObject", f"{UPLOADS}/uploads/*")},
}
BROWSERS = {"create-item", "get-item", "list-items", "update-item", "delete-item", "health"}
TOLD: dict[str, set[str]] = {
    "create-item": {"ITEMS_TABLE"},
    "get-item": {"ITEMS_TABLE"},
    "list-items": {"ITEMS_TABLE", "CURSOR_KEY_SECRET_ARN"},
    "update-item": {"ITEMS_TABLE"},
    "delete-item": {"ITEMS_TABLE"},
    "health": set(),
    "authorizer": {"AUTH_SECRET_ARN"},
    "image-processor": {"UPLOADS_BUCKET", "IMAGES_BUCKET"},
    "data-transformer": {"AUDIT_TABLE"},
    "notification-sender": {"NOTIFICATIONS_TOPIC_ARN"},
    "cleanup-job": {"UPLOADS_BUCKET"},
}


def rights(run: Run, policy: str) -> set[tuple[str, str]]:
    """(action, resource) of a policy; for the key, the service through which it may be used."""
    document = json.loads(run.one(ROLE_POLICY, policy).properties["policy"])
    return {
        (action, _through(statement) or resource)
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def _through(statement: dict[str, Any]) -> str:
    through = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", "")
    return str(through).split(".")[0]


@pytest.mark.parametrize("name", sorted(MAY))
def test_function_gets_only_the_grants_it_asks_for(name: str, run: Run) -> None:
    logs = run.one("aws:cloudwatch/logGroup:LogGroup", f"{name}-logs").output("arn")
    own = {("logs:CreateLogStream", f"{logs}:*"), ("logs:PutLogEvents", f"{logs}:*")}
    traces = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
    assert rights(run, f"{name}-policy") == MAY[name] | own | traces


@pytest.mark.parametrize("name", sorted(TOLD))
def test_function_is_told_only_of_what_it_uses(name: str, run: Run) -> None:
    variables = run.one(FUNCTION, f"{name}-function").get("environment.variables")
    cors = {"CORS_ALLOW_ORIGINS"} if name in BROWSERS else set()
    assert set(variables) == {"LOG_LEVEL", "SERVICE_NAME"} | TOLD[name] | cors
    assert variables["SERVICE_NAME"] == "sandpiper"


def test_listing_is_narrowed_to_the_prefix(dev: Run) -> None:
    policy = dev.one(ROLE_POLICY, "cleanup-job-policy").properties["policy"]
    (listing,) = (s for s in json.loads(policy)["Statement"] if s["Action"] == ["s3:ListBucket"])
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "uploads/*"}}


def test_function_and_its_log_group_are_named_after_project_stack_and_function(
    run: Run,
) -> None:
    stack = run.stack
    for name in MAY:
        function = run.one(FUNCTION, f"{name}-function")
        group = run.one("aws:cloudwatch/logGroup:LogGroup", f"{name}-logs")
        assert function.get("name") == f"sandpiper-{stack}-{name}"
        assert group.get("name") == f"/aws/lambda/sandpiper-{stack}-{name}"
        assert function.get("loggingConfig.logGroup") == group.get("name")


def test_every_function_is_called_by_the_alias_live(run: Run) -> None:
    aliases = run.all("aws:lambda/alias:Alias")
    assert {a.get("functionName") for a in aliases} == {f.get("name") for f in run.all(FUNCTION)}
    assert {a.get("name") for a in aliases} == {"live"}


def test_sizes_come_from_the_stack_file(custom: Run) -> None:
    function = custom.one(FUNCTION, "create-item-function")
    assert function.get("memorySize") == 1024
    assert function.get("timeout") == 12
    assert function.get("architectures") == ["x86_64"]
    assert function.get("reservedConcurrentExecutions") == 5
    assert function.get("environment.variables.FEATURE_X") == "on"
    assert function.get("loggingConfig.applicationLogLevel") == "DEBUG"


def test_what_a_function_does_decides_its_size_where_the_stack_file_is_silent(dev: Run) -> None:
    assert dev.one(FUNCTION, "image-processor-function").get("memorySize") == 1769
    assert dev.one(FUNCTION, "cleanup-job-function").get("timeout") == 120


def test_executions_are_kept_warm_only_where_asked(custom: Run, dev: Run) -> None:
    type_ = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
    (warm,) = custom.all(type_)
    assert warm.name == "create-item-provisioned-concurrency"
    assert warm.get("qualifier") == "live"
    assert warm.get("provisionedConcurrentExecutions") == 2
    assert dev.all(type_) == []


def test_untraced_function_may_not_trace(custom: Run) -> None:
    assert custom.one(FUNCTION, "get-item-function").get("tracingConfig.mode") == "PassThrough"
    assert not any(action.startswith("xray:") for action, _ in rights(custom, "get-item-policy"))


def test_variable_that_the_program_sets_itself_is_refused_with_its_name() -> None:
    thing = Grant([Statement(["s3:GetObject"], ["arn:x"])], {"THING": "x"})
    with pytest.raises(
        pulumi.RunError, match=r"functions\.f\.environment\.THING: the program sets"
    ):
        tiny(lambda parts: parts.function("f", thing, environment={"THING": "mine"}))


def test_layer_built_for_another_architecture_is_refused_before_aws_does() -> None:
    def program(parts: Parts) -> None:
        layer = _layer(FunctionSettings(architecture="x86_64"), parts.place)
        parts.function("f", layers=[layer], architecture="arm64")

    with pytest.raises(pulumi.RunError, match=r"functions\.f: runs on python3\.13 and arm64, but"):
        tiny(program)


def test_layer_that_fits_is_used() -> None:
    def program(parts: Parts) -> None:
        parts.function("f", layers=[_layer(FunctionSettings(), parts.place)])

    run = tiny(program)
    layer = run.one("aws:lambda/layerVersion:LayerVersion", "common-layer")
    assert run.one(FUNCTION, "f-function").get("layers") == [layer.output("arn")]


def test_tweaks_have_the_last_word() -> None:
    def describe(args: iam.RoleArgs) -> None:
        args.description = "tweaked"

    def program(parts: Parts) -> None:
        parts.function("f", memory_size=256, tweaks=memory(3000))
        parts.function("g", tweaks=FunctionTweaks(role=describe))

    run = tiny(program)
    assert run.one(FUNCTION, "f-function").get("memorySize") == 3000
    assert run.one(FUNCTION, "g-function").get("memorySize") == 256
    assert run.one("aws:iam/role:Role", "g-role").get("description") == "tweaked"


def test_function_declared_twice_is_refused() -> None:
    def program(parts: Parts) -> None:
        parts.function("f")
        parts.function("f")

    with pytest.raises(ValueError, match="duplicate resource name"):
        tiny(program)


def test_function_without_grants_may_log_and_trace_and_nothing_else() -> None:
    run = tiny(lambda parts: parts.function("f"))
    assert {action.split(":")[0] for action, _ in rights(run, "f-policy")} == {"logs", "xray"}


def _layer(used_by: FunctionSettings, place: Place) -> Layer:
    return Layer(
        "common",
        root=ROOT,
        used_by=used_by,
        place=place,
        build=False,
        description="d",
        license_info="MIT",
    )
