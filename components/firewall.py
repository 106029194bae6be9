"""Firewall: what stands before an API and turns away callers that are known for attacks or ask too often."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.keys import DataKey
from components.logs import log_group
from components.place import Place
from settings import FirewallSettings

MANAGED_RULES = {
    "AWSManagedRulesAmazonIpReputationList": (),
    # The one rule turns away whole data centres, from which other people's servers and tests call an API.
    "AWSManagedRulesAnonymousIpList": ("HostingProviderIPList",),
    # It turns away every body of more than 8 KB. An item in another script than Latin may be longer, and its model
    # and its function say how long; so this one rule only counts.
    "AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
}
"""AWS's own rule groups in the order they are asked, and the rules in them that count and do not refuse."""

REDACTED_HEADERS = ("authorization", "cookie", "x-api-key")


class Firewall(pulumi.ComponentResource):
    """A web ACL before one stage of a REST API: AWS's rule groups, and a limit on requests of one address.

    What it refuses or counts is logged, without tokens, cookies and keys; what passes is in the API's access log. It
    takes 977 of the 1,500 capacity units that a web ACL holds without further cost (AWS WAF's list of rule groups).
    """

    def __init__(
        self,
        name: str,
        *,
        settings: FirewallSettings,
        stage_arn: pulumi.Input[str],
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Firewall", name, None, opts)
        self._name, self._settings = name, settings
        self._child = pulumi.ResourceOptions(parent=self)
        self.acl = self._create_acl(place)
        self.log_group = self._create_log_group(encryption, place)
        self.logging = self._log()
        self.association = aws.wafv2.WebAclAssociation(
            f"{name}-association",
            aws.wafv2.WebAclAssociationArgs(resource_arn=stage_arn, web_acl_arn=self.acl.arn),
            # Nothing is refused before it can be read why.
            pulumi.ResourceOptions(parent=self, depends_on=[self.logging]),
        )
        self.register_outputs({"arn": self.acl.arn})

    def _create_acl(self, place: Place) -> aws.wafv2.WebAcl:
        rules = [
            # First, for it counts only what it sees: what a later rule refuses counts too.
            self._rate_rule(),
            *(
                _managed_rule(group, priority, counted)
                for priority, (group, counted) in enumerate(MANAGED_RULES.items(), 1)
            ),
        ]
        return aws.wafv2.WebAcl(
            f"{self._name}-acl",
            aws.wafv2.WebAclArgs(
                description=f"Guards {self._name} of {place.prefix}",
                scope="REGIONAL",
                default_action=aws.wafv2.WebAclDefaultActionArgs(
                    allow=aws.wafv2.WebAclDefaultActionAllowArgs()
                ),
                rules=rules,
                visibility_config=aws.wafv2.WebAclVisibilityConfigArgs(
                    metric_name=f"{place.prefix}-{self._name}",
                    cloudwatch_metrics_enabled=True,
                    sampled_requests_enabled=True,
                ),
            ),
            self._child,
        )

    def _rate_rule(self) -> aws.wafv2.WebAclRuleArgs:
        return aws.wafv2.WebAclRuleArgs(
            name="rate",
            priority=0,
            action=aws.wafv2.WebAclRuleActionArgs(block=aws.wafv2.WebAclRuleActionBlockArgs()),
            statement=aws.wafv2.WebAclRuleStatementArgs(
                rate_based_statement=aws.wafv2.WebAclRuleStatementRateBasedStatementArgs(
                    aggregate_key_type="IP",
                    limit=self._settings.rate_limit,
                    evaluation_window_sec=self._settings.evaluation_window_sec,
                )
            ),
            visibility_config=_seen("rate"),
        )

    def _create_log_group(self, encryption: DataKey, place: Place) -> aws.cloudwatch.LogGroup:
        return log_group(
            f"{self._name}-logs",
            # WAF writes to no group whose name begins otherwise.
            physical_name=f"aws-waf-logs-{place.prefix}-{self._name}",
            retention_in_days=self._settings.log_retention_in_days,
            encryption=encryption,
            parent=self,
        )

    def _log(self) -> aws.wafv2.WebAclLoggingConfiguration:
        return aws.wafv2.WebAclLoggingConfiguration(
            f"{self._name}-logging",
            aws.wafv2.WebAclLoggingConfigurationArgs(
                resource_arn=self.acl.arn,
                log_destination_configs=[self.log_group.arn],
                logging_filter=aws.wafv2.WebAclLoggingConfigurationLoggingFilterArgs(
                    default_behavior="DROP",
                    filters=[
                        aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterArgs(
                            behavior="KEEP",
                            requirement="MEETS_ANY",
                            conditions=[_done("BLOCK"), _done("COUNT"), _done("EXCLUDED_AS_COUNT")],
                        )
                    ],
                ),
                redacted_fields=[_redacted(header) for header in REDACTED_HEADERS],
            ),
            self._child,
        )


def _managed_rule(group: str, priority: int, counted: tuple[str, ...]) -> aws.wafv2.WebAclRuleArgs:
    return aws.wafv2.WebAclRuleArgs(
        name=group,
        priority=priority,
        # The group's own actions stand.
        override_action=aws.wafv2.WebAclRuleOverrideActionArgs(
            none=aws.wafv2.WebAclRuleOverrideActionNoneArgs()
        ),
        statement=aws.wafv2.WebAclRuleStatementArgs(
            managed_rule_group_statement=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs(
                vendor_name="AWS",
                name=group,
                rule_action_overrides=[_counting(rule) for rule in counted] or None,
            )
        ),
        visibility_config=_seen(group),
    )


def _counting(
    rule: str,
) -> aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs:
    waf = aws.wafv2
    count = waf.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs()
    return waf.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs(
        name=rule,
        action_to_use=waf.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs(
            count=count
        ),
    )


def _seen(rule: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgs:
    return aws.wafv2.WebAclRuleVisibilityConfigArgs(
        metric_name=rule, cloudwatch_metrics_enabled=True, sampled_requests_enabled=True
    )


def _done(
    action: str,
) -> aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionArgs:
    waf = aws.wafv2
    return waf.WebAclLoggingConfigurationLoggingFilterFilterConditionArgs(
        action_condition=waf.WebAclLoggingConfigurationLoggingFilterFilterConditionActionConditionArgs(
            action=action
        )
    )


def _redacted(header: str) -> aws.wafv2.WebAclLoggingConfigurationRedactedFieldArgs:
    return aws.wafv2.WebAclLoggingConfigurationRedactedFieldArgs(
        single_header=aws.wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs(name=header)
    )
