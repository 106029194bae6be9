"""What a stack file may say of what is told onwards: topics with their subscribers, rules of the event bus."""

from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from settings import arns
from settings.fields import LABEL, Model, distinct, form, members, setting

_SUBSCRIBE: Final = "SNS API reference, Subscribe"
_RETRY: Final = "EventBridge API reference, RetryPolicy"

_HOST: Final = rf"(?:{LABEL}\.)+[A-Za-z]{{2,63}}"
EMAIL: Final = rf"[A-Za-z0-9._%+'-]{{1,64}}@{_HOST}"
"""Regular expression of an e-mail address as SNS and SES take it."""

HTTPS: Final = rf"https://{_HOST}(?::[0-9]{{1,5}})?(?:/[\w.~%!$&'()*+,;=:@/-]*)?"
"""Regular expression of an https URL as SNS calls it."""

EmailAddress = Annotated[str, form(EMAIL, "must be one e-mail address, as in team@example.com")]
HttpsUrl = Annotated[
    str,
    form(HTTPS, "must be an https URL without query, as in https://hooks.example.com/orders"),
]
QueueArn = Annotated[str, AfterValidator(arns.one_of(arns.QUEUE))]
EndpointArn = Annotated[str, AfterValidator(arns.one_of(arns.ENDPOINT))]


class TopicSettings(Model):
    """A topic, and its subscribers outside the program."""

    other_names = MappingProxyType({"sms": "text messages are not sent; email and application are"})

    display_name: str | None = setting(
        None,
        "Name that mails of the topic carry as their sender. Without it: AWS's own.",
        min_length=1,
        max_length=100,
        source="SNS API reference, CreateTopic",
        example="Sandpiper",
    )
    signature_version: Literal["1", "2"] = setting(
        "2",
        "Hash of the signature by which HTTPS subscribers know a message is from SNS: 1 is SHA-1, 2 is SHA-256.",
        source="SNS API reference, SetTopicAttributes",
    )
    tracing_mode: Literal["PassThrough", "Active"] = setting(
        "PassThrough",
        "Active: SNS writes segments of its own into traces that were sampled before.",
        source="SNS API reference, SetTopicAttributes",
    )
    email: Annotated[tuple[EmailAddress, ...], AfterValidator(distinct)] = setting(
        (),
        "Addresses that get every message; each must confirm its subscription.",
        values="e-mail addresses",
        source=_SUBSCRIBE,
        schema=members(EMAIL, unique=True),
        example=["team@example.com"],
    )
    https: Annotated[tuple[HttpsUrl, ...], AfterValidator(distinct)] = setting(
        (),
        "HTTPS addresses that get every message; each must confirm its subscription.",
        values="https URLs",
        source=_SUBSCRIBE,
        schema=members(HTTPS, unique=True),
        example=["https://hooks.example.com/orders"],
    )
    sqs: Annotated[tuple[QueueArn, ...], AfterValidator(distinct)] = setting(
        (),
        "Queues outside the stack that get every message; their own policy must let the topic send.",
        values="ARNs of standard SQS queues",
        source=_SUBSCRIBE,
        schema=members(arns.pattern(arns.QUEUE)[1:-1], unique=True),
        example=["arn:aws:sqs:us-west-2:123456789012:warehouse"],
    )
    application: Annotated[tuple[EndpointArn, ...], AfterValidator(distinct)] = setting(
        (),
        "Endpoints of mobile devices that get every message as a push notification.",
        values="ARNs of mobile push endpoints",
        source=_SUBSCRIBE,
        schema=members(arns.pattern(arns.ENDPOINT)[1:-1], unique=True),
        example=[
            "arn:aws:sns:us-west-2:123456789012:endpoint/APNS/shop/01234567-89ab-cdef-0123-456789abcdef"
        ],
    )


class RuleSettings(Model):
    """A rule of an event bus that starts a function."""

    enabled: bool = setting(
        default=True,
        description="Let it match; what passes while it does not is not made up for.",
        source="EventBridge API reference, PutRule",
    )
    description: str | None = setting(
        None,
        "What the rule is for. Without it: none.",
        max_length=512,
        source="EventBridge API reference, PutRule",
        example="Orders for the audit trail",
    )
    maximum_retry_attempts: int = setting(
        24,
        "Retries of a failed start before the event goes to the queue for failures.",
        unit="retries",
        ge=0,
        le=185,
        source=_RETRY,
    )
    maximum_event_age_in_seconds: int = setting(
        21600,
        "Oldest event that is still tried.",
        unit="seconds",
        ge=60,
        le=86400,
        source=_RETRY,
    )
