"""Executions that cannot be kept ready, and scaling that moves nothing."""

from __future__ import annotations

from policies import aws
from tests.support.breaking import Break, edited, not_waiting, without
from tests.support.breaks.everything import ACCESS_POINT, more

CREATE, SNAP = "create-item-function", "notification-sender-function"
READY, SCALING = "create-item-provisioned-concurrency", "create-item-scaling"
BY_USE, BY_TIME = f"{SCALING}-policy", f"{SCALING}-morning"
TRACKING = "targetTrackingScalingPolicyConfiguration"
COUNT, CAPACITY = "provisionedConcurrentExecutions", "scalableTargetAction"
OTHER = "function:sandpiper-dev-health:live"
PUBLISHED = {"snapStart": {"applyOn": "PublishedVersions"}}

# fmt: off
PROVISIONS = (
    Break("provisioned-concurrency-is-possible", "must be an alias", more(edited(aws.PROVISIONED, READY, {"qualifier": "$LATEST"}))),
    Break("provisioned-concurrency-is-possible", "must be an alias", more(edited(aws.PROVISIONED, READY, {"functionName": "other"}))),
    Break("provisioned-concurrency-is-possible", "is 0; say 1", more(edited(aws.PROVISIONED, READY, {COUNT: 0}))),
    Break("provisioned-concurrency-is-possible", "keeps 6 ready, but create-item-function reserves 5", more(edited(aws.PROVISIONED, READY, {COUNT: 6}))),
    Break("provisioned-concurrency-is-possible", "an alias with weights", more(edited(aws.ALIAS, "create-item-live", {"routingConfig": {"additionalVersionWeights": {"2": 0.1}}}))),
    Break("provisioned-concurrency-is-possible", "SnapStart together", more(edited(aws.FUNCTION, CREATE, PUBLISHED))),
)
SCALES = (
    Break("scaling-moves-what-is-there", "serviceNamespace must be lambda", more(edited(aws.SCALABLE_TARGET, SCALING, {"serviceNamespace": "ecs"}))),
    Break("scaling-moves-what-is-there", "scalableDimension must be", more(edited(aws.SCALABLE_TARGET, SCALING, {"scalableDimension": "ecs:service:DesiredCount"}))),
    Break("scaling-moves-what-is-there", "say 1 <= min <= max", more(edited(aws.SCALABLE_TARGET, SCALING, {"minCapacity": 5}))),
    Break("scaling-moves-what-is-there", "say 1 <= min <= max", more(edited(aws.SCALABLE_TARGET, SCALING, {"minCapacity": 0}))),
    Break("scaling-moves-what-is-there", "names no alias with provisioned", more(edited(aws.SCALABLE_TARGET, SCALING, {"resourceId": OTHER}))),
    Break("scaling-moves-what-is-there", "names no alias with provisioned", more(without(aws.PROVISIONED, READY))),
    Break("scaling-moves-what-is-there", f"must wait for {READY}", more(not_waiting(aws.SCALABLE_TARGET, SCALING, READY))),
    Break("scaling-moves-what-is-there", "starts outside the 1 to 4", more(edited(aws.PROVISIONED, READY, {COUNT: 5}))),
    Break("scaling-moves-what-is-there", "keeps 6 ready", more(edited(aws.SCALABLE_TARGET, SCALING, {"maxCapacity": 6}))),
    Break("scaling-moves-what-is-there", "nothing moves it", more(without(aws.SCALING_POLICY, BY_USE), without(aws.SCHEDULED_ACTION, BY_TIME))),
    Break("scaling-follows-use-or-time", "names no target", more(without(aws.SCALABLE_TARGET, SCALING))),
    Break("scaling-follows-use-or-time", "names no target", more(edited(aws.SCHEDULED_ACTION, BY_TIME, {"resourceId": OTHER}))),
    Break("scaling-follows-use-or-time", f"must wait for {SCALING}", more(not_waiting(aws.SCALING_POLICY, BY_USE, SCALING))),
    Break("scaling-follows-use-or-time", "serviceNamespace must be lambda", more(edited(aws.SCHEDULED_ACTION, BY_TIME, {"serviceNamespace": "ecs"}))),
    Break("scaling-follows-use-or-time", "scalableDimension must be", more(edited(aws.SCALING_POLICY, BY_USE, {"scalableDimension": None}))),
    Break("scaling-follows-use-or-time", "must be TargetTrackingScaling by", more(edited(aws.SCALING_POLICY, BY_USE, {"policyType": "StepScaling"}))),
    Break("scaling-follows-use-or-time", "must be TargetTrackingScaling by", more(edited(aws.SCALING_POLICY, BY_USE, {f"{TRACKING}.predefinedMetricSpecification": None}))),
    Break("scaling-follows-use-or-time", "targetValue is 0.95", more(edited(aws.SCALING_POLICY, BY_USE, {f"{TRACKING}.targetValue": 0.95}))),
    Break("scaling-follows-use-or-time", "targetValue is 70", more(edited(aws.SCALING_POLICY, BY_USE, {f"{TRACKING}.targetValue": 70}))),
    Break("scaling-follows-use-or-time", "neither minCapacity nor", more(edited(aws.SCHEDULED_ACTION, BY_TIME, {CAPACITY: {}}))),
    Break("scaling-follows-use-or-time", "minCapacity 9 is more than", more(edited(aws.SCHEDULED_ACTION, BY_TIME, {f"{CAPACITY}.minCapacity": 9}))),
    Break("scaling-follows-use-or-time", "keeps 6 ready", more(edited(aws.SCHEDULED_ACTION, BY_TIME, {f"{CAPACITY}.maxCapacity": 6}))),
    Break("scaling-follows-use-or-time", "schedule must be at(", more(edited(aws.SCHEDULED_ACTION, BY_TIME, {"schedule": "every morning"}))),
    Break("everything-is-tagged", "needs the tags", more(edited(aws.SCALABLE_TARGET, SCALING, {"tags": None}))),
    Break("name-is-left-to-pulumi", "is named 'up'", more(edited(aws.SCALING_POLICY, BY_USE, {"name": "up"}))),
)
SNAPSHOTS = (
    Break("snapshot-is-possible", "snapStart.applyOn is All", more(edited(aws.FUNCTION, SNAP, {"snapStart.applyOn": "All"}))),
    Break("snapshot-is-possible", "SnapStart knows no python3.11", more(edited(aws.FUNCTION, SNAP, {"runtime": "python3.11"}))),
    Break("snapshot-is-possible", "SnapStart knows no container images", more(edited(aws.FUNCTION, "update-item-function", PUBLISHED))),
    Break("snapshot-is-possible", "ephemeralStorage.size of 512", more(edited(aws.FUNCTION, SNAP, {"ephemeralStorage.size": 1024}))),
    Break("snapshot-is-possible", "exclude each other", more(edited(aws.FUNCTION, SNAP, {"fileSystemConfig": {"arn": ACCESS_POINT}}))),
)

BREAKS = (*PROVISIONS, *SCALES, *SNAPSHOTS)
# fmt: on
