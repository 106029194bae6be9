"""Subscriptions of log groups: who reads the lines of others, and never its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from policies import aws, documents, links
from policies.model import Registered, Stack, rule

MOST = 2
"""Subscription filters of one log group (CloudWatch Logs quotas)."""
LONGEST = 1_024
"""Characters of a filter pattern (CloudWatch Logs API reference)."""
SERVICE = "logs.amazonaws.com"
CARRYING = {"kinesis": "kinesis:PutRecord", "firehose": "firehose:PutRecord"}
"""Service of a stream -> the action by which CloudWatch Logs puts lines there, in a role."""


@rule
def log_subscription_is_one_that_logs_take(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Two for each group, a pattern that chooses, no role for a function."""
    counted = Counter(str(s.get("logGroup")) for s in stack.all(aws.LOG_SUBSCRIPTION))
    for subscription in stack.all(aws.LOG_SUBSCRIPTION):
        if links.group_of(stack, subscription) is None:
            yield subscription, "its log group is not of this stack"
        if counted[str(subscription.get("logGroup"))] > MOST:
            yield subscription, f"is one of too many; {MOST} are taken for each log group"
        pattern = str(subscription.get("filterPattern") or "")
        service = links.service_of(subscription.get("destinationArn"))
        least = 0 if service in links.CARRIED_TO else 1
        if not least <= len(pattern) <= LONGEST:
            yield subscription, f"filterPattern must choose lines, in 1 to {LONGEST} characters"
        if service not in CARRYING and subscription.get("roleArn") is not None:
            yield subscription, "roleArn is for streams; a function has a permission"


@rule
def function_does_not_read_its_own_log(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Each line would make another one."""
    for subscription in stack.all(aws.LOG_SUBSCRIPTION):
        target = links.invoked(stack, str(subscription.get("destinationArn")))
        group = target.function.get("loggingConfig.logGroup") if target else None
        if group is not None and group == subscription.get("logGroup"):
            yield subscription, "starts the function whose log it is"


@rule
def log_subscription_waits_for_its_permission(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """CloudWatch Logs tries the function when it is told of it."""
    for subscription in stack.all(aws.LOG_SUBSCRIPTION):
        target = links.invoked(stack, str(subscription.get("destinationArn")))
        group = links.group_of(stack, subscription)
        if target is not None and group is not None:
            name, source = target.function.get("name"), f"{group.output('arn')}:*"
            given = stack.having(aws.PERMISSION, function=name, sourceArn=source)
            yield from stack.not_awaited(subscription, given)


@rule
def log_subscription_may_put_its_lines(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Into a stream they go in a role, which is there first and may do nothing else."""
    for subscription in stack.all(aws.LOG_SUBSCRIPTION):
        arn = str(subscription.get("destinationArn"))
        action = CARRYING.get(links.service_of(arn))
        if action is None:
            continue
        role = stack.at(str(subscription.get("roleArn")), aws.ROLE)
        if documents.pairs(links.rights(stack, role)) != {(action, arn)}:
            yield subscription, f"its role must hold exactly {action} on {arn}"
        yield from stack.not_awaited(subscription, links.policies_of(stack, role))


def granted(stack: Stack, role: Registered | None) -> set[tuple[str, str]]:
    """(action, resource) that the role of a subscription may hold on what is not of this stack."""
    return {
        (CARRYING[service], arn)
        for subscription in stack.all(aws.LOG_SUBSCRIPTION)
        if role is not None and subscription.get("roleArn") == role.output("arn")
        for arn in [str(subscription.get("destinationArn"))]
        if (service := links.service_of(arn)) in CARRYING
    }


RULES = (
    log_subscription_is_one_that_logs_take,
    function_does_not_read_its_own_log,
    log_subscription_waits_for_its_permission,
    log_subscription_may_put_its_lines,
)
