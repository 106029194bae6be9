"""Who and where: the provider functions about the account itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.resources import Clients, invoke


@invoke("aws:index/getCallerIdentity:getCallerIdentity")
def caller_identity(aws: Clients, _args: Mapping[str, Any]) -> dict[str, Any]:
    # The emulator's administrator, known beforehand: a program asks this first, and must not wait for the start.
    return {
        "id": aws.account,
        "accountId": aws.account,
        "arn": f"arn:aws:iam::{aws.account}:root",
        "userId": aws.account,
    }


@invoke("aws:index/getRegion:getRegion")
def region(aws: Clients, args: Mapping[str, Any]) -> dict[str, Any]:
    name = args.get("region") or args.get("name") or aws.region
    return {
        "id": name,
        "name": name,
        "region": name,
        "description": name,
        "endpoint": f"ec2.{name}.amazonaws.com",
    }


@invoke("aws:index/getPartition:getPartition")
def partition(_aws: Clients, _args: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }
