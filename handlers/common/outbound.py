"""Calls of somebody else's HTTP API that cannot be turned against our own network (SSRF).

A host's addresses are looked up once and judged, and the one that was judged is connected to: a name
that changes its answer meanwhile gains nothing. Redirects are not followed, proxies of the
environment not asked, and of an answer only the status and so many bytes are read. A connection is
kept for the next call.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import urlsplit

from common import tracing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LARGEST_ANSWER = 65_536  # bytes that are read; who sends more is hung up on
_STALE = 20.0  # seconds; the other end closes an idle connection, at an unknown moment
_MOST_DIGITS = 5  # of a Retry-After in seconds: a day
_PORTS = {"https": 443, "http": 80}
# What AWS answers at inside a VPC: instance metadata, credentials, time and DNS (the IPv4 ones are
# link-local).
_AWS_LOCAL = ipaddress.ip_network("fd00:ec2::/32")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Unsafe(Exception):
    """The address is none that may be called; the text says why."""


class Answer(NamedTuple):
    """What came back; `retry_after` in seconds, 0 where it was not said in seconds."""

    status: int
    retry_after: int


class Target(NamedTuple):
    """Where calls go: `private` allows http and addresses that only our own network reaches."""

    url: str
    private: bool = False

    def parts(self) -> tuple[str, str, int, str]:
        """Scheme, host, port and path with query. Raises Unsafe."""
        try:
            parts = urlsplit(self.url)
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            raise Unsafe("not a URL") from None
        if parts.scheme != "https" and not (self.private and parts.scheme == "http"):
            raise Unsafe("not an https URL")
        if not parts.hostname or parts.username is not None or parts.password is not None:
            raise Unsafe("a URL has a host, and no user")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return parts.scheme, parts.hostname, port, path


class _Kept(NamedTuple):
    target: Target
    link: http.client.HTTPConnection
    until: float


_kept: list[_Kept] = []  # one at most, of this execution environment


class _Watch:
    """Ends a call when its time is over. A socket's own timeout begins anew with each byte, so that
    who sends one a second could hold a function for ever.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.socket: socket.socket | None = None  # in use at the moment
        self._ends = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    @property
    def left(self) -> float:
        """Seconds. Raises TimeoutError when none are."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer within {self.seconds} seconds")
        return left

    def _hang_up(self) -> None:
        if self.socket:
            with contextlib.suppress(OSError):  # it has ended meanwhile
                self.socket.shutdown(socket.SHUT_RDWR)


def post(target: Target, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
    """POST and wait for the answer, `seconds` in all after the host's name is resolved.

    Raises Unsafe for an address that may not be called, OSError or HTTPException when there is no
    answer.
    """
    with tracing.remote("POST", target.url):
        answer = _post(target, body, headers, seconds)
        tracing.answered(answer.status)
        return answer


def _post(target: Target, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
    _, host, port, path = target.parts()
    link = _reused(target)
    addresses = [] if link else _addresses(host, port, private=target.private)
    with _Watch(seconds) as watch:
        if link:
            try:
                return _exchange(link, target, (path, body, headers), watch)
            except (OSError, http.client.HTTPException):
                # The other end had closed it meanwhile; that says nothing about a new one.
                addresses = _addresses(host, port, private=target.private)
        link = _connected(target, addresses, watch)
        return _exchange(link, target, (path, body, headers), watch)


def _exchange(
    link: http.client.HTTPConnection,
    target: Target,
    request: tuple[str, bytes, Mapping[str, str]],
    watch: _Watch,
) -> Answer:
    path, body, headers = request
    watch.socket = link.sock
    link.sock.settimeout(watch.left)
    try:
        link.request("POST", path, body, dict(headers))
        answer = link.getresponse()
        answer.read(LARGEST_ANSWER)
        _ = watch.left  # an answer that was cut off looks like its end
    except BaseException:
        link.close()
        _ = watch.left  # says so when it was the time
        raise
    if answer.isclosed() and not answer.will_close:
        _kept[:] = [_Kept(target, link, time.time() + _STALE)]
    else:
        link.close()
    after = answer.headers.get("Retry-After", "")
    known = after.isascii() and after.isdigit() and len(after) <= _MOST_DIGITS
    return Answer(answer.status, int(after) if known else 0)


def _reused(target: Target) -> http.client.HTTPConnection | None:
    if not _kept:
        return None
    kept = _kept.pop()
    if kept.target == target and 0 <= kept.until - time.time() <= _STALE:
        return kept.link
    kept.link.close()
    return None


def _addresses(host: str, port: int, *, private: bool) -> list[str]:
    """The host's addresses. Raises Unsafe when one of them may not be called: a name that leads
    to such an address is not to be trusted with its others.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        check(address, private=private)
    return addresses


def _connected(
    target: Target, addresses: Sequence[str], watch: _Watch
) -> http.client.HTTPConnection:
    """A connection to the first of these addresses that answers."""
    scheme, host, port, _ = target.parts()
    link = http.client.HTTPConnection(host, port)
    link.auto_open = 0  # it would look the name up again, and judge nothing
    link.sock = watch.socket = _opened(addresses, port, watch)
    if scheme == "https":
        try:
            # The certificate is the host's, whatever its address.
            link.sock = watch.socket = _certificates().wrap_socket(
                link.sock, server_hostname=host, do_handshake_on_connect=False
            )
            link.sock.do_handshake()
        except BaseException:
            link.close()
            raise
    return link


def _opened(addresses: Sequence[str], port: int, watch: _Watch) -> socket.socket:
    trouble = OSError("the host has no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=watch.left)
        except OSError as error:
            trouble = error
    raise trouble


def check(address: str, *, private: bool) -> None:
    """Raises Unsafe for an IP address that may not be called."""
    # A zone ("fe80::1%eth0") says which network card: link-local all the same.
    given = ipaddress.ip_address(address.partition("%")[0])
    for each in (given, *_within(given)):
        special = each.is_multicast or each.is_unspecified or each.is_link_local
        if special or each in _AWS_LOCAL or not (private or each.is_global):
            raise Unsafe(f"{each} is no address that may be called")


def _within(address: Address) -> list[Address]:
    """The IPv4 addresses that an IPv6 address leads to by way of some gateway."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    found += address.teredo or ()
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in found if each is not None]


@functools.cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()  # reading the authorities' certificates takes 20 ms
