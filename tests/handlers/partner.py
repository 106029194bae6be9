"""A partner's HTTP API on a real port of this machine, with or without TLS."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from pathlib import Path


class Post(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Partner:
    """Takes any POST. `answers` are those to come, 200 afterwards: a status, (status, headers,
    body), None to hang up, or the seconds to be silent for as a float.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.posts: list[Post] = []
        self.answers: list[Any] = []
        self.links = 0
        self.drip = 0.0  # seconds between the bytes of an answer
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.partner = self
        self.port = self._server.server_port
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/orders?source=sandpiper"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    partner: Partner
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        """Without asking DNS for this machine's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up, or trusts nobody, is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.partner.links += 1

    def do_POST(self) -> None:
        partner = self.server.partner
        body = self.rfile.read(int(self.headers["Content-Length"]))
        partner.posts.append(Post(self.path, dict(self.headers.items()), body))
        answer = partner.answers.pop(0) if partner.answers else 200
        if isinstance(answer, float):
            time.sleep(answer)
            answer = 200
        if answer is None:
            self.close_connection = True
            return
        status, headers, content = answer if isinstance(answer, tuple) else (answer, {}, b"{}")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        for position in range(0, len(content), 1 if partner.drip else len(content) or 1):
            time.sleep(partner.drip)
            self.wfile.write(content[position : position + (1 if partner.drip else len(content))])

    def log_message(self, *_: Any) -> None:
        """Not into the tests' output."""


def certificate(folder: Path, host: str) -> Path:
    """A file with a certificate of this host, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
