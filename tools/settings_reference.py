"""The reference of all settings in Markdown, out of the settings' own models."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pydantic.fields import FieldInfo

from settings.fields import Model, choices, facts, kinds
from settings.function import ADDED_UP, ONE_FUNCTIONS, FunctionSettings
from settings.images import RepositorySettings
from settings.mistakes import length, limits
from settings.reader import NAMESPACE, TRIGGERS, trigger_baseline
from settings.sections import SECTIONS
from settings.whole import StackWide
from settings.wiring import handlers
from tools.described import keys, kind, of_its_own, paths_within, plain, shown
from tools.rules import OF_FUNCTIONS, OF_THE_REST, table

_INTRODUCTION: Final = """# Settings

<!-- Written by `python -m tools.schema`; change the models in settings/ instead. -->

A stack's sizes and switches stand in `Pulumi.<stack>.yaml` under `config:`. Every key may be left out, and so may the
whole file: the defaults below then hold. Which functions, routes and triggers exist is said in `__main__.py`.

- A key or name that is not listed here is refused, as is a value outside its limits: one line per mistake, all of them
  at once, before anything is created.
  `Pulumi.dev.yaml: functions.create-item.memory_size: must be 128 to 10240 MB (got 64)`
- A function's value is the first of: its own entry, what the program says of it (listed below), `defaults`, the default
  below. Maps are replaced whole; only {added_up} add up, key by key.
- These say something of one function and are refused in `defaults`: {one_functions}.
- A function's keys with their types, units and limits are also in docs/function.md.
- No setting may be a secret (`pulumi config set --secret`): settings end up readable in the stack's state. Secrets live
  in Secrets Manager, and functions are given their ARN.
- Quoted numbers and switches are read as what they spell (`pulumi config set` writes some so); `yes` and `on` are text
  to Pulumi and are refused.
- `stack.schema.json` tells an editor with a YAML language server all of this. `python -m tools.schema` writes it anew,
  for instance after a handler was added.
"""


def reference() -> str:
    """Return the reference of all settings in Markdown."""
    words = {"added_up": keys(ADDED_UP), "one_functions": keys(ONE_FUNCTIONS)}
    rules = f"## Rules between settings\n\nOf functions:\n\n{table(OF_FUNCTIONS)}\nOf the rest:\n\n{table(OF_THE_REST)}"
    return "\n".join([_INTRODUCTION.format(**words), *_tables(), rules])


def _tables() -> Iterator[str]:
    functions = "sandpiper:functions.defaults, sandpiper:functions.<function>"
    yield _table(functions, FunctionSettings)
    yield _baselines()
    for path, model in paths_within(FunctionSettings):
        yield _table(f"{NAMESPACE}functions.<function>.{path}", model)
    for key, model in SECTIONS.items():
        yield _table(NAMESPACE + key, model)
    for model, paths in _within_sections().items():
        yield _table(", ".join(paths), model)
    yield _table(f"{NAMESPACE}repositories.<function>", RepositorySettings)
    for group, (model, names) in TRIGGERS.items():
        yield _table(f"{NAMESPACE}triggers.{group}.{'|'.join(names)}", model)
        yield from _of_triggers(group, names)
    yield _table(", ".join(NAMESPACE + key for key in StackWide.model_fields), StackWide)


def _within_sections() -> dict[type[Model], list[str]]:
    """Return each map below the sections with all keys that lead to it."""
    found: dict[type[Model], list[str]] = {}
    for key, section in SECTIONS.items():
        for path, model in paths_within(section):
            found.setdefault(model, []).append(f"{NAMESPACE}{key}.{path}")
    return found


def _of_triggers(group: str, names: Iterable[str]) -> Iterator[str]:
    """Yield what the program itself says of triggers of this group."""
    owned = {name: own for name in names if (own := trigger_baseline(group, name))}
    if owned:
        yield _said("trigger", owned)


def _table(title: str, model: type[Model]) -> str:
    rows = "\n".join(_row(key, field) for key, field in model.model_fields.items())
    head = "| key | value | default | meaning | source |\n|---|---|---|---|---|"
    return f"## {title}\n\n{(model.__doc__ or '').strip()}\n\n{head}\n{rows}\n"


def _row(key: str, field: FieldInfo) -> str:
    known = facts(field)
    default = "must be given" if field.is_required() else f"`{shown(plain(field))}`"
    return f"| `{key}` | {_value(field)} | {default} | {field.description} | {known.source} |"


def _value(field: FieldInfo) -> str:
    wanted, unit = kinds(field.annotation), facts(field).unit
    known = choices(field.annotation) or tuple((facts(field).schema or {}).get("enum", ()))
    if known:
        return ", ".join(f"`{value}`" for value in known) + (unit and f" {unit}")
    if bool in wanted:
        return "`true` or `false`"
    if int in wanted or float in wanted:
        return f"{limits(field)} {unit}".strip()
    if tuple in wanted and unit:
        return f"list of {length(field)} {unit}".replace("list of at", "list, at")
    if str in wanted and length(field):
        return f"text, {length(field)} characters"
    return kind(field)


def _baselines() -> str:
    owned = {name: of_its_own(name, family) for name, family in handlers().items()}
    return _said("function", {name: own for name, own in owned.items() if own})


def _said(kind_of: str, owned: Mapping[str, Mapping[str, object]]) -> str:
    rows = [
        f"| {name} | {', '.join(f'`{key}: {shown(value)}`' for key, value in own.items())} |"
        for name, own in owned.items()
    ]
    head = f"The program itself says of some {kind_of}s:\n\n| {kind_of} | values |\n|---|---|"
    return "\n".join([head, *rows, ""])
