"""Functions that cannot join their network, or whose code could meddle with it."""

from __future__ import annotations

from typing import Any

from policies import aws
from policies.network import FILES, INTERFACES
from tests.support.breaking import Break, Resources, allowed, document, edited, statement
from tests.support.breaks.everything import ACCESS_POINT, more
from tests.support.breaks.roles import denied

HEALTH, POLICY = "health-function", "health-policy"
JOIN, MOUNT = "function-may-join-its-network", "file-system-can-be-mounted"
REACHED = {"StringEquals": {"elasticfilesystem:AccessPointArn": ACCESS_POINT}}


def function(**changes: Any) -> Any:
    """Change the function in the network."""
    return more(edited(aws.FUNCTION, HEALTH, {k.replace("__", "."): v for k, v in changes.items()}))


def mounting(**changes: Any) -> Any:
    """Change the right to mount."""
    return more(statement(aws.ROLE_POLICY, POLICY, "elasticfilesystem:ClientMount", **changes))


def conditional(resources: Resources) -> Resources:
    """Allow it under a condition only."""

    def change(written: dict[str, Any]) -> None:
        one = next(s for s in written["Statement"] if "ec2:DescribeSubnets" in s["Action"])
        one["Condition"] = {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}

    return document(aws.ROLE_POLICY, POLICY, change)(resources)


# fmt: off
BREAKS = (
    *(
        Break(JOIN, "in a VPC, else no EC2 action", more(statement(aws.ROLE_POLICY, POLICY, action, Action=sorted(INTERFACES - {action}))))
        for action in sorted(INTERFACES)
    ),
    Break(JOIN, "in a VPC, else no EC2 action", more(statement(aws.ROLE_POLICY, POLICY, "ec2:DescribeSubnets", Resource=["arn:aws:ec2:us-west-2:123456789012:subnet/*"]))),
    Break(JOIN, "in a VPC, else no EC2 action", more(conditional)),
    Break(JOIN, "in a VPC, else no EC2 action", more(allowed(POLICY, "ec2:DetachNetworkInterface", on="*"))),
    Break(JOIN, "in a VPC, else no EC2 action", allowed(POLICY, "ec2:DescribeSubnets", on="*")),
    Break(JOIN, "in a VPC, else no EC2 action", edited(aws.FUNCTION, HEALTH, {"vpcConfig": {"subnetIds": ["a"], "securityGroupIds": ["b"]}})),
    Break(JOIN, "must deny the same to its own code", more(denied(Effect="Allow"))),
    Break(JOIN, "must deny the same to its own code", more(denied(Action=["ec2:CreateNetworkInterface"]))),
    Break(JOIN, "must deny the same to its own code", more(denied(Condition=None))),
    Break(JOIN, "must deny the same to its own code", more(denied(Condition={"ArnEquals": {"lambda:SourceFunctionArn": "*"}}))),
    Break(JOIN, "subnetIds has 17 entries", function(vpcConfig__subnetIds=["s"] * 17)),
    Break(JOIN, "subnetIds has 0 entries", function(vpcConfig__subnetIds=[])),
    Break(JOIN, "securityGroupIds has 6 entries", function(vpcConfig__securityGroupIds=["s"] * 6)),
    Break(JOIN, "securityGroupIds has 0 entries", function(vpcConfig__securityGroupIds=None)),
    *(
        Break(MOUNT, "for its one access point", mounting(Action=sorted(FILES - {action})))
        for action in sorted(FILES)
    ),
    Break(MOUNT, "for its one access point", mounting(Condition=None)),
    Break(MOUNT, "for its one access point", mounting(Condition={"StringEquals": {"elasticfilesystem:AccessPointArn": f"{ACCESS_POINT}1"}})),
    Break(MOUNT, "for its one access point", mounting(Resource=[ACCESS_POINT])),
    Break(MOUNT, "for its one access point", more(allowed(POLICY, "elasticfilesystem:ClientRootAccess", on="*", Condition=REACHED))),
    Break(MOUNT, "else no such action", more(allowed("get-item-policy", *sorted(FILES), on="*", Condition=REACHED))),
    Break(MOUNT, "must be an EFS access point", function(fileSystemConfig__arn="fs-1")),
    Break(MOUNT, "of the function's region", function(fileSystemConfig__arn=ACCESS_POINT.replace("us-west-2", "eu-west-1"))),
    Break(MOUNT, "must be /mnt/<name>", function(fileSystemConfig__localMountPath="/shared")),
    Break(MOUNT, "160 characters at most", function(fileSystemConfig__localMountPath=f"/mnt/{'x' * 156}")),
    Break(MOUNT, "reached through a VPC", function(vpcConfig=None)),
)
# fmt: on
