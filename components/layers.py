"""Dependency layers: `layers/<name>/`, locked by hash, built for a function's own runtime without Docker."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pulumi
import pulumi_aws as aws
from builders import BuildError, fingerprint, node_modules, wheels, zips

from components.place import Place
from settings import PackagingSettings

NODE_RUNTIMES = ["nodejs22.x", "nodejs24.x"]
ARCHITECTURES = ["arm64", "x86_64"]


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
        self._versions: dict[str, aws.lambda_.LayerVersion] = {}
        self._archives: dict[str, Path] = {}

    def fitting(self, runtime: str, architecture: str) -> pulumi.Output[str]:
        """The ARN of the version for a function's runtime and architecture, declared at its first use."""
        if (self._folder / "package-lock.json").is_file():
            return self._for_node().arn
        return self._for_python(runtime, architecture).arn

    def unzipped(self, runtime: str, architecture: str) -> int:
        """Bytes that Lambda counts for it; 0 where it is only declared."""
        archive = self._archives.get(f"{runtime}-{architecture}") or self._archives.get("node")
        return zips.sizes(archive).unzipped if archive and archive.exists() else 0

    def _for_python(self, runtime: str, architecture: str) -> aws.lambda_.LayerVersion:
        target = f"{runtime}-{architecture}"
        if target in self._versions:
            return self._versions[target]
        lock = self._folder / "requirements.txt"
        compiled = self._packaging.compile

        def build(archive: Path) -> None:
            wheels.build(
                lock, archive, runtime=runtime, architecture=architecture, compile=compiled
            )

        words = (runtime, architecture, "bytecode" if compiled else "sources")
        archive = self._archive(target, f"{self.logical_name}-{target}", lock, words, build)
        # A layer's name may not hold a dot.
        version = self._declare(target.replace(".", ""), archive, [runtime], [architecture])
        return self._versions.setdefault(target, version)

    def _for_node(self) -> aws.lambda_.LayerVersion:
        if "node" in self._versions:
            return self._versions["node"]
        lock = self._folder / "package-lock.json"
        archive = self._archive(
            "node", self.logical_name, lock, (), lambda archive: node_modules.build(lock, archive)
        )
        version = self._declare("", archive, NODE_RUNTIMES, ARCHITECTURES)
        return self._versions.setdefault("node", version)

    def _archive(
        self,
        target: str,
        stem: str,
        lock: Path,
        words: tuple[str, ...],
        build: Callable[[Path], None],
    ) -> Path:
        """The layer's zip file, built now where its very lock was not built before."""
        mark = fingerprint.of([lock], *words)
        archive = self._root / ".build" / "layers" / f"{stem}-{mark}.zip"
        self._archives[target] = archive
        if self._packaging.build and not archive.exists():
            pulumi.log.info(f"building layer {stem} (once per lock, kept in .build/layers)", self)
            began = time.monotonic()
            try:
                build(archive)
            except BuildError as error:
                raise pulumi.RunError(str(error)) from None
            megabytes = zips.sizes(archive).zipped / 1e6
            pulumi.log.info(
                f"layer {stem}: {megabytes:.1f} MB in {time.monotonic() - began:.0f} s", self
            )
        return archive

    def _declare(
        self, suffix: str, archive: Path, runtimes: list[str], architectures: list[str]
    ) -> aws.lambda_.LayerVersion:
        words = [word for word in (self.logical_name, "layer", suffix) if word]
        return aws.lambda_.LayerVersion(
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
