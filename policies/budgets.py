"""Budgets: what a month may cost, and who hears of it before it is spent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from policies import aws, documents
from policies.model import Registered, Stack, rule

SERVICE = "budgets.amazonaws.com"
TOLD = {("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}
"""When somebody is told: of what is spent, and of what is foreseen for the month's end, in percent."""


@rule
def budget_is_one_that_aws_takes(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Costs of a month in USD, an amount as text."""
    for budget in stack.all(aws.BUDGET):
        said = tuple(budget.get(key) for key in ("budgetType", "timeUnit", "limitUnit"))
        if said != ("COST", "MONTHLY", "USD"):
            yield budget, "must be of budgetType COST, timeUnit MONTHLY, limitUnit USD"
        amount = budget.get("limitAmount")
        if not isinstance(amount, str) or _amount(amount) <= 0:
            yield budget, f"limitAmount is {amount!r}; say an amount, as text"


@rule
def budget_is_heard_of_in_time(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """While there is something left, when it is gone, and when it is foreseen; by a topic that AWS Budgets may speak to."""
    for budget in stack.all(aws.BUDGET):
        notices = budget.get("notifications") or []
        found = {(n.get("notificationType"), n.get("threshold")) for n in notices}
        if found != TOLD:
            yield (
                budget,
                f"must tell of {sorted(TOLD)} percent; it tells of {sorted(found, key=str)}",
            )
        for notice in notices:
            yield from ((budget, text) for text in _unheard(stack, notice))


def _unheard(stack: Stack, notice: dict[str, Any]) -> Iterator[str]:
    kind = notice.get("thresholdType"), notice.get("comparisonOperator")
    if kind != ("PERCENTAGE", "GREATER_THAN"):
        yield "a notification must be PERCENTAGE, GREATER_THAN"
    arns = notice.get("subscriberSnsTopicArns") or []
    topic = stack.at(str(arns[0]), aws.TOPIC) if len(arns) == 1 else None
    if topic is None or not admits(stack, topic):
        yield f"a notification must name one topic of this stack that admits {SERVICE}"


def topics(budget: Registered) -> set[str]:
    """ARNs of the topics by which a budget is heard of."""
    notices = budget.get("notifications") or []
    return {str(arn) for notice in notices for arn in notice.get("subscriberSnsTopicArns") or []}


def admits(stack: Stack, topic: Registered) -> bool:
    """Its policy lets AWS Budgets of this account publish."""
    return any(
        s.allows
        and s.is_for(SERVICE)
        and "sns:Publish" in s.actions
        and bool(s.only_if("StringEquals", "aws:SourceAccount"))
        for p in stack.having(aws.TOPIC_POLICY, arn=topic.output("arn"))
        for s in documents.of(p.get("policy"))
    )


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)


RULES = (budget_is_one_that_aws_takes, budget_is_heard_of_in_time)
