"""Addresses under a domain of one's own: here no DNS leads to them, so what they stand for is called instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from sandbox.clients import Clients


def local(aws: Clients, url: str) -> str:
    """The address on this machine of what `url` stands for; `url` itself where no domain of this sandbox is mapped so."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "wss") or not parts.hostname:
        return url
    first, _, rest = parts.path.lstrip("/").partition("/")
    found = dict(_mappings(aws, parts.hostname))
    for key, path in ((first, rest), ("", parts.path.lstrip("/"))):
        if key in found:
            scheme = "ws" if parts.scheme == "wss" else "http"
            base = f"{aws.endpoint}/_aws/execute-api/{found[key]}".replace("http", scheme, 1)
            return f"{base}/{path}" if path else base
    return url


def _mappings(aws: Clients, domain: str) -> Iterator[tuple[str, str]]:
    """What is mapped under a domain: a base path, and `<api>/<stage>`."""
    # Version 2 of the API lists the base paths of REST APIs as well, whoever made them.
    for each in _listed(aws, domain):
        stage = "" if each["Stage"] == "$default" else f"/{each['Stage']}"
        yield each.get("ApiMappingKey") or "", each["ApiId"] + stage


def _listed(aws: Clients, domain: str) -> list[Any]:
    from botocore.exceptions import ClientError

    from sandbox.faults import is_missing

    try:
        found: list[Any] = (
            aws.client("apigatewayv2").get_api_mappings(DomainName=domain).get("Items") or []
        )
    except ClientError as error:
        if is_missing(error):
            return []
        raise
    return found
