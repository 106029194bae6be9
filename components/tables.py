"""Where rows rest: DynamoDB tables, as owners of the grants to them."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.grants import Grant, Statement, variable_name
from components.keys import DataKey
from settings import DataSettings


class Table(pulumi.ComponentResource):
    """A DynamoDB table: on demand, encrypted with the stack's key, point-in-time recovery as settings say.

    `key` and `sort` are string attributes. `indexes` maps an index name to its (hash, range) attributes; every index
    projects all attributes. With `stream`, changes carry the new and the old image. `ttl` is the attribute (epoch
    seconds) after which DynamoDB deletes a row, within days. `operations` are those that somebody was granted so far.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: DataSettings,
        encryption: DataKey,
        key: str,
        sort: str | None = None,
        indexes: Mapping[str, tuple[str, str]] | None = None,
        stream: bool = False,
        ttl: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Table", name, None, opts)
        self.component = name
        self._variable = variable_name(name, "TABLE")
        self.operations: set[str] = set()
        self.has_stream = stream
        self.indexes = tuple(indexes or ())
        self._encryption = encryption
        self.table = aws.dynamodb.Table(
            f"{name}-table",
            _table_args(settings, encryption, key, sort, indexes or {}, stream=stream, ttl=ttl),
            pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
        self.name = self.table.name
        self.arn = self.table.arn
        self.register_outputs({"name": self.name, "arn": self.arn})

    def get(self) -> Grant:
        """Read single items by key."""
        return self._grant("GetItem")

    def put(self) -> Grant:
        """Write whole items."""
        return self._grant("PutItem")

    def update(self) -> Grant:
        """Change items in place."""
        return self._grant("UpdateItem")

    def delete(self) -> Grant:
        """Remove items by key."""
        return self._grant("DeleteItem")

    def query(self, index: str | None = None) -> Grant:
        """Read many items of one key, from the table or from one of its indexes."""
        return self._grant("Query", f"/index/{index}" if index else "")

    def scan(self) -> Grant:
        """Read every item: for jobs that nobody waits for."""
        return self._grant("Scan")

    def consume(self) -> Grant:
        """Read the stream, as an event source mapping does with its function's role."""
        return Grant(
            [
                Statement(
                    ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
                    [self.table.stream_arn],
                ),
                # ListStreams knows no resource: AWS offers nothing narrower than "*".
                Statement(["dynamodb:ListStreams"], ["*"]),
                self._encryption.use("dynamodb", "Decrypt"),
            ]
        )

    def _grant(self, verb: str, path: str = "") -> Grant:
        self.operations.add(verb)
        return Grant(
            [
                Statement([f"dynamodb:{verb}"], [pulumi.Output.concat(self.arn, path)]),
                self._encryption.use("dynamodb", "Decrypt"),
            ],
            {self._variable: self.name},
        )


def _table_args(
    settings: DataSettings,
    encryption: DataKey,
    key: str,
    sort: str | None,
    indexes: Mapping[str, tuple[str, str]],
    *,
    stream: bool,
    ttl: str | None,
) -> aws.dynamodb.TableArgs:
    # Only attributes that are keys may be listed: any other makes every later plan differ.
    keys = {key, *([sort] if sort else []), *(a for pair in indexes.values() for a in pair)}
    attributes: list[str] = sorted(keys)
    return aws.dynamodb.TableArgs(
        billing_mode="PAY_PER_REQUEST",
        hash_key=key,
        range_key=sort,
        attributes=[aws.dynamodb.TableAttributeArgs(name=a, type="S") for a in attributes],
        global_secondary_indexes=[_index(*named) for named in indexes.items()] or None,
        stream_enabled=stream,
        stream_view_type="NEW_AND_OLD_IMAGES" if stream else None,
        ttl=aws.dynamodb.TableTtlArgs(enabled=True, attribute_name=ttl) if ttl else None,
        server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(
            enabled=True, kms_key_arn=encryption.arn
        ),
        point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(
            enabled=settings.point_in_time_recovery,
            recovery_period_in_days=settings.point_in_time_recovery_days
            if settings.point_in_time_recovery
            else None,
        ),
        deletion_protection_enabled=settings.protect,
    )


def _index(name: str, keys: tuple[str, str]) -> aws.dynamodb.TableGlobalSecondaryIndexArgs:
    part = aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs
    hash_key, range_key = keys
    return aws.dynamodb.TableGlobalSecondaryIndexArgs(
        name=name,
        projection_type="ALL",
        key_schemas=[
            part(attribute_name=hash_key, key_type="HASH"),
            part(attribute_name=range_key, key_type="RANGE"),
        ],
    )
