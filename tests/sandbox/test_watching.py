"""`watch` on functions that are not written in Python, and on the locks of layers."""

import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox import watch
from sandbox.watch import _matters
from tests.sandbox.cli_support import FUNCTION, Project, Watching, wait_for
from tests.sandbox.functions_support import GO

MANY = (
    FUNCTION
    + """
import pathlib
root = pathlib.Path(__file__).parent

def published(name, code, **more):
    made = Resource("aws:lambda/function:Function", name, role=role.arn, code=code, publish=True, timeout=9, **more)
    Resource("aws:lambda/alias:Alias", name + "-live", name="live", functionName=made.name, functionVersion=made.version)
    pulumi.export(name, made.name)

module = pulumi.AssetArchive({"index.mjs": pulumi.FileAsset("handlers/noding/index.mjs")})
published("noding", module, runtime="nodejs22.x", handler="index.handler")
program = pulumi.FileArchive(str(root / ".build/functions/adder-arm64-0123456789abcdef.zip"))
published("adder", program, runtime="provided.al2023", handler="bootstrap")
"""
)
BROKEN = "package main\n\nfunc main() { wrong }\n"
NODE = 'export const handler = async () => "first";\n'


@pytest.mark.skipif(
    sys.platform != "linux" or not (shutil.which("go") and shutil.which("node")),
    reason="there is no Go for Linux, or no Node.js, here",
)
def test_saved_sources_of_node_and_go_are_swapped_and_broken_ones_only_reported(tmp_path):
    project = Project(tmp_path / "shop", MANY)
    for name, text in (
        ("noding/index.mjs", NODE),
        ("adder/go.mod", "module example.com/adder\n\ngo 1.21\n"),
        ("adder/main.go", BROKEN),
    ):
        file = project.root / "handlers" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    watching = Watching(project)
    try:
        watching.waits_for("Watching; Ctrl-C ends it", seconds=60)
        names = json.loads(project.run("outputs", "--json").stdout)["outputs"]

        def said(name):
            reply = project.client("lambda").invoke(
                FunctionName=names[name], Qualifier="live", Payload=b"{}"
            )
            return json.loads(reply["Payload"].read())

        node, go = (
            project.root / "handlers" / name for name in ("noding/index.mjs", "adder/main.go")
        )
        node.write_text(NODE.replace("first", "second"))
        watching.waits_for("noding: new code live in")
        assert said("noding") == "second"
        node.write_text(NODE.replace('"first"', ""))
        node.write_text(NODE.replace('"first";', "= ;"))
        watching.waits_for("SyntaxError")
        assert said("noding") == "second"

        assert "main.go:3:15: undefined: wrong" in said("adder")["errorMessage"]
        go.write_text(GO)
        watching.waits_for("adder: new code live in", seconds=60)
        assert said("adder")["event"] == {}
        go.write_text(BROKEN)
        watching.waits_for("Function 'adder': handlers/adder: ./main.go:3:15: undefined: wrong", 60)
        assert said("adder")["event"] == {}
        wait_for(lambda: [line for line in watching.lines if "adder  go was here" in line])
        assert watching.end() == 0
        assert any("adder  go was here" in line for line in project.run("logs").stdout.splitlines())
    finally:
        watching.process.kill()
        watching.process.wait()
        watching.process.stdout.close()
        project.run("down")


class Said:
    """A screen that keeps what is wrong."""

    def __init__(self):
        self.faults = []

    def fault(self, text):
        self.faults.append(text)


@pytest.fixture
def watcher(tmp_path):
    session = SimpleNamespace(place=SimpleNamespace(root=tmp_path))
    return watch.Watcher(session, None, Said())


def node(folder, monkeypatch, script):
    """Put a script in the place of Node.js."""
    file = folder / "node"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize("name", ["gone.py", "gone.mjs"])
def test_source_that_vanishes_while_it_is_read_is_passed_over_in_silence(
    watcher, tmp_path, monkeypatch, name
):
    def vanish(path):
        path.unlink()
        return path.open("rb").read()

    monkeypatch.setattr(Path, "read_bytes", vanish)
    node(tmp_path, monkeypatch, 'rm "$2"; exit 1')
    path = tmp_path / name
    path.touch()
    assert not watcher._compiles(path)
    assert watcher._screen.faults == []


def test_node_that_checks_for_ever_is_reported(watcher, tmp_path, monkeypatch):
    node(tmp_path, monkeypatch, "exec sleep 60")
    monkeypatch.setattr(watch, "_CHECK_SECONDS", 0.05)
    monkeypatch.chdir(tmp_path)
    Path("index.mjs").write_text("")
    assert not watcher._compiles(tmp_path / "index.mjs")
    assert watcher._screen.faults == ["index.mjs: node --check did not answer within 0.05 s"]


@pytest.mark.parametrize(
    ("saved", "matters"),
    [
        ("layers/nodejs/package-lock.json", True),
        ("layers/common/requirements.txt", True),
        ("handlers/products/prices.mjs", True),
        ("handlers/checksum/go.sum", True),
        ("handlers/products/index.test.mjs", False),
        ("handlers/checksum/main_test.go", False),
        ("handlers/products/node_modules/x/index.js", False),
        ("tools/build.js", False),
        ("README.md", False),
        (".build/layers/x.json", False),
    ],
)
def test_saved_file_matters_where_the_program_or_a_function_reads_it(saved, matters):
    root = Path("/checkout")
    assert _matters(root / saved, root) is matters
