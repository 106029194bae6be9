"""Write what editors and readers know of a stack file, out of the settings' own models.

`python -m tools.schema` writes `stack.schema.json`, which the first line of each stack file names, and
`docs/settings.md`. With `--check` it writes nothing and exits 1 when either is out of date.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from settings.api import ApiSettings
from settings.data import DataSettings
from settings.fields import Model, choices, facts, kinds
from settings.function import FunctionSettings
from settings.function_rules import VARIABLE
from settings.mistakes import limits
from settings.reader import NAMESPACE, TRIGGERS
from settings.stack_rules import MOST_TAGS
from settings.whole import ObservabilitySettings, PackagingSettings, StackWide
from settings.wiring import baseline, handlers

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMA: Final = ROOT / "stack.schema.json"
REFERENCE: Final = ROOT / "docs" / "settings.md"

SECTIONS: Final[Mapping[str, type[Model]]] = {
    "api": ApiSettings,
    "data": DataSettings,
    "observability": ObservabilitySettings,
    "packaging": PackagingSettings,
}
"""Keys whose value is one flat map."""

_JSON_TYPES: Final = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    tuple: "array",
    type(None): "null",
}

_PULUMIS_OWN: Final = {
    "encryptionsalt": "Written by Pulumi: salt of the passphrase that encrypts this stack's secrets.",
    "encryptedkey": "Written by Pulumi: this stack's data key, encrypted by its secrets provider.",
    "secretsprovider": "Written by Pulumi: what encrypts this stack's secrets, as in awskms://alias/...",
}

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


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 7, which editors know best) of a whole stack file."""
    stack_wide = {key: _property(field) for key, field in StackWide.model_fields.items()}
    stack_wide["tags"] |= {
        "maxProperties": MOST_TAGS,
        "propertyNames": _names(r"(?![aA][wW][sS]:).{1,128}"),
    }
    stack_wide["tags"]["additionalProperties"]["maxLength"] = 256
    keys = {
        **stack_wide,
        "functions": _functions(),
        "triggers": _triggers(),
        **{key: _object(model) for key, model in SECTIONS.items()},
    }
    region = {
        "type": "string",
        "description": "AWS region of the stack. Default: us-west-2.",
        "examples": ["eu-central-1"],
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Stack file of sandpiper: Pulumi.<stack>.yaml",
        "definitions": _definitions(),
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "config": {
                "description": "Settings of this stack.",
                "type": ["object", "null"],
                "additionalProperties": False,
                "properties": {
                    **{NAMESPACE + key: keys[key] for key in sorted(keys)},
                    "aws:region": region,
                },
                "patternProperties": {
                    f"^(?!{NAMESPACE})[A-Za-z0-9_-]+:.+$": {
                        "description": "Setting of a provider or of Pulumi itself."
                    }
                },
            },
            **{key: {"type": "string", "description": text} for key, text in _PULUMIS_OWN.items()},
        },
    }


def reference() -> str:
    """Return the reference of all settings in Markdown."""
    return "\n".join([_INTRODUCTION, *_tables(), _RULES])


def _property(field: FieldInfo, default: object = None) -> dict[str, Any]:
    """Return one setting's schema; `default` replaces the model's own."""
    wanted, known = kinds(field.annotation), choices(field.annotation)
    value = _plain(field.default) if default is None else default
    found: dict[str, Any] = {"description": _description(field, value)}
    if known:
        found["enum"] = list(known)
    elif Mapping in wanted:
        found |= {"type": "object", "additionalProperties": {"type": "string"}}
    else:
        types = [_JSON_TYPES[kind] for kind in wanted]
        found["type"] = types[0] if len(types) == 1 else types
    return found | _limits(field) | {"default": value}


def _limits(field: FieldInfo) -> dict[str, Any]:
    words = {Ge: ("minimum", "ge"), Le: ("maximum", "le"), Gt: ("exclusiveMinimum", "gt")}
    found = {
        words[type(rule)][0]: getattr(rule, words[type(rule)][1])
        for rule in field.metadata
        if type(rule) in words
    }
    known = facts(field)
    more = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in (known.schema or {}).items()
    }
    return found | more | ({"examples": [known.example]} if known.example else {})


def _description(field: FieldInfo, default: object) -> str:
    known = facts(field)
    said = [str(field.description)]
    said += [f"Unit: {known.unit}."] if known.unit else []
    said += [f"Default: {_shown(default)}."]
    said += [f"Source: {known.source}."] if known.source else []
    return " ".join(said)


def _plain(value: Any) -> Any:
    return (
        list(value)
        if isinstance(value, tuple)
        else dict(value)
        if isinstance(value, Mapping)
        else value
    )


def _shown(value: object) -> str:
    """Return a default as a reader sees it in YAML."""
    if value is None or value in ([], {}):
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _object(model: type[Model], defaults: Mapping[str, Any] | None = None) -> dict[str, Any]:
    fields = {
        key: _property(field, (defaults or {}).get(key))
        for key, field in model.model_fields.items()
    }
    if "environment" in fields:
        fields["environment"]["propertyNames"] = _names(rf"(?!AWS_){VARIABLE}")
    return {
        "description": _first_line(model),
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": fields,
    }


def _names(pattern: str) -> dict[str, str]:
    """Return the schema of a map's keys. `secure` is none: Pulumi takes a map with that key for a secret."""
    return {"pattern": f"^(?!secure$){pattern}$"}


def _first_line(model: type[Model]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


def _map(description: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "description": description,
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": dict(entries),
    }


def _functions() -> dict[str, Any]:
    entries = {
        name: {"$ref": f"#/definitions/{_kind(name, family)}"}
        for name, family in handlers().items()
    }
    defaults = {"defaults": {"$ref": "#/definitions/function"}}
    return _map("Functions by name, and `defaults` for all of them.", defaults | entries)


def _kind(name: str, family: str) -> str:
    return name if baseline(name, family) else "function"


def _definitions() -> dict[str, Any]:
    """Return the schema of any function, and of each one of which the program says something itself."""
    own = {name: baseline(name, family) for name, family in handlers().items()}
    special = {name: _object(FunctionSettings, values) for name, values in own.items() if values}
    return {"function": _object(FunctionSettings), **special}


def _triggers() -> dict[str, Any]:
    groups = {
        group: _map(_first_line(model), {name: _object(model) for name in names})
        for group, (model, names) in TRIGGERS.items()
    }
    return _map("Everything that starts a function, besides the API.", groups)


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
    default = _shown(_plain(field.default))
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


def _documents() -> dict[Path, str]:
    text = json.dumps(schema(), indent=2, ensure_ascii=False)
    return {SCHEMA: f"{text}\n", REFERENCE: reference()}


def main(arguments: list[str] | None = None) -> int:
    """Write both documents, or with `--check` compare them; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.schema", description="Stack file schema and settings reference."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when a document is out of date"
    )
    check = parser.parse_args(arguments).check
    stale = [path for path, text in _documents().items() if not _holds(path, text)]
    for path in stale:
        name = path.relative_to(ROOT)
        if check:
            print(f"{name}: out of date; run python -m tools.schema", file=sys.stderr)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(_documents()[path], encoding="utf-8")
            print(f"{name}: written")
    return 1 if check and stale else 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
