"""What may be written down and what may not: secrets stay out of files and of error texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from sandbox.values import jsonable

HIDDEN: Final = "[secret]"
"""What a file or a screen shows in place of a secret."""

_LENGTH: Final = 8
"""A text shorter than this is too common to be searched for."""


def open_outputs(
    outputs: Mapping[str, Any],
    inputs: Mapping[str, Any],
    secret_inputs: Collection[str],
    secret_outputs: Collection[str],
) -> dict[str, Any]:
    """The outputs that may lie in a file: none that is secret, none that repeats a secret input's text."""
    secrets = _secret_texts(inputs, secret_inputs)
    return {
        key: jsonable(value)
        for key, value in outputs.items()
        if key not in secret_inputs
        and key not in secret_outputs
        and not any(secret in text for text in _texts(value) for secret in secrets)
    }


def masked(text: str, inputs: Mapping[str, Any], secret_inputs: Collection[str]) -> str:
    """`text` without any secret input that it repeats."""
    for secret in sorted(_secret_texts(inputs, secret_inputs), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _secret_texts(inputs: Mapping[str, Any], secret_inputs: Collection[str]) -> set[str]:
    found = (text for key in secret_inputs for text in _texts(inputs.get(key)))
    return {text for text in found if len(text) >= _LENGTH}


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []
