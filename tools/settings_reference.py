"""The reference of all settings in Markdown, out of the settings' own models."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic.fields import FieldInfo

from settings.api import ApiSettings
from settings.data import DataSettings
from settings.fields import Model, choices, facts, kinds
from settings.function import FunctionSettings
from settings.mistakes import limits
from settings.reader import NAMESPACE, TRIGGERS
from settings.whole import ObservabilitySettings, PackagingSettings, StackWide
from settings.wiring import baseline, handlers

SECTIONS: Final[Mapping[str, type[Model]]] = {
    "api": ApiSettings,
    "data": DataSettings,
    "observability": ObservabilitySettings,
    "packaging": PackagingSettings,
}
"""Keys whose value is one flat map."""

_INTRODUCTION: Final = """# Settings

<!-- Written by `python -m tools.schema`; change the models in settings/ instead. -->

A stack's sizes and switches stand in `Pulumi.<stack>.yaml` under `config:`. Every key may be left out, and so may the
whole file: the defaults below then hold. Which functions, routes and triggers exist is said in `__main__.py`.

- A key or name that is not listed here is refused, as is a value outside its limits: one line per mistake, all of them
  at once, before anything is created.
  `Pulumi.dev.yaml: functions.create-item.memory_size: must be 128 to 10240 MB (got 64)`
- A function's value is the first of: its own entry, what the program says of it (listed below), `defaults`, the default
  below. Only `environment` adds up, key by key.
- No setting may be a secret (`pulumi config set --secret`): settings end up readable in the stack's state. Secrets live
  in Secrets Manager, and functions are given their ARN.
- Quoted numbers and switches are read as what they spell (`pulumi config set` writes some so); `yes` and `on` are text
  to Pulumi and are refused.
- `stack.schema.json` tells an editor with a YAML language server all of this. `python -m tools.schema` writes it anew,
  for instance after a handler was added.
"""

_RULES: Final = """## Rules between settings

| rule | why |
|---|---|
| functions behind the API, and the authorizer: timeout at most 29 seconds | API Gateway answers 504 then |
| provisioned concurrency at most the function's own reserved concurrency | Lambda refuses more |
| reserved, and provisioned without a reservation, at most `account_concurrent_executions` - 100 in all | Lambda keeps 100 |
| a queue's visibility timeout at least its consumer's timeout; a warning below 6 times that plus the window | Lambda refuses less |
| `batch_size` above 10 needs a batching window of 1 second or more | Lambda refuses it |
| a queue's `maximum_concurrency` at most its consumer's reserved concurrency | messages would be throttled |
| `message_retention_seconds` more than visibility timeout times `max_receive_count` | messages would expire unnoticed |
| `dead_letter_retention_seconds` at least `message_retention_seconds` | age counts from the first sending |
| environment of a function at most 3072 bytes as JSON | Lambda allows 4096; the program's own variables need some |
| no variable that Lambda reserves, that starts with `AWS_`, or that a grant sets | Lambda refuses it, or it would mislead the SDK |
| runtime of the handler's own family, and one that AWS still supports | it would not start |
| `evaluation_periods` times `period` at most a day, a week with periods of an hour or more | CloudWatch refuses more |
| at most 45 tags, keys differing by more than case, none starting with `aws:` | AWS allows 50, IAM ignores case |
| stack name: letters, digits, `-` and `_`; short enough for `sandpiper-<stack>-<function>` to have 64 characters | Lambda refuses it |
"""


def reference() -> str:
    """Return the reference of all settings in Markdown."""
    return "\n".join([_INTRODUCTION, *_tables(), _RULES])


def plain(value: Any) -> Any:
    """Return a default as JSON has it."""
    return (
        list(value)
        if isinstance(value, tuple)
        else dict(value)
        if isinstance(value, Mapping)
        else value
    )


def shown(value: object) -> str:
    """Return a default as a reader sees it in YAML."""
    if value is None or value in ([], {}):
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tables() -> Iterator[str]:
    yield _table("sandpiper:functions.defaults, sandpiper:functions.<function>", FunctionSettings)
    yield _baselines()
    for key, model in SECTIONS.items():
        yield _table(NAMESPACE + key, model)
    for group, (model, names) in TRIGGERS.items():
        yield _table(f"{NAMESPACE}triggers.{group}.{'|'.join(names)}", model)
    yield _table(", ".join(NAMESPACE + key for key in StackWide.model_fields), StackWide)


def _table(title: str, model: type[Model]) -> str:
    rows = "\n".join(_row(key, field) for key, field in model.model_fields.items())
    head = "| key | value | default | meaning | source |\n|---|---|---|---|---|"
    return f"## {title}\n\n{(model.__doc__ or '').strip()}\n\n{head}\n{rows}\n"


def _row(key: str, field: FieldInfo) -> str:
    known = facts(field)
    default = shown(plain(field.default))
    return f"| `{key}` | {_value(field)} | `{default}` | {field.description} | {known.source} |"


def _value(field: FieldInfo) -> str:
    wanted, known, unit = kinds(field.annotation), choices(field.annotation), facts(field).unit
    known = known or tuple((facts(field).schema or {}).get("enum", ()))
    if known:
        return ", ".join(f"`{value}`" for value in known) + (unit and f" {unit}")
    if bool in wanted:
        return "`true` or `false`"
    if int in wanted or float in wanted:
        return f"{limits(field)} {unit}".strip()
    if str in wanted:
        return "text"
    return "list of text" if tuple in wanted else "map of text to text"


def _baselines() -> str:
    rows = [
        f"| {name} | {', '.join(f'`{key}: {value}`' for key, value in own.items())} |"
        for name, family in handlers().items()
        if (own := baseline(name, family))
    ]
    return (
        "The program itself says of some functions:\n\n| function | values |\n|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )
