"""Calls to the outside reach what they are meant to reach, and nothing of ours."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import outbound
from tests.handlers.partner import Partner, certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST = "partner.example.com"
_HEADERS = {"Content-Type": "application/json"}


@pytest.fixture
def partner() -> Iterator[Partner]:
    outbound._kept.clear()
    with Partner() as running:
        yield running
        for kept in outbound._kept:
            kept.link.close()
        outbound._kept.clear()


def _resolve(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Every name has these addresses; the names that were asked for."""
    asked: list[str] = []
    known = socket.getaddrinfo

    def answer(host: str, port: int, *rest: Any, **options: Any) -> list[Any]:
        if host != _HOST:
            return known(host, port, *rest, **options)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def _post(url: str, *, private: bool = True, seconds: float = 5) -> outbound.Answer:
    return outbound.post(outbound.Target(url, private), b"{}", _HEADERS, seconds=seconds)


def test_a_call_arrives_as_it_was_made(partner: Partner) -> None:
    assert _post(partner.url) == outbound.Answer(200, 0)
    (post,) = partner.posts
    assert (post.path, post.body) == ("/orders?source=sandpiper", b"{}")
    assert post.headers["Host"] == f"127.0.0.1:{partner.port}"
    assert post.headers["Content-Type"] == "application/json"


def test_a_connection_is_used_again_for_the_same_target_only(partner: Partner) -> None:
    for _ in range(3):
        _post(partner.url)
    assert partner.links == 1
    _post(f"{partner.url}&other")
    assert partner.links == 2


def test_a_connection_that_was_closed_meanwhile_is_no_failure(partner: Partner) -> None:
    _post(partner.url)
    partner.answers = [None]
    assert _post(partner.url).status == 200
    assert (partner.links, len(partner.posts)) == (2, 3)


def test_a_connection_that_was_idle_for_long_is_not_used(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    _post(partner.url)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 25)
    _post(partner.url)
    assert partner.links == 2


def test_who_hangs_up_on_a_new_connection_has_not_answered(partner: Partner) -> None:
    partner.answers = [None]
    with pytest.raises((OSError, http.client.HTTPException)):
        _post(partner.url)
    assert len(partner.posts) == 1


def test_redirects_are_not_followed(partner: Partner) -> None:
    partner.answers = [(307, {"Location": f"http://127.0.0.1:{partner.port}/other"}, b"")]
    assert _post(partner.url).status == 307
    assert len(partner.posts) == 1


def test_proxies_of_the_environment_are_not_asked(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert _post(partner.url).status == 200


def test_who_answers_too_much_is_hung_up_on(partner: Partner) -> None:
    partner.answers = [(200, {}, b"x" * 1_000_000)]
    assert _post(partner.url).status == 200
    assert outbound._kept == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 0), ("-1", 0), ("1e3", 0), ("999999", 0), ("Fri, 31 Dec 1999", 0)],
)
def test_a_wait_is_known_when_it_is_said_in_seconds(
    partner: Partner, header: str, seconds: int
) -> None:
    partner.answers = [(429, {"Retry-After": header}, b"")]
    assert _post(partner.url) == outbound.Answer(429, seconds)


@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_a_call_ends_in_its_time_whatever_the_other_side_does(partner: Partner, how: str) -> None:
    if how == "silent":
        partner.answers = [1.5]
    else:
        partner.drip = 0.1
        partner.answers = [(200, {}, b"x" * 15)]
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        _post(partner.url, seconds=0.4)
    assert time.monotonic() - started < 1


def test_a_second_connection_gets_no_second_time(partner: Partner) -> None:
    _post(partner.url)
    partner.answers = [1.5]
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        _post(partner.url, seconds=0.4)
    assert time.monotonic() - started < 1
    assert len(partner.posts) == 2


_PRIVATE = ("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12::1")
_NEVER = (
    "169.254.169.254",
    "169.254.170.2",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "0.0.0.0",  # noqa: S104 - refused, not bound to
    "::",
    "224.0.0.1",
    "ff02::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
)
_WRAPPED = ("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:0a00:0001::1")


@pytest.mark.parametrize("address", [*_NEVER, *_PRIVATE, *_WRAPPED, "198.18.0.1", "240.0.0.1"])
def test_addresses_of_our_own_network_are_not_called(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    _resolve(monkeypatch, address)
    with pytest.raises(outbound.Unsafe):
        _post(f"https://{_HOST}/", private=False)


@pytest.mark.parametrize("address", _NEVER)
def test_metadata_is_called_in_no_network(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    _resolve(monkeypatch, address)
    with pytest.raises(outbound.Unsafe):
        _post(f"http://{_HOST}/")


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_may_be_called(address: str) -> None:
    outbound.check(address, private=False)


@pytest.mark.parametrize("address", _PRIVATE)
def test_a_private_network_may_be_allowed(address: str) -> None:
    outbound.check(address, private=True)


@given(st.ip_addresses(v=4))
def test_an_address_in_another_notation_is_judged_the_same(address: ipaddress.IPv4Address) -> None:
    def refused(text: str) -> bool:
        try:
            outbound.check(text, private=False)
        except outbound.Unsafe:
            return True
        return False

    plain = refused(str(address))
    assert plain is not (address.is_global and not address.is_multicast)
    for wrapped in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert refused(wrapped) or not plain


def test_one_bad_address_spoils_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve(monkeypatch, "93.184.216.34", "169.254.169.254")
    with pytest.raises(outbound.Unsafe):
        _post(f"https://{_HOST}/", private=False)


def test_the_name_is_looked_up_once_and_that_answer_is_connected_to(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _resolve(monkeypatch, "127.0.0.1")
    assert _post(f"http://{_HOST}:{partner.port}/").status == 200
    assert asked == [_HOST]
    assert partner.posts[0].headers["Host"] == f"{_HOST}:{partner.port}"


def test_a_link_that_was_closed_does_not_open_itself_again(partner: Partner) -> None:
    _post(partner.url)
    (kept,) = outbound._kept
    kept.link.close()
    with pytest.raises(http.client.NotConnected):
        kept.link.request("POST", "/")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:///path",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com:99999/",
        "https://[::1",
        "example.com",
        "",
    ],
)
def test_what_is_no_public_url_is_not_called(url: str) -> None:
    with pytest.raises(outbound.Unsafe):
        _post(url, private=False)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://user@127.0.0.1/", "gopher://x"])
def test_a_private_network_allows_no_other_scheme_and_no_user(url: str) -> None:
    with pytest.raises(outbound.Unsafe):
        _post(url)


def test_the_next_address_is_tried_where_one_does_not_answer(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing listens at the first one.
    _resolve(monkeypatch, "127.0.0.9", "127.0.0.1")
    opened = socket.create_connection

    def connect(place: tuple[str, int], **options: Any) -> Any:
        if place[0] == "127.0.0.9":
            raise ConnectionRefusedError
        return opened(place, **options)

    monkeypatch.setattr(socket, "create_connection", connect)
    assert _post(f"http://{_HOST}:{partner.port}/").status == 200


def test_a_host_without_an_address_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve(monkeypatch)
    with pytest.raises(OSError, match="no address"):
        _post(f"http://{_HOST}/")


@pytest.mark.parametrize(("named", "trusted"), [(_HOST, True), ("other.example.com", False)])
def test_a_certificate_must_be_the_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, trusted: bool
) -> None:
    file = certificate(tmp_path, named)
    context = ssl.create_default_context(cafile=str(file))
    monkeypatch.setattr(outbound, "_certificates", lambda: context)
    _resolve(monkeypatch, "127.0.0.1")
    outbound._kept.clear()
    with Partner(file) as partner:
        url = f"https://{_HOST}:{partner.port}/"
        if trusted:
            assert [_post(url).status for _ in range(2)] == [200, 200]
            assert partner.links == 1
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                _post(url)
        for kept in outbound._kept:
            kept.link.close()


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve(monkeypatch, "127.0.0.1")
    outbound._certificates.cache_clear()
    with (
        Partner(certificate(tmp_path, _HOST)) as partner,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        _post(f"https://{_HOST}:{partner.port}/")
