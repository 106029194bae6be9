"""Write what editors and readers know of a stack file, out of the settings' own models.

`python -m tools.schema` writes `stack.schema.json`, which the first line of each stack file names, and
`docs/settings.md`. With `--check` it writes nothing and exits 1 when either is out of date.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from settings.fields import Model, choices, facts, kinds
from settings.function import FunctionSettings
from settings.function_rules import VARIABLE
from settings.reader import NAMESPACE, TRIGGERS
from settings.stack_rules import MOST_TAGS
from settings.whole import StackWide
from settings.wiring import baseline, handlers
from tools.settings_reference import SECTIONS, plain, reference, shown

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMA: Final = ROOT / "stack.schema.json"
REFERENCE: Final = ROOT / "docs" / "settings.md"

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


def _property(field: FieldInfo, default: object = None) -> dict[str, Any]:
    """Return one setting's schema; `default` replaces the model's own."""
    wanted, known = kinds(field.annotation), choices(field.annotation)
    value = plain(field.default) if default is None else default
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
    said += [f"Default: {shown(default)}."]
    said += [f"Source: {known.source}."] if known.source else []
    return " ".join(said)


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
