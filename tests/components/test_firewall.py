"""Firewall: who is turned away before the API, and what is written about it."""

from __future__ import annotations

from typing import Any

import pytest

from components.firewall import Firewall
from settings import FirewallSettings
from tests.support.program import Run
from tests.support.tiny import Parts, tiny

ACL, ASSOCIATION = "aws:wafv2/webAcl:WebAcl", "aws:wafv2/webAclAssociation:WebAclAssociation"
LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
STAGE = "arn:aws:apigateway:us-west-2::/restapis/abc/stages/tiny"


def guarded(**settings: Any) -> Run:
    def program(parts: Parts) -> None:
        Firewall(
            "front-firewall",
            settings=FirewallSettings(**settings),
            stage_arn=STAGE,
            encryption=parts.key,
            place=parts.place,
        )

    return tiny(program)


@pytest.fixture(scope="module")
def run() -> Run:
    return guarded(rate_limit=150, evaluation_window_sec=60, log_retention_in_days=90)


def rules(run: Run) -> dict[str, dict[str, Any]]:
    return {rule["name"]: rule for rule in run.one(ACL, "front-firewall-acl").properties["rules"]}


def test_every_request_is_counted_before_any_other_rule_can_end_it(run: Run) -> None:
    found = rules(run)
    assert sorted(found, key=lambda name: found[name]["priority"]) == [
        "rate",
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesAnonymousIpList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
    ]
    assert sorted(rule["priority"] for rule in found.values()) == [0, 1, 2, 3, 4]


def test_one_address_may_ask_as_often_as_settings_say(run: Run) -> None:
    rate = rules(run)["rate"]
    assert rate["statement"]["rateBasedStatement"] == {
        "aggregateKeyType": "IP",
        "limit": 150,
        "evaluationWindowSec": 60,
    }
    assert rate["action"] == {"block": {}}


def test_rule_groups_of_aws_refuse_as_they_are_made_to_but_for_servers_and_long_bodies(
    run: Run,
) -> None:
    counted = {
        "AWSManagedRulesAnonymousIpList": ["HostingProviderIPList"],
        "AWSManagedRulesCommonRuleSet": ["SizeRestrictions_BODY"],
    }
    for name, rule in rules(run).items():
        if name == "rate":
            continue
        group = rule["statement"]["managedRuleGroupStatement"]
        assert (group["vendorName"], group["name"]) == ("AWS", name)
        assert rule["overrideAction"] == {"none": {}}
        overridden = [each["name"] for each in group.get("ruleActionOverrides", [])]
        assert overridden == counted.get(name, []), name


def test_everybody_else_passes_and_every_rule_can_be_watched(run: Run) -> None:
    acl = run.one(ACL, "front-firewall-acl")
    assert acl.get("scope") == "REGIONAL"
    assert acl.get("defaultAction") == {"allow": {}}
    shown = [acl.get("visibilityConfig"), *(r["visibilityConfig"] for r in rules(run).values())]
    assert all(each["cloudwatchMetricsEnabled"] for each in shown)
    names = [each["metricName"] for each in shown]
    assert len(set(names)) == len(names) == 6


def test_firewall_stands_before_the_stage_once_its_log_is_written(run: Run) -> None:
    association = run.one(ASSOCIATION, "front-firewall-association")
    assert association.get("resourceArn") == STAGE
    assert association.get("webAclArn") == run.one(ACL, "front-firewall-acl").outputs["arn"]
    assert run.one(LOGGING, "front-firewall-logging").urn in association.depends_on


def test_what_is_refused_or_counted_is_logged_encrypted_and_without_secrets(run: Run) -> None:
    group = run.one("aws:cloudwatch/logGroup:LogGroup", "front-firewall-logs")
    assert group.get("name") == "aws-waf-logs-sandpiper-tiny-front-firewall"
    assert group.get("retentionInDays") == 90
    assert group.get("kmsKeyId") == run.one("aws:kms/key:Key", "data-key").outputs["arn"]
    logging = run.one(LOGGING, "front-firewall-logging").properties
    assert logging["logDestinationConfigs"] == [group.outputs["arn"]]
    redacted = {field["singleHeader"]["name"] for field in logging["redactedFields"]}
    assert redacted == {"authorization", "cookie", "x-api-key"}
    (kept,) = logging["loggingFilter"]["filters"]
    assert (logging["loggingFilter"]["defaultBehavior"], kept["behavior"]) == ("DROP", "KEEP")
    actions = {each["actionCondition"]["action"] for each in kept["conditions"]}
    assert actions == {"BLOCK", "COUNT", "EXCLUDED_AS_COUNT"}
