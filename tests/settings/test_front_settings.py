"""Right values of the APIs, identity, load balancer and GraphQL, and what they come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from settings import HTTP_ROUTES, REST_ROUTES
from settings.api import STAGE_VARIABLES
from settings.gate_rules import RANGES_CHARACTERS
from settings.sections import FRONTS
from settings.wiring import REST_FUNCTIONS, STREAM_BASELINE
from tests.settings.helper import load, refused
from tests.settings.test_schema import errors
from tests.settings.test_wrong_stack_files import WRONG
from tools.described import maps_within

CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
ZONE = "Z0123456789ABCDEFGHIJ"
OWN = {"domain_name": "api.example.com", "hosted_zone_id": ZONE}
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
GROUPS = [f"sg-0000000{index}" for index in range(1, 6)]

RIGHT: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("api", "description", "x" * 1024, {}),
    ("api", "throttle_rate_limit", 0.5, {}),
    ("api", "throttle_burst_limit", 1, {}),
    ("api", "cors_allow_origins", ["https://app.example.com"], {}),
    ("api", "authorizer_result_ttl_in_seconds", 0, {}),
    ("api", "logging_level", "INFO", {}),
    ("api", "metrics_enabled", False, {}),
    ("api", "access_log_enabled", False, {}),
    ("api", "log_retention_in_days", 365, {}),
    ("api", "manage_account_log_role", True, {}),
    ("api", "tracing_enabled", False, {}),
    ("api", "minimum_compression_size", 0, {}),
    (
        "api",
        "routes",
        {
            "GET /items": {
                "throttle_rate_limit": 0.1,
                "throttle_burst_limit": 1,
                "cache_ttl_in_seconds": 3600,
            },
            "GET /items/{id}": {"cache_ttl_in_seconds": 0},
            "POST /notifications": {"throttle_rate_limit": 5},
        },
        {"cache_cluster_enabled": True},
    ),
    ("api", "cache_cluster_enabled", True, {}),
    ("api", "cache_cluster_size", "118", {}),
    ("api", "client_certificate", True, {}),
    ("api", "variables", {"release": "blue", "where": "https://a.example/b?c=d&e=,f-g._~:#"}, {}),
    ("api", "binary_media_types", ["image/*", "application/vnd.api+json"], {}),
    ("api", "check_answers", True, {}),
    ("api", "allow_source_ips", ["203.0.113.0/24", "198.51.100.7/32", "2001:db8::/32"], {}),
    (
        "api",
        "usage_plan",
        {
            "quota_limit": 1,
            "quota_period": "MONTH",
            "quota_offset": 27,
            "throttle_rate_limit": 0.5,
            "throttle_burst_limit": 1,
        },
        {},
    ),
    (
        "api",
        "firewall",
        {"rate_limit": 10, "evaluation_window_sec": 60, "log_retention_in_days": 365},
        {},
    ),
    ("api", "domain", {**OWN, "certificate_arn": CERTIFICATE, "base_path": "v1.0_beta-2"}, {}),
    ("api", "disable_execute_api_endpoint", True, {"domain": OWN}),
    ("http_api", "description", "The shop", {}),
    ("http_api", "throttle_rate_limit", 0.5, {}),
    ("http_api", "throttle_burst_limit", 1, {}),
    (
        "http_api",
        "routes",
        {"POST /users": {"throttle_rate_limit": 2.5, "throttle_burst_limit": 1}, "GET /products": {}},
        {},
    ),
    ("http_api", "cors_allow_origins", ["https://a.example", "http://localhost:3000"], {}),
    ("http_api", "cors_allow_credentials", True, {"cors_allow_origins": ["https://a.example"]}),
    ("http_api", "cors_max_age", 86400, {}),
    ("http_api", "metrics_enabled", False, {}),
    ("http_api", "access_log_enabled", False, {}),
    ("http_api", "log_retention_in_days", 1, {}),
    ("http_api", "domain", {"domain_name": "shop.example.com", "certificate_arn": CERTIFICATE}, {}),
    ("http_api", "disable_execute_api_endpoint", True, {"domain": OWN}),
    ("socket", "description", "Live", {}),
    ("socket", "throttle_rate_limit", 0.5, {}),
    ("socket", "throttle_burst_limit", 1, {}),
    ("socket", "logging_level", "OFF", {}),
    ("socket", "metrics_enabled", False, {}),
    ("socket", "access_log_enabled", False, {}),
    ("socket", "log_retention_in_days", 3653, {}),
    ("socket", "domain", OWN, {}),
    ("socket", "disable_execute_api_endpoint", True, {"domain": OWN}),
    ("identity", "password_minimum_length", 99, {}),
    ("identity", "temporary_password_validity_days", 365, {}),
    ("identity", "mfa_configuration", "ON", {}),
    ("identity", "allow_self_sign_up", True, {}),
    ("identity", "access_token_validity_minutes", 1440, {}),
    ("identity", "id_token_validity_minutes", 5, {}),
    (
        "identity",
        "refresh_token_validity_days",
        1,
        {"access_token_validity_minutes": 1439, "id_token_validity_minutes": 1439},
    ),
    ("identity", "user_pool_tier", "LITE", {}),
    ("identity", "threat_protection", "ENFORCED", {"user_pool_tier": "PLUS"}),
    (
        "load_balancer",
        "enabled",
        True,
        {"subnet_ids": SUBNETS, "security_group_ids": GROUPS, "certificate_arn": CERTIFICATE},
    ),
    ("load_balancer", "subnet_ids", SUBNETS[:1], {}),
    ("load_balancer", "security_group_ids", GROUPS, {}),
    ("load_balancer", "certificate_arn", CERTIFICATE, {}),
    ("load_balancer", "internal", False, {}),
    ("load_balancer", "ssl_policy", "ELBSecurityPolicy-TLS13-1-3-2021-06", {}),
    ("load_balancer", "deletion_protection", True, {}),
    ("load_balancer", "idle_timeout_seconds", 4000, {}),
    ("graphql", "enabled", True, {}),
    ("graphql", "field_log_level", "ALL", {}),
    ("graphql", "query_depth_limit", 75, {}),
    ("graphql", "resolver_count_limit", 10000, {}),
    ("graphql", "introspection_enabled", False, {}),
    ("graphql", "log_retention_in_days", 30, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("section", "key", "value", "beside"), RIGHT, ids=[f"{row[0]}.{row[1]}" for row in RIGHT]
)
def test_right_value_is_taken_as_it_is_written(
    section: str, key: str, value: Any, beside: dict[str, Any], handlers: Path
) -> None:
    own = {**beside, key: value}
    found = load({section: own, "aws:region": "us-west-2"}, handlers=handlers)
    taken = getattr(found, section).model_dump(mode="json")[key]
    assert covers(taken, value)
    assert errors({"config": {f"sandpiper:{section}": own}}) == []


def test_right_values_are_shown_for_every_setting() -> None:
    inside = {key for _, _, value, _ in RIGHT for key in keys(value)}
    for section, model in FRONTS.items():
        written = {key for name, key, _, _ in RIGHT if name == section}
        assert written == set(model.model_fields), section
        for part in maps_within(model):
            assert set(part.model_fields) <= inside, part


def test_some_wrong_stack_file_has_a_line_for_every_setting() -> None:
    lines = [line for entry in WRONG for line in entry["lines"]]
    for section, model in FRONTS.items():
        named = {
            key
            for line in lines
            if line.startswith(f"{section}.")
            for key in line.partition(": ")[0].split(".")
        }
        assert set(model.model_fields) <= named, section


@pytest.mark.parametrize("written", [0.5, 118, 118.0, "118", "0.5"])
def test_size_of_a_cache_may_be_written_as_number_or_text(written: Any, handlers: Path) -> None:
    config = {"api": {"cache_cluster_size": written}}
    assert load(config, handlers=handlers).api.cache_cluster_size == f"{float(written):g}"
    assert errors({"config": {"sandpiper:api": config["api"]}}) == []


def test_one_wrong_route_leaves_the_others_to_be_judged(handlers: Path) -> None:
    routes = {"GET /items": {"throttle_burst_limit": 0}, "GET /helth": {}}
    assert refused({"api": {"routes": routes}}, handlers=handlers) == [
        "Pulumi.dev.yaml: api.routes.'GET /items'.throttle_burst_limit: must be 1 or more requests (got 0)",
        "Pulumi.dev.yaml: api.routes.'GET /helth': no such route; did you mean 'GET /health'?",
    ]


def test_every_route_can_be_given_rates(handlers: Path) -> None:
    rates = {"throttle_rate_limit": 5.0, "throttle_burst_limit": 5}
    config = {
        "api": {"routes": dict.fromkeys(REST_ROUTES, rates)},
        "http_api": {"routes": dict.fromkeys(HTTP_ROUTES, rates)},
    }
    found = load(config, handlers=handlers)
    assert tuple(found.api.routes) == tuple(REST_ROUTES)
    assert tuple(found.http_api.routes) == tuple(HTTP_ROUTES)
    with pytest.raises(TypeError):
        found.api.routes["x"] = None  # pyright: ignore[reportIndexIssue]


def test_ranges_of_addresses_that_outgrow_the_policy_are_refused(handlers: Path) -> None:
    ranges = [f"10.{index // 256}.{index % 256}.0/24" for index in range(1000)]
    fits = next(n for n in range(1000, 0, -1) if len(str(ranges[:n])) <= RANGES_CHARACTERS)
    assert refused({"api": {"allow_source_ips": ranges[:fits]}}, handlers=handlers) == []
    (line,) = refused({"api": {"allow_source_ips": ranges[: fits + 1]}}, handlers=handlers)
    assert line.startswith(
        "Pulumi.dev.yaml: api.allow_source_ips: must be at most 7168 characters as JSON: the API's resource policy may "
        "have 8192 (got 71"
    )


def test_101_stage_variables_are_refused_and_100_are_not(handlers: Path) -> None:
    variables = {f"v{index}": "x" for index in range(STAGE_VARIABLES)}
    assert refused({"api": {"variables": variables}}, handlers=handlers) == []
    assert refused({"api": {"variables": {**variables, "more": "x"}}}, handlers=handlers) == [
        "Pulumi.dev.yaml: api.variables: must be at most 100 variables (got 101)"
    ]


def test_rest_and_http_api_may_share_a_domain_by_base_path(handlers: Path) -> None:
    config = {"api": {"domain": OWN}, "http_api": {"domain": {**OWN, "base_path": "shop"}}}
    assert refused(config, handlers=handlers) == []


def test_certificate_is_not_judged_by_region_where_the_config_names_none(handlers: Path) -> None:
    far = {"domain_name": "a.example", "certificate_arn": CERTIFICATE.replace("us-west", "eu-west")}
    assert refused({"api": {"domain": far}}, handlers=handlers) == []
    assert len(refused({"api": {"domain": far}, "aws:region": "us-west-2"}, handlers=handlers)) == 1


def test_each_reader_of_a_stream_has_settings_of_its_own(handlers: Path) -> None:
    news, audit = (
        load({"triggers": {"streams": {"change-publisher": own}}}, handlers=handlers)
        for own in ({}, {"maximum_retry_attempts": 5, "batch_size": 10})
    )
    publisher = news.stream("change-publisher")
    said = STREAM_BASELINE["change-publisher"]
    assert {key: getattr(publisher, key) for key in said} == dict(said)
    assert audit.stream("change-publisher").maximum_retry_attempts == 5
    assert audit.stream("change-publisher").starting_position == "LATEST"
    assert audit.stream("data-transformer") == news.stream("data-transformer")
    assert news.stream("data-transformer").starting_position == "TRIM_HORIZON"
    assert news.stream("data-transformer").maximum_record_age_in_seconds == 3600


def test_origins_take_room_only_from_functions_that_are_told_of_them(handlers: Path) -> None:
    origin = {"cors_allow_origins": [f"https://{'a' * 60}.example"]}
    for name, told in [*dict.fromkeys(REST_FUNCTIONS, True).items(), ("create-user", False)]:
        filled = {name: {"environment": {"NOTE": "x" * 3000}}}
        lines = refused({"functions": filled, "api": origin}, handlers=handlers)
        assert bool(lines) == told, name


def test_new_fronts_are_off_until_they_are_asked_for(handlers: Path) -> None:
    found = load(handlers=handlers)
    assert (found.load_balancer.enabled, found.graphql.enabled) == (False, False)
    assert (found.api.firewall, found.api.domain) == (None, None)
    assert not found.api.cache_cluster_enabled


def covers(taken: Any, written: Any) -> bool:
    """Whether what was taken says at least what was written."""
    if isinstance(written, dict):
        return all(covers(taken[key], value) for key, value in written.items())
    return taken == written


def keys(value: Any) -> set[str]:
    """All keys of maps in a value."""
    if not isinstance(value, dict):
        return set()
    return set(value).union(*map(keys, value.values()))
