"""Who pays for calls: an API key and the usage plan that counts them."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from settings import UsagePlanSettings


class UsagePlan:
    """One plan for a stage, and one key in it. Further keys are customers, not infrastructure: they are made by whoever signs one.

    Raw children: `plan`, `key`, `membership`.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: UsagePlanSettings,
        stage: aws.apigateway.Stage,
        parent: pulumi.Resource,
    ) -> None:
        child = pulumi.ResourceOptions(parent=parent)
        self.plan = aws.apigateway.UsagePlan(f"{name}-usage-plan", _limits(settings, stage), child)
        # Without a value of ours: API Gateway makes one, and it is in no file.
        self.key = aws.apigateway.ApiKey(
            f"{name}-key",
            aws.apigateway.ApiKeyArgs(description="The first key of the usage plan"),
            child,
        )
        self.membership = aws.apigateway.UsagePlanKey(
            f"{name}-usage-plan-key",
            aws.apigateway.UsagePlanKeyArgs(
                key_id=self.key.id, key_type="API_KEY", usage_plan_id=self.plan.id
            ),
            child,
        )


def _limits(
    settings: UsagePlanSettings, stage: aws.apigateway.Stage
) -> aws.apigateway.UsagePlanArgs:
    return aws.apigateway.UsagePlanArgs(
        description="Calls of routes that ask for a key",
        api_stages=[
            aws.apigateway.UsagePlanApiStageArgs(api_id=stage.rest_api, stage=stage.stage_name)
        ],
        quota_settings=aws.apigateway.UsagePlanQuotaSettingsArgs(
            limit=settings.quota_limit,
            period=settings.quota_period,
            offset=settings.quota_offset,
        ),
        throttle_settings=aws.apigateway.UsagePlanThrottleSettingsArgs(
            rate_limit=settings.throttle_rate_limit,
            burst_limit=settings.throttle_burst_limit,
        ),
    )
