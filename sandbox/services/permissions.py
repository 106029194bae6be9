"""Whether a function's own policy lets a service start it, judged when something that starts it is made."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Collection, Mapping
from typing import Any

from sandbox.faults import is_missing
from sandbox.resources import Resource


def may_invoke(r: Resource, function_arn: str, services: Collection[str], source: str) -> bool:
    """Whether one of the services may invoke the very ARN (its alias or none) for the source."""
    return any(_lets(statement, services, source) for statement in _statements(r, function_arn))


def _statements(r: Resource, function_arn: str) -> list[dict[str, Any]]:
    from botocore.exceptions import ClientError

    function, qualifier = [*function_arn.split(":")[6:], None][:2]
    try:
        text = r.call("lambda", "get_policy", FunctionName=function, Qualifier=qualifier)["Policy"]
    except ClientError as error:
        if not is_missing(error):
            raise
        return []
    return json.loads(text)["Statement"]


def _lets(statement: Mapping[str, Any], services: Collection[str], source: str) -> bool:
    principal = statement.get("Principal")
    named = principal.get("Service") if isinstance(principal, dict) else principal
    if statement.get("Effect") != "Allow" or (named != "*" and named not in services):
        return False
    wanted = [
        pattern
        for operator, keys in (statement.get("Condition") or {}).items()
        for key, pattern in keys.items()
        if key.lower() == "aws:sourcearn" and operator.startswith(("Arn", "String"))
    ]
    return all(fnmatch.fnmatchcase(source, str(each)) for each in wanted)
