"""What the sandbox holds after a run, so that the next one applies only the difference.

The file never holds an input's value, only keyed digests that tell which inputs changed, and no secret output.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.place import read_json, write_json

_VERSION: Final = 1

Remark = tuple[str, str]
"""A kind (`not simulated`, `ignored`, `unread`, `compat`) and what there is to say."""


@dataclass
class Record:
    """One existing resource.

    `prints`: digest per input. `outputs`: what the emulator answered, secrets left out. `order`: its place in the
    order of creation, which deletion reverses. `half_made`: its creation failed and may have left something behind.
    """

    type: str
    name: str
    where: str
    prints: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    order: int = 0
    protect: bool = False
    retain: bool = False
    half_made: bool = False
    remarks: list[Remark] = field(default_factory=list)


@dataclass
class State:
    """Everything recorded of one sandbox.

    `emulator`: id of the emulator that holds the resources. `exports`: the stack's outputs, secrets masked.
    `busy`: a run has begun and not ended; found at the next start, it means that the run was cut off.
    """

    emulator: str = ""
    busy: bool = False
    exports: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Record] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, emulator: str) -> State:
        """The state of that emulator; an empty one where the file is missing, foreign or of another version."""
        found = read_json(path)
        if (
            not isinstance(found, dict)
            or found.get("version") != _VERSION
            or found.get("emulator") != emulator
        ):
            return cls(emulator)
        resources = {urn: Record(**record) for urn, record in found["resources"].items()}
        return cls(emulator, found["busy"], found["exports"], resources)

    def save(self, path: Path) -> None:
        """Write the file, in one step."""
        made = {urn: vars(record) for urn, record in self.resources.items()}
        write_json(path, {"version": _VERSION, **vars(self), "resources": made})
