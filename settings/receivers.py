"""What a stack file may say of who is told: of alarms of each severity, and of the month's costs."""

from types import MappingProxyType
from typing import Annotated, Final

from pydantic import AfterValidator

from settings.deliveries import EMAIL, HTTPS, EmailAddress, HttpsUrl
from settings.fields import Model, distinct, form, members, setting

SUBSCRIBE: Final = "SNS API reference, Subscribe"
CHAT: Final = "CloudFormation reference, AWS::Chatbot::SlackChannelConfiguration"

WORKSPACE: Final = "T[0-9A-Z]{5,20}"
"""Regular expression of a Slack workspace's id."""

_CHANNEL: Final = "[CG][0-9A-Z]{5,20}"
_BUDGET: Final = "AWS Budgets API reference, CreateBudget"

SlackWorkspace = Annotated[
    str, form(WORKSPACE, "must be a Slack workspace's id, as in T0123456789")
]
SlackChannel = Annotated[str, form(_CHANNEL, "must be a Slack channel's id, as in C0123456789")]


class ReceiverSettings(Model):
    """Who is told of alarms of one severity."""

    email: Annotated[tuple[EmailAddress, ...], AfterValidator(distinct)] = setting(
        (),
        "Addresses that are written to; each must confirm its subscription.",
        values="e-mail addresses",
        source=SUBSCRIBE,
        schema=members(EMAIL, unique=True),
        example=["team@example.com"],
    )
    https: Annotated[tuple[HttpsUrl, ...], AfterValidator(distinct)] = setting(
        (),
        "HTTPS addresses that are called, as those of an on-call service; each must confirm its subscription.",
        values="https URLs",
        source=SUBSCRIBE,
        schema=members(HTTPS, unique=True),
        example=["https://oncall.example.com/alarms"],
    )
    slack_channel_id: SlackChannel | None = setting(
        None,
        "Slack channel that is written to, beside `slack_workspace_id`. Without it: none.",
        values="id of a Slack channel",
        source=CHAT,
        schema={"pattern": f"^{_CHANNEL}$"},
        example="C0123456789",
    )


class BudgetSettings(Model):
    """What a month may cost. Without an amount there is no budget."""

    other_names = MappingProxyType({"enabled": "monthly_usd switches it on"})

    monthly_usd: int | None = setting(
        None,
        "What the whole account may cost in a calendar month; told at 80 and at 100 percent, and when 100 is foreseen. "
        "Without it: no budget.",
        unit="USD",
        ge=1,
        le=1_000_000_000,
        source=_BUDGET,
        example=100,
    )
    email: Annotated[tuple[EmailAddress, ...], AfterValidator(distinct)] = setting(
        (),
        "Addresses that are told besides those of `observability.ticket`.",
        unit="addresses",
        max_length=10,
        values="e-mail addresses",
        source="AWS Budgets API reference, Subscriber",
        schema=members(EMAIL, unique=True),
        example=["finance@example.com"],
    )
