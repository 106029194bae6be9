"""What starts functions besides the APIs, and whom they reach: switches, defaults, forms."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from settings import concurrency_rules, wiring
from tests.settings.helper import load, refused
from tests.settings.test_stack_files import STACKS, shipped


@pytest.mark.parametrize(
    ("name", "switch", "on"),
    [
        ("order-forwarder", "partner.url", {"partner": {"url": "https://partner.example.com/a"}}),
        ("telemetry-aggregator", "telemetry.enabled", {"telemetry": {"enabled": True}}),
        ("network-probe", "probe.host", {"probe": {"host": "db.example.com"}}),
    ],
)
def test_function_of_a_part_that_is_off_is_not_there_and_its_entry_a_warning(
    name: str,
    switch: str,
    on: dict[str, object],
    handlers: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    network = {"subnet_ids": ["subnet-00000001"], "security_group_ids": ["sg-00000001"]}
    entry = {"functions": {name: {"memory_size": 512, "vpc_config": network}}}
    assert name not in load(entry, handlers=handlers).functions
    assert capfd.readouterr().err == (
        f"warning: Pulumi.dev.yaml: functions.{name}: is off until {switch} is set; what stands here has no effect\n"
    )
    assert load({**entry, **on}, handlers=handlers).function(name).memory_size == 512
    assert name not in load({"functions": {name: {"enabled": False}}}, handlers=handlers).functions
    assert capfd.readouterr().err == ""


def test_stages_that_reserve_fit_one_account_together_with_room_for_what_they_switch_on(
    handlers: Path,
) -> None:
    reserved = 0
    for stack in ("staging", "prod"):
        on = {
            "partner": {"url": "https://partner.example.com/orders"},
            "probe": {"host": "db.example.com"},
        }
        network = {"subnet_ids": ["subnet-00000001"], "security_group_ids": ["sg-00000001"]}
        said = {key.removeprefix("sandpiper:"): value for key, value in shipped(stack).items()}
        said["functions"]["network-probe"] = {"vpc_config": network}
        found = load({**said, **on}, stack=stack, handlers=handlers)
        assert {
            "order-forwarder",
            "network-probe",
            "telemetry-aggregator",
        } <= found.functions.keys()
        reserved += sum(f.reserved_concurrent_executions or 0 for f in found.functions.values())
    most = 1000 - concurrency_rules.UNRESERVED
    assert 700 < reserved <= most, "reserve less in Pulumi.staging.yaml or Pulumi.prod.yaml"


def test_every_stage_sends_mail_and_measures() -> None:
    for stack in STACKS:
        found = load(shipped(stack), stack=stack)
        assert (found.mail.from_address, found.telemetry.enabled) == ("orders@example.com", True)
        assert not found.mail.create_identity


def test_program_says_what_its_schedules_and_queues_are_for_and_a_stack_file_may_differ(
    handlers: Path,
) -> None:
    found = load(handlers=handlers)
    weekly, often = found.schedule("report-generator"), found.schedule("health-checker")
    assert weekly.schedule_expression == "cron(0 8 ? * MON *)"
    assert weekly.schedule_expression_timezone == "America/New_York"
    assert weekly.input == {"report_type": "orders", "format": "both"}
    assert (often.schedule_expression, often.maximum_retry_attempts) == ("rate(5 minutes)", 0)
    assert found.schedule("cleanup-job").input is None
    own = {"report-generator": {"input": {"report_type": "items", "format": "csv"}}}
    other = load({"triggers": {"schedules": own}}, handlers=handlers).schedule("report-generator")
    assert other.input == {"report_type": "items", "format": "csv"}
    assert other.schedule_expression == "cron(0 8 ? * MON *)"
    for name, timeout in (("orders", 180), ("order-events", 180)):
        assert found.queue(name).visibility_timeout_seconds == timeout


def test_event_of_a_schedule_is_any_map_of_json_and_read_only(handlers: Path) -> None:
    event = {"a": [1, {"b": None}], "c": True, "d": 1.5}
    said = {"triggers": {"schedules": {"cleanup-job": {"input": event}}}}
    found = load(said, handlers=handlers).schedule("cleanup-job").input
    assert found == event
    with pytest.raises(TypeError):
        found["x"] = 1  # pyright: ignore[reportOptionalSubscript, reportIndexIssue]
    said = '{"schedules": {"cleanup-job": {"input": {"a": 1e999}}}}'
    assert refused({"triggers": said}, handlers=handlers) == [
        "Pulumi.dev.yaml: triggers.schedules.cleanup-job.input: must hold only what JSON can say (got a map)"
    ]


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://partner.example.com", False),
        ("https://partner.example.com:8443/orders?shop=1", False),
        ("https://93.184.216.34/", False),
        ("https://[2606:2800:220:1::1]/", False),
        ("http://127.0.0.1:8080/", True),
        ("http://localhost:8080/orders", True),
        ("https://10.0.0.1/", True),
        ("http://[::1]:8080/", True),
    ],
)
def test_partner_is_a_public_host_or_a_private_one_where_the_file_says_so(
    url: str, *, private: bool, handlers: Path
) -> None:
    partner = {"url": url, "private_network": True}
    assert load({"partner": partner}, handlers=handlers).partner.url == url
    assert bool(refused({"partner": {"url": url}}, handlers=handlers)) == private


def test_queue_in_order_takes_its_own_keys(handlers: Path) -> None:
    own = {"deduplication_scope": "queue", "fifo_throughput_limit": "perQueue", "batch_size": 10}
    found = load({"triggers": {"queues": {"order-events": own}}}, handlers=handlers)
    assert found.queue("order-events").deduplication_scope == "queue"
    assert (
        load(handlers=handlers).queue("order-events").fifo_throughput_limit == "perMessageGroupId"
    )


def test_kinesis_stream_is_read_from_a_moment_on(handlers: Path) -> None:
    own = {
        "starting_position": "AT_TIMESTAMP",
        "starting_position_timestamp": "2027-01-31T03:00:00Z",
    }
    said = {"triggers": {"streams": {"telemetry-aggregator": own}}}
    found = load(said, handlers=handlers).stream("telemetry-aggregator")
    assert found.starting_position_timestamp == "2027-01-31T03:00:00Z"


def test_reports_that_a_schedule_may_ask_for_are_those_that_the_handler_writes() -> None:
    folder = wiring.HANDLERS
    text = (folder / "common" / "reports.py").read_text(encoding="utf-8")
    handler = (folder / "report_generator.py").read_text(encoding="utf-8")
    assert _keys(text, "KINDS") == set(wiring.REPORT_TYPES)
    assert _keys(handler, "_FORMATS") == set(wiring.REPORT_FORMATS)


def _keys(text: str, name: str) -> set[str]:
    """The keys of a module's dictionary, read without importing what needs a Lambda."""
    for node in ast.parse(text).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(found, ast.Name) and found.id == name for found in targets):
            value = getattr(node, "value", None)
            assert isinstance(value, ast.Dict)
            return {str(key.value) for key in value.keys if isinstance(key, ast.Constant)}
    raise AssertionError(f"no {name}")
