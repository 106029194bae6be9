"""What is in an archive, and that it is the same on every machine."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from builders import BuildError, go, wheels, zips
from components.layers import Layer
from components.packaging import Handlers
from components.sources import AnyCode, Code, ImageCode, StoredCode
from settings import FunctionSettings, PackagingSettings
from settings.function_parts import ImageSettings
from tests.support.program import ROOT, Run
from tests.support.tiny import Parts, tiny

FUNCTION, LAYER = "aws:lambda/function:Function", "aws:lambda/layerVersion:LayerVersion"
TOLD = "environment.variables"
DECLARED = PackagingSettings(build=False)


@pytest.fixture
def handlers(tmp_path: Path) -> Path:
    """A folder of handlers as a developer's machine leaves it."""
    folder = tmp_path / "handlers"
    for file in (
        "f.py",
        "g.py",
        "common/__init__.py",
        "common/deep/x.py",
        "common/data.txt",
        "ruff.toml",
    ):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(f"# {file}\n", encoding="utf-8")
    (folder / "shop/node_modules/big.js").mkdir(parents=True)
    for file in (
        "shop/index.mjs",
        "shop/index.test.mjs",
        "shop/node_modules/big.js/big.js",
        "sum/go.mod",
        "sum/main.go",
    ):
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(f"// {file}\n", encoding="utf-8")
    for cache in ("__pycache__/f.cpython-311.pyc", "common/__pycache__/x.cpython-311.pyc"):
        (folder / cache).parent.mkdir(exist_ok=True)
        (folder / cache).write_bytes(os.urandom(16))
    return folder


def contents(archive: pulumi.Archive) -> dict[str, str]:
    """Name in the archive -> text of the file."""
    assert isinstance(archive, pulumi.AssetArchive)
    files: Mapping[str, Any] = archive.assets
    return {name: Path(asset.path).read_text(encoding="utf-8") for name, asset in files.items()}


def archive(
    folder: Path, function: str = "f", family: str = "python", **settings: Any
) -> pulumi.Archive:
    """What a function's code is, as a folder of handlers and settings say."""
    code = Handlers(folder, packaging=DECLARED).code(function, FunctionSettings(**settings), family)
    assert isinstance(code, Code)
    return code.archive


def test_archive_has_exactly_its_handler_and_the_shared_code(handlers: Path) -> None:
    code = Handlers(handlers).code("f")
    assert isinstance(code, Code)
    assert list(contents(code.archive)) == ["common/__init__.py", "common/deep/x.py", "f.py"]
    assert code.handler == "f.handler"


def test_archive_is_the_same_wherever_and_whenever_it_is_made(
    handlers: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere" / "handlers"
    shutil.copytree(handlers, moved)
    for file in moved.rglob("*.py"):
        os.utime(file, (0, 0))
    (moved / "common" / "__pycache__" / "new.pyc").write_bytes(b"new")
    ours, theirs = archive(handlers), archive(moved)
    assert list(contents(ours).items()) == list(contents(theirs).items())


def test_archive_changes_with_its_handler_and_not_with_another(handlers: Path) -> None:
    before = contents(archive(handlers))
    (handlers / "g.py").write_text("# changed\n", encoding="utf-8")
    assert contents(archive(handlers)) == before
    (handlers / "f.py").write_text("# changed\n", encoding="utf-8")
    assert contents(archive(handlers)) != before


def test_function_without_a_handler_is_refused_by_its_name(handlers: Path) -> None:
    told = r"^handlers/no_such\.py: function 'no-such' has no handler$"
    with pytest.raises(pulumi.RunError, match=told):
        Handlers(handlers).code("no-such")


def test_every_shipped_archive_holds_one_handler_and_common_only(run: Run) -> None:
    common = {
        p.relative_to(ROOT / "handlers").as_posix()
        for p in (ROOT / "handlers/common").rglob("*.py")
    }
    for function in run.all(FUNCTION):
        handler = str(function.get("handler"))
        if str(function.get("runtime")).startswith("python"):
            held = contents(function.get("code"))
            # Where answers are checked, their description is at hand.
            checked = {"openapi.json"} if function.get(f"{TOLD}.CHECKED_ANSWERS") else set[str]()
            assert set(held) == common | checked | {handler.replace(".handler", ".py")}
            assert not checked or run.stack == "dev"
            assert not [name for name in held if "__pycache__" in name or name.endswith(".pyc")]


def test_node_function_carries_its_sources_and_neither_tests_nor_modules(handlers: Path) -> None:
    assert list(contents(archive(handlers, "shop", "nodejs"))) == ["index.mjs"]


def test_go_function_is_a_ready_zip_named_after_what_it_is_made_of(handlers: Path) -> None:
    def name(**settings: Any) -> str:
        made = archive(handlers, "sum", "go", **settings)
        assert isinstance(made, pulumi.FileArchive)
        place = Path(made.path)
        assert place.parent == handlers.parent / ".build" / "functions"
        return place.name

    first = name()
    assert first.startswith("sum-arm64-")
    assert name() == first
    assert name(architecture="x86_64") != first
    (handlers / "sum" / "main.go").write_text("// changed\n", encoding="utf-8")
    assert name() != first


def test_go_function_is_built_once_per_content(
    handlers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []
    codes: list[AnyCode] = []

    def build(source: Path, archive: Path, *, architecture: str) -> None:
        zips.write(archive, {"bootstrap": zips.File(b"12345")})
        built.append(f"{source.name} {architecture}")

    monkeypatch.setattr(go, "build", build)
    for _ in range(2):
        tiny(lambda _: codes.append(Handlers(handlers).code("sum", FunctionSettings(), "go")))
    assert built == ["sum arm64"]
    assert [code.unzipped for code in codes] == [5, 5]


def test_go_function_that_cannot_be_built_ends_in_one_line(
    handlers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(source: Path, archive: Path, *, architecture: str) -> None:
        raise BuildError("handlers/sum: Go is not installed")

    monkeypatch.setattr(go, "build", build)
    with pytest.raises(pulumi.RunError, match=r"^handlers/sum: Go is not installed$"):
        tiny(lambda _: Handlers(handlers).code("sum", FunctionSettings(), "go"))


def test_code_that_is_built_elsewhere_has_to_be_named(handlers: Path) -> None:
    with pytest.raises(pulumi.RunError, match=r"^handlers/x: code in rust is built elsewhere"):
        Handlers(handlers).code("x", FunctionSettings(), "rust")


def test_folder_is_packed_whole_but_for_caches_and_hidden_files(handlers: Path) -> None:
    folder = handlers.parent / "app"
    for name in ("main.py", "data/words.txt", "__pycache__/main.pyc", ".env", ".git/config"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x", encoding="utf-8")
    made = archive(handlers, source_dir="app", handler="main.handler")
    assert list(contents(made)) == ["data/words.txt", "main.py"]


def test_folder_with_a_bootstrap_is_zipped_so_that_lambda_can_execute_it(handlers: Path) -> None:
    folder = handlers.parent / "app"
    folder.mkdir()
    for name in ("bootstrap", "tool", "words.txt"):
        (folder / name).write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "tool").chmod(0o700)
    made = archive(handlers, source_dir="app", runtime="provided.al2023")
    assert isinstance(made, pulumi.FileArchive)
    with zipfile.ZipFile(made.path) as held:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in held.infolist()}
    assert modes == {"bootstrap": 0o755, "tool": 0o755, "words.txt": 0o644}
    (folder / "words.txt").chmod(0o700)
    again = archive(handlers, source_dir="app", runtime="provided.al2023")
    assert isinstance(again, pulumi.FileArchive)
    assert again.path != made.path, "a program that was none before needs another archive"


@pytest.mark.parametrize(
    ("function", "family", "settings", "size"),
    [
        ("f", "python", {}, len("# f.py\n# common/__init__.py\n# common/deep/x.py\n")),
        ("shop", "nodejs", {}, len("// shop/index.mjs\n")),
        ("f", "python", {"inline": "# ä"}, 4),
    ],
)
def test_code_that_lies_here_counts_by_its_files(
    handlers: Path, function: str, family: str, settings: Mapping[str, str], size: int
) -> None:
    code = Handlers(handlers).code(function, FunctionSettings(**settings), family)
    assert code.unzipped == size


def test_ready_zip_goes_up_as_it_is(handlers: Path) -> None:
    with zipfile.ZipFile(handlers.parent / "ready.zip", "w") as held:
        held.writestr("main.py", "x" * 100)
    settings = FunctionSettings(filename="ready.zip", handler="main.handler")
    code = Handlers(handlers).code("f", settings)
    assert isinstance(code, Code)
    assert isinstance(code.archive, pulumi.FileArchive)
    assert (code.archive.path, code.handler) == (str(handlers.parent / "ready.zip"), "main.handler")
    assert code.unzipped == 100


@pytest.mark.parametrize(("family", "file"), [("python", "index.py"), ("nodejs", "index.mjs")])
def test_inline_text_becomes_a_file(handlers: Path, family: str, file: str) -> None:
    made = archive(handlers, "f", family, inline="text")
    assert isinstance(made, pulumi.AssetArchive)
    held: Mapping[str, Any] = made.assets
    assert {name: asset.text for name, asset in held.items()} == {file: "text"}


def test_object_in_s3_is_named_by_bucket_key_and_version(handlers: Path) -> None:
    settings = FunctionSettings(
        s3_bucket="releases",
        s3_key="a.zip",
        s3_object_version="v7",
        source_code_hash="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        handler="main.handler",
    )
    code = Handlers(handlers).code("f", settings)
    assert isinstance(code, StoredCode)
    run = tiny(lambda parts: parts.function("f", code=code))
    function = run.one(FUNCTION, "f-function")
    assert function.get("s3Bucket") == "releases"
    assert function.get("s3Key") == "a.zip"
    assert function.get("s3ObjectVersion") == "v7"
    assert function.get("sourceCodeHash") == settings.source_code_hash
    assert function.get("handler") == "main.handler"
    assert function.get("code") is None


def test_image_brings_its_own_runtime_handler_and_layers(handlers: Path) -> None:
    settings = FunctionSettings(
        image_uri="123456789012.dkr.ecr.us-west-2.amazonaws.com/a:1",
        image_config=ImageSettings(
            entry_point=("/app/bootstrap",), command=("a.b",), working_directory="/app"
        ),
    )
    code = Handlers(handlers).code("f", settings, "image")
    assert isinstance(code, ImageCode)
    run = tiny(lambda parts: parts.function("f", code=code, layers=[layer(parts)]))
    function = run.one(FUNCTION, "f-function")
    assert function.get("packageType") == "Image"
    assert function.get("imageUri") == settings.image_uri
    assert function.get("imageConfig") == {
        "entryPoints": ["/app/bootstrap"],
        "commands": ["a.b"],
        "workingDirectory": "/app",
    }
    assert [function.get(key) for key in ("runtime", "handler", "layers", "code")] == [None] * 4
    assert run.all(LAYER) == []


def layer(parts: Parts, root: Path = ROOT, name: str = "common", **packaging: Any) -> Layer:
    """A layer of a project's folder layers/."""
    return Layer(
        name,
        root=root,
        place=parts.place,
        packaging=PackagingSettings(**{"build": False, **packaging}),
        description="Songs",
        license_info="MIT",
    )


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    """A project whose layer `birds` has a lock."""
    lock = tmp_path / "layers" / "birds" / "requirements.txt"
    lock.parent.mkdir(parents=True)
    lock.write_text("bird==1.0\n", encoding="utf-8")
    return tmp_path


def test_layer_is_built_once_per_lock_runtime_and_architecture(
    birds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def build(lock: Path, archive: Path, *, runtime: str, architecture: str, **how: bool) -> None:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive, "w") as held:
            held.writestr("python/bird.py", lock.read_text(encoding="utf-8"))
        built.append(f"{runtime} {architecture} {how}")

    def declare(parts: Parts, *, build: bool = True, bytecode: bool = False, **sizes: Any) -> None:
        made = layer(parts, birds, "birds", build=build, compile=bytecode)
        parts.function("f", layers=[made], **sizes)
        parts.function("g", layers=[made], **sizes)

    monkeypatch.setattr(wheels, "build", build)
    tiny(declare)
    tiny(declare)
    tiny(lambda parts: declare(parts, architecture="x86_64"))
    tiny(lambda parts: declare(parts, bytecode=True))
    (birds / "layers" / "birds" / "requirements.txt").write_text("bird==1.1\n", encoding="utf-8")
    tiny(lambda parts: declare(parts, build=False))
    assert built == [
        "python3.13 arm64 {'compile': False}",
        "python3.13 x86_64 {'compile': False}",
        "python3.13 arm64 {'compile': True}",
    ]
    tiny(declare)
    assert built[3:] == built[:1]


def test_layer_has_one_version_per_target_that_is_used(birds: Path) -> None:
    def program(parts: Parts) -> None:
        made = layer(parts, birds, "birds")
        parts.function("f", layers=[made])
        parts.function("g", layers=[made])
        parts.function("h", layers=[made], architecture="x86_64", runtime="python3.14")

    run = tiny(program)
    named = {r.name: r for r in run.all(LAYER)}
    assert set(named) == {"birds-layer-python313-arm64", "birds-layer-python314-x86_64"}
    own = named["birds-layer-python314-x86_64"]
    assert own.get("layerName") == "sandpiper-tiny-birds-python314-x86_64"
    assert own.get("compatibleRuntimes") == ["python3.14"]
    assert own.get("compatibleArchitectures") == ["x86_64"]
    assert own.get("licenseInfo") == "MIT"
    assert own.get("description") == "Songs"
    assert run.one(FUNCTION, "h-function").get("layers") == [own.output("arn")]
    shared = [run.one(FUNCTION, f"{name}-function").get("layers") for name in "fg"]
    assert shared == [[named["birds-layer-python313-arm64"].output("arn")]] * 2


def test_layer_for_node_fits_every_node_runtime_and_architecture() -> None:
    run = tiny(
        lambda parts: parts.function(
            "f", layers=[layer(parts, name="nodejs")], runtime="nodejs22.x"
        )
    )
    (version,) = run.all(LAYER)
    assert version.name == "nodejs-layer"
    assert version.get("compatibleRuntimes") == ["nodejs22.x", "nodejs24.x"]
    assert version.get("compatibleArchitectures") == ["arm64", "x86_64"]
    assert "python" not in Path(version.get("code").path).name


def test_layer_that_cannot_be_built_ends_in_one_line(
    birds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(lock: Path, archive: Path, **_: Any) -> None:
        raise BuildError("layers/birds: hashes differ")

    monkeypatch.setattr(wheels, "build", build)
    with pytest.raises(pulumi.RunError, match=r"^layers/birds: hashes differ$"):
        tiny(lambda parts: parts.function("f", layers=[layer(parts, birds, "birds", build=True)]))


def test_layer_without_a_lock_ends_in_one_line(birds: Path) -> None:
    with pytest.raises(pulumi.RunError, match=r"layers/brids/requirements\.txt: cannot be read"):
        tiny(lambda parts: parts.function("f", layers=[layer(parts, birds, "brids")]))


def test_folder_that_cannot_be_packed_ends_in_one_line(handlers: Path) -> None:
    (handlers / "common" / "gone.py").symlink_to("nowhere.py")
    with pytest.raises(pulumi.RunError, match=r"No such file.*gone\.py'$"):
        Handlers(handlers).code("f")


def test_code_and_layers_together_may_not_outgrow_lambda(
    birds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(lock: Path, archive: Path, **_: Any) -> None:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as held:
            held.writestr("python/bird.py", bytes(700 << 10))

    monkeypatch.setattr(wheels, "build", build)
    monkeypatch.setattr(zips, "UNZIPPED_LIMIT", 1 << 20)
    code = Code(pulumi.AssetArchive({}), "f.handler", unzipped=400 << 10)

    def program(parts: Parts) -> None:
        parts.function("f", code=code, layers=[layer(parts, birds, "birds", build=True)])

    expected = (
        r"^Pulumi\.tiny\.yaml: functions\.f: code and layers must be at most 1 MB unzipped "
        r"\(got 1\.074 MB\)"
    )
    with pytest.raises(pulumi.RunError, match=expected):
        tiny(program)
