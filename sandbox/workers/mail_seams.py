"""SES: what it refuses.

MiniStack takes any address with something behind the last at sign, version 2 of the API takes all, and both take more
recipients than AWS does. Sources: SES developer guide, "Email address formats", "Service quotas" (50 recipients of a
message), API reference of SendEmail.
"""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from email.utils import parseaddr
from types import ModuleType
from typing import Any, Final

from sandbox.workers.seams import Seam

_MOST: Final = 50
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_QUOTED: Final = re.compile(r'"(?:[^"\\\r\n]|\\.)+"')
_DOMAIN: Final = re.compile(r"(?:(?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]")
_LENGTHS: Final = (64, 255)
Record = dict[str, Any]
"""Characters before and behind the at sign."""


def seams() -> list[Seam]:
    """Return the seams of mail."""
    return [
        Seam(
            "ministack.services.ses",
            "_send_email",
            ("params",),
            "mail to malformed addresses is taken",
            _first,
            needs=("_collect_list", "_error", "_p"),
        ),
        Seam(
            "ministack.services.ses_v2",
            "handle_request",
            ("method", "path", "headers", "body", "query_params"),
            "mail to malformed addresses is taken",
            _second,
            needs=("_json_err", "_missing_config_set", "_config_sets", "_v1_config_sets"),
        ),
    ]


def fault(sender: str, recipients: Sequence[str]) -> str | None:
    """Why a message with these addresses is refused, or None."""
    if not recipients:
        return "Empty required header 'To'."
    if len(recipients) > _MOST:
        return "Recipient count exceeds 50."
    for address in (sender, *recipients):
        if why := _bad(address):
            return why
    return None


def _bad(address: str) -> str | None:
    if any(sign in address for sign in "\r\n\0"):
        return "Illegal address"
    # Python's reader leaves out what does not fit.
    found = parseaddr(address)[1]
    named = re.search(r"<([^<>]*)>\s*$", address)
    if found != (named[1] if named else address).strip():
        return "Illegal address"
    local, mark, domain = found.rpartition("@")
    if not mark or not domain or not found.isascii():
        return "Missing final '@domain'"
    if not local:
        return "Missing local name"
    short = len(local) <= _LENGTHS[0] and len(domain) <= _LENGTHS[1]
    if not short or not (_LOCAL.fullmatch(local) or _QUOTED.fullmatch(local)):
        return "Local address contains illegal characters" if short else "Address is too long"
    return None if _DOMAIN.fullmatch(domain) else "Domain contains illegal character"


def _first(module: ModuleType, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def send(params: Any) -> Any:
        from ministack.services import ses_v2

        recipients = [
            address
            for kind in ("To", "Cc", "Bcc")
            for address in module._collect_list(params, f"Destination.{kind}Addresses.member")
        ]
        name = module._p(params, "ConfigurationSetName")
        if name and name in ses_v2._config_sets:
            # One account has one set of a name, whichever version of the API made it.
            module._configuration_sets.setdefault(name, {"Name": name})
        why = fault(module._p(params, "Source"), recipients)
        return module._error("InvalidParameterValue", why, 400) if why else original(params)

    return send


def _second(
    module: ModuleType, original: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[Any]]:
    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        if method == "POST" and path.rstrip("/").endswith("/outbound-emails"):
            refused = _refused(module, body)
            if refused is not None:
                return refused
        return await original(method, path, headers, body, query_params)

    return handle


def _refused(module: ModuleType, body: bytes) -> Any:
    """The answer to a message that AWS refuses; None where it does not."""
    data: Record = json.loads(body or b"{}")
    place = data.get("Destination") or {}
    recipients = [
        address for kind in ("To", "Cc", "Bcc") for address in place.get(f"{kind}Addresses") or []
    ]
    raw = "Raw" in (data.get("Content") or {})
    sender = data.get("FromEmailAddress") or ""
    # A raw message may name both in its own headers.
    why = None if raw and not (sender and recipients) else fault(sender, recipients)
    if why:
        return module._json_err("BadRequestException", why)
    name = data.get("ConfigurationSetName")
    known = (module._config_sets, module._v1_config_sets)
    return module._missing_config_set(name) if name and not any(name in k for k in known) else None
