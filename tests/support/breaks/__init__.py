"""One broken program per thing that a rule finds, by subject."""

from __future__ import annotations

from tests.support.breaking import Break
from tests.support.breaks import (
    api,
    concurrency,
    destinations,
    dialect,
    encryption,
    functions,
    names,
    network,
    observability,
    order,
    packaging,
    permissions,
    queues,
    repositories,
    roles,
    storage,
    urls,
)

EVERY: tuple[Break, ...] = (
    *permissions.BREAKS,
    *roles.BREAKS,
    *destinations.BREAKS,
    *network.BREAKS,
    *encryption.BREAKS,
    *order.BREAKS,
    *functions.BREAKS,
    *packaging.BREAKS,
    *concurrency.BREAKS,
    *urls.BREAKS,
    *repositories.BREAKS,
    *queues.BREAKS,
    *api.BREAKS,
    *dialect.BREAKS,
    *storage.BREAKS,
    *observability.BREAKS,
    *names.BREAKS,
)
