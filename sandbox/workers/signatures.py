"""Signatures of calls to function URLs and to methods with AWS_IAM, recomputed from the request as it arrived.

MiniStack leaves the administrator's key unchecked, and any key's region and service: `Signature=deadbeef` would be
let in. Source: IAM user guide, "Create a signed AWS API request".
"""

import contextvars
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from sandbox.workers.seams import Seam

_LOSS = "function URLs answer forged signatures"
_UNKNOWN = ("UnrecognizedClientException", "The security token included in the request is invalid.")
_EXPIRED = "ExpiredTokenException"


@dataclass
class _Arrived:
    """A request before anything of it is decoded."""

    method: str
    raw_path: str
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""


_arrived: contextvars.ContextVar[_Arrived | None] = contextvars.ContextVar("arrived", default=None)


def seams() -> list[Seam]:
    """Return the seams that keep a request as it arrived."""
    given = ("method", "raw_path", "query_params", "raw_headers", "handshake")
    return [
        Seam("ministack.app", "pin_signed_request", given, _LOSS, _keeping),
        Seam("ministack.app", "pin_signed_body", ("body",), _LOSS, _with_body),
    ]


def _keeping(_module: ModuleType, original: Callable[..., None]) -> Callable[..., None]:
    def pin(
        method: str,
        raw_path: str,
        query_params: Any,
        raw_headers: list[tuple[bytes, bytes]],
        handshake: bool = False,  # noqa: FBT001, FBT002 as MiniStack calls it
    ) -> None:
        _arrived.set(_Arrived(method, raw_path, raw_headers))
        original(method, raw_path, query_params, raw_headers, handshake)

    return pin


def _with_body(_module: ModuleType, original: Callable[..., None]) -> Callable[..., None]:
    def pin(body: bytes) -> None:
        arrived = _arrived.get()
        if arrived is not None:
            arrived.body = body
        original(body)

    return pin


def fault(
    query: Mapping[str, Any], account: str, region: str, *, service: str = "lambda"
) -> tuple[str, str] | None:
    """Code and message of what is wrong with the request's signature for a service in `region`, or None."""
    from ministack.core import sigv4

    arrived = _arrived.get()
    if arrived is None:
        return _UNKNOWN
    headers = _joined(arrived.headers, sigv4.decode_header_value)
    presigned = not headers.get("authorization", "").startswith("AWS4-HMAC-SHA256")
    signature = sigv4.parse_query_signature(query) if presigned else None
    signature = signature or sigv4.parse_header_signature(headers)
    if isinstance(signature, tuple):
        return signature
    found = _misplaced(signature, region, service) or _outdated(
        signature, query, presigned=presigned
    )
    if found:
        return found
    token = query.get("X-Amz-Security-Token") if presigned else headers.get("x-amz-security-token")
    secret = _secret(signature.access_key_id, account, _one(token))
    if isinstance(secret, tuple):
        return secret
    digest = headers.get("x-amz-content-sha256")
    if digest and digest != hashlib.sha256(arrived.body).hexdigest():
        return "InvalidSignatureException", sigv4.SIGNATURE_MISMATCH
    wrong = sigv4.header_signature_failure(
        signature,
        secret,
        arrived.method,
        arrived.raw_path,
        query,
        headers,
        arrived.body,
        presigned=presigned,
    )
    return ("InvalidSignatureException", wrong[1]) if wrong else None


def _misplaced(signature: Any, region: str, service: str) -> tuple[str, str] | None:
    """What is wrong with the place that a signature is scoped to."""
    code = "InvalidSignatureException"
    if signature.region != region:
        return code, f"Credential should be scoped to a valid region, not '{signature.region}'. "
    if signature.service != service:
        return code, f"Credential should be scoped to correct service: '{service}'. "
    if not {"host"} <= set(signature.signed_headers.split(";")):
        return code, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    return None


def _outdated(
    signature: Any, query: Mapping[str, Any], *, presigned: bool
) -> tuple[str, str] | None:
    """What is wrong with the time of a signature: five minutes, or what a presigned address says."""
    from ministack.core import sigv4

    code = "InvalidSignatureException"
    expires = _one(query.get("X-Amz-Expires")) if presigned else ""
    try:
        if expires and sigv4.presigned_request_is_expired(signature.amz_date, expires):
            return code, "Signature expired"
    except (ValueError, OverflowError):
        return "IncompleteSignature", "X-Amz-Date and X-Amz-Expires must be valid"
    skewed = None if expires else sigv4.request_time_failure(signature)
    return (code, skewed[1]) if skewed else None


def _secret(key: str, account: str, token: str) -> str | tuple[str, str]:
    """The secret that belongs to a key, or why the key is refused."""
    from ministack.core import iam_evaluator

    if not key:
        return _UNKNOWN
    found = iam_evaluator.resolve_credential(key, account, token)
    if isinstance(found, iam_evaluator.CredentialResolutionError):
        return (found.code, found.message) if found.code == _EXPIRED else _UNKNOWN
    return found.secret_access_key


def _joined(given: list[tuple[bytes, bytes]], decode: Callable[[bytes], str]) -> dict[str, str]:
    """Headers as they are signed: lines of one name are joined by a comma."""
    headers: dict[str, str] = {}
    for name, value in given:
        key, text = name.decode("latin-1").lower(), decode(value)
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def _one(value: Any) -> str:
    return str((value[0] if value else "") if isinstance(value, list) else value or "")
