"""What the description says of the whole API: who may reach it, which bodies are binary, where keys come from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from policies import documents
from policies.gateways import EXTENSION

POLICY = "x-amazon-apigateway-policy"
BINARY = "x-amazon-apigateway-binary-media-types"
KEY_SOURCE = "x-amazon-apigateway-api-key-source"
TEXT = "CONVERT_TO_TEXT"
POLICY_SIZE = 8192
"""Characters of a resource policy (API Gateway quotas)."""
EVERYTHING = "execute-api:/*"

_MEDIA_TYPE = re.compile(r"[\w.+*-]+/[\w.+*-]+", re.ASCII)


def policy_problems(document: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the parts that hold for all methods."""
    for kind in document.get(BINARY) or ():
        if not _MEDIA_TYPE.fullmatch(str(kind)):
            yield f"{BINARY}: '{kind}' is no media type"
    if "*/*" in (document.get(BINARY) or ()):
        yield from _mocks_that_break(document)
    if document.get(KEY_SOURCE) not in {None, "HEADER", "AUTHORIZER"}:
        yield f"{KEY_SOURCE} must be HEADER or AUTHORIZER"
    policy = document.get(POLICY)
    if policy is not None:
        yield from (f"{POLICY}: {text}" for text in _policy(json.dumps(policy)))


def _mocks_that_break(document: dict[str, Any]) -> Iterator[str]:
    """Where everything is binary, a mock cannot read its own template, and a preflight is 502."""
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            written = operation.get(EXTENSION, {})
            if written.get("type") == "mock" and written.get("contentHandling") != TEXT:
                yield f"{method.upper()} {path}: contentHandling must be {TEXT} where */* is binary"


def _policy(text: str) -> Iterator[str]:
    said = documents.statements(text)
    if documents.size(text) > POLICY_SIZE:
        yield f"has more than {POLICY_SIZE} characters"
    for statement in said:
        if statement.actions != ("execute-api:Invoke",) or statement.resources != (EVERYTHING,):
            yield f"a statement is about execute-api:Invoke on {EVERYTHING}"
    open_to_all = [s for s in said if s.allows and not s.conditions]
    kept_out = [s for s in said if s.effect == "Deny" and s.only_if("NotIpAddress", "aws:SourceIp")]
    # An explicit denial holds whatever the authorizer says; without an Allow nobody is let in.
    if not any(s.allows for s in said) or (open_to_all and not kept_out):
        yield "must allow callers, and deny those from other addresses (NotIpAddress aws:SourceIp)"
