"""Roles in which AWS services act for the program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pulumi
import pulumi_aws as aws

from components.grants import Conditions, Statement, policy, trust


class ServiceRole(NamedTuple):
    """A role and its one policy; what acts in it waits for both."""

    role: aws.iam.Role
    rights: aws.iam.RolePolicy


def service_role(
    name: str,
    statements: Iterable[Statement | Mapping[str, Any]],
    *,
    service: str,
    description: str,
    opts: pulumi.ResourceOptions,
    conditions: Conditions | None = None,
) -> ServiceRole:
    """`<name>-role`, which only `service` may assume, with `<name>-policy`: these statements and nothing else."""
    role = aws.iam.Role(
        f"{name}-role",
        aws.iam.RoleArgs(description=description, assume_role_policy=trust(service, conditions)),
        opts,
    )
    rights = aws.iam.RolePolicy(
        f"{name}-policy",
        aws.iam.RolePolicyArgs(role=role.name, policy=policy(statements)),
        opts,
    )
    return ServiceRole(role, rights)
