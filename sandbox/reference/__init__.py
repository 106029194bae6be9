"""The page on which people read `openapi.json` and try its operations: `<endpoint>/_sandbox/reference/`.

The emulator's process serves it, so that page and API have one origin. Swagger UI comes from an installed package, and
nothing is fetched from elsewhere. Without that package, or without a document in the program's folder, there is no page.

The page carries a valid token. It is handed to nobody else: a request must name this machine (another name that leads
here is a rebound one), the token lies in JSON that a page of another origin can neither read nor run, and the content
security policy lets the page itself talk to nobody but the sandbox.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from sandbox.clients import Clients

PATH: Final = "/_sandbox/reference/"
DOCUMENT: Final = "openapi.json"
ROOT_VARIABLE: Final = "SANDBOX_ROOT"
STATE_VARIABLE: Final = "SANDBOX_STATE"
"""How the emulator's process is told the program's folder and the file with the stack's outputs."""

_HERE: Final = Path(__file__).resolve().parent
_OWN: Final = {"": "page.html", "page.js": "page.js"}
_ASSETS: Final = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".png": "image/png",
}
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")
HEADERS: Final = {
    # Swagger UI writes styles into its elements and draws with data: images; the dashboard's picture has a style of its own.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Site:
    """What the page shows: the program's folder, the file of outputs, and where the AWS API of this sandbox is."""

    root: Path
    state: Path
    endpoint: str
    region: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Site | None:
        """The site that the emulator was started for; None where it was started for none."""
        root, state = environment.get(ROOT_VARIABLE), environment.get(STATE_VARIABLE)
        if not root or not state:
            return None
        endpoint = f"http://{environment['BIND_HOST']}:{environment['GATEWAY_PORT']}"
        return cls(Path(root), Path(state), endpoint, environment["MINISTACK_REGION"])


def exists(root: Path) -> bool:
    """Whether the program in this folder gets a page."""
    return (root / DOCUMENT).is_file() and _assets() is not None


def answer(
    path: str, method: str, headers: Mapping[str, str], environment: Mapping[str, str] = os.environ
) -> Answer:
    """Answer a request below `PATH`; `headers` by lower-case name."""
    if not is_ours(headers):
        return told(403, "The reference page is for this machine only.")
    if method not in ("GET", "HEAD"):
        return told(405, "GET only.")
    site = Site.of(environment)
    if site is None or not exists(site.root):
        return told(404, "This sandbox has no reference page.")
    if path == PATH.rstrip("/"):
        return 308, {"Location": PATH, **HEADERS}, b""
    name = path.removeprefix(PATH)
    if name == "settings.json":
        return _settings(site, headers)
    if name in _OWN:
        return file(_HERE / _OWN[name])
    if name in _ASSETS and (folder := _assets()):
        return file(folder / name)
    return told(404, "Not found.")


def is_ours(headers: Mapping[str, str]) -> bool:
    """Whether the request names this machine and comes from no page of another origin."""
    try:
        host = urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:
        return False
    return host in _LOCAL and headers.get("sec-fetch-site", "none") in ("none", "same-origin")


def _assets() -> Path | None:
    """The folder of Swagger UI's files. The package is only found, never imported: it would want a web framework."""
    spec = importlib.util.find_spec("swagger_ui")
    return Path(spec.origin).with_name("static") if spec and spec.origin else None


def file(path: Path) -> Answer:
    """A file of a page."""
    return 200, {"Content-Type": _TYPES[path.suffix], **HEADERS}, path.read_bytes()


def told(status: int, text: str) -> Answer:
    """A line of plain text."""
    return status, {"Content-Type": "text/plain; charset=utf-8", **HEADERS}, f"{text}\n".encode()


def _settings(site: Site, headers: Mapping[str, str]) -> Answer:
    """The document, whose server is this stack's API, and a value for each security scheme."""
    from sandbox import domains
    from sandbox.clients import Clients
    from sandbox.place import read_json

    document = read_json(site.root / DOCUMENT)
    if not isinstance(document, dict):
        return told(500, f"{DOCUMENT} is no JSON object.")
    exports = (read_json(site.state) or {}).get("exports") or {}
    if not exports.get("apiUrl"):
        return told(503, "The stack has no output apiUrl (yet).")
    aws = Clients(site.endpoint, site.region)
    url = domains.local(aws, str(exports["apiUrl"]))
    document["servers"] = [{"url": _server(site, url, headers["host"])}]
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    body = {"document": document, "credentials": _credentials(aws, exports, schemes)}
    return 200, {"Content-Type": "application/json", **HEADERS}, json.dumps(body).encode()


def _server(site: Site, url: str, host: str) -> str:
    """The API at the very name that the page was asked for by: `localhost` and 127.0.0.1 are two origins."""
    own = urlsplit(site.endpoint).netloc
    parts = urlsplit(url)
    return parts._replace(netloc=host).geturl() if parts.netloc == own else url


def _credentials(
    aws: Clients, exports: Mapping[str, Any], schemes: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """A token or key by the name of its scheme; what cannot be made is left out."""
    from sandbox import tokens
    from sandbox.errors import Mistake

    made: dict[str, str] = {}
    for name, scheme in schemes.items():
        make = tokens.maker(name, scheme)
        if make is None:
            continue
        try:
            made[name] = make(aws, exports)
        except Mistake:
            continue
    return made
