"""Traces: which requests X-Ray follows, and where they are found again."""

from __future__ import annotations

from collections.abc import Iterator

from policies import aws
from policies.model import Registered, Stack, rule

LONGEST_NAME, MOST_RULES, LAST = 32, 25, 9_999
"""Characters of a name, rules of an account and region, the last priority (X-Ray API reference, SamplingRule)."""
MATCHING = ("host", "httpMethod", "resourceArn", "serviceName", "serviceType", "urlPath")
"""What a rule compares with a request; X-Ray takes no rule that leaves one out."""
OWN = ("host", "resourceArn", "serviceName")
"""What tells one stack's requests from another's."""


@rule
def sampling_rule_is_one_that_xray_takes(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """All of its fields; for this stack's requests only: rules are the account's and region's."""
    if len(stack.all(aws.SAMPLING_RULE)) > MOST_RULES:
        yield stack.all(aws.SAMPLING_RULE)[0], f"is one of more than {MOST_RULES}"
    for one in stack.all(aws.SAMPLING_RULE):
        if not 0 < len(str(one.get("ruleName") or "")) <= LONGEST_NAME:
            yield one, f"ruleName must have 1 to {LONGEST_NAME} characters"
        for key in MATCHING:
            if not one.get(key):
                yield one, f'{key} is missing; "*" is any'
        if all(one.get(key) == "*" for key in OWN):
            yield one, f"follows every stack's requests; narrow it by one of {', '.join(OWN)}"
        yield from ((one, text) for text in _out_of_range(one))


@rule
def traces_are_found_by_group(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A group that filters nothing is the account."""
    for group in stack.all(aws.TRACE_GROUP):
        if not 0 < len(str(group.get("groupName") or "")) <= LONGEST_NAME:
            yield group, f"groupName must have 1 to {LONGEST_NAME} characters"
        if not group.get("filterExpression"):
            yield group, "filterExpression must choose traces"


def _out_of_range(one: Registered) -> Iterator[str]:
    rate, reservoir = one.get("fixedRate"), one.get("reservoirSize")
    if not isinstance(rate, int | float) or not 0 <= rate <= 1:
        yield f"fixedRate is {rate}; say 0 to 1"
    if not isinstance(reservoir, int) or reservoir < 0:
        yield f"reservoirSize is {reservoir}; say how many a second"
    if not isinstance(one.get("priority"), int) or not 1 <= one.properties["priority"] <= LAST:
        yield f"priority is {one.get('priority')}; say 1 to {LAST}"
    if one.get("version") != 1:
        yield "version must be 1"


RULES = (sampling_rule_is_one_that_xray_takes, traces_are_found_by_group)
