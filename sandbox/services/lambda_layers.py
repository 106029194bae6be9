"""Lambda: layers, built for the interpreters that run the handlers here.

The archive a program names holds wheels for Lambda's machines; handlers run on this machine, so what its
`layers/<layer>/` locks is installed anew for this one. What was built once is kept.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pulumi

from sandbox import sources
from sandbox.place import HOME
from sandbox.resources import RETRY, Outputs, Resource, resource
from sandbox.services.archives import built_once, make_zip, zip_bytes
from sandbox.services.shared import REGION, physical_name, remove

_EMPTY: Final = "why-this-layer-is-empty.txt"
_SETTINGS: Final = ("compatibleArchitectures", "compatibleRuntimes", "description", "licenseInfo")
_IGNORED: Final = {
    **REGION,
    "sourceCodeHash": "the emulator hashes the content itself",
    "s3ObjectVersion": "layers are built from their requirements here",
}


_FETCH_SECONDS: Final = 300


@resource("aws:lambda/layerVersion:LayerVersion", ignored=_IGNORED)
def layer_version(r: Resource) -> Outputs:
    name = physical_name(r, "layerName", limit=140)
    content, again = _content(r)
    given = r.params(r.aws, "lambda", "publish_layer_version", *_SETTINGS)
    kept = bool(r.take("skipDestroy"))
    if _same(r, content):
        return dict(r.old or {})
    made = r.call("lambda", "publish_layer_version", **given, LayerName=name, Content=content)
    digest = made["Content"]["CodeSha256"]
    return {
        "id": made["LayerVersionArn"],
        "arn": made["LayerVersionArn"],
        "layerArn": made["LayerArn"],
        "layerName": name,
        "version": str(made["Version"]),
        "createdDate": made["CreatedDate"],
        "codeSha256": digest,
        "sourceCodeHash": digest,
        "sourceCodeSize": made["Content"]["CodeSize"],
        "skipDestroy": kept,
        **({RETRY: ["code"]} if again else {}),
    }


def _same(r: Resource, content: dict[str, Any]) -> bool:
    """Whether only the code may have changed, and did not: no function needs another version then."""
    if r.old is None or r.changed - {"code"} or "ZipFile" not in content:
        return False
    digest = hashlib.sha256(content["ZipFile"]).digest()
    return base64.b64encode(digest).decode() == r.old["codeSha256"]


@layer_version.updates
def update_layer_version(r: Resource) -> Outputs:
    """A version never changes: a new one is published, and functions still on the old one keep it."""
    return layer_version.create(r)


@layer_version.deletes
def delete_layer_version(r: Resource) -> None:
    old = r.old or {}
    if not old.get("skipDestroy"):
        number = int(old["version"])
        remove(
            r, "lambda", "delete_layer_version", LayerName=old["layerName"], VersionNumber=number
        )


def _content(r: Resource) -> tuple[dict[str, Any], bool]:
    """What the lock behind the archive asks for, else the archive or object itself; and whether to try again."""
    archive = r.take("code")
    place = {"S3Bucket": r.take("s3Bucket"), "S3Key": r.take("s3Key")}
    source = sources.of_layer(archive.path) if isinstance(archive, pulumi.FileArchive) else None
    if source is not None:
        lock = source.files[0]
        built, again = (python(lock), False) if lock.suffix == ".txt" else _node(r, lock)
        return {"ZipFile": built}, again
    if archive is not None:
        return {"ZipFile": zip_bytes(archive)}, False
    return {key: value for key, value in place.items() if value is not None}, False


def python(requirements: Path) -> bytes:
    """The layer's zip file for this machine's Python.

    Raises builders.BuildError with one line where the packages are neither here nor to be had.
    """
    from builders import locks, pip, wheels, zips

    def build(archive: Path) -> None:
        archive.write_bytes(wheels.build_here(requirements))

    machine = f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
    return _built_once(requirements, build, machine, by=(wheels, locks, pip, zips))


def _node(r: Resource, lock: Path) -> tuple[bytes, bool]:
    """Node.js modules by their lock, and whether they are still to be had.

    Without Node.js, or without the network, the layer stays empty for now: that must not fail the rest of the stack.
    """
    from builders import BuildError, node_modules, zips

    def build(archive: Path) -> None:
        fetch_modules(lock, archive)

    reason = "there is no Node.js on this machine"
    if shutil.which("node") is not None:
        try:
            return _built_once(lock, build, by=(node_modules, zips)), False
        except BuildError as error:
            reason = str(error)
    r.note(f"it is empty: {reason}")
    return make_zip({_EMPTY: reason.encode()}), True


def fetch_modules(lock: Path, archive: Path) -> None:
    """Build the archive of a package-lock.json in a process of its own.

    Whoever runs a sandbox may forbid himself the network, as test suites do. Raises BuildError with the builder's
    line, or after 300 seconds.
    """
    from builders import BuildError

    command = [sys.executable, "-m", "builders", "node_modules", str(lock), str(archive)]
    try:
        done = subprocess.run(
            command, cwd=HOME, capture_output=True, text=True, check=False, timeout=_FETCH_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"npm's registry did not answer within {_FETCH_SECONDS} s") from None
    if done.returncode:
        raise BuildError(
            (done.stderr.strip().splitlines() or ["npm's registry did not answer"])[-1]
        )


def _built_once(
    lock: Path, build: Callable[[Path], None], *words: str, by: Iterable[ModuleType]
) -> bytes:
    """What `build` makes of a lock, from the cache where the same code (`by`) made it before of this very lock."""
    from builders import fingerprint

    cache = lock.parents[2] / ".sandbox" / "cache" / "layers"
    kept = cache / f"{lock.parent.name}-{fingerprint.of([lock], *words, by=by)}.zip"
    return built_once(kept, build)
