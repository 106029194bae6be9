"""botocore's service models, read as far as they are needed and kept without their prose.

MiniStack asks a model for two words, the protocol and its version, at the first answer of each
service, and reads all of it for them: 50 ms and some MB a service. The two words stand at the head
of the file.
"""

import gzip
import importlib.util
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from sandbox.workers.seams import Seam

_HEAD = 4096
"""Characters of a model that hold its metadata; the longest has some 800."""


def seams() -> list[Seam]:
    """Return the seams of the emulator's own models."""
    return [
        Seam(
            "ministack.core.responses",
            "_service_model",
            ("service",),
            "the first call of each AWS service takes some 50 ms longer",
            _by_head,
            needs=("_BOTOCORE_NAME",),
        ),
        Seam(
            "botocore.loaders",
            "JSONFileLoader.load_file",
            ("self", "file_path"),
            "the emulator keeps the documentation of AWS in memory",
            without_prose,
        ),
    ]


class Model:
    """A service model of which only the head is read, until somebody asks for more."""

    def __init__(self, metadata: dict[str, Any], load: Callable[[], Any]) -> None:
        self.metadata = metadata
        self._load = load

    def __getattr__(self, name: str) -> Any:
        return getattr(self._load(), name)


def _by_head(module: ModuleType, original: Callable[[str], Any]) -> Callable[[str], Any]:
    @cache
    def service_model(service: str) -> Any:
        metadata = read_metadata(module._BOTOCORE_NAME.get(service, service))
        return Model(metadata, lambda: original(service)) if metadata else original(service)

    return service_model


def read_metadata(service: str) -> dict[str, Any] | None:
    """Return the `metadata` of a service's newest model in botocore, or None if it has no such file."""
    spec = importlib.util.find_spec("botocore")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).with_name("data") / service
    files = sorted(folder.glob("*/service-2.json.gz"))
    if not files:
        return None
    with gzip.open(files[-1], "rt", encoding="utf-8") as opened:
        head = opened.read(_HEAD)
    _before, key, rest = head.partition('"metadata":')
    try:
        return json.JSONDecoder().raw_decode(rest.lstrip())[0] if key else None
    except json.JSONDecodeError:
        return None


def without_prose(_module: ModuleType, load: Callable[[Any, str], Any]) -> Callable[..., Any]:
    """Return what takes the place of botocore's `JSONFileLoader.load_file`.

    Documentation is half of a model, and botocore reads models into ordered dictionaries, which
    take twice the room of plain ones although those keep their order too.
    """

    def load_file(self: Any, file_path: str) -> Any:
        return _bare(load(self, file_path))

    return load_file


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            # Emptied, not left out: botocore reads the one of each client context parameter.
            key: "" if key == "documentation" and isinstance(member, str) else _bare(member)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [_bare(member) for member in value]
    return value
