"""The commands of the runbooks and the guides of monitoring and troubleshooting do what they say, run by the real AWS CLI."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import sandbox
from sandbox.box import Box
from tests.support import aws_cli
from tests.support.documented import Paragraph, paragraphs
from tests.support.program import ROOT

RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
GUIDES = [ROOT / "docs" / f"{name}.md" for name in ("monitoring-guide", "troubleshooting")]
DOCUMENTS = [*RUNBOOKS, *(path for path in GUIDES if path.exists())]
NAMES = [path.name for path in DOCUMENTS]

CATCH = """set -uE -o pipefail
bad=0
trap 'bad=1; echo "failed: $BASH_COMMAND" >&2' ERR"""
"""Goes on after a command that failed, and says so: one run shows all that is wrong."""


@dataclass(frozen=True)
class Outcome:
    """What became of a document's commands: the shell's exit code and last words, and the calls of the AWS CLI."""

    code: int
    said: str


def _preamble() -> str:
    """The variables and functions of "Before you begin", for the sandbox."""
    readme = paragraphs(ROOT / "docs" / "runbooks" / "README.md")
    begun = [p for p in readme if not p.on_aws_only][:5]
    assert begun[0].text.startswith("export STACK=dev"), "the sandbox's variables are not where they were"
    assert begun[-1].text.startswith("# Runs a Logs Insights query"), "the functions are not where they were"
    return "\n\n".join(p.text for p in begun)


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """The running dev stack, in which something has happened already."""
    with sandbox.running("dev") as running:
        token = running.token()
        assert running.http.post("/items", token=token, json={"name": "lamp", "price": "1.00"}).status == 201
        sqs = running.client("sqs")
        order = {"orderId": "o-1", "customerEmail": "ann@example.com", "items": [{"id": "lamp", "quantity": 1, "price": "1.00"}]}
        sqs.send_message(QueueUrl=running.outputs["ordersDeadLetterQueueUrl"], MessageBody=json.dumps(order))
        event = {"requestPayload": {"Records": []}}
        sqs.send_message(QueueUrl=running.outputs["failuresQueueUrl"], MessageBody=json.dumps(event))
        yield running


@pytest.fixture(scope="module")
def ran(box: Box, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Every document's commands, run in a shell of its own, by the document's name."""
    programs = tmp_path_factory.mktemp("programs")
    outputs = {"endpoint": box.endpoint, "outputs": box.outputs}
    (programs / "outputs.json").write_text(json.dumps(outputs), encoding="utf-8")
    python = programs / "python"
    python.write_text(f'#!/bin/sh\n[ "$*" = "-m sandbox outputs --json" ] && exec cat {programs}/outputs.json\n', encoding="utf-8")
    python.chmod(0o755)

    def run(document: Path) -> Outcome:
        script = "\n\n".join([CATCH, _preamble(), *(p.text for p in paragraphs(document) if p.is_run), "exit $bad"])
        folder = tmp_path_factory.mktemp(document.stem)
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env={"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), "CALLER": document.name},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Outcome(done.returncode, done.stderr[-2000:])

    with aws_cli.running(programs), ThreadPoolExecutor(3) as pool:
        return dict(zip(NAMES, pool.map(run, DOCUMENTS), strict=True))


@pytest.mark.parametrize("document", NAMES)
def test_documented_commands_run_against_the_sandbox(document: str, ran: dict[str, Outcome]) -> None:
    assert ran[document].code == 0, ran[document].said
