"""What a month may cost, and who hears of it before it is over."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.place import Place
from components.topics import Topic
from settings import BudgetSettings, ReceiverSettings

ALERTS = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
"""What is spent or foreseen, in percent of the limit, and told of. docs/runbooks/budget.md"""


def limit(
    settings: BudgetSettings,
    receivers: ReceiverSettings,
    topic: Topic,
    place: Place,
    opts: pulumi.ResourceOptions,
) -> aws.budgets.Budget | None:
    """A monthly budget that tells `topic`, and by mail `receivers` and whom the budget names; None without an amount.

    It counts the whole account: AWS counts by tag only what somebody has activated for billing by hand.
    """
    if settings.monthly_usd is None:
        return None
    # AWS Budgets writes to ten addresses at most; the topic writes to all of them in any case.
    addresses = list(dict.fromkeys([*settings.email, *receivers.email]))[:10]
    return aws.budgets.Budget(
        "monthly-budget",
        aws.budgets.BudgetArgs(
            name=f"{place.prefix}-monthly",
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(settings.monthly_usd),
            limit_unit="USD",
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                    subscriber_sns_topic_arns=[topic.arn],
                    subscriber_email_addresses=addresses or None,
                )
                for kind, percent in ALERTS
            ],
        ),
        # AWS tries the topic when the budget is made.
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[topic.policy])),
    )
