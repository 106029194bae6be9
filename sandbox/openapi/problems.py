"""Mistakes in a document, each with the JSON path of its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z_$][\w$-]*")
EXTENSION: Final = "x-amazon-apigateway-"


class DialectError(ValueError):
    """What API Gateway would refuse, or drop with a warning; `lines` hold one mistake each."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Place:
    """A place in the document: its JSON path, and where its mistakes go."""

    def __init__(self, path: str = "$", found: list[str] | None = None) -> None:
        self.path = path
        self.found: list[str] = [] if found is None else found

    def __truediv__(self, step: str | int) -> Place:
        """The place one step further in: `$.info`, `$.paths['/items']`, `$.servers[0]`."""
        if isinstance(step, int):
            text = f"[{step}]"
        else:
            text = f".{step}" if _PLAIN.fullmatch(step) else f"['{step}']"
        return Place(self.path + text, self.found)

    def wrong(self, text: str) -> None:
        """Note a mistake at this very place."""
        self.found.append(f"{self.path}: {text}")

    def object(self, value: Any) -> dict[str, Any]:
        """`value` where it is an object, else an empty one and a mistake."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong("must be an object")
            return {}
        return value

    def keys(
        self, value: Mapping[str, Any], known: Collection[str], refused: Mapping[str, str]
    ) -> None:
        """Check an object's keys: known ones, ones refused for a reason, and extensions of others pass."""
        for key in value:
            if key in refused:
                (self / key).wrong(refused[key])
            elif key.startswith(EXTENSION) and key not in known:
                (self / key).wrong("no such extension of API Gateway in this place")
            elif key not in known and not key.startswith("x-"):
                (self / key).wrong("API Gateway's import does not know this key")
