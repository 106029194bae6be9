"""Write what editors and readers know of a stack file, out of the settings' own models.

`python -m tools.schema` writes `stack.schema.json`, which the first line of each stack file names,
`docs/settings.md` and `docs/function.md`. With `--check` it writes nothing and exits 1 when one is out of date.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo

from settings.arns import REGION
from settings.code_rules import BESIDE
from settings.fields import Model, choices, entries, facts, kinds, nested
from settings.function import ONE_FUNCTIONS, FunctionSettings
from settings.function_rules import VARIABLE
from settings.images import RepositorySettings
from settings.reader import NAMESPACE, TRIGGERS, trigger_baseline
from settings.runtimes import FAMILIES, IMAGE
from settings.sections import SECTIONS
from settings.stack_rules import MOST_TAGS
from settings.whole import StackWide
from settings.wiring import FUNCTION_BASELINE, handlers
from tools.api_options import with_options
from tools.described import limit, maps_within, of_its_own, plain, shown
from tools.function_reference import function_reference
from tools.narrowed import narrowed, refused
from tools.settings_reference import reference
from tools.written import keep

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMA: Final = ROOT / "stack.schema.json"
REFERENCE: Final = ROOT / "docs" / "settings.md"
FUNCTION: Final = ROOT / "docs" / "function.md"
API: Final = ROOT / "docs" / "api.md"

_JSON_TYPES: Final = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    tuple: "array",
    type(None): "null",
}

_BOUNDS: Final = {
    Ge: ("minimum", "ge"),
    Le: ("maximum", "le"),
    Gt: ("exclusiveMinimum", "gt"),
}
_LIST_LENGTHS: Final = {
    MinLen: ("minItems", "min_length"),
    MaxLen: ("maxItems", "max_length"),
}
_TEXT_LENGTHS: Final = {
    MinLen: ("minLength", "min_length"),
    MaxLen: ("maxLength", "max_length"),
}
_TAGS: Final = {
    # A map with a key `secure` is a secret to Pulumi.
    "propertyNames": {"pattern": r"^(?!secure$)(?![aA][wW][sS]:).{1,128}$"},
    "additionalProperties": {"type": "string", "maxLength": 256},
}

_PULUMIS_OWN: Final = {
    "encryptionsalt": "Written by Pulumi: salt of the passphrase that encrypts this stack's secrets.",
    "encryptedkey": "Written by Pulumi: this stack's data key, encrypted by its secrets provider.",
    "secretsprovider": "Written by Pulumi: what encrypts this stack's secrets, as in awskms://alias/...",
}


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 7, which editors know best) of a whole stack file."""
    stack_wide = {key: _property(field) for key, field in StackWide.model_fields.items()}
    stack_wide["tags"] |= {"maxProperties": MOST_TAGS, **_TAGS}
    keys = {
        **stack_wide,
        "functions": _functions(),
        "repositories": _repositories(),
        "triggers": _triggers(),
        **{key: _object(model) for key, model in SECTIONS.items()},
    }
    region = {
        "type": "string",
        "description": "AWS region of the stack. Default: us-west-2.",
        "pattern": f"^{REGION}$",
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
    value = plain(field) if default is None else default
    found: dict[str, Any] = {"description": _description(field, value), **_form(field)}
    return found | _limits(field) | ({} if field.is_required() else {"default": value})


def _form(field: FieldInfo) -> dict[str, Any]:
    """Return the schema of a setting's type."""
    wanted, known = kinds(field.annotation), choices(field.annotation)
    if inner := nested(field.annotation):
        empty = [{"type": "null"}] if type(None) in wanted else []
        return {"anyOf": [_reference(inner), *empty]}
    if inner := entries(field.annotation):
        return {"type": "object", "additionalProperties": _reference(inner)}
    if known:
        return {"enum": list(known)}
    if Mapping in wanted:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    types = [_JSON_TYPES[kind] for kind in wanted]
    form: dict[str, Any] = {"type": types[0] if len(types) == 1 else types}
    return form | ({"items": {"type": "string"}} if tuple in wanted else {})


def _reference(model: type[Model]) -> dict[str, str]:
    return {"$ref": f"#/definitions/{model.__name__}"}


def _limits(field: FieldInfo) -> dict[str, Any]:
    found: dict[str, Any] = {}
    words = _LIST_LENGTHS if tuple in kinds(field.annotation) else _TEXT_LENGTHS
    for rule in field.metadata:
        for kind, (keyword, attribute) in {**_BOUNDS, **words}.items():
            if isinstance(rule, kind):
                found[keyword] = getattr(rule, attribute)
    known = facts(field)
    more = json.loads(json.dumps(dict(known.schema or {})))  # tuples become lists
    if "pattern" in more or "enum" in more:
        more = _or_nothing(field, more)
    return found | more | ({"examples": [known.example]} if known.example else {})


def _or_nothing(field: FieldInfo, more: dict[str, Any]) -> dict[str, Any]:
    """Let a setting of listed values be left empty where its type allows it; a pattern says nothing of null anyway."""
    if "enum" in more and type(None) in kinds(field.annotation):
        return more | {"enum": [*more["enum"], None]}
    return more


def _description(field: FieldInfo, default: object) -> str:
    known = facts(field)
    said = [str(field.description)]
    said += [f"Limit: {known_limit}."] if (known_limit := limit(field)) else []
    said += [f"Unit: {known.unit}."] if known.unit else []
    said += ["Must be given."] if field.is_required() else [f"Default: {shown(default)}."]
    said += [f"Source: {known.source}."] if known.source else []
    return " ".join(said)


def _object(model: type[Model]) -> dict[str, Any]:
    fields = {key: _property(field) for key, field in model.model_fields.items()}
    if "environment" in fields:
        fields["environment"]["propertyNames"] = _names(rf"(?!AWS_){VARIABLE}")
        fields["tags"] |= _TAGS
    required = [key for key, field in model.model_fields.items() if field.is_required()]
    return {
        "description": _first_line(model),
        "type": "object" if required else ["object", "null"],
        "additionalProperties": False,
        "properties": fields,
        **({"required": required} if required else {}),
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
    kinds_of = {"defaults": "defaults", **{n: _kind(n, f) for n, f in handlers().items()}}
    known = {name: {"$ref": f"#/definitions/{kind}"} for name, kind in kinds_of.items()}
    return _map("Functions by name, and `defaults` for all of them.", known)


def _kind(name: str, family: str) -> str:
    """Return the definition of a function: its own where the program says something of it, else its family's."""
    return name if name in FUNCTION_BASELINE else f"any-{family}"


def _definitions() -> dict[str, Any]:
    """Return the schema of any function, of `defaults`, of each kind of function, and of the maps in them."""
    function = _object(FunctionSettings)
    everyones = {key for key in function["properties"] if key not in ONE_FUNCTIONS}
    holders = (FunctionSettings, *SECTIONS.values())
    parts = {model.__name__: _object(model) for holder in holders for model in maps_within(holder)}
    named = {_kind(name, family): (name, family) for name, family in handlers().items()}
    return {
        "function": function,
        "defaults": _as_any(function, {}, everyones),
        **{kind: _named(function, *own) for kind, own in named.items()},
        **parts,
    }


def _named(function: dict[str, Any], name: str, family: str) -> dict[str, Any]:
    """Return the schema of one function: what it has of its own in full, the rest as it is for all."""
    fields, own = FunctionSettings.model_fields, of_its_own(name, family)
    properties = {key: _property(fields[key], value) for key, value in own.items()}
    if known := FAMILIES[family].runtimes:
        runtime = _property(fields["runtime"], own.get("runtime"))
        properties["runtime"] = runtime | {"enum": list(known)}
    found = _as_any(function, properties, set(function["properties"]))
    return found | {"dependencies": {key: [other] for key, other in BESIDE.items()}}


def _as_any(function: dict[str, Any], properties: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    common = "#/definitions/function/properties"
    rest = {key: {"$ref": f"{common}/{key}"} for key in function["properties"] if key in keys}
    return function | {"properties": rest | properties}


def _repositories() -> dict[str, Any]:
    names = [name for name, family in handlers().items() if family == IMAGE]
    return _map(
        "ECR repositories, by the function whose images they hold.",
        {name: _object(RepositorySettings) for name in names},
    )


def _triggers() -> dict[str, Any]:
    groups = {
        group: _map(_first_line(model), {name: _trigger(group, name) for name in names})
        for group, (model, names) in TRIGGERS.items()
    }
    return _map("Everything that starts a function, besides the APIs.", groups)


def _trigger(group: str, name: str) -> dict[str, Any]:
    model, _ = TRIGGERS[group]
    found, own = _object(model), trigger_baseline(group, name)
    found["properties"] |= {key: _property(model.model_fields[key], own[key]) for key in own}
    for key, narrower in narrowed(group, name).items():
        found["properties"][key] |= narrower
    for key in refused(group, name):
        del found["properties"][key]
    return found


def _documents() -> dict[Path, str]:
    text = json.dumps(schema(), indent=2, ensure_ascii=False)
    api = with_options(API.read_text(encoding="utf-8"))
    return {
        SCHEMA: f"{text}\n",
        REFERENCE: reference(),
        FUNCTION: function_reference(),
        API: api,
    }


def main(arguments: list[str] | None = None) -> int:
    """Write all documents, or with `--check` compare them; return the exit code."""
    about = "Stack file schema and references of all settings."
    return keep(_documents, "tools.schema", about, arguments, root=ROOT)


if __name__ == "__main__":
    sys.exit(main())
