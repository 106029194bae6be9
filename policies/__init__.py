"""Rules over the resources a program registered: what AWS or a scanner would find only later.

A rule looks at plain data (type, name, properties, what waits for what), so the same rule runs in tests and in the
sandbox. One file per subject; each ends in its `RULES`.
"""

from __future__ import annotations

from collections.abc import Iterable

from policies import (
    alarm_sets,
    alarm_values,
    alarms,
    api,
    budgets,
    caches,
    canaries,
    chats,
    composites,
    concurrency,
    dashboards,
    data_streams,
    deliveries,
    destinations,
    domains,
    encryption,
    event_rights,
    event_rules,
    fifo,
    firewalls,
    functions,
    graph,
    graphql_apis,
    http_apis,
    identity,
    key_policies,
    load_balancers,
    log_subscriptions,
    logs,
    mail,
    mappings,
    names,
    network,
    order,
    packaging,
    permissions,
    queues,
    repositories,
    roles,
    schedules,
    service_integrations,
    severities,
    sockets,
    stages,
    storage,
    subscriptions,
    tables,
    things,
    traces,
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
    *key_policies.RULES,
    *order.RULES,
    *functions.RULES,
    *packaging.RULES,
    *concurrency.RULES,
    *urls.RULES,
    *repositories.RULES,
    *queues.RULES,
    *fifo.RULES,
    *mappings.RULES,
    *data_streams.RULES,
    *deliveries.RULES,
    *subscriptions.RULES,
    *event_rules.RULES,
    *schedules.RULES,
    *log_subscriptions.RULES,
    *things.RULES,
    *mail.RULES,
    *graph.RULES,
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
    *alarm_values.RULES,
    *alarm_sets.RULES,
    *composites.RULES,
    *severities.RULES,
    *dashboards.RULES,
    *logs.RULES,
    *traces.RULES,
    *budgets.RULES,
    *canaries.RULES,
    *chats.RULES,
    *names.RULES,
)
"""Every rule there is."""


def check(resources: Iterable[Registered], *, stack: str) -> list[Finding]:
    """Run every rule; `stack` is the stack's name, which decides what only staging and production must have."""
    seen = Stack(list(resources), name=stack)
    return [finding for judge in ALL for finding in judge(seen)]
