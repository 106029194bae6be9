"""Secrets Manager: secrets and their values."""

from __future__ import annotations

import base64
from typing import Final

from sandbox.resources import AGAIN, Outputs, Resource, RestartNeeded, resource
from sandbox.services.shared import (
    REGION,
    dropped,
    pairs,
    physical_name,
    remove,
    tags,
)

_IGNORED: Final = {
    **REGION,
    "forceOverwriteReplicaSecret": "a sandbox has one region, so nothing is replicated",
    "replicas": "a sandbox has one region, so nothing is replicated",
}


@resource("aws:secretsmanager/secret:Secret", ignored=_IGNORED)
def secret(r: Resource) -> Outputs:
    name = physical_name(r, limit=512)
    wanted = tags(r)
    arn = r.api(
        "secretsmanager",
        "create_secret",
        "description",
        "kmsKeyId",
        "type",
        Name=name,
        Tags=pairs(wanted),
    )["ARN"]
    _policy(r, arn)
    return _outputs(r, arn, name, wanted)


@secret.updates
def update_secret(r: Resource) -> Outputs:
    if r.changed & {"name", "namePrefix"}:
        raise RestartNeeded("a secret cannot change its name and keep its values")
    old = r.old or {}
    arn, name = old["arn"], physical_name(r, limit=512)
    r.api(
        "secretsmanager",
        "update_secret",
        "kmsKeyId",
        "type",
        SecretId=arn,
        Description=r.take("description", ""),
    )
    if "policy" in r.changed and not r.inputs.get("policy"):
        remove(r, "secretsmanager", "delete_resource_policy", SecretId=arn)
    _policy(r, arn)
    wanted = tags(r)
    if extra := dropped(r, wanted):
        r.call("secretsmanager", "untag_resource", SecretId=arn, TagKeys=extra)
    if wanted:
        r.call("secretsmanager", "tag_resource", SecretId=arn, Tags=pairs(wanted))
    return _outputs(r, arn, name, wanted)


@secret.deletes
def delete_secret(r: Resource) -> None:
    """As on AWS, a window above 0 keeps the secret's name taken; 0 removes it at once."""
    old = r.old or {}
    window = old.get("recoveryWindowInDays")
    window = 30 if window is None else window
    how = {"RecoveryWindowInDays": window} if window else {"ForceDeleteWithoutRecovery": True}
    remove(r, "secretsmanager", "delete_secret", SecretId=old["arn"], **how)


def _policy(r: Resource, arn: str) -> None:
    policy = r.take("policy")
    if policy:
        r.call("secretsmanager", "put_resource_policy", SecretId=arn, ResourcePolicy=policy)


def _outputs(r: Resource, arn: str, name: str, wanted: dict[str, str]) -> Outputs:
    window = r.take("recoveryWindowInDays", 30)
    return {"id": arn, "arn": arn, "name": name, "recoveryWindowInDays": window, "tagsAll": wanted}


@resource(
    "aws:secretsmanager/secretVersion:SecretVersion",
    update=AGAIN,
    ignored={
        **REGION,
        "secretStringWoVersion": "it only tells the provider when to write the value again",
    },
)
def secret_version(r: Resource) -> Outputs:
    secret_id = r.take("secretId")
    binary = r.take("secretBinary")
    text = r.take("secretString")
    write_only = r.take("secretStringWo")
    answer = r.call(
        "secretsmanager",
        "put_secret_value",
        SecretId=secret_id,
        SecretString=text if text is not None else write_only,
        SecretBinary=base64.b64decode(binary) if binary else None,
        VersionStages=r.take("versionStages"),
    )
    version = answer["VersionId"]
    return {
        "id": f"{answer['ARN']}|{version}",
        "arn": answer["ARN"],
        "secretArn": answer["ARN"],
        "versionId": version,
        "versionStages": answer["VersionStages"],
        "hasSecretStringWo": write_only is not None,
    }


@secret_version.deletes
def delete_secret_version(r: Resource) -> None:
    """A value goes with its secret: AWS keeps the current one too."""
