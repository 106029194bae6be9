"""What a stack file may say of the ways in that are off by default: a load balancer and a GraphQL API."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from settings import arns
from settings.fields import LogRetention, Model, distinct, members, setting
from settings.function_parts import GROUP, SUBNET, SecurityGroupId, SubnetId

_BALANCER: Final = "Elastic Load Balancing API reference, CreateLoadBalancer"
_ATTRIBUTE: Final = "Elastic Load Balancing API reference, LoadBalancerAttribute"
_GRAPHQL: Final = "AppSync API reference, CreateGraphqlApi"


class LoadBalancerSettings(Model):
    """An application load balancer before functions."""

    enabled: bool = setting(default=False, description="Make it.", source=_BALANCER)
    subnet_ids: Annotated[tuple[SubnetId, ...], AfterValidator(distinct)] = setting(
        (),
        "Subnets of two zones or more; needed where it is enabled.",
        values="subnets' ids",
        source=_BALANCER,
        schema=members(SUBNET, unique=True),
        example=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    )
    security_group_ids: Annotated[tuple[SecurityGroupId, ...], AfterValidator(distinct)] = setting(
        (),
        "Security groups that say who reaches it; needed where it is enabled.",
        unit="security groups",
        max_length=5,
        values="security groups' ids",
        source=_BALANCER,
        schema=members(GROUP, unique=True),
        example=["sg-0123456789abcdef0"],
    )
    certificate_arn: arns.CertificateArn | None = setting(
        None,
        "Certificate of the HTTPS listener, in the stack's region; needed where it is enabled.",
        values="ARN of an ACM certificate",
        source="Elastic Load Balancing API reference, CreateListener",
        schema={"pattern": arns.pattern(arns.CERTIFICATE)},
        example="arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef",
    )
    internal: bool = setting(
        default=True,
        description="Reachable from its network only, not from the internet.",
        source=_BALANCER,
    )
    ssl_policy: Literal[
        "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "ELBSecurityPolicy-TLS13-1-3-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04",
        "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
        "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
    ] = setting(
        "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "Versions of TLS and ciphers that it speaks; those with TLS 1.2 and newer.",
        source="Application Load Balancer user guide, security policies",
    )
    deletion_protection: bool = setting(
        default=False,
        description="Refuse to be deleted, by `pulumi destroy` too.",
        source=_ATTRIBUTE,
    )
    idle_timeout_seconds: int = setting(
        60,
        "How long a connection may be silent.",
        unit="seconds",
        ge=1,
        le=4000,
        source=_ATTRIBUTE,
    )


class GraphQlSettings(Model):
    """A GraphQL API over the items functions."""

    enabled: bool = setting(default=False, description="Make it.", source=_GRAPHQL)
    field_log_level: Literal["NONE", "ERROR", "ALL"] = setting(
        "ERROR",
        "Which fields of a query are logged.",
        source="AppSync API reference, LogConfig",
    )
    query_depth_limit: int = setting(
        5, "How deep a query may nest.", unit="levels", ge=1, le=75, source=_GRAPHQL
    )
    resolver_count_limit: int = setting(
        100, "Resolvers that a query may start.", unit="resolvers", ge=1, le=10000, source=_GRAPHQL
    )
    introspection_enabled: bool = setting(
        default=True, description="Let callers read the schema.", source=_GRAPHQL
    )
    log_retention_in_days: LogRetention = setting(
        14,
        "How long the API's log events are kept.",
        unit="days",
        source="CloudWatch Logs API reference, PutRetentionPolicy",
    )
