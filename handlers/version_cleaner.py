"""Daily: deletes published versions of the program's functions that nothing needs any more.

Each deployment publishes one, and their code counts against the account's storage. Kept are the
newest ones, to go back to, and whatever an alias points to.
"""

from __future__ import annotations

import os
from typing import Any

from common import aws, logs, records, warming
from common.deadline import Deadline

_READ_TIMEOUT = 10  # seconds; Lambda's control plane is slower than the services behind the API
_SLOW_CALL = 35_000  # milliseconds: three attempts at listing or deleting
# Deletions that AWS refuses and that are no failure: something came to use the version since it was
# listed, or somebody else has deleted it.
_LEFT = {"ResourceConflictException": "in use", "ResourceNotFoundException": "gone already"}

aws.prepare("lambda", read_timeout=_READ_TIMEOUT)


@warming.aware
def handler(event: object, context: Any) -> dict[str, int]:
    """How many versions were deleted. Stops 35 seconds before its own deadline: the next day's run
    goes on.

    Raises RuntimeError at the end when a function's versions could not be cleaned up, so that the
    schedule tries again and the alarm hears of it.
    """
    logs.begin(context, event)
    records.of_schedule(event)
    keep, functions = _versions_to_keep(), _function_names()
    deadline = Deadline(context, slow_call=_SLOW_CALL)
    deleted: list[str] = []
    failed: list[str] = []
    for position, function in enumerate(functions):
        if position and deadline.is_near():
            logs.warning("out of time, the next run goes on", left=functions[position:])
            break
        try:
            _clean(function, keep, deadline, deleted)
        except Exception as error:
            failed.append(function)
            logs.error("versions not cleaned up", cause=error, target=function)
    logs.info("versions cleaned up", deleted=len(deleted), failed=len(failed), keep=keep)
    if failed:
        raise RuntimeError(f"versions of {', '.join(failed)} could not be cleaned up")
    return {"deleted": len(deleted)}


def _versions_to_keep() -> int:
    """VERSIONS_TO_KEEP. Raises ValueError below 1: a typing error must not leave nothing to go back
    to.
    """
    keep = int(os.environ["VERSIONS_TO_KEEP"])
    if keep < 1:
        raise ValueError(f"VERSIONS_TO_KEEP must be 1 or more (got {keep})")
    return keep


def _function_names() -> list[str]:
    names = os.environ["FUNCTION_NAMES"].split(",")
    return [name.strip() for name in names if name.strip()]


def _client() -> Any:
    return aws.client("lambda", read_timeout=_READ_TIMEOUT)


def _clean(function: str, keep: int, deadline: Deadline, deleted: list[str]) -> None:
    """Delete what is not needed of one function, while there is time; add it to `deleted`."""
    for version in _unneeded(function, keep):
        if deadline.is_near():
            logs.warning("out of time, the next run goes on", target=function, published=version)
            return
        if _delete(function, version):
            deleted.append(f"{function}:{version}")


def _unneeded(function: str, keep: int) -> list[str]:
    """The versions that are neither among the newest nor under an alias, oldest first."""
    # $LATEST is no number. It is listed with the others, and deleting it would be refused.
    numbers = sorted(
        int(version["Version"])
        for version in _listed("list_versions_by_function", "Versions", function)
        if version["Version"].isdigit()
    )
    # Aliases are read after the versions: one that moves in between moves to a version that is
    # newer than all of these, or is seen to have moved.
    aliased = _aliased(function)
    return [str(number) for number in numbers[:-keep] if str(number) not in aliased]


def _aliased(function: str) -> set[str]:
    """The versions that an alias invokes, all the time or for a share of the requests."""
    versions: set[str] = set()
    for alias in _listed("list_aliases", "Aliases", function):
        versions.add(alias["FunctionVersion"])
        versions.update((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})
    return versions


def _listed(operation: str, member: str, function: str) -> list[dict[str, Any]]:
    pages = _client().get_paginator(operation).paginate(FunctionName=function)
    return [entry for page in pages for entry in page.get(member, ())]


def _delete(function: str, version: str) -> bool:
    """Delete one version; False when it is left. Without the qualifier the call would delete the
    function, which its role does not allow.
    """
    try:
        _client().delete_function(FunctionName=function, Qualifier=version)
    except Exception as error:
        reason = _LEFT.get(aws.error_code(error))
        if reason is None:
            raise
        logs.warning("version left", target=function, published=version, reason=reason)
        return False
    logs.info("version deleted", target=function, published=version)
    return True
