"""Conditional writes of DynamoDB that met another row."""

from __future__ import annotations

from typing import Any

from common import aws


def failed(error: BaseException) -> bool:
    """Whether the write was refused because its condition does not hold."""
    return aws.error_code(error) == "ConditionalCheckFailedException"


def row_of(error: BaseException) -> dict[str, dict[str, Any]]:
    """The row in the way, of a call with ReturnValuesOnConditionCheckFailure; {} where there is
    none. Raises the error when it is any other.
    """
    if not failed(error):
        raise error
    response: dict[str, Any] = getattr(error, "response", {})
    return response.get("Item") or {}
