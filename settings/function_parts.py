"""Settings of a function that are maps of their own; such a map is replaced whole, never added up."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, PlainSerializer

from settings import arns
from settings.fields import Model, distinct, form, members, setting
from settings.schedules import check_timezone, expression_with

_VPC: Final = "Lambda API reference, VpcConfig"
_FILES: Final = "Lambda API reference, FileSystemConfig"
_SCALING: Final = "Application Auto Scaling API reference, RegisterScalableTarget"
_TRACKING: Final = "Application Auto Scaling API reference, PutScalingPolicy"
_SCHEDULED: Final = "Application Auto Scaling API reference, PutScheduledAction"
_SIGNING: Final = "Lambda API reference, CreateCodeSigningConfig"
_IMAGE: Final = "Lambda API reference, ImageConfig"

SUBNET: Final = r"subnet-[0-9a-f]{8,17}"
GROUP: Final = r"sg-[0-9a-f]{8,17}"
_MOUNT: Final = r"/mnt/[A-Za-z0-9._-]+"
_ACTION: Final = r"[A-Za-z0-9_-]{1,64}"

SubnetId = Annotated[str, form(SUBNET, "must be a subnet's id, as in subnet-0123456789abcdef0")]
SecurityGroupId = Annotated[
    str, form(GROUP, "must be a security group's id, as in sg-0123456789abcdef0")
]
MountPath = Annotated[
    str, form(_MOUNT, "must be a path of letters, digits, . _ and - right below /mnt/")
]


class VpcSettings(Model):
    """The network that a function is attached to; without it, it reaches the internet and no private address."""

    subnet_ids: Annotated[tuple[SubnetId, ...], AfterValidator(distinct)] = setting(
        ...,
        "Private subnets; name two or more in different zones. A function has no public address: what it calls outside "
        "needs a NAT gateway or an endpoint.",
        unit="subnets",
        min_length=1,
        max_length=16,
        values="subnets' ids",
        source=_VPC,
        schema=members(SUBNET, unique=True),
        example=["subnet-0123456789abcdef0"],
    )
    security_group_ids: Annotated[tuple[SecurityGroupId, ...], AfterValidator(distinct)] = setting(
        ...,
        "Security groups of its network interfaces.",
        unit="security groups",
        min_length=1,
        max_length=5,
        values="security groups' ids",
        source=_VPC,
        schema=members(GROUP, unique=True),
        example=["sg-0123456789abcdef0"],
    )
    ipv6_allowed_for_dual_stack: bool = setting(
        default=False,
        description="Let it call out over IPv6 from dual-stack subnets.",
        source=_VPC,
    )


class FileSystemSettings(Model):
    """An EFS file system, seen by the function as a folder."""

    arn: arns.AccessPointArn = setting(
        ...,
        "Access point to mount; it must have a mount target in every zone of the function's subnets.",
        values="ARN of an EFS access point",
        source=_FILES,
        schema={"pattern": arns.pattern(arns.ACCESS_POINT)},
        example="arn:aws:elasticfilesystem:us-west-2:123456789012:access-point/fsap-0123456789abcdef0",
    )
    local_mount_path: MountPath = setting(
        ...,
        "Folder in which it appears.",
        max_length=160,
        values="below /mnt/",
        source=_FILES,
        schema={"pattern": f"^{_MOUNT}$"},
        example="/mnt/shared",
    )


class ScheduledCapacity(Model):
    """New limits of the scaling, from a moment on; at least one of the two."""

    schedule: Annotated[str, AfterValidator(expression_with("the zone is timezone"))] = setting(
        ...,
        "`rate(1 day)`, `cron(0 8 ? * MON-FRI *)` or `at(2027-01-31T03:00:00)`.",
        values="rate(), cron() or at()",
        source=_SCHEDULED,
        schema={"pattern": r"^(rate|cron|at)\(.+\)$"},
        example="cron(0 8 ? * MON-FRI *)",
    )
    timezone: Annotated[str, AfterValidator(check_timezone)] = setting(
        "UTC",
        "Time zone in which the expression is read.",
        values="a name of the IANA database",
        source="IANA time zone database",
        example="Europe/Berlin",
    )
    min_capacity: int | None = setting(
        None, "New lower limit. Without it: as it was.", unit="executions", ge=1, source=_SCHEDULED
    )
    max_capacity: int | None = setting(
        None, "New upper limit. Without it: as it was.", unit="executions", ge=1, source=_SCHEDULED
    )


def _read_only(actions: Mapping[str, ScheduledCapacity]) -> Mapping[str, ScheduledCapacity]:
    return MappingProxyType(dict(actions))


ScheduledActions = Annotated[
    Mapping[
        Annotated[str, form(_ACTION, "must be 1 to 64 letters, digits, - and _")], ScheduledCapacity
    ],
    AfterValidator(_read_only),
    PlainSerializer(dict, return_type=dict[str, ScheduledCapacity]),
]


class ScalingSettings(Model):
    """Provisioned concurrency that follows the load, a timetable or both."""

    min_capacity: int = setting(
        ..., "Fewest executions kept warm.", unit="executions", ge=1, source=_SCALING
    )
    max_capacity: int = setting(
        ...,
        "Most executions kept warm; they count towards the account's concurrency.",
        unit="executions",
        ge=1,
        source=_SCALING,
    )
    target_value: float | None = setting(
        0.7,
        "Share of the warm executions that shall be in use; above it more are started. `null`: the timetable alone decides.",
        unit="of the warm executions",
        ge=0.1,
        le=0.9,
        source=_TRACKING,
    )
    scheduled_actions: ScheduledActions = setting(
        {},
        "Timetable: limits that hold from a moment on, by a name of your choice. With one, the limits come from "
        "it: `pulumi up` leaves min_capacity and max_capacity alone once the scaling is there.",
        values="names of 1 to 64 letters, digits, - and _",
        source=_SCHEDULED,
        example={"morning": {"schedule": "cron(0 8 ? * MON-FRI *)", "min_capacity": 5}},
    )


class CodeSigningSettings(Model):
    """A code signing configuration of the function's own."""

    signing_profile_version_arns: tuple[arns.SigningProfileArn, ...] = setting(
        ...,
        "Versions of signing profiles whose signatures are trusted.",
        unit="profiles",
        min_length=1,
        max_length=20,
        values="ARNs of signing profiles' versions",
        source=_SIGNING,
        schema=members(arns.pattern(arns.SIGNING_PROFILE)[1:-1]),
        example=["arn:aws:signer:us-west-2:123456789012:/signing-profiles/release/a1B2c3D4e5"],
    )
    untrusted_artifact_on_deployment: Literal["Enforce", "Warn"] = setting(
        "Enforce",
        "Enforce refuses code and layers that none of the profiles signed; Warn lets them pass and says so in a metric.",
        source=_SIGNING,
    )


class ImageSettings(Model):
    """What a container image runs, where that is not what its Dockerfile says."""

    entry_point: tuple[str, ...] = setting(
        (), "Replaces ENTRYPOINT.", unit="words", max_length=1500, source=_IMAGE
    )
    command: tuple[str, ...] = setting(
        (), "Replaces CMD.", unit="words", max_length=1500, source=_IMAGE, example=["app.handler"]
    )
    working_directory: Annotated[str, form("/.*", "must be an absolute path")] | None = setting(
        None,
        "Replaces WORKDIR.",
        values="an absolute path",
        max_length=1000,
        source=_IMAGE,
        schema={"pattern": "^/"},
        example="/var/task",
    )
