"""A signed call of the stack's webhook, as its partner makes it.

Source: the Standard Webhooks specification: `webhook-signature: v1,BASE64` is the HMAC-SHA256 of `ID.TIMESTAMP.BODY`.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from sandbox.clients import Clients
from sandbox.errors import Mistake
from sandbox.web import Answer, Http


def send(
    aws: Clients,
    exports: Mapping[str, Any],
    body: Any,
    *,
    ident: str = "",
    timestamp: int | None = None,
    key: str | None = None,
) -> Answer:
    """Post a body (text, or JSON) to the export `webhookUrl`; the same `ident` twice is the same delivery.

    `timestamp`: seconds since the epoch, now where None. `key` signs in place of what the export `webhookSecretArn`
    holds: `whsec_BASE64`, or any other text as it is. Raises `Mistake` where the stack exports neither.
    """
    url = str(exports.get("webhookUrl") or "")
    if not url:
        raise Mistake("this stack exports no webhookUrl: there is no webhook to call")
    if key is None:
        key = _secret(aws, str(exports.get("webhookSecretArn") or ""))
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    ident = ident or f"msg_{secrets.token_hex(12)}"
    moment = int(time.time()) if timestamp is None else timestamp
    headers = {
        "Content-Type": "application/json",
        "webhook-id": ident,
        "webhook-timestamp": str(moment),
        "webhook-signature": signature(_bytes(key), ident, moment, text),
    }
    return Http(url, lambda: "").post("", body=text, headers=headers)


def signature(key: bytes, ident: str, timestamp: int, body: str) -> str:
    """The header `webhook-signature`."""
    digest = hmac.digest(key, f"{ident}.{timestamp}.{body}".encode(), "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def _bytes(key: str) -> bytes:
    marked = key.startswith("whsec_")
    return base64.b64decode(key.removeprefix("whsec_")) if marked else key.encode()


def _secret(aws: Clients, arn: str) -> str:
    if not arn:
        raise Mistake("this stack exports no webhookSecretArn: nothing can sign the call")
    return str(aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
