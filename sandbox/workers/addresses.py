"""Addresses under a domain of this sandbox, as a function finds them in its variables: the place on this machine instead.

A function is often told such an address before the domain is mapped, so they are looked up when it is called.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_DOMAINS: Final = "ministack.services.apigateway_v1"
"""Where the emulator keeps the domains of every kind of API; without one it is never imported."""
_SCHEMES: Final = {"https": "http", "wss": "ws"}


def localised(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A function's configuration whose variables lead to this machine; `config` itself where they all do."""
    declared = (config.get("Environment") or {}).get("Variables") or {}
    moved = {name: local(value) for name, value in declared.items()}
    if moved == declared:
        return config
    return {**config, "Environment": {**config["Environment"], "Variables": moved}}


def local(url: str) -> str:
    """What `url` stands for on this machine; `url` itself where no domain of this sandbox is mapped so."""
    scheme, mark, _ = url.partition("://")
    gateway: Any = sys.modules.get(_DOMAINS)
    if gateway is None or not mark or scheme not in _SCHEMES:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    found = gateway.resolve_base_path_mapping(parts.hostname or "", parts.path or "/")
    if found is None:
        return url
    api, stage, rest = found
    base = f"{_SCHEMES[scheme]}://127.0.0.1:{os.environ.get('GATEWAY_PORT', '4566')}"
    inner = "" if stage == "$default" else f"/{stage}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{base}/_aws/execute-api/{api}{inner}{'' if rest == '/' else rest}{query}"
