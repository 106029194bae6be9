"""What goes into a function: its own handler and the shared code, file by file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi

SHARED = "common"
"""The folder under handlers/ that every function carries."""


@dataclass(frozen=True)
class Code:
    """An archive and the handler inside it (`module.function`)."""

    archive: pulumi.Archive
    handler: str


class Handlers:
    """The folder `handlers/`: one file per function, `create_item.py` for `create-item`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shared = self._assets(sorted((folder / SHARED).rglob("*.py")))

    def code(self, function: str) -> Code:
        """The code of a function named in kebab-case.

        Files are named one by one and by absolute path: a folder archive would take `__pycache__` along, and running
        the tests would then redeploy every function. Neither path, mode nor date enters Pulumi's hash.

        Raises FileNotFoundError where the handler is missing (the real engine would stop later, and less clearly).
        """
        module = function.replace("-", "_")
        source = self._folder / f"{module}.py"
        if not source.is_file():
            raise FileNotFoundError(f"{source}: function '{function}' has no handler")
        assets = {**self._assets([source]), **self._shared}
        return Code(pulumi.AssetArchive(dict(sorted(assets.items()))), f"{module}.handler")

    def _assets(self, files: list[Path]) -> dict[str, pulumi.Asset | pulumi.Archive]:
        return {f.relative_to(self._folder).as_posix(): pulumi.FileAsset(str(f)) for f in files}
