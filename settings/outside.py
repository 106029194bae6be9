"""What a stack file may say of the world outside: the partner told of orders, the network probe, the webhook's callers."""

import ipaddress
import re
from types import MappingProxyType
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator

from settings.fields import LABEL, Model, setting
from settings.text import WrongValueError, is_credential

_HERE: Final = "settings/outside.py"
_NAME: Final = rf"(?=.{{1,253}}$){LABEL}(?:\.{LABEL})*"
_ADDRESS: Final = r"[0-9A-Fa-f:.]{2,45}"
_URL: Final = rf"https?://(?:[A-Za-z0-9.-]{{1,253}}|\[{_ADDRESS}\])(?::[0-9]{{1,5}})?(?:/[\x21\x24-\x3b\x3d\x3f-\x7e]*)?"
_CLOSED: Final = "must not be a link-local address, where machines keep their credentials"
_PRIVATE: Final = frozenset({"local", "localhost", "internal", "test", "invalid"})
"""Last parts of names that no public resolver knows."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA: Final = ipaddress.ip_address("fd00:ec2::254")
"""Where an instance asks for its credentials over IPv6; over IPv4 it is a link-local address."""


def address_of(host: str) -> Address | None:
    """Return the IP address that a host is written as; None for a name."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def is_link_local(host: str) -> bool:
    """Tell whether a host is an address that only the machine itself reaches, such as that of its credentials."""
    found = address_of(host)
    return found is not None and (found.is_link_local or found == METADATA)


def is_public(host: str) -> bool:
    """Tell whether a host, by its form, is reached from anywhere: a name of two labels or more, or a public address."""
    found = address_of(host)
    if found is not None:
        return found.is_global and not found.is_multicast
    labels = host.casefold().split(".")
    return len(labels) > 1 and labels[-1] not in _PRIVATE


def _is_host(host: str) -> bool:
    """Tell whether a text is a name or a whole address; what ends in a number is an address in a form of long ago."""
    last = host.rpartition(".")[2]
    named = re.fullmatch(_NAME, host, re.ASCII) and not re.fullmatch(
        "[0-9]+|0[xX][0-9A-Fa-f]*", last
    )
    return address_of(host) is not None or bool(named)


def _check_host(host: str) -> str:
    if not _is_host(host):
        raise WrongValueError("must be a host's name or its IP address, without scheme and port")
    if is_link_local(host):
        raise WrongValueError(_CLOSED)
    return host


def _check_url(url: str) -> str:
    wanted = "must be a URL without user and fragment, as in https://partner.example.com/orders"
    if is_credential(url):
        raise WrongValueError(
            "must not hold a credential", "what the partner asks for belongs in Secrets Manager"
        )
    try:
        parts = urlsplit(url if re.fullmatch(_URL, url, re.ASCII) else "")
        host = "" if parts.port == 0 else parts.hostname
    except ValueError:
        host = ""
    if not host or not _is_host(host):
        raise WrongValueError(wanted)
    if is_link_local(host):
        raise WrongValueError(_CLOSED)
    return url


class PartnerSettings(Model):
    """A partner that is told of every order by HTTP. Without a URL there is no order-forwarder."""

    other_names = MappingProxyType({"enabled": "a url switches it on"})

    url: Annotated[str, AfterValidator(_check_url)] | None = setting(
        None,
        "Where orders are posted to. Without it: nowhere.",
        values="an https URL of a public host; with private_network also http and private hosts",
        source=_HERE,
        schema={"pattern": rf"^(?!https?://169\.254\.){_URL}$"},
        example="https://partner.example.com/orders",
        max_length=2048,
    )
    private_network: bool = setting(
        default=False,
        description="Let the partner be in a private network, and answer without TLS. Link-local addresses stay closed.",
        source=_HERE,
    )
    timeout_seconds: int = setting(
        5,
        "Longest wait for one answer; less than the timeout of order-forwarder.",
        unit="seconds",
        ge=1,
        le=20,
        source=_HERE,
    )
    failure_threshold: int = setting(
        5,
        "Failures in a row after which the partner is left alone for a while.",
        unit="failures",
        ge=1,
        le=100,
        source=_HERE,
    )
    open_seconds: int = setting(
        60,
        "How long it is left alone.",
        unit="seconds",
        ge=1,
        le=3600,
        source=_HERE,
    )


class ProbeSettings(Model):
    """A function that tries a connection from inside a network. Without a host there is no network-probe."""

    other_names = MappingProxyType({"enabled": "a host switches it on"})

    host: Annotated[str, AfterValidator(_check_host)] | None = setting(
        None,
        "Host to connect to; needs functions.network-probe.vpc_config. Without it: no probe.",
        values="a host's name or IP address",
        schema={"pattern": rf"^(?!169\.254\.)(?:{_NAME}|{_ADDRESS})$"},
        source=_HERE,
        example="db.internal.example.com",
        max_length=253,
    )
    port: int = setting(
        5432, "TCP port to connect to.", unit="(TCP port)", ge=1, le=65535, source=_HERE
    )
    timeout_seconds: int = setting(
        5,
        "Longest wait for the connection; less than the timeout of network-probe.",
        unit="seconds",
        ge=1,
        le=30,
        source=_HERE,
    )


class WebhookSettings(Model):
    """The webhook that payment and shipping call."""

    tolerance_seconds: int = setting(
        300,
        "How far a call's signed time may lie from now, either way.",
        unit="seconds",
        ge=30,
        le=3600,
        source="Standard Webhooks specification, verifying webhook authenticity",
    )
