"""Large JSON documents with Outputs in them."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any, cast

import pulumi


def json_text(document: Any) -> pulumi.Output[str]:
    """A document as JSON text with sorted keys, its Outputs filled in.

    Pulumi's own `json_dumps` waits for an Output at every place where it stands, and a description of an API names the
    same few functions at hundreds of places. Here each is waited for once, so routes cost next to nothing.
    """
    mark = secrets.token_hex(8)
    found: dict[int, tuple[int, pulumi.Output[Any]]] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, pulumi.Output):
            output = cast("pulumi.Output[Any]", value)
            position, _ = found.setdefault(id(output), (len(found), output))
            return f"{mark}{position}"
        if isinstance(value, Mapping):
            return {key: plain(part) for key, part in cast("Mapping[str, Any]", value).items()}
        if isinstance(value, list | tuple):
            return [plain(part) for part in cast("list[Any]", value)]
        return value

    text = json.dumps(plain(document), sort_keys=True)
    places = re.compile(f'"{mark}([0-9]+)"')
    outputs = [output for _, output in found.values()]
    return pulumi.Output.all(*outputs).apply(
        lambda values: places.sub(lambda place: json.dumps(values[int(place[1])]), text)
    )


def fingerprint(text: pulumi.Output[str]) -> pulumi.Output[str]:
    """SHA-256 of a document, in hexadecimal: what a deployment is made anew by."""
    return text.apply(lambda written: hashlib.sha256(written.encode()).hexdigest())
