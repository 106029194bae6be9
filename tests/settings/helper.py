"""Load settings as the program does, with config as the engine hands it over."""

from __future__ import annotations

import contextvars
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import settings as pulumi_settings

import settings
from settings.wiring import HANDLERS

ROOT = Path(__file__).resolve().parents[2]


def load(
    config: Mapping[str, Any] | None = None,
    *,
    stack: str = "dev",
    secret: Iterable[str] = (),
    handlers: Path = HANDLERS,
) -> settings.Settings:
    """The settings of a stack with this config; keys without a namespace are the project's own."""

    def inside() -> settings.Settings:
        values = {_full(key): _text(value) for key, value in (config or {}).items()}
        pulumi.runtime.set_all_config(values, [_full(key) for key in secret])
        pulumi_settings.configure(pulumi_settings.Settings(project="sandpiper", stack=stack))
        return settings.load(handlers)

    return contextvars.copy_context().run(inside)


def refused(config: Mapping[str, Any] | None = None, **options: Any) -> list[str]:
    """The lines that loading ends with; none when it succeeds."""
    try:
        load(config, **options)
    except pulumi.RunError as error:
        return str(error).split("\n")
    return []


def _full(key: str) -> str:
    return key if ":" in key else f"sandpiper:{key}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
