"""Pulumi's camelCase inputs become API parameters by botocore's own service model.

The provider's input names follow the API's member names closely, so a match that ignores case and a plural s finds
nearly all of them; the few others are named in `rename`. What matches nothing is never dropped silently.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Rename = Mapping[str, str]
"""Input key (dotted where nested: `vpcConfig.subnetIds`) to the API's member name."""


class Untranslated(Exception):
    """An input without a counterpart in the API's shape; the text is its dotted path."""


def translate(
    shape: Any,
    value: Mapping[str, Any],
    rename: Rename | None = None,
    *,
    unknown: Callable[[str], object] | None = None,
) -> dict[str, Any]:
    """API parameters of `shape` (a botocore structure) for camelCase inputs; nulls are left out.

    Blocks given as a list of one become structures and the reverse, numbers and texts take the type that the shape
    asks for, `{key: value}` becomes a list of Key/Value pairs where the API wants one, maps keep their keys.

    A key that matches no member is handed to `unknown`; without it, `Untranslated` is raised with its path.
    """
    return _Translation(rename or {}, unknown or _refuse).structure(shape, value, "")


def _refuse(path: str) -> None:
    raise Untranslated(path)


class _Translation:
    def __init__(self, rename: Rename, unknown: Callable[[str], object]) -> None:
        self._rename = rename
        self._unknown = unknown

    def structure(self, shape: Any, value: Mapping[str, Any], path: str) -> dict[str, Any]:
        members = shape.members
        names = {_loose(name): name for name in members} | {name.lower(): name for name in members}
        made = {}
        for key, inner in value.items():
            if inner is None:
                continue
            where = f"{path}.{key}" if path else key
            name = self._rename.get(where) or names.get(key.lower()) or names.get(_loose(key))
            if name is None or name not in members:
                self._unknown(where)
                continue
            made[name] = self.any(members[name], inner, where)
        return made

    def any(self, shape: Any, value: Any, path: str) -> Any:
        match shape.type_name:
            case "structure":
                return self._one(shape, value, path)
            case "list":
                return self._many(shape, value, path)
            case "map":
                return {str(k): self.any(shape.value, v, path) for k, v in value.items()}
            case kind:
                return _scalar(kind, value)

    def _one(self, shape: Any, value: Any, path: str) -> Any:
        if isinstance(value, list):
            if len(value) != 1:
                raise ValueError(f"{path}: one object is wanted here, {len(value)} are given")
            value = value[0]
        if not isinstance(value, Mapping):
            raise TypeError(f"{path}: an object is wanted here")
        return self.structure(shape, value, path)

    def _many(self, shape: Any, value: Any, path: str) -> list[Any]:
        if isinstance(value, Mapping) and (pair := _pair(shape.member, value)):
            return [{pair[0]: str(k), pair[1]: _scalar("string", v)} for k, v in value.items()]
        many = value if isinstance(value, list | tuple) else [value]
        return [self.any(shape.member, inner, path) for inner in many if inner is not None]


def _pair(member: Any, value: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of a Key/Value list's two members where `value` is a plain map, such as tags."""
    if member.type_name != "structure" or len(member.members) != 2:
        return None
    names = sorted(member.members)
    loose = tuple(name.lower().removeprefix("tag") for name in names)
    if loose != ("key", "value") or {key.lower() for key in value} == {"key", "value"}:
        return None
    return names[0], names[1]


def _loose(name: str) -> str:
    return name.lower().removesuffix("s")


def _scalar(kind: str, value: Any) -> Any:
    """`value` in the type of the API's member; a text that is no number is left for botocore to refuse."""
    if kind == "string":
        return _text(value)
    if kind == "blob":
        return value.encode() if isinstance(value, str) else value
    if kind == "boolean":
        return (
            {"true": True, "false": False}.get(value.lower(), value)
            if isinstance(value, str)
            else value
        )
    if kind in ("integer", "long", "float", "double"):
        return _number(float if kind in ("float", "double") else int, value)
    return value


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list):
        return json.dumps(value)
    return value if isinstance(value, str) else str(value)


def _number(make: type[int | float], value: Any) -> Any:
    try:
        made = make(value)
    except (TypeError, ValueError):
        return value
    return value if isinstance(value, float) and made != value else made
