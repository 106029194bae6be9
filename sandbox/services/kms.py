"""KMS: keys and aliases."""

from __future__ import annotations

from typing import Final

from sandbox.resources import Outputs, Resource, RestartNeeded, resource
from sandbox.services.shared import (
    REGION,
    dropped,
    pairs,
    physical_name,
    remove,
    tags,
)

_NEVER_CHANGE: Final = {
    "keyUsage",
    "customerMasterKeySpec",
    "multiRegion",
    "customKeyStoreId",
    "xksKeyId",
}


@resource("aws:kms/key:Key", ignored=REGION)
def key(r: Resource) -> Outputs:
    wanted = tags(r)
    policy = r.take("policy")
    made = r.api(
        "kms",
        "create_key",
        "description",
        "keyUsage",
        "customerMasterKeySpec",
        "multiRegion",
        "customKeyStoreId",
        "xksKeyId",
        "bypassPolicyLockoutSafetyCheck",
        rename={"customerMasterKeySpec": "KeySpec"},
        Policy=policy,
        Tags=pairs(wanted, "TagKey", "TagValue"),
    )["KeyMetadata"]
    outputs = {
        "id": made["KeyId"],
        "keyId": made["KeyId"],
        "arn": made["Arn"],
        "policy": policy,
        "deletionWindowInDays": r.take("deletionWindowInDays", 30),
        "tagsAll": wanted,
    }
    _switches(r, made["KeyId"], fresh=True)
    return outputs


@key.updates
def update_key(r: Resource) -> Outputs:
    if moved := r.changed & _NEVER_CHANGE:
        raise RestartNeeded(f"{min(moved)} of a key cannot change: what it encrypted would be lost")
    old = dict(r.old or {})
    for name in (*_NEVER_CHANGE, "bypassPolicyLockoutSafetyCheck"):
        r.take(name)
    key_id, policy = old["keyId"], r.take("policy")
    r.call("kms", "update_key_description", KeyId=key_id, Description=r.take("description", ""))
    if policy:
        r.call(
            "kms",
            "put_key_policy",
            KeyId=key_id,
            PolicyName="default",
            Policy=policy,
        )
    _switches(r, key_id, fresh=False)
    wanted = tags(r)
    if extra := dropped(r, wanted):
        r.call("kms", "untag_resource", KeyId=key_id, TagKeys=extra)
    if wanted:
        r.call("kms", "tag_resource", KeyId=key_id, Tags=pairs(wanted, "TagKey", "TagValue"))
    window = r.take("deletionWindowInDays", 30)
    return {
        **old,
        "policy": policy or old.get("policy"),
        "deletionWindowInDays": window,
        "tagsAll": wanted,
    }


@key.deletes
def delete_key(r: Resource) -> None:
    old = r.old or {}
    window = old.get("deletionWindowInDays") or 30
    remove(r, "kms", "schedule_key_deletion", KeyId=old["keyId"], PendingWindowInDays=window)


def _switches(r: Resource, key_id: str, *, fresh: bool) -> None:
    """Rotation and the enabled state, which have calls of their own; a fresh key is enabled and unrotated."""
    period = r.take("rotationPeriodInDays")
    if r.take("enableKeyRotation"):
        r.call("kms", "enable_key_rotation", KeyId=key_id, RotationPeriodInDays=period)
    elif not fresh:
        r.call("kms", "disable_key_rotation", KeyId=key_id)
    if r.take("isEnabled") is False:
        r.call("kms", "disable_key", KeyId=key_id)
    elif not fresh:
        r.call("kms", "enable_key", KeyId=key_id)


@resource("aws:kms/alias:Alias", ignored=REGION)
def alias(r: Resource) -> Outputs:
    name = physical_name(r, limit=256)
    if not name.startswith("alias/"):
        name = f"alias/{name}"
    target = r.take("targetKeyId")
    r.call("kms", "create_alias", AliasName=name, TargetKeyId=target)
    return _alias_outputs(r, name, target)


@alias.updates
def update_alias(r: Resource) -> Outputs:
    if r.changed & {"name", "namePrefix"}:
        delete_alias(r)
        return alias.create(r)
    physical_name(r, limit=256)
    name, target = (r.old or {})["name"], r.take("targetKeyId")
    r.call("kms", "update_alias", AliasName=name, TargetKeyId=target)
    return _alias_outputs(r, name, target)


@alias.deletes
def delete_alias(r: Resource) -> None:
    remove(r, "kms", "delete_alias", AliasName=(r.old or {})["name"])


def _alias_outputs(r: Resource, name: str, target: str) -> Outputs:
    key_id = target.rpartition("/")[2]
    base = f"arn:aws:kms:{r.aws.region}:{r.aws.account}"
    return {
        "id": name,
        "name": name,
        "arn": f"{base}:{name}",
        "targetKeyArn": f"{base}:key/{key_id}",
    }
