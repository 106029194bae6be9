"""From handlers/, or from where a stack file says, to the code of a function."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

import pulumi
from builders import BuildError, fingerprint, go, zips

from components.sources import AnyCode, Code, ImageCode, StoredCode
from settings import FunctionSettings, PackagingSettings

SHARED = "common"
"""The folder under handlers/ that every Python function carries."""

LITTER = "__pycache__"
"""What tools leave beside sources: in an archive it would change the hash with every run of the tests."""


class Handlers:
    """The folder `handlers/`: `create_item.py` for `create-item`, a folder for every other language.

    Files are named one by one and by absolute path: a folder archive would take `__pycache__` along, and running the
    tests would then redeploy every function. Neither path, mode nor date enters Pulumi's hash.
    """

    def __init__(self, folder: Path, *, packaging: PackagingSettings | None = None) -> None:
        self._folder = folder
        self._root = folder.parent
        self._packaging = packaging or PackagingSettings()
        self._shared = assets(folder, sorted((folder / SHARED).rglob("*.py")))

    def code(
        self, function: str, settings: FunctionSettings | None = None, family: str = "python"
    ) -> AnyCode:
        """The code of a function named in kebab-case: what its settings name, else its own in handlers/.

        Raises FileNotFoundError where the handler is missing (the real engine would stop later, and less clearly) and
        pulumi.RunError with one line where it cannot be packaged.
        """
        module = function.replace("-", "_")
        chosen = settings or FunctionSettings()
        default = {"python": f"{module}.handler", "nodejs": "index.handler"}
        handler = chosen.handler or default.get(family, "bootstrap")
        given = self._given(chosen, family, handler)
        if given is not None:
            return given
        match family:
            case "python":
                return self._python(function, module, handler)
            case "nodejs":
                return Code(self._node(module), handler)
            case "go":
                return Code(self._go(module, chosen), handler)
            case _:
                raise pulumi.RunError(
                    f"functions.{function}: code in {family} is built elsewhere; name it with filename, s3_bucket or "
                    "image_uri"
                )

    def _given(self, settings: FunctionSettings, family: str, handler: str) -> AnyCode | None:
        """The code that the stack file names, if it names any."""
        if settings.image_uri:
            image = settings.image_config
            return ImageCode(
                settings.image_uri,
                entry_point=image.entry_point if image else (),
                command=image.command if image else (),
                working_directory=image.working_directory if image else None,
            )
        if settings.s3_bucket and settings.s3_key:
            return StoredCode(
                settings.s3_bucket,
                settings.s3_key,
                handler,
                version=settings.s3_object_version,
                digest=settings.source_code_hash,
            )
        if settings.filename:
            archive = self._root / settings.filename
            return Code(
                pulumi.FileArchive(str(archive)), handler, unzipped=zips.sizes(archive).unzipped
            )
        if settings.source_dir:
            return self._directory(self._root / settings.source_dir, handler)
        if settings.inline:
            name = "index.mjs" if family == "nodejs" else "index.py"
            archive = pulumi.AssetArchive({name: pulumi.StringAsset(settings.inline)})
            return Code(archive, settings.handler or "index.handler")
        return None

    def _directory(self, folder: Path, handler: str) -> Code:
        """A folder as it is: file by file, or zipped here where Lambda has to execute its `bootstrap`."""
        files = _files(folder)
        size = sum(file.stat().st_size for file in files)
        if not (folder / "bootstrap").is_file():
            return Code(pulumi.AssetArchive(assets(folder, files)), handler, unzipped=size)
        mark = fingerprint.of(files)
        archive = self._root / ".build" / "functions" / f"{folder.name}-{mark}.zip"
        if not archive.exists():
            zips.write(archive, {f.relative_to(folder).as_posix(): _entry(f) for f in files})
        return Code(pulumi.FileArchive(str(archive)), handler, unzipped=size)

    def _python(self, function: str, module: str, handler: str) -> Code:
        source = self._folder / f"{module}.py"
        if not source.is_file():
            raise FileNotFoundError(f"{source}: function '{function}' has no handler")
        files = {**assets(self._folder, [source]), **self._shared}
        return Code(pulumi.AssetArchive(dict(sorted(files.items()))), handler)

    def _node(self, module: str) -> pulumi.Archive:
        """Its sources; dependencies come from a layer, and tests stay here."""
        folder = self._folder / module
        own = (
            f for f in _files(folder) if ".test." not in f.name and "node_modules" not in f.parts
        )
        return pulumi.AssetArchive(assets(folder, own))

    def _go(self, module: str, settings: FunctionSettings) -> pulumi.Archive:
        """A ready zip: Pulumi's archives keep no mode bits, and Lambda must be able to execute `bootstrap`."""
        source, architecture = self._folder / module, settings.architecture
        mark = fingerprint.of(go.sources(source), architecture)
        archive = self._root / ".build" / "functions" / f"{module}-{architecture}-{mark}.zip"
        if self._packaging.build and not archive.exists():
            pulumi.log.info(f"building {module} with Go for {architecture}")
            try:
                go.build(source, archive, architecture=architecture)
            except BuildError as error:
                raise pulumi.RunError(str(error)) from None
        return pulumi.FileArchive(str(archive))


def assets(folder: Path, files: Iterable[Path]) -> dict[str, pulumi.Asset | pulumi.Archive]:
    """Name in the archive -> file, for files under a folder."""
    return {file.relative_to(folder).as_posix(): pulumi.FileAsset(str(file)) for file in files}


def _files(folder: Path) -> list[Path]:
    """A folder's files in order; hidden ones (`.env`, `.git`) never leave the machine."""
    found = ((file, file.relative_to(folder).parts) for file in folder.rglob("*") if file.is_file())
    return sorted(
        file
        for file, parts in found
        if LITTER not in parts and not any(part.startswith(".") for part in parts)
    )


def _entry(file: Path) -> zips.File:
    """A file of a zip, executable where it is here; `bootstrap` always, for some checkouts lose the mode."""
    executable = file.name == "bootstrap" or file.stat().st_mode & stat.S_IXUSR
    return zips.File(file.read_bytes(), zips.PROGRAM if executable else zips.FILE)
