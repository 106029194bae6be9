"""What a stack file may say of how the parts of the program tell each other: telemetry, event bus, mail."""

from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator

from settings.deliveries import EMAIL, EmailAddress
from settings.fields import Model, distinct, form, setting

_KINESIS: Final = "Kinesis API reference, CreateStream"
_ARCHIVE: Final = "EventBridge API reference, CreateArchive"
_IDENTITY: Final = "SES API v2 reference, CreateEmailIdentity"
_SET: Final = "[A-Za-z0-9_-]{1,64}"
_LEVEL: Final = r"(?:\+|[^\s+#/$][^\s+#/]*)"
_TOPIC: Final = rf"{_LEVEL}(?:/{_LEVEL}){{0,7}}(?:/#)?"


ShardMetric = Literal[
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
]


class TelemetrySettings(Model):
    """A Kinesis stream of measurements and the function that adds them up."""

    enabled: bool = setting(
        default=False,
        description="Make it. A provisioned shard costs about 11 USD a month, whether anything is sent or not.",
        source=_KINESIS,
    )
    stream_mode: Literal["PROVISIONED", "ON_DEMAND"] = setting(
        "PROVISIONED",
        "Paid by shard, or by what is sent and by the hour of the stream.",
        source="Kinesis API reference, StreamModeDetails",
    )
    shard_count: int = setting(
        1,
        "Shards of a provisioned stream; each takes 1 MB or 1000 records a second.",
        unit="shards",
        ge=1,
        le=500,
        source=_KINESIS,
    )
    retention_period: int = setting(
        24,
        "How long a record is kept.",
        unit="hours",
        ge=24,
        le=8760,
        source="Kinesis API reference, IncreaseStreamRetentionPeriod",
    )
    max_record_size_in_kib: int = setting(
        1024,
        "Largest record.",
        unit="KiB",
        ge=1024,
        le=10240,
        source="Kinesis API reference, UpdateMaxRecordSize",
    )
    shard_level_metrics: Annotated[tuple[ShardMetric, ...], AfterValidator(distinct)] = setting(
        (),
        "Metrics of each shard, which are paid for; those of the stream are free.",
        values="names of metrics of a shard",
        source="Kinesis API reference, EnableEnhancedMonitoring",
        schema={"items": {"enum": list(get_args(ShardMetric))}, "uniqueItems": True},
        example=["IteratorAgeMilliseconds"],
    )
    enhanced_fan_out: bool = setting(
        default=False,
        description="Read by a registered consumer with 2 MB a second of its own, paid by the hour, instead of by polling.",
        source="Kinesis API reference, RegisterStreamConsumer",
    )
    iot_rule_enabled: bool = setting(
        default=False,
        description="Put what devices publish by MQTT into the stream.",
        source="IoT Core API reference, CreateTopicRule",
    )
    iot_topic: Annotated[
        str, form(_TOPIC, "must be an MQTT topic filter of 1 to 8 levels, as in shop/+/telemetry")
    ] = setting(
        "sandpiper/+/telemetry",
        "Topics whose messages go into the stream; + stands for one level, # for all that follow.",
        values="an MQTT topic filter",
        source="IoT Core developer guide, MQTT topics",
        schema={"pattern": f"^{_TOPIC}$"},
        example="shop/+/telemetry",
        max_length=256,
    )


class BusSettings(Model):
    """The event bus of the program's own events."""

    archive_enabled: bool = setting(
        default=True,
        description="Keep all events, so that they can be sent again.",
        source=_ARCHIVE,
    )
    archive_retention_days: int = setting(
        30,
        "How long the archive keeps an event; 0: for ever.",
        unit="days",
        ge=0,
        le=36500,
        source=_ARCHIVE,
    )


class MailSettings(Model):
    """Mail by SES. Without an address no mail is sent."""

    from_address: EmailAddress | None = setting(
        None,
        "Sender of the program's mails; it, or its domain, must be verified in SES. Without it: no mail.",
        values="an e-mail address",
        source="SES API v2 reference, SendEmail",
        schema={"pattern": f"^{EMAIL}$"},
        example="orders@example.com",
    )
    create_identity: bool = setting(
        default=False,
        description="Have the address verified by this stack; an account has one identity of a name in a region, so only "
        "one stack may.",
        source=_IDENTITY,
    )
    configuration_set: (
        Annotated[str, form(_SET, "must be 1 to 64 letters, digits, - and _")] | None
    ) = setting(
        None,
        "Configuration set of SES under which mails are sent. Without it: none.",
        values="1 to 64 letters, digits, - and _",
        source="SES API v2 reference, CreateConfigurationSet",
        schema={"pattern": f"^{_SET}$"},
        example="transactional",
    )
