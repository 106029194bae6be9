"""Right values of every setting of a function, and which functions there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from settings import wiring
from settings.function import ONE_FUNCTIONS, FunctionSettings
from tests.settings.helper import load, refused
from tests.settings.test_schema import errors
from tools.described import maps_within

PLACE = "us-west-2:123456789012"
QUEUE = f"arn:aws:sqs:{PLACE}:lost-events"
TOPIC = f"arn:aws:sns:{PLACE}:lost-events"
ROLE = "arn:aws:iam::123456789012:role/team/checksum"
IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/team/inference@sha256:" + "a" * 64
PROFILE = f"arn:aws:signer:{PLACE}:/signing-profiles/release/a1B2c3D4e5"
CONFIG = f"arn:aws:lambda:{PLACE}:code-signing-config:csc-0123456789abcdef0"
STORED = {"s3_bucket": "releases.example", "s3_key": "checksum/1.4.0.zip"}
NETWORK = {"subnet_ids": ["subnet-0123456789abcdef0"], "security_group_ids": ["sg-01234567"]}
FILES = {
    "arn": f"arn:aws:elasticfilesystem:{PLACE}:access-point/fsap-0123456789abcdef0",
    "local_mount_path": "/mnt/shared-1_a.b",
}

# Function, setting, value, what must stand beside it.
RIGHT: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("products", "enabled", True, {}),
    ("health", "description", "d" * 256, {}),
    ("health", "handler", "package.module.handle", {"source_dir": "built"}),
    ("health", "runtime", "python3.14", {}),
    ("checksum-java", "runtime", "java17.al2023", {"filename": "ready.zip"}),
    ("health", "architecture", "x86_64", {}),
    ("health", "layers", [f"arn:aws:lambda:{PLACE}:layer:tools-{n}:7" for n in range(4)], {}),
    ("checksum", "layers", [f"arn:aws:lambda:{PLACE}:layer:tools-{n}:7" for n in range(5)], {}),
    ("health", "memory_size", 10240, {}),
    ("cleanup-job", "timeout", 900, {}),
    ("health", "ephemeral_storage_size", 10240, {}),
    ("health", "environment", {"NOTE": "x"}, {}),
    ("health", "tags", {"team": "a b"}, {}),
    ("health", "kms_key_arn", f"arn:aws:kms:{PLACE}:key/mrk-0123456789abcdef", {}),
    ("health", "execution_role_arn", ROLE, {}),
    ("health", "vpc_config", {**NETWORK, "ipv6_allowed_for_dual_stack": True}, {}),
    ("health", "file_system_config", FILES, {"vpc_config": NETWORK}),
    ("health", "tracing_mode", "PassThrough", {}),
    ("health", "log_level", "TRACE", {}),
    ("health", "log_sample_rate", 1, {}),
    ("health", "system_log_level", "WARN", {}),
    ("health", "log_retention_in_days", 3653, {}),
    ("health", "source_dir", "built", {"handler": "index.handler"}),
    ("health", "source_dir", "built", {"handler": "quick.handler"}),
    ("health", "source_dir", ".build/app", {"handler": "app.handler"}),
    ("health", "handler", "health.another", {}),
    ("health", "handler", "common.web.handler", {}),
    ("health", "handler", "datadog_lambda.handler.handler", {"layers": [f"arn:aws:lambda:{PLACE}:layer:datadog:1"]}),
    ("products", "handler", "index.another", {}),
    ("products", "source_dir", "built", {}),
    ("checksum-ruby", "source_dir", "handlers/checksum_ruby", {}),
    ("checksum", "source_dir", "built", {}),
    ("health", "filename", "ready.zip", {"handler": "index.handler"}),
    ("products", "inline", "export const handler = async () => {};", {"handler": "index.handler"}),
    ("checksum", "s3_bucket", STORED["s3_bucket"], STORED),
    ("checksum", "s3_key", STORED["s3_key"], STORED),
    ("checksum", "s3_object_version", "null", STORED),
    ("checksum", "source_code_hash", "LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564=", STORED),
    ("inference", "image_uri", IMAGE, {}),
    ("health", "image_uri", IMAGE, {}),
    (
        "inference",
        "image_config",
        {"entry_point": ["python"], "command": ["app.handler"], "working_directory": "/var/task"},
        {"image_uri": IMAGE},
    ),
    ("checksum", "code_signing_config_arn", CONFIG, STORED),
    ("checksum", "code_signing", {"signing_profile_version_arns": [PROFILE]}, STORED),
    (
        "health",
        "code_signing",
        {"signing_profile_version_arns": [PROFILE], "untrusted_artifact_on_deployment": "Warn"},
        {},
    ),
    ("health", "update_runtime_on", "FunctionUpdate", {}),
    ("health", "reserved_concurrent_executions", 0, {}),
    ("health", "provisioned_concurrent_executions", 900, {}),
    (
        "health",
        "provisioned_concurrency_scaling",
        {
            "min_capacity": 1,
            "max_capacity": 10,
            "target_value": None,
            "scheduled_actions": {
                "day_1": {"schedule": "cron(0 8 ? * MON-FRI *)", "timezone": "Europe/Berlin", "min_capacity": 5},
                "night-1": {"schedule": "rate(1 day)", "min_capacity": 1, "max_capacity": 20},
            },
        },
        {"provisioned_concurrent_executions": 10, "reserved_concurrent_executions": 20},
    ),
    ("health", "warming_schedule", "rate(5 minutes)", {}),
    ("checksum", "warming_schedule", "rate(5 minutes)", {}),
    ("health", "snap_start", True, {"runtime": "python3.12"}),
    ("checksum-java", "snap_start", True, {"filename": "ready.zip", "runtime": "java11"}),
    ("checksum-dotnet", "snap_start", True, {"filename": "ready.zip"}),
    ("health", "dead_letter", QUEUE, {}),
    ("health", "dead_letter", TOPIC, {}),
    ("health", "maximum_retry_attempts", 0, {}),
    ("health", "maximum_event_age_in_seconds", 21600, {}),
    ("health", "on_success", f"arn:aws:lambda:{PLACE}:function:sandpiper-dev-get-item:live", {}),
    ("health", "on_success", f"arn:aws:events:{PLACE}:event-bus/default", {}),
    ("health", "on_failure", "arn:aws-us-gov:s3:::failed-events-example", {}),
    ("health", "recursive_loop", "Allow", {}),
    ("products", "function_url", {"invoke_mode": "RESPONSE_STREAM"}, {}),
    (
        "health",
        "function_url",
        {
            "authorization_type": "AWS_IAM",
            "principals": ["123456789012", ROLE, "arn:aws:iam::123456789012:user/somebody"],
            "cors": {
                "allow_origins": ["https://app.example.com", "http://localhost:3000"],
                "allow_methods": ["*"],
                "allow_headers": ["content-type", "*"],
                "expose_headers": ["x-request-id"],
                "max_age": 86400,
                "allow_credentials": True,
            },
        },
        {},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("function", "key", "value", "beside"), RIGHT)
def test_right_value_is_taken_as_it_is_written(
    function: str, key: str, value: Any, beside: dict[str, Any], handlers: Path
) -> None:
    config = {"functions": {function: {**beside, key: value}}, "aws:region": "us-west-2"}
    found = load(config, handlers=handlers).function(function)
    assert _covers(found.model_dump(mode="json")[key], value)
    assert errors({"config": {"sandpiper:functions": config["functions"]}}) == []


def test_right_values_are_shown_for_every_setting() -> None:
    written = {key for _, key, _, beside in RIGHT for key in {key, *beside}}
    assert written == set(FunctionSettings.model_fields)
    inside = {name for _, _, value, _ in RIGHT for name in _keys_within(value)}
    for model in maps_within(FunctionSettings):
        assert set(model.model_fields) <= inside, model


@pytest.mark.parametrize(("key", "value"), {key: value for _, key, value, _ in RIGHT}.items())
def test_only_settings_that_say_something_of_one_function_are_refused_in_defaults(
    key: str, value: Any, handlers: Path
) -> None:
    line = f"Pulumi.dev.yaml: functions.defaults.{key}: must be said of one function, by its name"
    lines = refused({"functions": {"defaults": {key: value}}}, handlers=handlers)
    assert (line in lines) == (key in ONE_FUNCTIONS)
    # The refused value reaches no function, and so breaks no rule there.
    assert len(lines) == 1 or key not in ONE_FUNCTIONS


def test_map_is_replaced_whole_and_only_texts_by_name_add_up(handlers: Path) -> None:
    functions: dict[str, Any] = {
        "defaults": {"vpc_config": {**NETWORK, "ipv6_allowed_for_dual_stack": True}, "tags": {"a": "1"}},
        "cleanup-job": {"vpc_config": NETWORK, "tags": {"b": "2", "Schedule": "weekly"}},
    }  # fmt: skip
    found = load({"functions": functions}, handlers=handlers)
    own, other = found.function("cleanup-job"), found.function("health")
    assert own.vpc_config is not None
    assert other.vpc_config is not None
    assert not own.vpc_config.ipv6_allowed_for_dual_stack
    assert other.vpc_config.ipv6_allowed_for_dual_stack
    assert own.tags == {"a": "1", "b": "2", "Schedule": "weekly"}
    assert other.tags == {"a": "1"}


def test_map_of_a_function_can_be_taken_away(handlers: Path) -> None:
    assert load(handlers=handlers).function("products").function_url is not None
    without = {"functions": {"products": {"function_url": None}}}
    assert load(without, handlers=handlers).function("products").function_url is None


def test_maps_within_maps_are_read_only(handlers: Path) -> None:
    scaling = {"min_capacity": 1, "max_capacity": 2}
    own = {"provisioned_concurrent_executions": 1, "provisioned_concurrency_scaling": scaling}
    found = load({"functions": {"health": own}}, handlers=handlers).function("health")
    assert found.provisioned_concurrency_scaling is not None
    with pytest.raises(TypeError):
        found.provisioned_concurrency_scaling.scheduled_actions["x"] = None  # pyright: ignore[reportIndexIssue]


@pytest.mark.parametrize(
    ("own", "asynchronous"),
    [
        ({}, False),
        ({"dead_letter": QUEUE, "recursive_loop": "Allow"}, False),
        ({"maximum_retry_attempts": 2}, True),
        ({"maximum_event_age_in_seconds": 3600}, True),
        ({"on_success": QUEUE}, True),
        ({"on_failure": QUEUE}, True),
        ({"warming_schedule": "rate(5 minutes)"}, True),
        ({"on_failure": None, "warming_schedule": None}, False),
    ],
)
def test_function_is_asynchronous_where_the_file_says_how_its_events_are_handled(
    own: dict[str, Any], *, asynchronous: bool, handlers: Path
) -> None:
    for entry in ("health", "defaults"):
        found = load({"functions": {entry: own}}, handlers=handlers)
        assert found.function("health").asynchronous is asynchronous
    assert not FunctionSettings().asynchronous


def test_function_built_elsewhere_exists_once_its_code_is_named(handlers: Path) -> None:
    nothing = load(handlers=handlers)
    assert {"checksum", "products"} <= nothing.functions.keys()
    assert not {"checksum-java", "checksum-ruby", "inference"} & nothing.functions.keys()
    functions = {
        "checksum-java": {"filename": "ready.zip"},
        "checksum-ruby": {"source_dir": "handlers/checksum_ruby", "enabled": False},
        "inference": {"image_uri": IMAGE},
        "checksum-dotnet": {"memory_size": 512},
    }
    found = load({"functions": functions}, handlers=handlers)
    assert set(found.functions) - set(nothing.functions) == {"checksum-java", "inference"}


def test_function_that_nothing_needs_can_be_switched_off(handlers: Path) -> None:
    found = load({"functions": {"checksum": {"enabled": False}}}, handlers=handlers)
    assert "checksum" not in found.functions
    assert found.families["checksum"] == "go"


def test_function_that_is_off_breaks_no_rule(handlers: Path) -> None:
    own = {"enabled": False, "filename": "nowhere.zip", "snap_start": True}
    assert refused({"functions": {"checksum": own}}, handlers=handlers) == []


def test_image_function_may_stand_under_defaults_that_are_not_for_it(handlers: Path) -> None:
    functions = {
        "defaults": {"runtime": "python3.14", "log_level": "WARN"},
        "inference": {"image_uri": IMAGE},
    }
    found = load({"functions": functions}, handlers=handlers)
    assert found.function("inference").code_source == "image_uri"


def test_function_of_any_family_may_run_as_an_image(handlers: Path) -> None:
    for name in ("health", "products", "checksum", "checksum-java"):
        assert refused({"functions": {name: {"image_uri": IMAGE}}}, handlers=handlers) == []


def test_repositories_are_those_that_the_file_names(handlers: Path) -> None:
    assert load(handlers=handlers).repositories == {}
    found = load({"repositories": {"inference": None}}, handlers=handlers).repositories
    assert {name: own.keep_images for name, own in found.items()} == {"inference": 50}
    found = load({"repositories": {"inference": {"keep_images": 6}}}, handlers=handlers)
    assert found.repositories["inference"].keep_images == 6


def test_newest_versions_are_kept_by_number(handlers: Path) -> None:
    assert load(handlers=handlers).versions_to_keep == 5
    assert load({"versions_to_keep": "7"}, handlers=handlers).versions_to_keep == 7


def test_program_counts_its_own_layers() -> None:
    own = wiring.own_layers
    assert [own("health", "python"), own("products", "nodejs"), own("checksum", "go")] == [1, 1, 0]
    assert [own("image-processor", "python", opencv=flag) for flag in (False, True)] == [2, 3]
    assert own("health", "python", opencv=True) == 1


def test_code_source_is_the_key_that_names_it() -> None:
    assert FunctionSettings().code_source is None
    assert FunctionSettings.model_validate(STORED).code_source == "s3_bucket"


def _covers(found: Any, written: Any) -> bool:
    """Whether what was loaded holds what was written, defaults of a map's other keys aside."""
    if isinstance(written, Mapping) and isinstance(found, Mapping):
        return all(key in found and _covers(found[key], value) for key, value in written.items())
    return found == written


def _keys_within(value: Any) -> set[str]:
    if not isinstance(value, Mapping):
        return set()
    return {*value} | {name for part in value.values() for name in _keys_within(part)}
