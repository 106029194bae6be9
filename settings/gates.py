"""What may stand before an API: a domain of its own, a firewall."""

from typing import Annotated, Final, Literal

from settings import arns
from settings.fields import LogRetention, Model, form, setting

_DOMAIN: Final = "API Gateway V2 API reference, CreateDomainName"
_WAF: Final = "WAF API reference, RateBasedStatement"
_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"

DOMAIN_NAME: Final = rf"(?=.{{4,253}}$)(?:{_LABEL}\.)+(?!\d)[a-z0-9-]{{1,62}}[a-z0-9]"
"""Regular expression of a DNS name in lower case, two labels or more."""

_ZONE: Final = "Z[A-Z0-9]{1,31}"
_BASE_PATH: Final = "[A-Za-z0-9._-]{0,300}"

DomainName = Annotated[
    str,
    form(
        DOMAIN_NAME,
        "must be a DNS name in lower case without scheme and path, as in api.example.com",
    ),
]
ZoneId = Annotated[str, form(_ZONE, "must be a hosted zone's id, as in Z0123456789ABCDEFGHIJ")]
BasePath = Annotated[
    str, form(_BASE_PATH, "must be one path segment of letters, digits, . _ and -, without slash")
]


class DomainSettings(Model):
    """A name of the API's own, besides the one that API Gateway gives it."""

    domain_name: DomainName = setting(
        ...,
        "The name; TLS 1.2 and newer.",
        values="a DNS name in lower case",
        source=_DOMAIN,
        schema={"pattern": f"^{DOMAIN_NAME}$"},
        example="api.example.com",
    )
    certificate_arn: arns.CertificateArn | None = setting(
        None,
        "Certificate for the name, in the stack's region. Without it one is made and validated by a record in the hosted zone.",
        values="ARN of an ACM certificate",
        source=_DOMAIN,
        schema={"pattern": arns.pattern(arns.CERTIFICATE)},
        example="arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef",
    )
    hosted_zone_id: ZoneId | None = setting(
        None,
        "Route 53 zone that gets the name's record. Without it the record is yours to make.",
        values="id of a public hosted zone",
        source="Route 53 API reference, ChangeResourceRecordSets",
        schema={"pattern": f"^{_ZONE}$"},
        example="Z0123456789ABCDEFGHIJ",
    )
    base_path: BasePath = setting(
        "",
        "First segment of the path, which leads to this API; empty: the whole name does.",
        values="one segment of at most 300 letters, digits, . _ and -",
        source="API Gateway V2 API reference, CreateApiMapping",
        schema={"pattern": f"^{_BASE_PATH}$"},
        example="v1",
    )


class FirewallSettings(Model):
    """A web ACL: AWS's managed groups of rules, and a limit to what one address may ask."""

    rate_limit: int = setting(
        2000,
        "Requests that one address may send in a window before it is blocked.",
        unit="requests",
        ge=10,
        le=2000000000,
        source=_WAF,
    )
    evaluation_window_sec: Literal[60, 120, 300, 600] = setting(
        300, "Length of the window.", unit="seconds", source=_WAF
    )
    log_retention_in_days: LogRetention = setting(
        14,
        "How long the firewall's log events are kept.",
        unit="days",
        source="CloudWatch Logs API reference, PutRetentionPolicy",
    )
