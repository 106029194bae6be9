"""The stack's config as Pulumi hands it to the program: every key, still as text."""

import json
import os
from typing import Any

from pulumi.runtime import config as pulumi_config


def read() -> tuple[dict[str, Any], frozenset[str]]:
    """Return all config keys with their values, and the keys that hold a secret anywhere.

    The engine hands config over in the environment; mocks and inline programs set it in a context variable, which wins
    as it does in `pulumi.Config`.
    """
    values = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    for name in values:
        values[name] = pulumi_config.get_config(name)
    secret = {name for name in values if pulumi_config.is_config_secret(name)}
    if "PULUMI_CONFIG_SECRET_KEYS" in os.environ:
        secret |= set(pulumi_config.get_config_secret_keys_env())
    return values, frozenset(secret)


def parsed(text: object) -> Any:
    """Return a value as data: objects and lists arrive as JSON text, scalars as their own text.

    Text that is no JSON stays text, and so do the numbers that JSON has no word for.
    """
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
