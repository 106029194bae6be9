"""AWS Budgets: nothing costs anything here."""

from __future__ import annotations

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import physical_name, tags


@resource("aws:budgets/budget:Budget", not_simulated="nothing in a sandbox costs anything")
def budget(r: Resource) -> Outputs:
    name = physical_name(r, limit=100)
    account = r.take("accountId", r.aws.account)
    return {
        "id": f"{account}:{name}",
        "name": name,
        "accountId": account,
        "arn": f"arn:aws:budgets::{account}:budget/{name}",
        "tagsAll": tags(r),
    }
