"""How a function is reached besides its triggers: provisioned concurrency and its scaling, a URL."""

from __future__ import annotations

import re

import pulumi
import pulumi_aws as aws

from settings import FunctionSettings, FunctionUrlSettings, ScalingSettings

UTILIZATION = "LambdaProvisionedConcurrencyUtilization"


def provision_concurrency(
    name: str, settings: FunctionSettings, alias: aws.lambda_.Alias, parent: pulumi.Resource
) -> aws.lambda_.ProvisionedConcurrencyConfig | None:
    """Executions kept warm on the alias, where settings ask for them."""
    wanted = settings.provisioned_concurrent_executions
    if wanted is None:
        return None
    scaling = settings.provisioned_concurrency_scaling
    config = aws.lambda_.ProvisionedConcurrencyConfig(
        f"{name}-provisioned-concurrency",
        aws.lambda_.ProvisionedConcurrencyConfigArgs(
            function_name=alias.function_name,
            qualifier=alias.name,
            provisioned_concurrent_executions=wanted,
        ),
        # What scaling has set since is no difference that the next `up` should undo.
        pulumi.ResourceOptions(
            parent=parent, ignore_changes=["provisionedConcurrentExecutions"] if scaling else None
        ),
    )
    if scaling is not None:
        _scale(name, scaling, alias, config)
    return config


def _scale(
    name: str,
    settings: ScalingSettings,
    alias: aws.lambda_.Alias,
    config: aws.lambda_.ProvisionedConcurrencyConfig,
) -> None:
    inside = pulumi.ResourceOptions(parent=config, depends_on=[config])
    target = aws.appautoscaling.Target(
        f"{name}-scaling",
        aws.appautoscaling.TargetArgs(
            min_capacity=settings.min_capacity,
            max_capacity=settings.max_capacity,
            resource_id=pulumi.Output.concat("function:", alias.function_name, ":", alias.name),
            scalable_dimension="lambda:function:ProvisionedConcurrency",
            service_namespace="lambda",
        ),
        inside,
    )
    below = pulumi.ResourceOptions(parent=target)
    if settings.target_value is not None:
        _follow_use(name, settings.target_value, target, below)
    for action, capacity in settings.scheduled_actions.items():
        aws.appautoscaling.ScheduledAction(
            f"{name}-scaling-{action}",
            aws.appautoscaling.ScheduledActionArgs(
                resource_id=target.resource_id,
                scalable_dimension=target.scalable_dimension,
                service_namespace=target.service_namespace,
                schedule=capacity.schedule,
                timezone=capacity.timezone,
                scalable_target_action=aws.appautoscaling.ScheduledActionScalableTargetActionArgs(
                    min_capacity=capacity.min_capacity, max_capacity=capacity.max_capacity
                ),
            ),
            below,
        )


def _follow_use(
    name: str,
    target_value: float,
    target: aws.appautoscaling.Target,
    opts: pulumi.ResourceOptions,
) -> None:
    aws.appautoscaling.Policy(
        f"{name}-scaling-policy",
        aws.appautoscaling.PolicyArgs(
            policy_type="TargetTrackingScaling",
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            service_namespace=target.service_namespace,
            target_tracking_scaling_policy_configuration=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
                target_value=target_value,
                predefined_metric_specification=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
                    predefined_metric_type=UTILIZATION
                ),
            ),
        ),
        opts,
    )


def create_url(
    name: str,
    settings: FunctionUrlSettings | None,
    alias: aws.lambda_.Alias,
    parent: pulumi.Resource,
) -> aws.lambda_.FunctionUrl | None:
    """An HTTPS address of the alias, where settings ask for one; signed requests only, unless they say NONE."""
    if settings is None:
        return None
    cors = settings.cors
    url = aws.lambda_.FunctionUrl(
        f"{name}-url",
        aws.lambda_.FunctionUrlArgs(
            function_name=alias.function_name,
            qualifier=alias.name,
            authorization_type=settings.authorization_type,
            invoke_mode=settings.invoke_mode,
            cors=aws.lambda_.FunctionUrlCorsArgs(
                allow_origins=list(cors.allow_origins),
                allow_methods=list(cors.allow_methods),
                allow_headers=list(cors.allow_headers) or None,
                expose_headers=list(cors.expose_headers) or None,
                max_age=cors.max_age,
                allow_credentials=cors.allow_credentials,
            )
            if cors
            else None,
        ),
        pulumi.ResourceOptions(parent=parent),
    )
    for principal in settings.principals:
        _let_call(name, principal, alias, url)
    return url


def _let_call(
    name: str, principal: str, alias: aws.lambda_.Alias, url: aws.lambda_.FunctionUrl
) -> None:
    """Callers of the stack's own account need an identity policy only; others are named at the function, twice."""
    who = "-".join(re.findall(r"[A-Za-z0-9]+", principal.rsplit("::", maxsplit=1)[-1]))
    below = pulumi.ResourceOptions(parent=url)
    aws.lambda_.Permission(
        f"{name}-url-{who}-permission",
        aws.lambda_.PermissionArgs(
            action="lambda:InvokeFunctionUrl",
            function=alias.function_name,
            qualifier=alias.name,
            principal=principal,
            function_url_auth_type="AWS_IAM",
        ),
        below,
    )
    # Since October 2025 a caller of a URL needs this right as well; it holds for calls through the URL alone.
    aws.lambda_.Permission(
        f"{name}-url-{who}-invoke-permission",
        aws.lambda_.PermissionArgs(
            action="lambda:InvokeFunction",
            function=alias.function_name,
            qualifier=alias.name,
            principal=principal,
            invoked_via_function_url=True,
        ),
        below,
    )
