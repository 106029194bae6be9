"""The rules of `policies/` over what was just declared: what AWS or a scanner would object to, said before it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.place import HOME

if TYPE_CHECKING:
    from sandbox.session import Outcome


def broken(outcome: Outcome, *, root: Path, stack: str) -> list[str]:
    """One line per rule that a resource breaks: `__main__.py:41: Queue 'jobs': <what is wrong> (<rule>)`.

    Only the checkout's own program is judged: another one has rules of its own.
    """
    if root != HOME or not (root / "policies").is_dir():
        return []
    import policies

    made = outcome.engine.state.resources
    declared = [
        policies.Registered(
            type=entry["type"],
            name=entry["name"],
            urn=entry["urn"],
            properties=entry["inputs"],
            parent=entry["parent"],
            protect=entry["opts"]["protect"],
            depends_on=frozenset(entry["opts"]["dependsOn"]),
            retain_on_delete=entry["opts"]["retainOnDelete"],
            outputs=made[entry["urn"]].outputs if entry["urn"] in made else {},
        )
        for entry in outcome.declared
    ]
    where = {record.name: record.where for record in made.values()}
    return [
        f"{where.get(finding.resource, '__main__.py')}: {finding}"
        for finding in policies.check(declared, stack=stack)
    ]
