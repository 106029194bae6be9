"""Dependency layers: `layers/<name>/requirements.txt`, built for the function's own runtime, without Docker."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.place import Place
from settings import FunctionSettings

MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# Amazon Linux 2023 has glibc 2.34; pip takes each tag literally, so every older one is named too.
GLIBC_MINORS = (34, 31, 28, 27, 26, 24, 17)
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class Layer(pulumi.ComponentResource):
    """A layer version made from hashed requirements; the same bytes on every machine.

    It is built once per content of its requirements, runtime and architecture, into `.build/layers/`. With
    `build=False` it is declared without being built, as unit tests and the sandbox do.
    """

    def __init__(
        self,
        name: str,
        *,
        root: Path,
        used_by: FunctionSettings,
        place: Place,
        build: bool,
        description: str,
        license_info: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Layer", name, None, opts)
        self.runtime = used_by.runtime
        self.architecture = used_by.architecture
        requirements = root / "layers" / name / "requirements.txt"
        archive = root / ".build" / "layers" / f"{name}-{self._fingerprint(requirements)}.zip"
        if build and not archive.exists():
            pulumi.log.info(
                f"building layer {name} for {self.runtime} on {self.architecture}", self
            )
            build_layer(requirements, archive, runtime=self.runtime, architecture=self.architecture)
        self.version = aws.lambda_.LayerVersion(
            f"{name}-layer",
            aws.lambda_.LayerVersionArgs(
                layer_name=f"{place.prefix}-{name}",
                code=pulumi.FileArchive(str(archive)),
                description=description,
                license_info=license_info,
                compatible_runtimes=[self.runtime],
                compatible_architectures=[self.architecture],
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.arn = self.version.arn
        self.register_outputs({"arn": self.arn})

    def _fingerprint(self, requirements: Path) -> str:
        made_of = f"{self.runtime} {self.architecture}\n{requirements.read_text(encoding='utf-8')}"
        return hashlib.sha256(made_of.encode()).hexdigest()[:16]


def build_layer(requirements: Path, archive: Path, *, runtime: str, architecture: str) -> None:
    """Install hashed wheels for Lambda's platform and zip them, byte for byte reproducibly.

    Raises pulumi.RunError with pip's last line where a wheel is missing, has another hash, or pip cannot be run.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    # Beside the archive, not in /tmp: the finished file is moved into place in one step.
    with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
        target = Path(scratch, "python")
        _install(requirements, target, runtime.removeprefix("python"), MACHINES[architecture])
        zipped = Path(scratch, "layer.zip")
        _zip(target, zipped)
        shutil.move(zipped, archive)


def _install(requirements: Path, target: Path, version: str, machine: str) -> None:
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in GLIBC_MINORS]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--only-binary=:all:", "--no-deps", "--no-compile"]
    command += ["--implementation=cp", f"--python-version={version}", *platforms]
    command += [f"--platform=manylinux2014_{machine}"]
    command += [f"--target={target}", f"--requirement={requirements}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (pip, our own words)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip failed without a word"])[-1]
        raise pulumi.RunError(f"{requirements}: {last}")


def _zip(folder: Path, zipped: Path) -> None:
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as out:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            inside = file.relative_to(folder)
            # Scripts and their records hold paths of this machine, and nothing in Lambda runs them.
            if inside.parts[0] == "bin" or file.name in {"RECORD", "INSTALLER", "REQUESTED"}:
                continue
            info = zipfile.ZipInfo((Path("python") / inside).as_posix(), ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            out.writestr(info, file.read_bytes())
