"""Small wheels, modules and registries, made here: no test asks the network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PLATFORMS = {"arm64": "manylinux_2_17_aarch64", "x86_64": "manylinux_2_17_x86_64"}
MACHINES = {"i386": 3, "x86_64": 62, "arm64": 183}


def elf(architecture: str) -> bytes:
    """The beginning of a shared object for a processor."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + (3).to_bytes(2, "little")
    return head + MACHINES[architecture].to_bytes(2, "little") + b"code" * 8


def wheel(
    folder: Path,
    platform: str = "any",
    *,
    name: str = "bird",
    files: Mapping[str, bytes] | None = None,
    modes: Mapping[str, int] | None = None,
) -> Path:
    """A wheel `<name>` 1.0 for a platform, with one module, and what else it is given."""
    info = f"{name}-1.0.dist-info"
    parts = {
        f"{name}.py": f"SONG = '{platform}'\n".encode(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/licenses/LICENSE": b"MIT, for everyone.\n" * 20,
        **(files or {}),
    }
    record = "".join(f"{n},sha256={_digest(t)},{len(t)}\n" for n, t in parts.items())
    parts[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    file = folder / f"{name}-1.0-py3-none-{platform}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for part, data in parts.items():
            entry = zipfile.ZipInfo(part)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (modes or {}).get(part, 0o100644) << 16
            out.writestr(entry, data)
    return file


def lock(file: Path, *wheels: Path, also: str = "") -> Path:
    """Requirements that name the packages of these wheels by hash."""
    hashes: dict[str, list[str]] = {}
    for made in wheels:
        package = made.name.partition("-")[0]
        hashes.setdefault(package, []).append(hashlib.sha256(made.read_bytes()).hexdigest())
    lines = [
        f"{package}==1.0 " + " ".join(f"--hash=sha256:{h}" for h in found)
        for package, found in hashes.items()
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*lines, also]) + "\n", encoding="utf-8")
    return file


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def tarball(files: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    """A package as a registry serves it; a TarInfo stands for itself, e.g. a link."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as out:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                out.addfile(content)
                continue
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if name.endswith(".sh") else 0o600
            out.addfile(entry, io.BytesIO(content))
    return gzip.compress(held.getvalue())


def integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def package_lock(
    file: Path, packages: Mapping[str, Mapping[str, Any]], *, version: int = 3
) -> Path:
    """A package-lock.json of these entries by their place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"name": "layer", "lockfileVersion": version, "packages": {"": {}, **packages}}
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


class Registry:
    """A package registry: what it serves by path, and what it was asked, with which Authorization."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/"
        self.files: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.busy: dict[str, int] = {}
        self.token: str | None = None
        self.asked: list[tuple[str, str | None]] = []

    def status(self, path: str, authorization: str | None) -> int:
        self.asked.append((path, authorization))
        if self.busy.get(path, 0):
            self.busy[path] -= 1
            return 503
        if path in self.moved:
            return 302
        if self.token and authorization != self.token:
            return 401
        return 200 if path in self.files else 404


@contextmanager
def registry() -> Iterator[Registry]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = served.status(self.path, self.headers.get("Authorization"))
            content = served.files[self.path] if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if status == 302:
                self.send_header("Location", served.moved[self.path])
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        served = Registry(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
