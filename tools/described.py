"""What the references say of one setting: type, limit, unit, default; and which maps a model holds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo

from settings.fields import (
    Model,
    choices,
    entries,
    facts,
    holds_anything,
    holds_counts,
    kinds,
    nested,
)
from settings.function import FunctionSettings
from settings.mistakes import length, limits
from settings.reader import merged
from settings.text import listed
from settings.wiring import baseline


def plain(field: FieldInfo) -> Any:
    """Return a setting's default as JSON has it; None for one that must be given."""
    value: object = None if field.is_required() else field.default
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Model):
        return value.model_dump(mode="json")
    return dict(value) if isinstance(value, Mapping) else value


def shown(value: object) -> str:
    """Return a default as a reader sees it in YAML."""
    if value is None or value in ([], {}, ""):
        return "none"
    if isinstance(value, dict):
        pairs = ", ".join(f"{key}: {shown(part)}" for key, part in value.items())
        return f"{{{pairs}}}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def keys(named: Sequence[str]) -> str:
    """Return keys as a sentence lists them."""
    return listed([f"`{key}`" for key in named])


def kind(field: FieldInfo) -> str:
    """Return the words for a setting's type."""
    wanted = kinds(field.annotation)
    if nested(field.annotation):
        return "map"
    if entries(field.annotation):
        return "map of maps"
    if Mapping in wanted and holds_anything(field):
        return "map of anything"
    if Mapping in wanted and holds_counts(field):
        return "map of text to whole numbers"
    if Mapping in wanted:
        return "map of text to text"
    if tuple in wanted:
        return "list of text"
    if choices(field.annotation):
        wanted = tuple({type(value) for value in choices(field.annotation)})
    words = {bool: "switch", int: "whole number", float: "number", str: "text"}
    return next(words[found] for found in words if found in wanted)


def limit(field: FieldInfo) -> str:
    """Return the words for a setting's limit, its unit left out; empty text where it has none."""
    wanted = kinds(field.annotation)
    known = choices(field.annotation) or tuple((facts(field).schema or {}).get("enum", ()))
    if known:
        return ", ".join(map(str, known))
    if tuple not in wanted and not nested(field.annotation) and {int, float} & set(wanted):
        return limits(field) if bool not in wanted else ""
    parts = (length(field), facts(field).values)
    if tuple not in wanted and length(field):
        parts = (f"{length(field)} characters", facts(field).values)
    return ", ".join(part for part in parts if part)


def maps_within(model: type[Model]) -> Iterator[type[Model]]:
    """Yield the models of all maps of settings below a model, outermost first, each once."""
    return iter(dict.fromkeys(inner for _, inner in paths_within(model)))


def paths_within(model: type[Model], path: str = "") -> Iterator[tuple[str, type[Model]]]:
    """Yield each map of settings below a model with the keys that lead to it; `<name>` stands for a free name."""
    for key, field in model.model_fields.items():
        for inner, below in (
            (nested(field.annotation), f"{path}{key}"),
            (entries(field.annotation), f"{path}{key}.<name>"),
        ):
            if inner:
                yield below, inner
                yield from paths_within(inner, f"{below}.")


def of_its_own(name: str, family: str) -> dict[str, Any]:
    """Return, as JSON has it, what the program itself says of one function."""
    values = merged(name, family, {"defaults": {}}).model_dump(mode="json")
    return {
        key: values[key] for key in FunctionSettings.model_fields if key in baseline(name, family)
    }
