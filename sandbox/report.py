"""What a run has to say for itself, as lines for a terminal and as data for tests."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.state import State


@dataclass(frozen=True)
class Report:
    """Where the sandbox does less, or more, than AWS; each entry is (resource, text).

    `not_simulated`: declared, but nothing runs. `ignored`: inputs the emulator has no use for, with the reason.
    `unread`: inputs that nothing consumed. `compat`: grants beyond the declared role.
    """

    not_simulated: Sequence[tuple[str, str]]
    ignored: Sequence[tuple[str, str]]
    unread: Sequence[tuple[str, str]]
    compat: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, state: State, invoked: Mapping[str, str] | None = None) -> Report:
        """The report over all that exists; `invoked` are lookups that have no real answer."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for record in sorted(state.resources.values(), key=lambda r: (r.type, r.name)):
            title = f"{record.type.rpartition(':')[2]} '{record.name}'"
            for kind, text in record.remarks:
                found[kind].append((title, text))
        for token, text in sorted((invoked or {}).items()):
            found["not simulated"].append((token, text))
        return cls(found["not simulated"], found["ignored"], found["unread"], found["compat"])

    def lines(self, *, every: bool = False) -> list[str]:
        """The report as text; the ignored inputs are counted, or listed too where `every`."""
        lines = [
            f"warning: {title}: the sandbox does nothing with '{name}'"
            for title, name in self.unread
        ]
        if self.not_simulated:
            lines += ["Declared, not simulated:", *_grouped(self.not_simulated)]
        if self.compat:
            lines += [
                "Granted beyond the declared roles, to mend a false denial of the emulator:",
                *_grouped(self.compat),
            ]
        if self.ignored and every:
            lines += [f"Ignored inputs ({len(self.ignored)}):", *_grouped(self.ignored)]
        elif self.ignored:
            lines.append(
                f"{len(self.ignored)} inputs are ignored, each for a reason: python -m sandbox status --ignored"
            )
        return lines


def _grouped(entries: Sequence[tuple[str, str]]) -> list[str]:
    """One line per reason, with the resources it holds for."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for title, reason in entries:
        by_reason[reason].append(title)
    return [f"  {_names(titles)}: {reason}" for reason, titles in by_reason.items()]


def _names(titles: list[str]) -> str:
    """`Alarm 'a'`, `Alarm 'a' and 'b'`, `12 Alarms` of one type each."""
    by_type: dict[str, list[str]] = defaultdict(list)
    for title in titles:
        kind, _, name = title.partition(" ")
        by_type[kind].append(name)
    few = 3
    parts = [
        f"{kind} {', '.join(names)}".rstrip() if len(names) <= few else f"{len(names)} x {kind}"
        for kind, names in by_type.items()
    ]
    return "; ".join(parts)


_MOST_NAMES, _FEW_NAMES = 40, 5
"""Up to how many names of an output are shown; of more than that only these, for nobody reads two hundred."""


def table(exports: Mapping[str, Any]) -> list[str]:
    """The stack's outputs, one aligned line each; an object is shown by its keys, a list by its texts."""
    width = max((len(name) for name in exports), default=0)
    return [f"  {name:<{width}}  {_shown(value)}" for name, value in sorted(exports.items())]


def _shown(value: Any) -> str:
    if isinstance(value, Mapping | list) and not value:
        return "none"
    if isinstance(value, Mapping) or (
        isinstance(value, list) and all(isinstance(each, str) for each in value)
    ):
        names = sorted(map(str, value))
        if len(names) > _MOST_NAMES:
            names = [*names[:_FEW_NAMES], "..."]
        return f"{len(value)}: {', '.join(names)}"
    return value if isinstance(value, str) else json.dumps(value)
