"""Rules over how many calls of a function run at once, and what keeps it warm."""

from collections.abc import Iterator
from typing import Final

from settings.draft import Draft
from settings.function import FunctionSettings
from settings.mistakes import Mistake, Path
from settings.runtimes import FAMILIES, languages, snap_starting
from settings.text import refused

UNRESERVED: Final = 100
"""Executions that AWS keeps for functions without a reservation."""

SNAP_START_STORAGE: Final = 512
"""Megabytes of /tmp that a snapshot may have."""

_PROVISIONED: Final = "provisioned_concurrent_executions"
_RESERVED: Final = "reserved_concurrent_executions"
_SCALING: Final = "provisioned_concurrency_scaling"


def provisioned_fits_reserved(draft: Draft) -> Iterator[Mistake]:
    """Provisioned executions come out of the function's reservation where it has one."""
    for name, function in draft.functions.items():
        reserved = function.reserved_concurrent_executions
        for path, warm in _warm(draft, name, function) if reserved is not None else ():
            if warm > (reserved or 0):
                yield Mistake(
                    path,
                    refused(
                        f"must be at most reserved_concurrent_executions of {name}, {reserved}",
                        warm,
                    ),
                    because=(draft.origin(name, _RESERVED),),
                )


def concurrency_fits_account(draft: Draft) -> Iterator[Mistake]:
    """AWS refuses what would leave fewer than 100 executions for functions without a reservation."""
    taken = sum(_taken(draft, name, function) for name, function in draft.functions.items())
    quota = draft.account_concurrent_executions
    free = max(quota - UNRESERVED, 0)
    if taken > free:
        what = (
            f"reserved and provisioned concurrency must add up to at most {free}: account_concurrent_executions "
            f"{quota} less the {UNRESERVED} that AWS keeps unreserved"
        )
        remedy = "lower them, or set account_concurrent_executions once AWS has raised the quota"
        yield Mistake(
            ("functions",),
            refused(what, taken, remedy),
            because=(("account_concurrent_executions",),),
        )


def _taken(draft: Draft, name: str, function: FunctionSettings) -> int:
    """Return the most executions a function takes from the account's pool."""
    reserved = function.reserved_concurrent_executions
    warm = max((warm for _, warm in _warm(draft, name, function)), default=0)
    return warm if reserved is None else reserved


def _warm(draft: Draft, name: str, function: FunctionSettings) -> Iterator[tuple[Path, int]]:
    """Yield every number of executions that may be kept warm, and the key that says it."""
    if function.provisioned_concurrent_executions is not None:
        yield draft.origin(name, _PROVISIONED), function.provisioned_concurrent_executions
    scaling, path = function.provisioned_concurrency_scaling, draft.origin(name, _SCALING)
    if scaling is None:
        return
    yield (*path, "max_capacity"), scaling.max_capacity
    for action, capacity in scaling.scheduled_actions.items():
        if capacity.max_capacity is not None:
            yield (*path, "scheduled_actions", action, "max_capacity"), capacity.max_capacity


def scaling_starts_within_its_limits(draft: Draft) -> Iterator[Mistake]:
    """Scaling starts from the provisioned executions and keeps between its limits."""
    for name, function in draft.functions.items():
        scaling, start = function.provisioned_concurrency_scaling, draft.origin(name, _PROVISIONED)
        if scaling is None:
            continue
        path, warm = draft.origin(name, _SCALING), function.provisioned_concurrent_executions
        low, high = scaling.min_capacity, scaling.max_capacity
        if high < low:
            what = f"must be at least min_capacity, {low}"
            yield Mistake((*path, "max_capacity"), refused(what, high))
        elif warm is None:
            what = f"must be given, {low} to {high}: the scaling of {name} starts from it"
            yield Mistake(start, what, because=(path,))
        elif not low <= warm <= high:
            what = f"must be {low} to {high}, between the limits of its scaling"
            yield Mistake(start, refused(what, warm), because=(path,))
        if scaling.target_value is None and not scaling.scheduled_actions:
            what = "must be a number where scheduled_actions is empty, or nothing would scale"
            yield Mistake((*path, "target_value"), refused(what, None))


def timetable_says_something(draft: Draft) -> Iterator[Mistake]:
    """A scheduled action sets at least one limit, and its limits are in order."""
    for name, function in draft.functions.items():
        scaling = function.provisioned_concurrency_scaling
        for action, capacity in scaling.scheduled_actions.items() if scaling else ():
            path = (*draft.origin(name, _SCALING), "scheduled_actions", action)
            low, high = capacity.min_capacity, capacity.max_capacity
            if low is None and high is None:
                yield Mistake(path, "must set min_capacity, max_capacity or both")
            elif low is not None and high is not None and high < low:
                what = f"must be at least min_capacity, {low}"
                yield Mistake((*path, "max_capacity"), refused(what, high))


def warming_is_answered(draft: Draft) -> Iterator[Mistake]:
    """A warming call is an event like any other: a handler that does not know it would take it for work."""
    for name, function in draft.functions.items():
        path = draft.origin(name, "warming_schedule")
        if function.warming_schedule is None:
            continue
        if not FAMILIES[draft.families[name]].warms:
            answering = languages(lambda family: family.warms)
            what = f"must be left out for {name}: only handlers in {answering} answer it"
            yield Mistake(path, what)
        elif function.provisioned_concurrent_executions is not None:
            what = f"must be left out beside {_PROVISIONED}, which keeps {name} warm already"
            yield Mistake(path, what, because=(draft.origin(name, _PROVISIONED),))


def snap_start_is_possible(draft: Draft) -> Iterator[Mistake]:
    """Snapshots are for some runtimes, and exclude what a snapshot cannot hold."""
    for name, function in draft.functions.items():
        # An image is told that it has none by another rule.
        if not function.snap_start or function.image_uri is not None:
            continue
        path = draft.origin(name, "snap_start")
        for key, why in _against_snap_start(draft, name, function):
            what = f"must be false for {name}, {why}"
            remedy = draft.way_out(name, "snap_start", "false")
            line = refused(what, given=True, remedy=remedy)
            yield Mistake(path, line, because=(draft.origin(name, key),))


def _against_snap_start(
    draft: Draft, name: str, function: FunctionSettings
) -> Iterator[tuple[str, str]]:
    """Yield each setting that AWS refuses beside a snapshot, and how."""
    if function.runtime not in FAMILIES[draft.families[name]].snap_starts:
        yield "runtime", f"which runs on {function.runtime}: {snap_starting()} have it"
    if function.provisioned_concurrent_executions is not None:
        yield _PROVISIONED, f"which has {_PROVISIONED}"
    if function.file_system_config is not None:
        yield "file_system_config", "which mounts a file system"
    if function.ephemeral_storage_size > SNAP_START_STORAGE:
        size = function.ephemeral_storage_size
        yield "ephemeral_storage_size", f"whose /tmp is above {SNAP_START_STORAGE} MB, {size}"


RULES: Final = (
    provisioned_fits_reserved,
    concurrency_fits_account,
    scaling_starts_within_its_limits,
    timetable_says_something,
    warming_is_answered,
    snap_start_is_possible,
)
