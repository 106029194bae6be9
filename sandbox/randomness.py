"""The random provider: values that stay the same between runs and lie in no file.

Each is derived from the sandbox's seed, which lives only in the emulator's memory, and from the resource's URN and
inputs: the same resource has the same value until an input changes or the sandbox goes down, as with the real engine.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import string
import uuid
from collections.abc import Iterator
from typing import Final

from sandbox.resources import Outputs, Resource, ResourceType, resource

_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"
_SPENT: Final = {"keepers": "kept only to notice a change, which derives a new value"}


class _Stream:
    """Endless unbiased choices, derived from a key."""

    def __init__(self, key: bytes) -> None:
        self._bytes = self._endless(key)

    @staticmethod
    def _endless(key: bytes) -> Iterator[int]:
        count = 0
        while True:
            yield from hmac.new(key, count.to_bytes(8, "big"), hashlib.sha256).digest()
            count += 1

    def take(self, count: int) -> bytes:
        return bytes(next(self._bytes) for _ in range(count))

    def below(self, limit: int) -> int:
        room = 65536 - 65536 % limit
        while (number := int.from_bytes(self.take(2), "big")) >= room:
            pass
        return number % limit

    def choice(self, letters: str) -> str:
        return letters[self.below(len(letters))]


def _stream(r: Resource) -> _Stream:
    inputs = json.dumps(dict(r.inputs), sort_keys=True, default=str)
    return _Stream(hmac.new(r.aws.seed, f"{r.urn}\n{inputs}".encode(), hashlib.sha256).digest())


def _text(r: Resource) -> str:
    stream = _stream(r)
    length = r.take("length")
    classes = {
        "lower": string.ascii_lowercase,
        "upper": string.ascii_uppercase,
        "numeric": string.digits,
        "special": r.take("overrideSpecial") or _SPECIAL,
    }
    r.take("number")
    used = {key: letters for key, letters in classes.items() if r.take(key, default=True)}
    least = {key: r.take(f"min{key.capitalize()}", 0) for key in classes}
    if not used:
        raise ValueError("no kind of character is left to choose from")
    letters = [stream.choice(classes[key]) for key, count in least.items() for _ in range(count)]
    if len(letters) > length:
        raise ValueError(f"length {length} is less than the {len(letters)} characters demanded")
    letters += [stream.choice("".join(used.values())) for _ in range(length - len(letters))]
    for last in range(len(letters) - 1, 0, -1):
        other = stream.below(last + 1)
        letters[last], letters[other] = letters[other], letters[last]
    return "".join(letters)


@resource(
    "random:index/randomPassword:RandomPassword",
    ignored=_SPENT,
    secret_outputs=("result", "bcryptHash"),
)
def random_password(r: Resource) -> Outputs:
    """A text that no file may hold."""
    return {"id": "none", "result": _text(r)}


@resource("random:index/randomString:RandomString", ignored=_SPENT)
def random_string(r: Resource) -> Outputs:
    """A text that is no secret."""
    text = _text(r)
    return {"id": text, "result": text}


@resource("random:index/randomUuid:RandomUuid", ignored=_SPENT)
def random_uuid(r: Resource) -> Outputs:
    """A version 4 UUID."""
    text = str(uuid.UUID(bytes=_stream(r).take(16), version=4))
    return {"id": text, "result": text}


@resource("random:index/randomId:RandomId", ignored=_SPENT)
def random_id(r: Resource) -> Outputs:
    """Random bytes in four notations, each with the prefix; the id is the bare Base64 text."""
    raw = _stream(r).take(r.take("byteLength"))
    prefix = r.take("prefix", "")
    short = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return {
        "id": short,
        "b64Url": prefix + short,
        "b64Std": prefix + base64.b64encode(raw).decode(),
        "hex": prefix + raw.hex(),
        "dec": prefix + str(int.from_bytes(raw, "big")),
    }


@resource("random:index/randomBytes:RandomBytes", ignored=_SPENT, secret_outputs=("base64", "hex"))
def random_bytes(r: Resource) -> Outputs:
    """Random bytes that no file may hold."""
    raw = _stream(r).take(r.take("length"))
    return {"id": "none", "base64": base64.b64encode(raw).decode(), "hex": raw.hex()}


def _nothing(_: Resource) -> None:
    """Nothing lies in the emulator."""


def _derive_again(*types: ResourceType) -> None:
    """A changed input derives a new value, an unchanged one the same; there is nothing to delete."""
    for kind in types:
        kind.updates(kind.create)
        kind.deletes(_nothing)
        if kind.secret_outputs:
            kind.recalls(kind.create)


_derive_again(random_password, random_string, random_uuid, random_id, random_bytes)
