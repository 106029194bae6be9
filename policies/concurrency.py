"""Executions kept ready: provisioned concurrency, its scaling, and starts from a snapshot."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies import aws, links, runtimes
from policies.links import Invoked
from policies.model import Registered, Stack, rule

NAMESPACE, DIMENSION = "lambda", "lambda:function:ProvisionedConcurrency"
METRIC = "LambdaProvisionedConcurrencyUtilization"
LEAST_USE, MOST_USE = 0.1, 0.9
"""Utilization that a tracking policy may aim at (Lambda developer guide, provisioned concurrency)."""

_SCHEDULE = re.compile(r"(?:at|cron|rate)\([^()]+\)")


@rule
def provisioned_concurrency_is_possible(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """On an alias with one version; within the function's reservation; never beside snapshots."""
    for config in stack.all(aws.PROVISIONED):
        found = _provisioned(stack, config)
        if found is None or found.alias is None:
            yield config, "qualifier must be an alias of a function of this stack"
            continue
        count = config.get("provisionedConcurrentExecutions")
        if not isinstance(count, int) or count < 1:
            yield config, f"provisionedConcurrentExecutions is {count}; say 1 or more"
        yield from _over_reservation(config, found.function, count)
        if found.alias.get("routingConfig"):
            yield config, "an alias with weights can have no provisioned concurrency"
        if starts_from_snapshots(found.function):
            yield config, "AWS refuses provisioned concurrency and SnapStart together"


@rule
def scaling_moves_what_is_there(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A scalable target names an alias that has provisioned concurrency, waits for it, and something moves it."""
    configs = {
        _resource_id(found): (config, found)
        for config in stack.all(aws.PROVISIONED)
        if (found := _provisioned(stack, config)) is not None
    }
    for target in stack.all(aws.SCALABLE_TARGET):
        yield from ((target, text) for text in _misnamed(target))
        least, most = target.get("minCapacity"), target.get("maxCapacity")
        if not (isinstance(least, int) and isinstance(most, int) and 1 <= least <= most):
            yield target, f"minCapacity is {least} and maxCapacity {most}; say 1 <= min <= max"
            continue
        identity = target.get("resourceId")
        if identity not in configs:
            yield target, f"resourceId {identity} names no alias with provisioned concurrency"
            continue
        config, found = configs[identity]
        yield from stack.not_awaited(target, [config])
        if not least <= (config.get("provisionedConcurrentExecutions") or 0) <= most:
            yield config, f"starts outside the {least} to {most} that {target.name} keeps"
        yield from _over_reservation(target, found.function, most)
        if not any(
            m.get("resourceId") == identity
            for m in stack.all(aws.SCALING_POLICY, aws.SCHEDULED_ACTION)
        ):
            yield target, "nothing moves it; add a scaling policy or a scheduled action"


@rule
def scaling_follows_use_or_time(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Policies and scheduled actions wait for the target that they name; what they aim at is possible."""
    targets = {target.get("resourceId"): target for target in stack.all(aws.SCALABLE_TARGET)}
    for mover in stack.all(aws.SCALING_POLICY, aws.SCHEDULED_ACTION):
        yield from ((mover, text) for text in _misnamed(mover))
        target = targets.get(mover.get("resourceId"))
        if target is None:
            yield mover, f"resourceId {mover.get('resourceId')} names no target of this stack"
        else:
            yield from stack.not_awaited(mover, [target])
        wrong = _tracks_nothing if mover.type == aws.SCALING_POLICY else _sets_nothing
        yield from ((mover, text) for text in wrong(mover))
        reserved = _named_by(stack, mover.get("resourceId"))
        most = mover.get("scalableTargetAction.maxCapacity")
        if reserved is not None:
            yield from _over_reservation(mover, reserved, most)


@rule
def snapshot_is_possible(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """SnapStart: published versions only, on runtimes that have it, with plain /tmp and no file system."""
    for function in stack.all(aws.FUNCTION):
        applied = function.get("snapStart.applyOn")
        if applied not in {None, "None", "PublishedVersions"}:
            yield function, f"snapStart.applyOn is {applied}; say PublishedVersions"
        if not starts_from_snapshots(function):
            continue
        if function.get("runtime") not in runtimes.SNAP_START:
            yield function, f"SnapStart knows no {function.get('runtime') or 'container images'}"
        if function.get("ephemeralStorage.size") not in {None, 512}:
            yield function, "SnapStart needs the ephemeralStorage.size of 512"
        if function.get("fileSystemConfig") is not None:
            yield function, "SnapStart and a file system exclude each other"


def starts_from_snapshots(function: Registered) -> bool:
    """SnapStart is on."""
    return function.get("snapStart.applyOn") not in {None, "None"}


def _provisioned(stack: Stack, config: Registered) -> Invoked | None:
    """The function and alias whose executions are kept ready."""
    function = links.named_function(stack, config.get("functionName"))
    if function is None:
        return None
    name = config.get("qualifier")
    found = stack.having(aws.ALIAS, functionName=function.get("name"), name=name)
    return Invoked(function, found[0] if found else None)


def _resource_id(found: Invoked) -> str:
    alias = found.alias.get("name") if found.alias else ""
    return f"function:{found.function.get('name')}:{alias}"


def _named_by(stack: Stack, identity: object) -> Registered | None:
    parts = str(identity).split(":")
    return links.named_function(stack, parts[1]) if len(parts) == 3 else None


def _over_reservation(
    resource: Registered, function: Registered, count: object
) -> Iterator[tuple[Registered, str]]:
    reserved = function.get("reservedConcurrentExecutions")
    if isinstance(count, int) and isinstance(reserved, int) and count > reserved >= 0:
        yield resource, f"keeps {count} ready, but {function.name} reserves {reserved} only"


def _misnamed(resource: Registered) -> Iterator[str]:
    for key, wanted in (("serviceNamespace", NAMESPACE), ("scalableDimension", DIMENSION)):
        if resource.get(key) != wanted:
            yield f"{key} must be {wanted}"


def _tracks_nothing(policy: Registered) -> Iterator[str]:
    path = "targetTrackingScalingPolicyConfiguration"
    metric = policy.get(f"{path}.predefinedMetricSpecification.predefinedMetricType")
    aim = policy.get(f"{path}.targetValue")
    if policy.get("policyType") != "TargetTrackingScaling" or metric != METRIC:
        yield f"must be TargetTrackingScaling by {METRIC}"
    if not isinstance(aim, int | float) or not LEAST_USE <= aim <= MOST_USE:
        yield f"targetValue is {aim}; say {LEAST_USE} to {MOST_USE}"


def _sets_nothing(action: Registered) -> Iterator[str]:
    least = action.get("scalableTargetAction.minCapacity")
    most = action.get("scalableTargetAction.maxCapacity")
    if least is None and most is None:
        yield "sets neither minCapacity nor maxCapacity"
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield f"minCapacity {least} is more than maxCapacity {most}"
    if not _SCHEDULE.fullmatch(str(action.get("schedule") or "")):
        yield "schedule must be at(...), cron(...) or rate(...)"


RULES = (
    provisioned_concurrency_is_possible,
    scaling_moves_what_is_there,
    scaling_follows_use_or_time,
    snapshot_is_possible,
)
