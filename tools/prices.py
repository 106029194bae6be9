"""What AWS charges: list prices of us-east-1 in USD, as their pages said in November 2026; us-west-2 has the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HOURS: Final = 730
"""Hours of a month, as AWS counts them in its examples."""

CLOUDWATCH: Final = "https://aws.amazon.com/cloudwatch/pricing/"


@dataclass(frozen=True)
class Price:
    """`usd` for each unit; the first `free` units of a month cost an account nothing."""

    what: str
    usd: float
    unit: str
    page: str
    free: float = 0


ALARM: Final = Price("metric of an alarm", 0.10, "a month", CLOUDWATCH, 10)
COMPOSITE: Final = Price("composite alarm", 0.50, "a month", CLOUDWATCH)
METRIC: Final = Price("custom or detailed metric", 0.30, "a month, by the hour", CLOUDWATCH, 10)
DASHBOARD: Final = Price(
    "dashboard; three of up to 50 metrics are free", 3.00, "a month", CLOUDWATCH
)
INGESTED: Final = Price("GB of logs taken in", 0.50, "each", CLOUDWATCH, 5)
STORED: Final = Price("GB of logs kept, compressed", 0.03, "a month", CLOUDWATCH)
SCANNED: Final = Price("GB that a Logs Insights query reads", 0.005, "each", CLOUDWATCH)
CANARY_RUN: Final = Price("run of a canary", 0.0012, "each", CLOUDWATCH, 100)
TRACE: Final = Price(
    "trace recorded", 0.000005, "each", "https://aws.amazon.com/xray/pricing/", 100_000
)
GB_SECOND: Final = Price(
    "GB-second of a canary's function (x86)",
    0.0000166667,
    "each",
    "https://aws.amazon.com/lambda/pricing/",
)
KEY: Final = Price("KMS key", 1.00, "a month", "https://aws.amazon.com/kms/pricing/")
SECRET: Final = Price("secret", 0.40, "a month", "https://aws.amazon.com/secrets-manager/pricing/")
SHARD: Final = Price(
    "shard of a Kinesis stream",
    0.015,
    "an hour",
    "https://aws.amazon.com/kinesis/data-streams/pricing/",
)
CACHE: Final = Price(
    "REST API's cache of 0.5 GB", 0.02, "an hour", "https://aws.amazon.com/api-gateway/pricing/"
)
ACL: Final = Price(
    "web ACL of the firewall", 5.00, "a month", "https://aws.amazon.com/waf/pricing/"
)
RULE: Final = Price("rule of the firewall", 1.00, "a month", "https://aws.amazon.com/waf/pricing/")
POLL: Final = Price(
    "request to SQS", 0.0000004, "each", "https://aws.amazon.com/sqs/pricing/", 1_000_000
)

ALL: Final = (
    ALARM,
    COMPOSITE,
    METRIC,
    DASHBOARD,
    INGESTED,
    STORED,
    SCANNED,
    CANARY_RUN,
    TRACE,
    GB_SECOND,
    KEY,
    SECRET,
    SHARD,
    CACHE,
    ACL,
    RULE,
    POLL,
)
