"""Functions in a network of one's own, and the file systems that they see there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies import aws, links
from policies.documents import Statement
from policies.model import Registered, Stack, rule

INTERFACES = frozenset(
    {
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeSubnets",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    }
)
"""What Lambda does in the role to attach a function to a VPC (Lambda developer guide, permissions for VPC)."""

FILES = frozenset({"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"})
"""What a function needs to read and write a file system through its access point."""

SUBNETS, SECURITY_GROUPS = (1, 16), (1, 5)
"""Limits of VpcConfig."""

_ACCESS_POINT = re.compile(
    r"arn:aws[a-z-]*:elasticfilesystem:([a-z0-9-]+):\d{12}:access-point/fsap-[0-9a-f]{17}", re.ASCII
)
_FILE_SYSTEM = re.compile(
    r"\*|arn:aws[a-z-]*:elasticfilesystem:[a-z0-9-]+:\d{12}:file-system/(?:\*|fs-[0-9a-f]+)",
    re.ASCII,
)
_MOUNT = re.compile(r"/mnt/[\w.-]+", re.ASCII)
_NARROWING = "elasticfilesystem:AccessPointArn"
_OWN_CODE = "lambda:SourceFunctionArn"


@rule
def function_may_join_its_network(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Lambda refuses a function in a VPC whose role may not make interfaces; the function's own code may touch none."""
    for function in stack.all(aws.FUNCTION):
        inside = is_inside(function)
        if function.get("vpcConfig") is not None:
            yield from ((function, text) for text in _outside_limits(function))
        if links.acts_in_a_foreign_role(stack, function):
            continue
        held = links.rights(stack, links.role_of(stack, function))
        if _of_network(held) != (
            {(action, "*", False) for action in INTERFACES} if inside else set()
        ):
            yield (
                function,
                f'must hold {", ".join(sorted(INTERFACES))} on "*" in a VPC, else no EC2 action',
            )
        if inside and not any(keeps_code_out(s, function) for s in held):
            yield function, f"its role must deny the same to its own code, by {_OWN_CODE}"


@rule
def file_system_can_be_mounted(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """An access point under /mnt, reached through a VPC, with the rights to read and write it and no other one."""
    for function in stack.all(aws.FUNCTION):
        arn = str(function.get("fileSystemConfig.arn") or "")
        if function.get("fileSystemConfig") is not None:
            yield from ((function, text) for text in _unmountable(function, arn))
        if links.acts_in_a_foreign_role(stack, function):
            continue
        held = links.rights(stack, links.role_of(stack, function))
        given = {(a, access_point(s)) for s in held for a in s.actions if _is_of_files(a)}
        if given != ({(action, arn) for action in FILES} if arn else set()):
            yield (
                function,
                f"must hold {', '.join(sorted(FILES))} for its one access point ({_NARROWING}), else no such action",
            )


def is_inside(function: Registered) -> bool:
    """It is attached to a VPC."""
    return bool(function.get("vpcConfig.subnetIds"))


def keeps_code_out(statement: Statement, function: Registered) -> bool:
    """It refuses the function's own code, and nobody else, what Lambda may do to network interfaces."""
    condition = {"ArnEquals": {_OWN_CODE: (function.output("arn"),)}}
    return (
        statement.effect == "Deny"
        and set(statement.actions) >= INTERFACES
        and all(action.startswith("ec2:") for action in statement.actions)
        and statement.resources == ("*",)
        and statement.conditions == condition
    )


def access_point(statement: Statement) -> str:
    """The one access point that a statement is narrowed to; IAM knows access points as a condition only."""
    named = statement.only_if("StringEquals", _NARROWING)
    narrow = len(named) == 1 and all(_FILE_SYSTEM.fullmatch(r) for r in statement.resources)
    return named[0] if narrow else ""


def is_needed_at_creation(action: str) -> bool:
    """Lambda asks for it when it creates a function."""
    return action in INTERFACES or action in FILES


def _of_network(held: list[Statement]) -> set[tuple[str, str, bool]]:
    """(action, resource, whether on conditions) of every right to network interfaces."""
    return {
        (action, resource, bool(s.conditions))
        for s in held
        if s.allows
        for action in s.actions
        if action.startswith("ec2:")
        for resource in s.resources
    }


def _is_of_files(action: str) -> bool:
    return action.startswith("elasticfilesystem:")


def _outside_limits(function: Registered) -> Iterator[str]:
    for key, (least, most) in (("subnetIds", SUBNETS), ("securityGroupIds", SECURITY_GROUPS)):
        count = len(function.get(f"vpcConfig.{key}") or ())
        if not least <= count <= most:
            yield f"vpcConfig.{key} has {count} entries; {least} to {most} are taken"


def _unmountable(function: Registered, arn: str) -> Iterator[str]:
    found = _ACCESS_POINT.fullmatch(arn)
    region = links.place_of(function).region
    if found is None or region not in {found[1], ""}:
        yield "fileSystemConfig.arn must be an EFS access point of the function's region"
    path = str(function.get("fileSystemConfig.localMountPath") or "")
    if not _MOUNT.fullmatch(path) or len(path) > 160:
        yield "fileSystemConfig.localMountPath must be /mnt/<name>, 160 characters at most"
    if not is_inside(function):
        yield "a file system is reached through a VPC; set vpcConfig"


RULES = (function_may_join_its_network, file_system_can_be_mounted)
