"""CloudWatch Logs: log groups."""

from __future__ import annotations

from sandbox.resources import Outputs, Resource, RestartNeeded, resource
from sandbox.services.shared import REGION, dropped, physical_name, remove, tags


@resource("aws:cloudwatch/logGroup:LogGroup", ignored=REGION)
def log_group(r: Resource) -> Outputs:
    name = physical_name(r, limit=512)
    wanted = tags(r)
    if r.inputs.get("deletionProtectionEnabled"):
        r.note("its deletion protection is recorded, not enforced")
    r.api(
        "logs",
        "create_log_group",
        "kmsKeyId",
        "logGroupClass",
        "deletionProtectionEnabled",
        logGroupName=name,
        tags=wanted or None,
    )
    _retention(r, name)
    return _outputs(r, name, wanted)


@log_group.updates
def update_log_group(r: Resource) -> Outputs:
    if moved := r.changed & {"name", "namePrefix", "logGroupClass"}:
        raise RestartNeeded(f"{min(moved)} of a log group cannot change and keep its records")
    name = physical_name(r, limit=512)
    r.take("logGroupClass")
    r.take("deletionProtectionEnabled")
    key = r.take("kmsKeyId")
    if "kmsKeyId" in r.changed:
        operation = "associate_kms_key" if key else "disassociate_kms_key"
        r.call("logs", operation, logGroupName=name, kmsKeyId=key)
    _retention(r, name)
    wanted = tags(r)
    arn = _arn(r, name)
    if extra := dropped(r, wanted):
        r.call("logs", "untag_resource", resourceArn=arn, tagKeys=extra)
    if wanted:
        r.call("logs", "tag_resource", resourceArn=arn, tags=wanted)
    return _outputs(r, name, wanted)


@log_group.deletes
def delete_log_group(r: Resource) -> None:
    old = r.old or {}
    if not old.get("skipDestroy"):
        remove(r, "logs", "delete_log_group", logGroupName=old["name"])


def _retention(r: Resource, name: str) -> None:
    days = r.take("retentionInDays")
    if days:
        r.call("logs", "put_retention_policy", logGroupName=name, retentionInDays=days)
    elif r.old:
        r.call("logs", "delete_retention_policy", logGroupName=name)


def _arn(r: Resource, name: str) -> str:
    return f"arn:aws:logs:{r.aws.region}:{r.aws.account}:log-group:{name}"


def _outputs(r: Resource, name: str, wanted: dict[str, str]) -> Outputs:
    """The ARN is without the `:*` that the API appends, as the provider gives it."""
    skip = bool(r.take("skipDestroy"))
    return {"id": name, "name": name, "arn": _arn(r, name), "skipDestroy": skip, "tagsAll": wanted}
