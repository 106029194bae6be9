"""`watch` on functions that are not written in Python, and on the locks of layers."""

import json
import os
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox import syntax, watch
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
        time.sleep(watch._QUIET_SECONDS + 0.8)  # time for another run of the program
        told = "Function 'adder': handlers/adder: ./main.go:3:15"
        assert len([line for line in watching.lines if told in line]) == 1
        assert len([line for line in watching.lines if "adder: new code live" in line]) == 1
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
    monkeypatch.setattr(syntax, "_CHECK_SECONDS", 0.05)
    monkeypatch.chdir(tmp_path)
    Path("index.mjs").write_text("")
    assert not watcher._compiles(tmp_path / "index.mjs")
    assert watcher._screen.faults == ["index.mjs: node --check did not answer within 0.05 s"]


def test_what_was_read_is_not_read_again_until_it_changes(tmp_path, monkeypatch):
    fine, broken = tmp_path / "fine.py", tmp_path / "broken.py"
    fine.write_text("a = 1\n")
    broken.write_text("def handler(:\n")
    (tmp_path / "data.json").write_text("{")
    files = [fine, broken, tmp_path / "data.json", tmp_path / "gone.py"]
    told = ["broken.py:1: SyntaxError: invalid syntax"]
    assert syntax.faults_of(files, tmp_path) == told
    read = []
    original = syntax.fault
    monkeypatch.setattr(
        syntax, "fault", lambda path, root: read.append(path) or original(path, root)
    )
    assert syntax.faults_of(files, tmp_path) == told
    assert read == [broken]
    broken.write_text("def handler(): pass\n")
    fine.write_text("a = = 1\n")
    assert syntax.faults_of(files, tmp_path) == ["fine.py:1: SyntaxError: invalid syntax"]
    fine.write_text("a = 22\n")
    assert syntax.faults_of(files, tmp_path) == []
    read.clear()
    assert syntax.faults_of(files, tmp_path) == []
    assert read == []


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node.js here")
def test_up_names_each_handler_that_its_language_cannot_read(tmp_path):
    project = Project(tmp_path / "shop", MANY.split("program = ")[0])
    (project.root / "handlers" / "noding").mkdir()
    (project.root / "handlers" / "noding" / "index.mjs").write_text("export const handler = ;\n")
    (project.root / "handlers" / "hello.py").write_text("def handler(event, context:\n")
    try:
        said = project.run("up").stderr
        assert "handlers/hello.py:1: SyntaxError: '(' was never closed\n" in said
        assert "handlers/noding/index.mjs:1: SyntaxError: Unexpected token ';'\n" in said
        (project.root / "handlers" / "hello.py").write_text("def handler(event, context): pass\n")
        assert "hello.py" not in project.run("up").stderr
    finally:
        project.run("down")


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
