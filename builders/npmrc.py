"""Which registry npm would ask, and with which credentials: environment, then `.npmrc` of the project and the user."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from builders.errors import BuildError

DEFAULT = "https://registry.npmjs.org/"
"""npm's own default, which lock files also name when they mean "the registry"."""


@dataclass(frozen=True)
class Registries:
    """npm's settings as far as they lead to a package, by npm's own names."""

    settings: Mapping[str, str]

    def of(self, package: str) -> str:
        """The address that a package is asked from, with a slash at its end."""
        scope = package.partition("/")[0] if package.startswith("@") else ""
        chosen = self.settings.get(f"{scope}:registry") or self.settings.get("registry") or DEFAULT
        return chosen.rstrip("/") + "/"

    def authorization(self, address: str) -> str | None:
        """The Authorization header for an address, if `.npmrc` holds one for its host and the start of its path."""
        place = address.partition(":")[2]
        while place.strip("/"):
            place = place.rpartition("/")[0]
            for start in (f"{place}/:", f"{place}:"):
                if header := self._header(start):
                    return header
        return None

    def _header(self, start: str) -> str | None:
        if token := self.settings.get(f"{start}_authToken"):
            return f"Bearer {token}"
        if basic := self.settings.get(f"{start}_auth"):
            return f"Basic {basic}"
        name, password = (self.settings.get(f"{start}{key}") for key in ("username", "_password"))
        if name and password:
            try:
                plain = f"{name}:".encode() + base64.b64decode(password)
            except binascii.Error:
                raise BuildError(f".npmrc: {start}_password must be base64") from None
            return f"Basic {base64.b64encode(plain).decode()}"
        return None


def read(folder: Path) -> Registries:
    """The settings that npm would find in `folder`."""
    given = {
        name.lower().removeprefix("npm_config_").replace("_", "-"): value
        for name, value in os.environ.items()
        if name.lower().startswith("npm_config_") and value
    }
    user = Path(given.get("userconfig") or Path.home() / ".npmrc")
    settings = {**_file(user), **_file(folder / ".npmrc")}
    if "registry" in given:
        settings["registry"] = given["registry"]
    return Registries(settings)


def _file(path: Path) -> dict[str, str]:
    try:
        # As npm reads it: what is not UTF-8 spoils its own line only.
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and line.lstrip()[0] not in "#;")
    return {key.strip(): _filled(value.strip().strip("\"'")) for key, value in pairs}


def _filled(value: str) -> str:
    """`${NAME}` from the environment; one that is not set stays as it is, as with npm."""
    return re.sub(r"\$\{(\w+)\??\}", lambda m: os.environ.get(m[1], m[0]), value)
