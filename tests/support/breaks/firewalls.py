"""Web ACLs that count instead of blocking, see nothing, or stand before nobody."""

from __future__ import annotations

from typing import Any

from policies import aws
from tests.support.breaking import Break, Mutation, edited, without
from tests.support.breaks.everything import more

THERE, BLOCKS, WRITES = (
    "production-stands-behind-a-firewall",
    "firewall-blocks-what-it-knows",
    "firewall-writes-a-log",
)
WALL = "api-firewall"


def acl(path: str, value: Any) -> Mutation:
    return more(edited(aws.WEB_ACL, f"{WALL}-acl", {path: value}))


def counting(rule: str) -> list[dict[str, Any]]:
    """Let one rule of a managed group count only."""
    return [{"name": rule, "actionToUse": {"count": {}}}]


# Rules of the ACL in their order: the rate, then AWS's groups (reputation, anonymous, common, known bad inputs).
# fmt: off
BREAKS = (
    Break(THERE, "needs a web ACL", without(aws.WEB_ACL_ASSOCIATION, f"{WALL}-association"), stack="prod"),
    Break(THERE, "needs a web ACL", edited(aws.WEB_ACL_ASSOCIATION, f"{WALL}-association", {"webAclArn": "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/x/y"}), stack="prod"),
    Break(BLOCKS, "scope must be REGIONAL", acl("scope", "CLOUDFRONT")),
    Break(BLOCKS, "defaultAction must be allow", acl("defaultAction", {"block": {}})),
    Break(BLOCKS, "cloudwatchMetricsEnabled", acl("visibilityConfig.cloudwatchMetricsEnabled", value=False)),
    Break(BLOCKS, "cloudwatchMetricsEnabled", acl("rules.2.visibilityConfig", None)),
    Break(BLOCKS, "needs AWSManagedRulesAmazonIpReputationList", acl("rules.1.overrideAction", {"count": {}})),
    Break(BLOCKS, "needs AWSManagedRulesAnonymousIpList", acl("rules.2.statement.managedRuleGroupStatement.vendorName", "Somebody")),
    Break(BLOCKS, "needs AWSManagedRulesKnownBadInputsRuleSet", acl("rules.4.statement.managedRuleGroupStatement.ruleActionOverrides", counting("Log4JRCE_BODY"))),
    Break(BLOCKS, "blocks an address by its rate", acl("rules.0.action", {"count": {}})),
    Break(BLOCKS, "blocks an address by its rate", acl("rules.0.statement.rateBasedStatement.limit", 5)),
    Break(BLOCKS, "blocks an address by its rate", acl("rules.0.statement.rateBasedStatement.evaluationWindowSec", 90)),
    Break(WRITES, "guards nothing", more(without(aws.WEB_ACL_ASSOCIATION, f"{WALL}-association"))),
    Break(WRITES, "needs a logging configuration", more(without(aws.WEB_ACL_LOGGING, f"{WALL}-logging"))),
    Break(WRITES, "to an encrypted log group", more(edited(aws.WEB_ACL_LOGGING, f"{WALL}-logging", {"logDestinationConfigs": ["arn:aws:s3:::aws-waf-logs-x"]}))),
    Break(WRITES, "to an encrypted log group", more(edited(aws.LOG_GROUP, f"{WALL}-logs", {"kmsKeyId": None}))),
    Break(WRITES, "must begin with aws-waf-logs-", more(edited(aws.LOG_GROUP, f"{WALL}-logs", {"name": "/aws/waf"}))),
    Break(WRITES, "must hide the header authorization", more(edited(aws.WEB_ACL_LOGGING, f"{WALL}-logging", {"redactedFields": []}))),
    Break(WRITES, "must hide the header cookie", more(edited(aws.WEB_ACL_LOGGING, f"{WALL}-logging", {"redactedFields": [{"singleHeader": {"name": "Authorization"}}]}))),
)
# fmt: on
