"""What must be there first. Pulumi sees only which outputs are used; AWS checks rights and destinations at create time."""

from __future__ import annotations

from collections.abc import Iterator

from policies import aws, destinations, documents, gateways, links, network
from policies.model import Registered, Stack, rule

BUCKET_SETTINGS = (
    aws.BUCKET_OWNERSHIP,
    aws.BUCKET_ACCESS_BLOCK,
    aws.BUCKET_ENCRYPTION,
    aws.BUCKET_VERSIONING,
    aws.BUCKET_LIFECYCLE,
    aws.BUCKET_POLICY,
    aws.BUCKET_LOGGING,
    aws.BUCKET_NOTIFICATION,
)


@rule
def function_waits_for_its_rights(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Lambda checks tracing, network and dead letter rights when it creates the function, and makes a missing log group."""
    for function in stack.all(aws.FUNCTION):
        role = links.role_of(stack, function)
        first = [
            policy
            for policy in links.policies_of(stack, role)
            if (policy.parent == function.parent and not _is_for_events_only(stack, role, policy))
            or _is_needed_at_creation(function, policy)
        ]
        group = stack.answering("name", str(function.get("loggingConfig.logGroup")), aws.LOG_GROUP)
        yield from stack.not_awaited(function, [*first, *([group] if group else [])])


@rule
def mapping_waits_for_its_rights(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AWS refuses a mapping whose role cannot read the source, after trying for five minutes."""
    for mapping in stack.all(aws.EVENT_SOURCE_MAPPING):
        target = links.invoked(stack, str(mapping.get("functionName")))
        role = links.role_of(stack, target.function) if target else None
        destination = mapping.get("destinationConfig.onFailure.destinationArn")
        named = {str(arn) for arn in (mapping.get("eventSourceArn"), destination) if arn}
        yield from stack.not_awaited(mapping, _unawaited(stack, mapping, role, named))


@rule
def destination_waits_for_its_right(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Lambda refuses a destination that the function's role may not write."""
    for destination in links.destinations(stack):
        if destination.by.type == aws.EVENT_INVOKE:
            role = links.actor(stack, destination.by)
            named = {resource for _, resource in destinations.needed(destination.arn)}
            yield from stack.not_awaited(
                destination.by, _unawaited(stack, destination.by, role, named)
            )


@rule
def schedule_waits_for_its_rights(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """The first start may be due at once."""
    for schedule in stack.all(aws.SCHEDULE):
        role = stack.at(str(schedule.get("target.roleArn")), aws.ROLE)
        yield from stack.not_awaited(schedule, links.policies_of(stack, role))


@rule
def notification_waits_for_its_permissions(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """S3 tries every destination when it is told of it."""
    for notification in stack.all(aws.BUCKET_NOTIFICATION):
        bucket = stack.answering("bucket", str(notification.get("bucket")), aws.BUCKET)
        arn = bucket.output("arn") if bucket else ""
        yield from stack.not_awaited(notification, stack.having(aws.PERMISSION, sourceArn=arn))


@rule
def bucket_settings_follow_each_other(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Two changes of one bucket at the same time are refused: OperationAborted."""
    for bucket in stack.all(aws.BUCKET):
        name = bucket.output("bucket")
        mine = [s for type_ in BUCKET_SETTINGS for s in stack.having(type_, bucket=name)]
        for place, one in enumerate(mine):
            for other in mine[place + 1 :]:
                if one.urn not in stack.waits_for(other) and other.urn not in stack.waits_for(one):
                    yield other, f"and {one.name} may be made at the same time; chain them"


@rule
def logging_waits_for_its_target(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """S3 checks that the target admits the logging service."""
    for logging in stack.all(aws.BUCKET_LOGGING):
        policies = stack.having(aws.BUCKET_POLICY, bucket=logging.get("targetBucket"))
        yield from stack.not_awaited(logging, policies)


@rule
def stage_waits_for_its_logs(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Without the account's log role a logging stage is refused; a group that API Gateway makes itself has no retention."""
    accounts = stack.all(aws.ACCOUNT)
    for stage in stack.all(aws.REST_STAGE):
        settings = gateways.method_settings(stack, stage)
        logs = any(s.get("settings.loggingLevel") in {"ERROR", "INFO"} for s in settings)
        wanted = f"API-Gateway-Execution-Logs_{stage.get('restApi')}/{stage.get('stageName')}"
        groups = stack.having(aws.LOG_GROUP, name=wanted)
        if logs and not groups:
            yield stage, f"API Gateway will make the log group {wanted} itself; declare it"
        yield from stack.not_awaited(stage, [*accounts, *(groups if logs else [])])
    for account in accounts:
        role = stack.at(str(account.get("cloudwatchRoleArn")), aws.ROLE)
        yield from stack.not_awaited(account, links.policies_of(stack, role))


def _is_needed_at_creation(function: Registered, policy: Registered) -> bool:
    """It holds what Lambda asks for when it attaches a network, a file system or a dead letter target."""
    dead_letter = destinations.needed(str(function.get("deadLetterConfig.targetArn") or ""))
    return any(
        network.is_needed_at_creation(action) or (action, resource) in dead_letter
        for action, resource in documents.pairs(documents.of(policy.get("policy")))
    )


def _is_for_events_only(stack: Stack, role: Registered | None, policy: Registered) -> bool:
    """It serves destinations of asynchronous invocations, which come after the function."""
    pairs = {
        pair
        for pair in documents.pairs(documents.of(policy.get("policy")))
        if not pair[0].startswith("kms:")
    }
    delivered = destinations.delivered_as(stack, role)
    return bool(pairs) and all(
        any(destination.by.type == aws.EVENT_INVOKE for destination in delivered.get(pair, ()))
        for pair in pairs
    )


def _unawaited(
    stack: Stack, resource: Registered, role: Registered | None, arns: set[str]
) -> list[Registered]:
    """Policies that alone give some right on these ARNs, of those that a resource does not wait for."""
    naming = [(policy, _on(policy, arns)) for policy in links.policies_of(stack, role)]
    waited = stack.waits_for(resource)
    there = {pair for policy, pairs in naming if policy.urn in waited for pair in pairs}
    return [policy for policy, pairs in naming if pairs - there]


def _on(policy: Registered, arns: set[str]) -> set[tuple[str, str]]:
    return {pair for pair in documents.pairs(documents.of(policy.get("policy"))) if pair[1] in arns}


RULES = (
    function_waits_for_its_rights,
    mapping_waits_for_its_rights,
    destination_waits_for_its_right,
    schedule_waits_for_its_rights,
    notification_waits_for_its_permissions,
    bucket_settings_follow_each_other,
    logging_waits_for_its_target,
    stage_waits_for_its_logs,
)
