"""The connections table: a row per open WebSocket and topic, written under its own key, so that
there is one however often it is put.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from common import aws, ids, logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from common.deadline import Deadline

CONNECTED = "connected"  # the topic of the row that says who is connected; nothing is pushed to it
ITEMS = "items"
NOTIFICATIONS = "notifications"
TOPICS = (ITEMS, NOTIFICATIONS)  # what can be subscribed to

_INDEX = "by-topic"

# A WebSocket ends after 2 hours at the latest (API Gateway's quotas). Its rows outlive it by some
# minutes, in case nobody hears of the end.
_LIFETIME = 7_800  # seconds
_PAGE = 500  # rows read by one call of a scan


def put(connection: str, topic: str, *, subject: str, since: float) -> None:
    """Write the row of a connection and a topic. `subject` is whose connection it is, `since` when
    it was opened, in seconds since 1970.
    """
    aws.client("dynamodb").put_item(
        TableName=_table(),
        Item={
            **_key(connection, topic),
            "subject": {"S": subject},
            "connectedAt": {"S": ids.instant(since)},
            "expiresAt": {"N": str(int(since) + _LIFETIME)},
        },
    )


def delete(connection: str, topic: str) -> None:
    """Delete the row of a connection and a topic, whether or not there is one."""
    aws.client("dynamodb").delete_item(TableName=_table(), Key=_key(connection, topic))


def forget(gone: Sequence[str], topic: str, deadline: Deadline) -> None:
    """Delete the subscriptions of connections that are no more. What is not deleted is found gone
    again, or expires.
    """
    for connection in gone:
        if deadline.is_near():
            return
        try:
            delete(connection, topic)
        except Exception as error:
            logs.warning("subscription not deleted", code=aws.error_code(error))


def topics_of(connection: str) -> list[str]:
    """The topics of all rows of a connection, CONNECTED among them."""
    # Consistent: a row that was written a moment ago must not stay behind.
    return _column("topic", where="connectionId", equals=connection, ConsistentRead=True)


def subscribers(topic: str) -> list[str]:
    """The ids of all connections that subscribed to a topic."""
    return _column("connectionId", where="topic", equals=topic, IndexName=_INDEX)


def opened_before(moment: float) -> Iterator[tuple[str, str]]:
    """The keys (connection, topic) of all rows of connections that were opened before a moment
    (seconds since 1970): the table is read whole, a page at a time.
    """
    scan: dict[str, Any] = {
        "TableName": _table(),
        "FilterExpression": "#connectedAt < :before",
        "ProjectionExpression": "#connectionId, #topic",
        "ExpressionAttributeNames": {
            f"#{name}": name for name in ("connectedAt", "connectionId", "topic")
        },
        "ExpressionAttributeValues": {":before": {"S": ids.instant(moment)}},
        "Limit": _PAGE,
    }
    while True:
        page = aws.client("dynamodb").scan(**scan)
        for row in page["Items"]:
            yield row["connectionId"]["S"], row["topic"]["S"]
        if not page.get("LastEvaluatedKey"):
            return
        scan["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _column(column: str, *, where: str, equals: str, **options: Any) -> list[str]:
    """One column of all rows that a query finds, page by page."""
    query: dict[str, Any] = {
        "TableName": _table(),
        "KeyConditionExpression": "#where = :equals",
        "ProjectionExpression": "#column",
        "ExpressionAttributeNames": {"#where": where, "#column": column},
        "ExpressionAttributeValues": {":equals": {"S": equals}},
        **options,
    }
    found: list[str] = []
    while True:
        page = aws.client("dynamodb").query(**query)
        found += [row[column]["S"] for row in page["Items"]]
        if not page.get("LastEvaluatedKey"):
            return found
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _key(connection: str, topic: str) -> dict[str, Any]:
    return {"connectionId": {"S": connection}, "topic": {"S": topic}}


def _table() -> str:
    return os.environ["CONNECTIONS_TABLE"]
