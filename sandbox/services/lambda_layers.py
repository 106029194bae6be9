"""Lambda: layers, built for the interpreters that run the handlers here.

The archive a program names holds wheels for Lambda's machines; handlers run on this machine, so what its
`layers/<layer>/` locks is installed anew for this one. What was built once is kept.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import pulumi

from sandbox import sources
from sandbox.errors import Mistake
from sandbox.place import HOME
from sandbox.resources import RETRY, Outputs, Resource, resource
from sandbox.services.archives import make_zip, zip_bytes
from sandbox.services.shared import REGION, physical_name, remove

_SUFFIX: Final = "-layer"
_EMPTY: Final = "why-this-layer-is-empty.txt"
_PIN: Final = re.compile(r"([\w.-]+)==([\w.+!]+) *\\?")
"""A requirement for every platform; one with a marker is left to pip."""

_SECONDS: Final = 300
"""Longest wait for pip; an imaging wheel takes a few seconds over a slow line."""

_SETTINGS: Final = ("compatibleArchitectures", "compatibleRuntimes", "description", "licenseInfo")
_IGNORED: Final = {
    **REGION,
    "sourceCodeHash": "the emulator hashes the content itself",
    "s3ObjectVersion": "layers are built from their requirements here",
}


@resource("aws:lambda/layerVersion:LayerVersion", ignored=_IGNORED)
def layer_version(r: Resource) -> Outputs:
    name = physical_name(r, "layerName", limit=140)
    content = _content(r)
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
        **({RETRY: ["code"]} if r.notes else {}),
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


def _content(r: Resource) -> dict[str, Any]:
    """What the layer's own lock asks for where it has one, else the archive or object it names."""
    archive = r.take("code")
    place = {"S3Bucket": r.take("s3Bucket"), "S3Key": r.take("s3Key")}
    if isinstance(archive, pulumi.FileArchive) and (source := sources.of_layer(archive.path)):
        lock = source.files[0]
        return {"ZipFile": build(lock) if lock.suffix == ".txt" else _modules(r, source)}
    requirements = HOME / "layers" / r.name.removesuffix(_SUFFIX) / "requirements.txt"
    if requirements.is_file():
        return {"ZipFile": build(requirements)}
    if archive is not None:
        return {"ZipFile": zip_bytes(archive)}
    return {key: value for key, value in place.items() if value is not None}


def _modules(r: Resource, source: sources.Source) -> bytes:
    """Node.js modules by their lock, from the cache where these very ones were fetched before.

    Without Node.js, or without the network, the layer stays empty for now: that must not fail the rest of the stack.
    """
    from builders import BuildError, fingerprint, node_modules

    cache = source.root / ".sandbox" / "cache" / "layers"
    kept = cache / f"{source.folder.name}-{fingerprint.of(source.files)}.zip"
    if kept.is_file():
        return kept.read_bytes()
    reason = None
    if shutil.which("node") is None:
        reason = "there is no Node.js on this machine"
    else:
        cache.mkdir(parents=True, exist_ok=True)
        try:
            node_modules.build(source.files[0], kept)
        except BuildError as error:
            reason = str(error)
    if reason is None:
        return kept.read_bytes()
    r.note(f"it is empty: {reason}")
    return make_zip({_EMPTY: reason.encode()})


def build(requirements: Path) -> bytes:
    """The layer's zip file for this machine's Python, from the cache where these very requirements were built before.

    Raises Mistake with one line where pip is missing or does not succeed.
    """
    machine = f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
    key = hashlib.sha256(requirements.read_bytes() + machine.encode()).hexdigest()[:24]
    cache = requirements.parents[2] / ".sandbox" / "cache" / "layers"
    kept = cache / f"{requirements.parent.name}-{key}.zip"
    if kept.is_file():
        return kept.read_bytes()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        files = _present(requirements)
        if files is None:
            target = Path(work) / "python"
            _install(requirements, target)
            files = _installed(target)
        content = make_zip({f"python/{name}": data for name, data in files})
        draft = Path(work) / "layer.zip"
        draft.write_bytes(content)
        # Two sandboxes may build the same layer side by side: each puts its own whole file in place.
        draft.replace(kept)
    return content


def _present(requirements: Path) -> list[tuple[str, bytes]] | None:
    """The files of the layer's packages where this environment holds every one in the very version; else None.

    The tests of the handlers need the same packages, installed by hash: copying them takes neither network nor time.
    """
    lines = requirements.read_text("utf-8").splitlines()
    named = [line for line in lines if line and line[0] not in " #"]
    files: list[tuple[str, bytes]] = []
    for line in named:
        pin = _PIN.fullmatch(line)
        found = next(iter(metadata.distributions(name=pin[1])), None) if pin else None
        if pin is None or found is None or found.version != pin[2]:
            return None
        own = [f for f in found.files or () if not {"..", "__pycache__"} & set(f.parts)]
        files += [(f.as_posix(), Path(str(found.locate_file(f))).read_bytes()) for f in own]
    return sorted(files)


def _installed(target: Path) -> list[tuple[str, bytes]]:
    """The files a layer needs: no bytecode (it names this machine's paths), no console scripts."""
    shutil.rmtree(target / "bin", ignore_errors=True)
    files = [f for f in sorted(target.rglob("*")) if f.is_file() and "__pycache__" not in f.parts]
    return [(f.relative_to(target).as_posix(), f.read_bytes()) for f in files]


def _install(requirements: Path, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"]
    command += ["--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"]
    command += ["--target", os.fspath(target), "--requirement", os.fspath(requirements)]
    place = f"layers/{requirements.parent.name}/requirements.txt"
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Mistake(f"{place}: pip did not finish within {_SECONDS} s") from None
    if done.returncode == 0:
        target.mkdir(exist_ok=True)
        return
    if "No module named pip" in done.stderr:
        raise Mistake(
            f"{place}: this Python has no pip; `{sys.executable} -m ensurepip` installs it"
        )
    lines = [
        line.removeprefix("ERROR: ")
        for line in done.stderr.splitlines()
        if line.startswith("ERROR: ")
    ]
    told = lines[0] if lines else (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    raise Mistake(
        f"{place}: pip cannot install it: {told} (a first build needs the network; later ones do not)"
    )
