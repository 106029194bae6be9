"""Provisioned concurrency of a function's alias, and how it follows use or a timetable."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from settings import FunctionSettings, ScalingSettings

UTILIZATION = "LambdaProvisionedConcurrencyUtilization"


def provision(
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
    # A timetable moves the limits: what it has set since is no difference that the next `up` should undo.
    moved = ["minCapacity", "maxCapacity"] if settings.scheduled_actions else None
    inside = pulumi.ResourceOptions(parent=config, depends_on=[config], ignore_changes=moved)
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
