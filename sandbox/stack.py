"""Stack files: what the engine would hand to the program for `Pulumi.yaml`, `Pulumi.<stack>.yaml` and `-c` overrides."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox import goyaml
from sandbox.errors import Mistake, similar

_STACK_KEYS: Final = ("config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+){1,2}-[0-9]")
DEFAULT_REGION: Final = "us-west-2"
_SANDBOX: Final = {"packaging": {"build": False}}
"""Settings that only the sandbox gives, where the project's schema knows them: layers are built for this machine."""


@dataclass(frozen=True)
class Stack:
    """One stack's settings, ready for the program.

    `config`: full key (`aws:region`) to the text that the engine passes. `remarks`: lines to show the user.
    """

    project: str
    name: str
    config: Mapping[str, str]
    remarks: Sequence[str] = field(default_factory=tuple)

    @property
    def region(self) -> str:
        """The region of the sandbox: `aws:region`, else us-west-2."""
        return self.config.get("aws:region") or DEFAULT_REGION


def load(
    root: Path,
    name: str,
    overrides: Sequence[str] = (),
    config: Mapping[str, Any] | None = None,
) -> Stack:
    """The stack `name` of the project in `root`.

    `overrides` are the command line's `key=value`; `config` is a test's: plain values, merged deeply over the file.
    Raises `Mistake`, one line, naming file and key.
    """
    if not _NAME.fullmatch(name):
        raise Mistake(
            f"'{name}' is no stack name: letters, digits, '-', '_' and '.' only, at most 100",
            code=2,
        )
    project_file = _read(root / "Pulumi.yaml")
    if project_file is None:
        raise Mistake(f"no Pulumi.yaml in {root}", code=2)
    project = _project_name(project_file)
    declared = _declared(project_file, project)
    file = root / f"Pulumi.{name}.yaml"
    document = _read(file)
    remarks = [] if document is not None else [_missing(root, name)]
    values = {**_defaults(declared), **_stack_config(document, file.name, project, root)}
    _hide_build_steps(values, project, root)
    for key, value in (config or {}).items():
        full = _full_key(key, project)
        values[full] = _deep(values.get(full), value)
    for text in overrides:
        _override(values, text, project)
    _complete(values, declared, file.name)
    found = Stack(project, name, {k: _text(v) for k, v in values.items()}, tuple(remarks))
    if not _REGION.fullmatch(found.region):
        # Another region means another emulator: a typing error must not end the one that runs.
        raise Mistake(
            f"{file.name}: aws:region: must be an AWS region such as {DEFAULT_REGION} (got '{found.region}')"
        )
    return found


def names(root: Path) -> list[str]:
    """The stacks that have a file in `root`."""
    return sorted(p.name[len("Pulumi.") : -len(".yaml")] for p in root.glob("Pulumi.?*.yaml"))


def _read(path: Path) -> Any:
    """The document of a file, {} where it is empty, None where there is no such file."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise Mistake(f"{path.name}: not UTF-8") from None
    found = goyaml.load(text, path.name)
    if found is not None and not isinstance(found, dict):
        raise Mistake(f"{path.name}: must be a mapping of keys to values")
    return found or {}


def _project_name(document: Mapping[str, Any]) -> str:
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise Mistake("Pulumi.yaml: name: is missing")
    return name


def _missing(root: Path, name: str) -> str:
    there = names(root)
    known = f" (there are: {', '.join(there)})" if there else ""
    near = similar(name, there)
    return f"Pulumi.{name}.yaml does not exist{known}: every setting has its default{near}"


def _full_key(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _declared(document: Mapping[str, Any], project: str) -> dict[str, dict[str, Any]]:
    """The project's `config:` by full key; each with `value`, or `type` and `default`."""
    section = document.get("config") or {}
    if not isinstance(section, dict):
        raise Mistake("Pulumi.yaml: config: must be a mapping of keys to values")
    declared = {}
    for key, entry in section.items():
        if isinstance(entry, dict) and not {"value", "type", "default"} & entry.keys():
            raise Mistake(
                f"Pulumi.yaml: config.{key}: a map needs 'value:', or 'type: object' with 'default:'"
            )
        declared[_full_key(key, project)] = entry if isinstance(entry, dict) else {"value": entry}
    return declared


def _defaults(declared: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        key: entry.get("value", entry.get("default"))
        for key, entry in declared.items()
        if _has_value(entry)
    }


def _has_value(entry: Mapping[str, Any]) -> bool:
    return entry.get("value") is not None or entry.get("default") is not None


def _stack_config(document: Any, file: str, project: str, root: Path) -> dict[str, Any]:
    if not document:
        return {}
    for key in document:
        if key not in _STACK_KEYS:
            more = "; it belongs below config:" if ":" in str(key) else similar(key, _STACK_KEYS)
            raise Mistake(f"{file}: {key}: no such key{more}")
    section = document.get("config") or {}
    if not isinstance(section, dict):
        raise Mistake(f"{file}: config: must be a mapping of keys to values")
    for key in section:
        if ":" not in key:
            raise Mistake(
                f"{file}: config.{key}: needs a namespace; did you mean '{project}:{key}'?"
            )
    _check_schema(document, file, project, root)
    return dict(section)


def _check_schema(document: Any, file: str, project: str, root: Path) -> None:
    """Check the whole file against the project's schema, except what the program itself judges (its own namespace).

    The program's words on its settings are better than a schema's, and it refuses every mistake in them.
    """
    schema = _schema(root)
    if not schema:
        return
    mark = hashlib.sha256(json.dumps([schema, document]).encode()).hexdigest()
    known = root / ".sandbox" / "cache" / f"checked-{file}"
    if known.is_file() and known.read_text("utf-8") == mark:
        return  # importing the checker takes longer than all else that is done here
    import jsonschema

    errors = jsonschema.Draft202012Validator(schema).iter_errors(document)
    for error in sorted(errors, key=lambda e: [str(p) for p in e.absolute_path]):
        path = [str(part) for part in error.absolute_path]
        own = len(path) > 1 and path[0] == "config" and path[1].startswith(f"{project}:")
        if not own and not (path == ["config"] and f"{project}:" in error.message):
            raise Mistake(f"{file}: {'.'.join(path)}: {error.message}")
    with contextlib.suppress(OSError):
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(mark, "utf-8")


def _schema(root: Path) -> Any:
    try:
        return json.loads((root / "stack.schema.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Mistake(f"stack.schema.json: {error}") from None


def _hide_build_steps(values: dict[str, Any], project: str, root: Path) -> None:
    schema = _schema(root)
    known = ((schema or {}).get("properties", {}).get("config") or {}).get("properties", {})
    for key, value in _SANDBOX.items():
        if f"{project}:{key}" in known:
            values[f"{project}:{key}"] = _deep(values.get(f"{project}:{key}"), value)


def _deep(old: Any, new: Any) -> Any:
    """`new` laid over `old`: objects are merged key by key, all else is replaced."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return copy.deepcopy(new)
    return {**old, **{k: _deep(old.get(k), v) for k, v in new.items()}}


def _override(values: dict[str, Any], text: str, project: str) -> None:
    """One `-c key=value`: `key` may carry a namespace and a dotted path into an object, `value` may be JSON."""
    path, mark, raw = text.partition("=")
    namespace, colon, rest = path.rpartition(":")
    key, *inner = rest.split(".")
    if not mark or not key:
        raise Mistake(f"-c {text}: must be key=value", code=2)
    full = _full_key(f"{namespace}{colon}{key}", project)
    value = _json(raw)
    if not inner:
        values[full] = value if isinstance(value, dict | list) else raw
        return
    for part in reversed(inner):
        value = {part: value}
    values[full] = _deep(values.get(full), value)


def _json(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw


def _complete(
    values: Mapping[str, Any], declared: Mapping[str, Mapping[str, Any]], file: str
) -> None:
    for key in declared:
        if key not in values:
            raise Mistake(f"{file}: config.{key}: is missing, and Pulumi.yaml gives no default")
    for key, value in values.items():
        if path := _secure(value):
            where = ".".join(part for part in (key, *path) if part)
            raise Mistake(
                f"{file}: config.{where}: a 'secure' value cannot be decrypted here; "
                f"give a plain one for the sandbox: -c {where}=VALUE"
            )


def _secure(value: Any) -> tuple[str, ...] | None:
    """The path of the first encrypted value inside, () for `value` itself, None where there is none."""
    if isinstance(value, Mapping):
        if set(value) == {"secure"}:
            return ("",)
        for key, inner in value.items():
            if (path := _secure(inner)) is not None:
                return tuple(p for p in (key, *path) if p)
    if isinstance(value, list):
        for position, inner in enumerate(value):
            if (path := _secure(inner)) is not None:
                return tuple(p for p in (str(position), *path) if p)
    return None


def _text(value: Any) -> str:
    return json.dumps(_whole(value)) if isinstance(value, Mapping | list) else goyaml.text(value)


def _whole(value: Any) -> Any:
    """Numbers as Go's JSON writes them: a whole float has no fraction."""
    if isinstance(value, Mapping):
        return {k: _whole(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return (
        int(value)
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e21
        else value
    )
