"""DynamoDB tables: created, changed under their items, removed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.resources import RestartNeeded
from tests.sandbox.services_support import ACCOUNT, REGION, make


def items(name: str, **inputs: Any) -> Any:
    return make(
        "dynamodb/table:Table",
        name,
        attributes=[{"name": "id", "type": "S"}, {"name": "collection", "type": "S"}],
        billingMode="PAY_PER_REQUEST",
        hashKey="id",
        globalSecondaryIndexes=[
            {
                "name": "by-collection",
                "keySchemas": [
                    {"attributeName": "collection", "keyType": "HASH"},
                    {"attributeName": "id", "keyType": "RANGE"},
                ],
                "projectionType": "ALL",
            }
        ],
        **inputs,
    )


def test_table_is_created_as_declared(aws: Any) -> None:
    table = items(
        "items",
        streamEnabled=True,
        streamViewType="NEW_AND_OLD_IMAGES",
        serverSideEncryption={
            "enabled": True,
            "kmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
        },
        pointInTimeRecovery={"enabled": True, "recoveryPeriodInDays": 35},
        ttl={"attributeName": "expires", "enabled": True},
        tags={"stack": "dev"},
        region=REGION,
    )
    there = aws("dynamodb").describe_table(TableName=table["name"])["Table"]
    assert table["name"].startswith("items-")
    assert (
        table["arn"]
        == there["TableArn"]
        == f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table['name']}"
    )
    assert table["streamArn"] == there["LatestStreamArn"]
    assert table["streamLabel"] == there["LatestStreamLabel"]
    assert [key["AttributeName"] for key in there["GlobalSecondaryIndexes"][0]["KeySchema"]] == [
        "collection",
        "id",
    ]
    assert there["SSEDescription"]["KMSMasterKeyArn"].endswith("key/k")
    ttl = aws("dynamodb").describe_time_to_live(TableName=table["name"])
    assert ttl["TimeToLiveDescription"]["AttributeName"] == "expires"
    assert table["tagsAll"] == {"stack": "dev"}
    assert table.notes == ["point-in-time recovery is recorded; nothing is backed up"]
    table.delete()
    table.delete()


def test_table_keeps_its_items_while_it_changes(aws: Any) -> None:
    table = items("changing", tags={"old": "1"}, deletionProtectionEnabled=True)
    name = table["name"]
    aws("dynamodb").put_item(TableName=name, Item={"id": {"S": "1"}, "owner": {"S": "o"}})
    table.update(
        streamEnabled=True,
        streamViewType="KEYS_ONLY",
        attributes=[{"name": "id", "type": "S"}, {"name": "owner", "type": "S"}],
        globalSecondaryIndexes=[
            {"name": "by-owner", "hashKey": "owner", "projectionType": "KEYS_ONLY"}
        ],
        ttl={"attributeName": "gone", "enabled": True},
        tags={"new": "2"},
    )
    there = aws("dynamodb").describe_table(TableName=name)["Table"]
    assert [index["IndexName"] for index in there["GlobalSecondaryIndexes"]] == ["by-owner"]
    assert table["streamArn"] == there["LatestStreamArn"]
    found = aws("dynamodb").query(
        TableName=name,
        IndexName="by-owner",
        KeyConditionExpression="#o = :o",
        ExpressionAttributeNames={"#o": "owner"},
        ExpressionAttributeValues={":o": {"S": "o"}},
    )
    assert found["Count"] == 1
    tags = aws("dynamodb").list_tags_of_resource(ResourceArn=table["arn"])["Tags"]
    assert tags == [{"Key": "new", "Value": "2"}]
    with pytest.raises(ClientError, match="deletion protection"):
        table.delete()
    table.update(deletionProtectionEnabled=None, streamEnabled=None, streamViewType=None)
    assert table["streamArn"] == ""
    table.delete()
    assert name not in aws("dynamodb").list_tables()["TableNames"]


def test_table_with_another_key_needs_a_restart() -> None:
    table = items("moved")
    with pytest.raises(RestartNeeded, match="hashKey of a table cannot change and keep its items"):
        table.update(hashKey="collection")
    table.delete()


def test_provisioned_table_changes_its_capacity(aws: Any) -> None:
    table = make(
        "dynamodb/table:Table",
        "provisioned",
        attributes=[{"name": "a", "type": "S"}, {"name": "b", "type": "N"}],
        hashKey="a",
        rangeKey="b",
        readCapacity=1,
        writeCapacity=2,
        localSecondaryIndexes=[{"name": "local", "rangeKey": "b", "projectionType": "ALL"}],
    )
    table.update(readCapacity=3)
    there = aws("dynamodb").describe_table(TableName=table["name"])["Table"]
    assert there["ProvisionedThroughput"]["ReadCapacityUnits"] == 3
    assert [key["KeyType"] for key in there["KeySchema"]] == ["HASH", "RANGE"]
    table.delete()
