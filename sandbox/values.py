"""Values between Pulumi's wire format, plain Python and the fingerprints that tell whether an input has changed."""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
from google.protobuf import struct_pb2
from pulumi.runtime import rpc

from sandbox import sources

_SIGNATURE: Final = rpc._special_sig_key
_SECRET: Final = rpc._special_secret_sig
_ASSET: Final = rpc._special_asset_sig
_ARCHIVE: Final = rpc._special_archive_sig


def unpack(struct: struct_pb2.Struct) -> tuple[dict[str, Any], frozenset[str]]:
    """Inputs as plain values, and the names of those that hold a secret at any depth.

    Whole numbers become ints (on the wire every number is a float), assets and archives become pulumi objects,
    a reference to a resource becomes its id.
    """
    plain, secret = {}, set()
    for key, value in struct.fields.items():
        plain[key], hidden = _value(value)
        if hidden:
            secret.add(key)
    return plain, frozenset(secret)


def _value(value: struct_pb2.Value) -> tuple[Any, bool]:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return (None, False) if text == rpc.UNKNOWN else (text, False)
    if kind == "number_value":
        number = value.number_value
        return (int(number) if number.is_integer() else number), False
    if kind == "bool_value":
        return value.bool_value, False
    if kind == "list_value":
        return _list(value.list_value)
    if kind == "struct_value":
        return _struct(value.struct_value)
    return None, False


def _list(values: struct_pb2.ListValue) -> tuple[Any, bool]:
    pairs = [_value(v) for v in values.values]
    return [plain for plain, _ in pairs], any(secret for _, secret in pairs)


def _struct(struct: struct_pb2.Struct) -> tuple[Any, bool]:
    fields = struct.fields
    if _SIGNATURE not in fields:
        plain, secret = unpack(struct)
        return plain, bool(secret)
    signature = fields[_SIGNATURE].string_value
    if signature == _SECRET:
        return _value(fields["value"])[0], True
    inner, secret = {}, False
    for key, value in fields.items():
        inner[key], hidden = _value(value)
        secret = secret or hidden
    if signature == _ASSET:
        return _asset(inner), secret
    if signature == _ARCHIVE:
        return _archive(inner), secret
    return inner.get("id") or inner.get("urn"), secret


def _asset(inner: Mapping[str, Any]) -> pulumi.Asset:
    if "path" in inner:
        return pulumi.FileAsset(_absolute(inner["path"]))
    return (
        pulumi.StringAsset(inner["text"]) if "text" in inner else pulumi.RemoteAsset(inner["uri"])
    )


def _archive(inner: Mapping[str, Any]) -> pulumi.Archive:
    if "assets" in inner:
        return pulumi.AssetArchive(inner["assets"])
    return (
        pulumi.FileArchive(_absolute(inner["path"]))
        if "path" in inner
        else pulumi.RemoteArchive(inner["uri"])
    )


def _absolute(path: str) -> str:
    """A path as the program means it: relative to its own folder, which is the current one while it runs."""
    return str(Path(path).absolute())


def pack(
    outputs: Mapping[str, Any], onto: struct_pb2.Struct, *, secret: frozenset[str]
) -> struct_pb2.Struct:
    """The answer to a registration: the inputs as they came (secrets stay secret), overlaid with `outputs`."""
    answer = struct_pb2.Struct()
    answer.CopyFrom(onto)
    for key, value in outputs.items():
        answer[key] = {_SIGNATURE: _SECRET, "value": value} if key in secret else value
    return answer


def jsonable(value: Any) -> Any:
    """`value` as JSON can carry it: times as ISO 8601, bytes as text, decimals as numbers, assets as their kind."""
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(v) for v in value]
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return (
        value
        if value is None or isinstance(value, str | int | float)
        else f"<{type(value).__name__}>"
    )


def fingerprints(inputs: Mapping[str, Any], key: bytes) -> dict[str, str]:
    """One keyed digest per top-level input; unset ones have none.

    `key` never touches a disk, so a digest of a guessable secret cannot be tried out against a list of guesses.
    Assets and archives count by content and by the names inside, never by where they lie.
    """
    return {k: _digest(v, key) for k, v in inputs.items() if v is not None}


def _digest(value: Any, key: bytes) -> str:
    text = json.dumps(value, sort_keys=True, default=_content)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


def _content(value: Any) -> Any:
    if isinstance(value, pulumi.StringAsset):
        return hashlib.sha256(value.text.encode()).hexdigest()
    if isinstance(value, pulumi.FileAsset | pulumi.FileArchive):
        return _path(Path(value.path))
    if isinstance(value, pulumi.AssetArchive):
        return {name: _content(inner) for name, inner in value.assets.items()}
    if isinstance(value, pulumi.RemoteAsset | pulumi.RemoteArchive):
        return value.uri
    raise TypeError(f"an input holds a {type(value).__name__}")


def _path(path: Path) -> Any:
    """A file by its bytes, a folder by its files; what the program builds by its sources, as `sources` finds them.

    What does not exist counts by its name.
    """
    if source := sources.of_function(path) or sources.of_layer(path):
        return {file.relative_to(source.folder).as_posix(): _path(file) for file in source.files}
    if path.is_dir():
        return {file.relative_to(path).as_posix(): _path(file) for file in _files(path)}
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return path.name


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def asset_paths(value: Any) -> Iterator[Path]:
    """Absolute paths of the files inside an archive or asset, or that a compiled function is made from."""
    if isinstance(value, pulumi.AssetArchive):
        for inner in value.assets.values():
            yield from asset_paths(inner)
    elif isinstance(value, pulumi.FileAsset | pulumi.FileArchive):
        path = Path(value.path).absolute()
        source = sources.of_function(path)
        yield from source.files if source else _files(path) if path.is_dir() else [path]
