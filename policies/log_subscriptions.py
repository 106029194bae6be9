"""Subscriptions of log groups: who reads the lines of others, and never its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from policies import aws, links
from policies.model import Registered, Stack, rule

MOST = 2
"""Subscription filters of one log group (CloudWatch Logs quotas)."""
LONGEST = 1_024
"""Characters of a filter pattern (CloudWatch Logs API reference)."""


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
        if not 0 < len(pattern) <= LONGEST:
            yield subscription, f"filterPattern must choose lines, in 1 to {LONGEST} characters"
        if subscription.get("roleArn") is not None:
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


RULES = (
    log_subscription_is_one_that_logs_take,
    function_does_not_read_its_own_log,
    log_subscription_waits_for_its_permission,
)
