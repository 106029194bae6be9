"""The reference of a function's settings in Markdown, out of the settings' own models."""

from collections.abc import Iterator
from typing import Final

from pydantic.fields import FieldInfo

from settings.fields import Model, facts
from settings.function import ADDED_UP, ONE_FUNCTIONS, FunctionSettings
from settings.function_calls import CallSettings
from settings.function_code import CodeSettings
from settings.runtimes import FAMILIES, RETIRED
from settings.wiring import handlers
from tools.described import keys, kind, limit, of_its_own, paths_within, plain, shown
from tools.rules import OF_FUNCTIONS, table

_INTRODUCTION: Final = """# Settings of a function

<!-- Written by `python -m tools.schema`; change the models in settings/ instead. -->

Every key that `sandpiper:functions.<function>` takes, and `sandpiper:functions.defaults` for all functions at once. They
are named as Terraform names them. All may be left out; what is written is checked before anything is created, one line
per mistake: `Pulumi.dev.yaml: functions.create-item.memory_size: must be 128 to 10240 MB (got 64)`.

```yaml
  sandpiper:functions:
    defaults: {{log_retention_in_days: 365}}
    create-item:
      memory_size: 1024
      provisioned_concurrent_executions: 2
      provisioned_concurrency_scaling: {{min_capacity: 2, max_capacity: 20}}
    checksum:
      function_url: {{principals: ["123456789012"]}}
```

- A value is the first of: the function's own entry, what the program says of it (below), `defaults`, the default below.
  Maps are replaced whole; only {added_up} add up, key by key.
- These say something of one function and are refused in `defaults`: {one_functions}.
- Which functions exist is said by the folder handlers/; how their code is packed, in docs/packaging.md; what a function in
  each language looks like, in docs/runtimes.md.
"""

_HEAD: Final = (
    "| name | type | unit | default | limit | meaning | source |\n|---|---|---|---|---|---|---|"
)


def function_reference() -> str:
    """Return the reference of a function's settings in Markdown."""
    words = {"added_up": keys(ADDED_UP), "one_functions": keys(ONE_FUNCTIONS)}
    return "\n".join(
        [
            _INTRODUCTION.format(**words),
            *_groups(),
            *_maps(),
            _own_values(),
            _runtimes(),
            f"## Rules between settings\n\n{table(OF_FUNCTIONS)}",
        ]
    )


def _groups() -> Iterator[str]:
    code, calls = set(CodeSettings.model_fields), set(CallSettings.model_fields)
    rest = set(FunctionSettings.model_fields) - code - calls
    yield _table("## Size, surroundings, log", FunctionSettings, rest)
    yield _table("## Code", FunctionSettings, code)
    yield _table("## Calls", FunctionSettings, calls)


def _maps() -> Iterator[str]:
    for path, model in paths_within(FunctionSettings):
        title = f"## {path}\n\n{(model.__doc__ or '').strip()}"
        yield _table(title, model, set(model.model_fields))


def _table(title: str, model: type[Model], chosen: set[str]) -> str:
    rows = [_row(key, field) for key, field in model.model_fields.items() if key in chosen]
    return "\n".join([title, "", _HEAD, *rows, ""])


def _row(key: str, field: FieldInfo) -> str:
    known = facts(field)
    default = "must be given" if field.is_required() else f"`{shown(plain(field))}`"
    cells = (kind(field), known.unit, default, limit(field), field.description, known.source)
    return f"| `{key}` | {' | '.join(map(str, cells))} |"


def _own_values() -> str:
    rows = [
        f"| {name} | {', '.join(f'`{key}: {shown(value)}`' for key, value in own.items())} |"
        for name, family in handlers().items()
        if (own := of_its_own(name, family))
    ]
    head = "| function | values |\n|---|---|"
    return "\n".join(["## What the program says itself", "", head, *rows, ""])


def _runtimes() -> str:
    families = [
        f"| {name} | {', '.join(f'`{runtime}`' for runtime in family.runtimes)} | `{family.default}` |"
        for name, family in FAMILIES.items()
        if family.runtimes
    ]
    retired = ", ".join(f"`{runtime}` ({day})" for runtime, day in RETIRED.items())
    head = "| family | runtimes | where the stack file does not say |\n|---|---|---|"
    return "\n".join(
        [
            "## Runtimes",
            "",
            head,
            *families,
            "",
            f"A container image has none: it brings its own. Refused, because AWS retired them on that day: {retired}.",
            "",
        ]
    )
