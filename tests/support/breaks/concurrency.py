"""Executions that cannot be kept ready, and scaling that moves nothing."""

from __future__ import annotations

from policies.concurrency import ACTION, POLICY, TARGET
from policies.links import ALIAS, FUNCTION, PROVISIONED
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
    Break("provisioned-concurrency-is-possible", "must be an alias", more(edited(PROVISIONED, READY, {"qualifier": "$LATEST"}))),
    Break("provisioned-concurrency-is-possible", "must be an alias", more(edited(PROVISIONED, READY, {"functionName": "other"}))),
    Break("provisioned-concurrency-is-possible", "is 0; say 1", more(edited(PROVISIONED, READY, {COUNT: 0}))),
    Break("provisioned-concurrency-is-possible", "keeps 6 ready, but create-item-function reserves 5", more(edited(PROVISIONED, READY, {COUNT: 6}))),
    Break("provisioned-concurrency-is-possible", "an alias with weights", more(edited(ALIAS, "create-item-live", {"routingConfig": {"additionalVersionWeights": {"2": 0.1}}}))),
    Break("provisioned-concurrency-is-possible", "SnapStart together", more(edited(FUNCTION, CREATE, PUBLISHED))),
)
SCALES = (
    Break("scaling-moves-what-is-there", "serviceNamespace must be lambda", more(edited(TARGET, SCALING, {"serviceNamespace": "ecs"}))),
    Break("scaling-moves-what-is-there", "scalableDimension must be", more(edited(TARGET, SCALING, {"scalableDimension": "ecs:service:DesiredCount"}))),
    Break("scaling-moves-what-is-there", "say 1 <= min <= max", more(edited(TARGET, SCALING, {"minCapacity": 5}))),
    Break("scaling-moves-what-is-there", "say 1 <= min <= max", more(edited(TARGET, SCALING, {"minCapacity": 0}))),
    Break("scaling-moves-what-is-there", "names no alias with provisioned", more(edited(TARGET, SCALING, {"resourceId": OTHER}))),
    Break("scaling-moves-what-is-there", "names no alias with provisioned", more(without(PROVISIONED, READY))),
    Break("scaling-moves-what-is-there", f"must wait for {READY}", more(not_waiting(TARGET, SCALING, READY))),
    Break("scaling-moves-what-is-there", "starts outside the 1 to 4", more(edited(PROVISIONED, READY, {COUNT: 5}))),
    Break("scaling-moves-what-is-there", "keeps 6 ready", more(edited(TARGET, SCALING, {"maxCapacity": 6}))),
    Break("scaling-moves-what-is-there", "nothing moves it", more(without(POLICY, BY_USE), without(ACTION, BY_TIME))),
    Break("scaling-follows-use-or-time", "names no target", more(without(TARGET, SCALING))),
    Break("scaling-follows-use-or-time", "names no target", more(edited(ACTION, BY_TIME, {"resourceId": OTHER}))),
    Break("scaling-follows-use-or-time", f"must wait for {SCALING}", more(not_waiting(POLICY, BY_USE, SCALING))),
    Break("scaling-follows-use-or-time", "serviceNamespace must be lambda", more(edited(ACTION, BY_TIME, {"serviceNamespace": "ecs"}))),
    Break("scaling-follows-use-or-time", "scalableDimension must be", more(edited(POLICY, BY_USE, {"scalableDimension": None}))),
    Break("scaling-follows-use-or-time", "must be TargetTrackingScaling by", more(edited(POLICY, BY_USE, {"policyType": "StepScaling"}))),
    Break("scaling-follows-use-or-time", "must be TargetTrackingScaling by", more(edited(POLICY, BY_USE, {f"{TRACKING}.predefinedMetricSpecification": None}))),
    Break("scaling-follows-use-or-time", "targetValue is 0.95", more(edited(POLICY, BY_USE, {f"{TRACKING}.targetValue": 0.95}))),
    Break("scaling-follows-use-or-time", "targetValue is 70", more(edited(POLICY, BY_USE, {f"{TRACKING}.targetValue": 70}))),
    Break("scaling-follows-use-or-time", "neither minCapacity nor", more(edited(ACTION, BY_TIME, {CAPACITY: {}}))),
    Break("scaling-follows-use-or-time", "minCapacity 9 is more than", more(edited(ACTION, BY_TIME, {f"{CAPACITY}.minCapacity": 9}))),
    Break("scaling-follows-use-or-time", "keeps 6 ready", more(edited(ACTION, BY_TIME, {f"{CAPACITY}.maxCapacity": 6}))),
    Break("scaling-follows-use-or-time", "schedule must be at(", more(edited(ACTION, BY_TIME, {"schedule": "every morning"}))),
    Break("everything-is-tagged", "needs the tags", more(edited(TARGET, SCALING, {"tags": None}))),
    Break("name-is-left-to-pulumi", "is named 'up'", more(edited(POLICY, BY_USE, {"name": "up"}))),
)
SNAPSHOTS = (
    Break("snapshot-is-possible", "snapStart.applyOn is All", more(edited(FUNCTION, SNAP, {"snapStart.applyOn": "All"}))),
    Break("snapshot-is-possible", "SnapStart knows no python3.11", more(edited(FUNCTION, SNAP, {"runtime": "python3.11"}))),
    Break("snapshot-is-possible", "SnapStart knows no container images", more(edited(FUNCTION, "update-item-function", PUBLISHED))),
    Break("snapshot-is-possible", "ephemeralStorage.size of 512", more(edited(FUNCTION, SNAP, {"ephemeralStorage.size": 1024}))),
    Break("snapshot-is-possible", "exclude each other", more(edited(FUNCTION, SNAP, {"fileSystemConfig": {"arn": ACCESS_POINT}}))),
)

BREAKS = (*PROVISIONS, *SCALES, *SNAPSHOTS)
# fmt: on
