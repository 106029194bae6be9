"""DynamoDB: tables."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Block, Outputs, Resource, RestartNeeded, resource
from sandbox.services.shared import REGION, dropped, pairs, physical_name, remove, tags

_NEVER_CHANGE: Final = {"name", "hashKey", "rangeKey", "localSecondaryIndexes"}


@resource("aws:dynamodb/table:Table", ignored=REGION)
def table(r: Resource) -> Outputs:
    name = physical_name(r, limit=255)
    wanted = tags(r)
    key = r.take("hashKey"), r.take("rangeKey")
    settings = {k: v for group in _settings(r).values() for k, v in group.items()}
    answer = r.call(
        "dynamodb",
        "create_table",
        TableName=name,
        AttributeDefinitions=_attributes(r),
        KeySchema=_keys(*key),
        GlobalSecondaryIndexes=[
            _global_index(index) for index in r.blocks("globalSecondaryIndexes")
        ]
        or None,
        LocalSecondaryIndexes=[
            _local_index(index, key[0]) for index in r.blocks("localSecondaryIndexes")
        ]
        or None,
        Tags=pairs(wanted),
        **settings,
    )
    _time_to_live(r, name)
    _recovery(r, name)
    return _outputs(answer["TableDescription"], wanted)


@table.updates
def update_table(r: Resource) -> Outputs:
    if moved := r.changed & _NEVER_CHANGE:
        raise RestartNeeded(f"{min(moved)} of a table cannot change and keep its items")
    name = physical_name(r, limit=255)
    for key in _NEVER_CHANGE:
        r.take(key)
    before = r.call("dynamodb", "describe_table", TableName=name)["Table"]
    settings = _settings(r)
    for inputs, group in settings.items():
        if r.changed & set(inputs.split()):
            r.call("dynamodb", "update_table", TableName=name, **_or_default(inputs, group))
    attributes = _attributes(r)
    wanted_indexes = [_global_index(index) for index in r.blocks("globalSecondaryIndexes")]
    for change in _index_changes(before.get("GlobalSecondaryIndexes", []), wanted_indexes):
        # The API takes one change of an index at a time.
        r.call(
            "dynamodb",
            "update_table",
            TableName=name,
            AttributeDefinitions=attributes,
            GlobalSecondaryIndexUpdates=[change],
        )
    _time_to_live(r, name)
    _recovery(r, name)
    wanted = tags(r)
    if extra := dropped(r, wanted):
        r.call("dynamodb", "untag_resource", ResourceArn=before["TableArn"], TagKeys=extra)
    if wanted:
        r.call("dynamodb", "tag_resource", ResourceArn=before["TableArn"], Tags=pairs(wanted))
    after = r.call("dynamodb", "describe_table", TableName=name)["Table"]
    return _outputs(after, wanted)


@table.deletes
def delete_table(r: Resource) -> None:
    remove(r, "dynamodb", "delete_table", TableName=(r.old or {})["name"])


def _outputs(description: dict[str, Any], wanted: dict[str, str]) -> Outputs:
    streams = (description.get("StreamSpecification") or {}).get("StreamEnabled")
    return {
        "id": description["TableName"],
        "name": description["TableName"],
        "arn": description["TableArn"],
        "streamArn": description.get("LatestStreamArn", "") if streams else "",
        "streamLabel": description.get("LatestStreamLabel", "") if streams else "",
        "tagsAll": wanted,
    }


def _attributes(r: Resource) -> list[dict[str, str]]:
    blocks = r.blocks("attributes")
    return [{"AttributeName": b.take("name"), "AttributeType": b.take("type")} for b in blocks]


def _keys(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    named = [(hash_key, "HASH"), (range_key, "RANGE")]
    return [{"AttributeName": name, "KeyType": kind} for name, kind in named if name]


def _settings(r: Resource) -> dict[str, dict[str, Any]]:
    """API parameters that can change in place, by the inputs (space separated) they come from."""
    mode = r.take("billingMode", "PROVISIONED")
    capacity = _capacity(r) if mode == "PROVISIONED" else {}
    view = r.take("streamViewType")
    stream = {"StreamEnabled": True, "StreamViewType": view} if r.take("streamEnabled") else None
    return {
        "billingMode readCapacity writeCapacity": {"BillingMode": mode, **capacity},
        "streamEnabled streamViewType": {"StreamSpecification": stream},
        "serverSideEncryption": {"SSESpecification": _encryption(r.block("serverSideEncryption"))},
        "deletionProtectionEnabled": {
            "DeletionProtectionEnabled": r.take("deletionProtectionEnabled")
        },
        "tableClass": {"TableClass": r.take("tableClass")},
        "onDemandThroughput": {"OnDemandThroughput": _requests(r.block("onDemandThroughput"))},
    }


def _or_default(inputs: str, group: dict[str, Any]) -> dict[str, Any]:
    """The group, or what AWS falls back to where its input was taken away."""
    defaults: dict[str, dict[str, Any]] = {
        "streamEnabled streamViewType": {"StreamSpecification": {"StreamEnabled": False}},
        "serverSideEncryption": {"SSESpecification": {"Enabled": False}},
        "deletionProtectionEnabled": {"DeletionProtectionEnabled": False},
        "tableClass": {"TableClass": "STANDARD"},
        "onDemandThroughput": {
            "OnDemandThroughput": {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}
        },
    }
    return group if any(v is not None for v in group.values()) else defaults[inputs]


def _capacity(b: Block) -> dict[str, Any]:
    units = {
        "ReadCapacityUnits": b.take("readCapacity"),
        "WriteCapacityUnits": b.take("writeCapacity"),
    }
    return {"ProvisionedThroughput": units} if any(units.values()) else {}


def _requests(b: Block) -> dict[str, Any] | None:
    units = {
        "MaxReadRequestUnits": b.take("maxReadRequestUnits"),
        "MaxWriteRequestUnits": b.take("maxWriteRequestUnits"),
    }
    return {k: v for k, v in units.items() if v is not None} or None


def _encryption(b: Block) -> dict[str, Any] | None:
    if not b.take("enabled"):
        b.take("kmsKeyArn")
        return None
    key = b.take("kmsKeyArn")
    return {"Enabled": True, "SSEType": "KMS"} | ({"KMSMasterKeyId": key} if key else {})


def _projection(b: Block) -> dict[str, Any]:
    names = b.take("nonKeyAttributes")
    return {"ProjectionType": b.take("projectionType")} | (
        {"NonKeyAttributes": names} if names else {}
    )


def _global_index(b: Block) -> dict[str, Any]:
    given = b.blocks("keySchemas")
    keys = [{"AttributeName": k.take("attributeName"), "KeyType": k.take("keyType")} for k in given]
    if not keys:
        keys = _keys(b.take("hashKey"), b.take("rangeKey"))
    limits = _requests(b.block("onDemandThroughput"))
    return {
        "IndexName": b.take("name"),
        "KeySchema": keys,
        "Projection": _projection(b),
        **_capacity(b),
        **({"OnDemandThroughput": limits} if limits else {}),
    }


def _local_index(b: Block, hash_key: str) -> dict[str, Any]:
    return {
        "IndexName": b.take("name"),
        "KeySchema": _keys(hash_key, b.take("rangeKey")),
        "Projection": _projection(b),
    }


def _index_changes(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Deletions first: an index whose keys or projection change is made anew under its name."""
    shape = ("KeySchema", "Projection")
    old = {index["IndexName"]: [index.get(part) for part in shape] for index in before}
    new = {index["IndexName"]: [index.get(part) for part in shape] for index in after}
    gone = [name for name in old if old[name] != new.get(name)]
    made = [index for index in after if old.get(index["IndexName"]) != new[index["IndexName"]]]
    return [{"Delete": {"IndexName": name}} for name in gone] + [
        {"Create": index} for index in made
    ]


def _time_to_live(r: Resource, name: str) -> None:
    b = r.block("ttl")
    attribute, enabled = b.take("attributeName"), bool(b.take("enabled"))
    if r.old is None and not enabled:
        return
    now = r.call("dynamodb", "describe_time_to_live", TableName=name)["TimeToLiveDescription"]
    is_on = now.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    if enabled == is_on and (not enabled or now.get("AttributeName") == attribute):
        return
    wanted = {"Enabled": enabled, "AttributeName": attribute or now.get("AttributeName", "")}
    r.call("dynamodb", "update_time_to_live", TableName=name, TimeToLiveSpecification=wanted)


def _recovery(r: Resource, name: str) -> None:
    b = r.block("pointInTimeRecovery")
    enabled, days = bool(b.take("enabled")), b.take("recoveryPeriodInDays")
    if not enabled and r.old is None:
        return
    if enabled:
        r.note("point-in-time recovery is recorded; nothing is backed up")
    wanted = {"PointInTimeRecoveryEnabled": enabled}
    if enabled and days:
        wanted["RecoveryPeriodInDays"] = days
    r.call(
        "dynamodb",
        "update_continuous_backups",
        TableName=name,
        PointInTimeRecoverySpecification=wanted,
    )
