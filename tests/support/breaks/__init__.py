"""One broken program per thing that a rule finds, by subject."""

from __future__ import annotations

from tests.support.breaking import Break
from tests.support.breaks import (
    api,
    dialect,
    encryption,
    functions,
    names,
    observability,
    order,
    permissions,
    queues,
    roles,
    storage,
)

EVERY: tuple[Break, ...] = (
    *permissions.BREAKS,
    *roles.BREAKS,
    *encryption.BREAKS,
    *order.BREAKS,
    *functions.BREAKS,
    *queues.BREAKS,
    *api.BREAKS,
    *dialect.BREAKS,
    *storage.BREAKS,
    *observability.BREAKS,
    *names.BREAKS,
)
