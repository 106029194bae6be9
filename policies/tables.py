"""Tables and secrets."""

from __future__ import annotations

from collections.abc import Iterator

from policies import aws
from policies.model import Registered, Stack, rule

CONNECTION = "connectionId"
"""The key by which rows belong to a WebSocket connection."""


@rule
def table_is_on_demand_and_encrypted(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Paid by the request, encrypted with the data key."""
    for table in stack.all(aws.TABLE):
        if table.get("billingMode") != "PAY_PER_REQUEST":
            yield table, "billingMode must be PAY_PER_REQUEST"
        encrypted = table.get("serverSideEncryption.enabled") is True
        if (
            not encrypted
            or stack.at(str(table.get("serverSideEncryption.kmsKeyArn")), aws.KEY) is None
        ):
            yield table, "serverSideEncryption must name the data key"


@rule
def table_lists_its_keys_only(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AWS refuses an attribute that is no key of the table or of an index; a missing one too."""
    for table in stack.all(aws.TABLE):
        keys = {table.get("hashKey"), table.get("rangeKey")}
        indexes = [
            *(table.get("globalSecondaryIndexes") or []),
            *(table.get("localSecondaryIndexes") or []),
        ]
        for index in indexes:
            if "hashKey" in index:
                yield table, f"index {index.get('name')}: hashKey is deprecated; use keySchemas"
            keys |= {k.get("attributeName") for k in index.get("keySchemas") or []}
            keys |= {index.get("hashKey"), index.get("rangeKey")}
        listed = {a.get("name") for a in table.get("attributes") or []}
        if listed != keys - {None}:
            yield table, f"attributes must be exactly its keys: {', '.join(sorted(keys - {None}))}"


@rule
def table_can_be_restored(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Point-in-time recovery where breaking is rehearsed or real; deletion protection as Pulumi protects."""
    for table in stack.all(aws.TABLE):
        if stack.rehearsal and table.get("pointInTimeRecovery.enabled") is not True:
            yield table, "needs point-in-time recovery in staging and production"
        if bool(table.get("deletionProtectionEnabled")) != table.protect:
            yield (
                table,
                "deletionProtectionEnabled and protect must agree, or a destroy stops half-way",
            )
        if table.get("streamEnabled") and table.get("streamViewType") != "NEW_AND_OLD_IMAGES":
            yield table, "its stream must carry NEW_AND_OLD_IMAGES: what was, and what is"


@rule
def table_forgets_connections(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A connection lives two hours; whoever vanishes without a word would stay in the table for ever."""
    for table in stack.all(aws.TABLE):
        if table.get("hashKey") == CONNECTION and not (
            table.get("ttl.enabled") is True and table.get("ttl.attributeName")
        ):
            yield table, f"its key is {CONNECTION}; set ttl, so that rows of the gone end"


@rule
def secret_is_encrypted_and_recoverable(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """With the data key; in production it can be brought back for 30 days."""
    for secret in stack.all(aws.SECRET):
        if stack.at(str(secret.get("kmsKeyId")), aws.KEY) is None:
            yield secret, "kmsKeyId must name the data key"
        days = secret.get("recoveryWindowInDays")
        if not isinstance(days, int) or not (days == 0 or 7 <= days <= 30):
            yield secret, f"recoveryWindowInDays is {days}; say 0, or 7 to 30"
        elif stack.production and days < 30:
            yield secret, "recoveryWindowInDays must be 30 in production"


RULES = (
    table_is_on_demand_and_encrypted,
    table_lists_its_keys_only,
    table_can_be_restored,
    table_forgets_connections,
    secret_is_encrypted_and_recoverable,
)
