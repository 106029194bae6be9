"""Stack files that load, and what they come to."""

from __future__ import annotations

import contextvars
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime import config as pulumi_config
from pulumi.runtime import settings as pulumi_settings
from pydantic import ValidationError

import settings
from settings.provider import AWS_KEYS
from settings.wiring import WIRED
from tests.settings.helper import ROOT, load, refused

STACKS = ("dev", "staging", "prod")


def shipped(stack: str) -> dict[str, Any]:
    """The config of a shipped stack file."""
    return yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]


def test_no_stack_file_is_needed() -> None:
    found = load(stack="alices-own")
    assert found.stack == "alices-own"
    assert found.function("create-item").memory_size == 256
    assert found.data.protect
    assert found.queue("notifications").visibility_timeout_seconds == 180


@pytest.mark.parametrize("stack", STACKS)
def test_shipped_stack_file_loads_without_a_warning(
    stack: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert load(shipped(stack), stack=stack).stack == stack
    assert capfd.readouterr().err == ""


def test_dev_leaves_nothing_behind_and_prod_cannot_be_destroyed_by_mistake() -> None:
    dev, staging, prod = (load(shipped(stack), stack=stack) for stack in STACKS)
    assert (dev.data.protect, staging.data.protect, prod.data.protect) == (False, False, True)
    assert (dev.data.key_deletion_window_in_days, dev.data.secret_recovery_window_in_days) == (7, 0)
    assert (prod.data.key_deletion_window_in_days, prod.data.secret_recovery_window_in_days) == (
        30,
        30,
    )
    assert {dev.function("health").log_retention_in_days, dev.api.log_retention_in_days} == {14}
    assert {prod.function("health").log_retention_in_days, prod.api.log_retention_in_days} == {365}
    assert prod.function("image-processor").reserved_concurrent_executions == 10
    assert prod.observability.alarms_enabled
    assert dev.api.throttle_rate_limit >= 1000
    assert dev.api.throttle_burst_limit == 500


@pytest.mark.parametrize("stack", STACKS)
def test_shipped_stack_file_names_its_schema_and_holds_no_secret_or_address(stack: str) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "# yaml-language-server: $schema=./stack.schema.json"
    assert not any(word in text for word in ("secure:", "secretsprovider", "encryptionsalt"))
    assert {*re.findall("@(.+)", text)} <= {"example.com"}


def test_project_file_names_the_virtual_environment_and_a_region() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["name"] == "sandpiper"
    assert project["runtime"] == {
        "name": "python",
        "options": {"virtualenv": ".venv", "toolchain": "pip"},
    }
    # The engine refuses a map here, and a default for a key of another namespace.
    assert project["config"] == {"aws:region": "us-west-2"}


def test_value_is_taken_from_the_nearest_layer(handlers: Path) -> None:
    functions = {
        "defaults": {"memory_size": 512, "timeout": 20},
        "create-item": {"memory_size": 1024},
        "cleanup-job": {"timeout": 600},
    }
    found = load({"functions": functions}, handlers=handlers)
    sizes = {
        name: (found.function(name).memory_size, found.function(name).timeout)
        for name in WIRED & found.functions.keys()
    }
    assert sizes["create-item"] == (1024, 20)
    assert sizes["get-item"] == (512, 20)
    assert sizes["image-processor"] == (1769, 60)
    assert sizes["cleanup-job"] == (512, 600)
    assert found.function("get-item").ephemeral_storage_size == 512


def test_environment_adds_up_key_by_key(handlers: Path) -> None:
    functions = {
        "defaults": {"environment": {"ONE": "1", "TWO": "2"}},
        "health": {"environment": {"TWO": "two", "THREE": "3"}},
    }
    found = load({"functions": functions}, handlers=handlers)
    assert found.function("health").environment == {"ONE": "1", "TWO": "two", "THREE": "3"}
    assert found.function("get-item").environment == {"ONE": "1", "TWO": "2"}


def test_canonical_text_is_read_as_what_it_spells(handlers: Path) -> None:
    config = {
        "account_concurrent_executions": "500",
        "functions": '{"create-item": {"memory_size": "512", "log_retention_in_days": "30", "timeout": 20.0}}',
        "api": {
            "throttle_rate_limit": "0.5",
            "metrics_enabled": "false",
            "minimum_compression_size": "0",
        },
        "observability": "",
    }
    found = load(config, handlers=handlers)
    assert found.account_concurrent_executions == 500
    assert found.function("create-item").memory_size == 512
    assert found.function("create-item").log_retention_in_days == 30
    assert found.function("create-item").timeout == 20
    assert found.api.throttle_rate_limit == 0.5
    assert found.api.metrics_enabled is False
    assert found.api.minimum_compression_size == 0


@pytest.mark.parametrize(
    ("name", "own", "keys"),
    [
        ("checksum-java", {"memory_size": 512}, "filename, s3_bucket or source_dir"),
        ("inference", {"timeout": 60}, "image_uri"),
        ("checksum-java", {}, ""),
        ("checksum-java", {"enabled": False, "memory_size": 512}, ""),
        ("checksum-java", {"filename": "ready.zip", "memory_size": 512}, ""),
        ("checksum", {"memory_size": 512}, ""),
    ],
)
def test_entry_of_a_function_without_code_is_a_warning(
    name: str, own: dict[str, object], keys: str, handlers: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    load({"functions": {name: own, "defaults": {"timeout": 20}}}, handlers=handlers)
    line = (
        f"warning: Pulumi.dev.yaml: functions.{name}: is off until {keys} says where its code is; what stands here has no "
        "effect\n"
    )
    assert capfd.readouterr().err == (line if keys else "")


def test_visibility_timeout_follows_the_consumers_timeout_and_the_window(handlers: Path) -> None:
    config = {
        "functions": {"notification-sender": {"timeout": 50}},
        "triggers": {"queues": {"notifications": {"maximum_batching_window_in_seconds": 7}}},
    }
    assert load(config, handlers=handlers).queue("notifications").visibility_timeout_seconds == 307


@pytest.mark.parametrize(("given", "warned"), [(180, False), (179, True), (30, True)])
def test_visibility_timeout_below_the_advised_one_is_a_warning(
    given: int, *, warned: bool, handlers: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = {"triggers": {"queues": {"notifications": {"visibility_timeout_seconds": given}}}}
    assert (
        load(config, handlers=handlers).queue("notifications").visibility_timeout_seconds == given
    )
    line = (
        "warning: Pulumi.dev.yaml: triggers.queues.notifications.visibility_timeout_seconds: should be at least 180 "
        "seconds, 6 times the timeout of notification-sender plus the batching window: a throttled batch is delivered "
        f"twice otherwise (got {given})\n"
    )
    assert capfd.readouterr().err == (line if warned else "")


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(1 days)",
        "rate(12 hours)",
        "at(2027-01-31T03:00:00)",
        "cron(0 3 * * ? *)",
        "cron(0/15 8-17 ? * MON-FRI *)",
        "cron(0,30 0 L * ? 2027-2030)",
        "cron(0 9 15W JAN,jul ? *)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 9 ? * FRIL *)",
    ],
)
def test_valid_schedule_expression_is_accepted(expression: str, handlers: Path) -> None:
    own = {"schedule_expression": expression, "schedule_expression_timezone": "Europe/Berlin"}
    found = load({"triggers": {"schedules": {"cleanup-job": own}}}, handlers=handlers)
    assert found.schedule("cleanup-job").schedule_expression == expression


def test_machine_without_a_time_zone_database_takes_any_zone(
    handlers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoneinfo.available_timezones", set[str])
    own = {"schedule_expression_timezone": "Europe/Berlin"}
    assert refused({"triggers": {"schedules": {"cleanup-job": own}}}, handlers=handlers) == []


def test_valid_edges_are_accepted(handlers: Path) -> None:
    config = {
        "account_concurrent_executions": 1100,
        "functions": {
            "create-item": {"reserved_concurrent_executions": 600, "provisioned_concurrent_executions": 600},
            "get-item": {"provisioned_concurrent_executions": 396, "timeout": 29},
            "notification-sender": {"reserved_concurrent_executions": 4},
            "health": {"reserved_concurrent_executions": 0},
        },
        "api": {"cors_allow_origins": ["https://a-b.example:8443"]},
        "data": {"secret_recovery_window_in_days": 7},
        "triggers": {"queues": {"notifications": {"maximum_concurrency": 4, "batch_size": 10000,
                                                  "maximum_batching_window_in_seconds": 1,
                                                  "message_retention_seconds": 1209600}}},
        "observability": {"page": {"email": ["a.b+c@example.co.uk"]}, "period": 3600, "evaluation_periods": 168},
        "tags": {"team": "a b/c:d=e+f-g@h_i"},
        "aws:region": "us-gov-west-1",
        "aws:profile": "mine",
        "pulumi:disable-default-providers": ["aws"],
        "sandbox:functions": 1,
    }  # fmt: skip
    assert refused(config, handlers=handlers) == []


def test_config_arrives_through_the_environment_under_the_real_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = {
        "sandpiper:packaging": '{"build": false}',
        "sandpiper:tags": '{"team": "env"}',
        "aws:region": "eu-west-1",
    }
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(values))
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", "[]")

    def inside() -> settings.Settings:
        pulumi_settings.configure(pulumi_settings.Settings(project="sandpiper", stack="dev"))
        pulumi.runtime.set_all_config({"sandpiper:tags": '{"team": "explicit"}'})
        return settings.load()

    found = contextvars.copy_context().run(inside)
    assert found.packaging.build is False
    assert found.tags == {"team": "explicit"}


def test_secret_named_by_the_real_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", '["sandpiper:tags"]')
    assert refused({"tags": {"a": "zzsecretzz"}}) != []
    assert "zzsecretzz" not in str(refused({"tags": {"a": "zzsecretzz"}}))


def test_loading_reads_the_config_of_its_own_context_only() -> None:
    before = dict(pulumi_config.CONFIG.get())
    load({"packaging": {"build": False}})
    assert pulumi_config.CONFIG.get() == before


def test_settings_are_read_only() -> None:
    found = load({"tags": {"team": "a"}})
    with pytest.raises(ValidationError):
        found.api.throttle_burst_limit = 1
    with pytest.raises(AttributeError):
        found.stack = "x"  # pyright: ignore[reportAttributeAccessIssue]
    for pairs in (
        found.tags,
        found.functions,
        found.function("health").environment,
        found.triggers.queues,
    ):
        with pytest.raises(TypeError):
            pairs["x"] = "y"  # pyright: ignore[reportIndexIssue]


def test_known_keys_of_the_provider_are_those_of_the_installed_one() -> None:
    spec = find_spec("pulumi_aws")
    assert spec is not None
    assert spec.origin is not None
    text = (Path(spec.origin).parent / "config" / "vars.py").read_text(encoding="utf-8")
    assert set(re.findall(r"__config__\.get\w*\('(\w+)'\)", text)) == AWS_KEYS
