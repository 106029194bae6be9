"""Rules over the resources a program registered: what AWS or a scanner would find only later.

A rule looks at plain data (type, name, properties, what waits for what), so the same rule runs in tests and in the
sandbox. One file per subject; each ends in its `RULES`.
"""

from __future__ import annotations

from collections.abc import Iterable

from policies import (
    alarms,
    api,
    caches,
    concurrency,
    destinations,
    domains,
    encryption,
    event_rights,
    firewalls,
    functions,
    graphql_apis,
    http_apis,
    identity,
    load_balancers,
    names,
    network,
    order,
    packaging,
    permissions,
    queues,
    repositories,
    roles,
    service_integrations,
    sockets,
    stages,
    storage,
    tables,
    urls,
    usage_plans,
    versions,
)
from policies.model import Finding, Registered, Rule, Stack

__all__ = ["ALL", "Finding", "Registered", "Rule", "Stack", "check"]

ALL: tuple[Rule, ...] = (
    *permissions.RULES,
    *roles.RULES,
    *event_rights.RULES,
    *destinations.RULES,
    *network.RULES,
    *versions.RULES,
    *encryption.RULES,
    *order.RULES,
    *functions.RULES,
    *packaging.RULES,
    *concurrency.RULES,
    *urls.RULES,
    *repositories.RULES,
    *queues.RULES,
    *api.RULES,
    *usage_plans.RULES,
    *service_integrations.RULES,
    *caches.RULES,
    *firewalls.RULES,
    *domains.RULES,
    *stages.RULES,
    *http_apis.RULES,
    *sockets.RULES,
    *identity.RULES,
    *load_balancers.RULES,
    *graphql_apis.RULES,
    *storage.RULES,
    *tables.RULES,
    *alarms.RULES,
    *names.RULES,
)
"""Every rule there is."""


def check(resources: Iterable[Registered], *, stack: str) -> list[Finding]:
    """Run every rule; `stack` is the stack's name, which decides what only staging and production must have."""
    seen = Stack(list(resources), name=stack)
    return [finding for judge in ALL for finding in judge(seen)]
