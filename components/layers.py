"""Dependency layers: `layers/<name>/`, locked by hash, built for a function's own runtime without Docker."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from builders import bytecode, fingerprint, locks, node_modules, pip, wheels, zips
from components.packaging import one_line
from components.place import Place
from settings import NODE_RUNTIMES, PackagingSettings

ARCHITECTURES = ["arm64", "x86_64"]


class Fitted(NamedTuple):
    """A layer's version for one target: its ARN, and the bytes that Lambda counts; 0 where it is only declared."""

    arn: pulumi.Output[str]
    unzipped: int


class Layer(pulumi.ComponentResource):
    """What some functions import besides Lambda's own packages: one layer version per target that is used.

    A folder with a `requirements.txt` holds Python packages and becomes a version per runtime and architecture; one
    with a `package-lock.json` holds modules for Node.js and fits all of them. What is missing is built once per content
    of its lock, into `.build/layers/`. With `packaging.build` off it is declared without being built.
    """

    def __init__(
        self,
        name: str,
        *,
        root: Path,
        place: Place,
        packaging: PackagingSettings,
        description: str,
        license_info: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Layer", name, None, opts)
        self.logical_name = name
        self._root, self._place, self._packaging = root, place, packaging
        self._description, self._license = description, license_info
        self._folder = root / "layers" / name
        self._fitted: dict[str, Fitted] = {}

    @one_line()
    def fitting(self, runtime: str, architecture: str) -> Fitted:
        """The version for a function's runtime and architecture, declared at its first use.

        Raises pulumi.RunError with one line where it has no lock or cannot be built.
        """
        node = (self._folder / "package-lock.json").is_file()
        target = "" if node else f"{runtime}-{architecture}"
        if target not in self._fitted:
            made = self._for_node() if node else self._for_python(runtime, architecture)
            self._fitted[target] = made
        return self._fitted[target]

    def _for_python(self, runtime: str, architecture: str) -> Fitted:
        lock, compiled = self._folder / "requirements.txt", self._packaging.compile
        words = (runtime, architecture, "bytecode" if compiled else "sources")
        mark = fingerprint.of([lock], *words, by=(wheels, locks, pip, bytecode, zips))
        target = f"{runtime}-{architecture}"

        def build(archive: Path) -> None:
            wheels.build(
                lock, archive, runtime=runtime, architecture=architecture, compile=compiled
            )

        archive = self._archive(f"{self.logical_name}-{target}", mark, build)
        # A layer's name may not hold a dot.
        return self._declare(target.replace(".", ""), archive, [runtime], [architecture])

    def _for_node(self) -> Fitted:
        lock = self._folder / "package-lock.json"
        mark = fingerprint.of([lock], by=(node_modules, zips))
        archive = self._archive(
            self.logical_name, mark, lambda archive: node_modules.build(lock, archive)
        )
        return self._declare("", archive, list(NODE_RUNTIMES), ARCHITECTURES)

    def _archive(self, stem: str, mark: str, build: Callable[[Path], None]) -> Path:
        """The layer's zip file, built now where its very lock was not built before."""
        archive = self._root / ".build" / "layers" / f"{stem}-{mark}.zip"
        if self._packaging.build and not archive.exists():
            pulumi.log.info(f"building layer {stem} (once per lock, kept in .build/layers)", self)
            began = time.monotonic()
            build(archive)
            size = zips.megabytes(zips.sizes(archive).zipped)
            pulumi.log.info(f"layer {stem}: {size} in {time.monotonic() - began:.0f} s", self)
        return archive

    def _declare(
        self, suffix: str, archive: Path, runtimes: list[str], architectures: list[str]
    ) -> Fitted:
        words = [word for word in (self.logical_name, "layer", suffix) if word]
        version = aws.lambda_.LayerVersion(
            "-".join(words),
            aws.lambda_.LayerVersionArgs(
                layer_name="-".join(
                    w for w in (self._place.prefix, self.logical_name, suffix) if w
                ),
                code=pulumi.FileArchive(str(archive)),
                description=self._description,
                license_info=self._license,
                compatible_runtimes=runtimes,
                compatible_architectures=architectures,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        return Fitted(version.arn, zips.sizes(archive).unzipped if archive.exists() else 0)
