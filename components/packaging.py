"""From handlers/, or from where a stack file says, to the code of a function."""

from __future__ import annotations

import stat
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pulumi

from builders import BuildError, files, fingerprint, go, zips
from components.sources import AnyCode, Code, ImageCode, StoredCode
from settings import FAMILIES, SHARED, FunctionSettings, PackagingSettings


@contextmanager
def one_line() -> Generator[None]:
    """What cannot be built or read ends the program with one line instead of a traceback."""
    try:
        yield
    except (BuildError, OSError) as error:
        raise pulumi.RunError(str(error)) from None


class Handlers:
    """The folder `handlers/`: `create_item.py` for `create-item`, a folder for every other language.

    Files are named one by one and by absolute path: a folder archive would take `__pycache__` along, and running the
    tests would then redeploy every function. Neither path, mode nor date enters Pulumi's hash.
    """

    def __init__(self, folder: Path, *, packaging: PackagingSettings | None = None) -> None:
        self._folder = folder
        self._root = folder.parent
        self._packaging = packaging or PackagingSettings()
        self._shared = sorted((folder / SHARED).rglob("*.py"))

    @one_line()
    def code(
        self, function: str, settings: FunctionSettings | None = None, family: str = "python"
    ) -> AnyCode:
        """The code of a function named in kebab-case: what its settings name, else its own in handlers/.

        Raises pulumi.RunError with one line where the handler is missing (the real engine would stop later, and less
        clearly) or cannot be packaged.
        """
        module = function.replace("-", "_")
        chosen = settings or FunctionSettings()
        handler = chosen.handler or FAMILIES[family].handler.format(module=module)
        given = self._given(chosen, family, handler)
        if given is not None:
            return given
        match family:
            case "python":
                return self._python(function, module, handler)
            case "nodejs":
                return self._node(module, handler)
            case "go":
                return self._go(module, handler, chosen.architecture)
            case _:
                raise BuildError(
                    f"handlers/{module}: code in {family} is built elsewhere; name it in the stack file with filename, "
                    "s3_bucket or image_uri"
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
            return _zipped(self._root / settings.filename, handler)
        if settings.source_dir:
            return self._directory(self._root / settings.source_dir, handler)
        if settings.inline:
            name = FAMILIES[family].inline
            archive = pulumi.AssetArchive({name: pulumi.StringAsset(settings.inline)})
            size = len(settings.inline.encode())
            return Code(archive, settings.handler or "index.handler", unzipped=size)
        return None

    def _directory(self, folder: Path, handler: str) -> Code:
        """A folder as it is: file by file, or zipped here where Lambda has to execute its `bootstrap`.

        That zip is made with `packaging.build` off as well, for zipping needs no tool.
        """
        found = files.visible(folder)
        if not (folder / "bootstrap").is_file():
            return _assets(folder, found, handler)
        modes = {file.relative_to(folder).as_posix(): _mode(file) for file in found}
        programs = (name for name, mode in modes.items() if mode == zips.PROGRAM)
        mark = fingerprint.of(found, *programs, by=(zips,))
        archive = self._root / ".build" / "functions" / f"{folder.name}-{mark}.zip"
        if not archive.exists():
            entries = {n: zips.File((folder / n).read_bytes(), m) for n, m in modes.items()}
            zips.write(archive, entries)
        return _zipped(archive, handler)

    def _python(self, function: str, module: str, handler: str) -> Code:
        source = self._folder / f"{module}.py"
        if not source.is_file():
            raise BuildError(f"handlers/{source.name}: function '{function}' has no handler")
        return _assets(self._folder, sorted([source, *self._shared]), handler)

    def _node(self, module: str, handler: str) -> Code:
        """Its sources; dependencies come from a layer, and tests stay here."""
        folder = self._folder / module
        own = (
            f
            for f in files.visible(folder)
            if ".test." not in f.name and "node_modules" not in f.parts
        )
        return _assets(folder, list(own), handler)

    def _go(self, module: str, handler: str, architecture: str) -> Code:
        """A ready zip: Pulumi's archives keep no mode bits, and Lambda must be able to execute `bootstrap`."""
        source = self._folder / module
        archive = self._root / ".build" / "functions" / go.archive_name(source, architecture)
        if self._packaging.build and not archive.exists():
            pulumi.log.info(f"building {module} with Go for {architecture}")
            go.build(source, archive, architecture=architecture)
        return _zipped(archive, handler)


def _assets(folder: Path, held: Sequence[Path], handler: str) -> Code:
    """Code of files under a folder, one by one."""
    named: dict[str, pulumi.Asset | pulumi.Archive] = {
        file.relative_to(folder).as_posix(): pulumi.FileAsset(str(file)) for file in held
    }
    size = sum(file.stat().st_size for file in held)
    return Code(pulumi.AssetArchive(named), handler, unzipped=size)


def _zipped(archive: Path, handler: str) -> Code:
    """Code of a ready zip; one that is only declared has no size."""
    size = zips.sizes(archive).unzipped if archive.exists() else 0
    return Code(pulumi.FileArchive(str(archive)), handler, unzipped=size)


def _mode(file: Path) -> int:
    """A file of a zip may be executed where it may be here; `bootstrap` always, for some checkouts lose the mode."""
    executable = file.name == "bootstrap" or file.stat().st_mode & stat.S_IXUSR
    return zips.PROGRAM if executable else zips.FILE
