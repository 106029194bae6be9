"""The commands of the runbooks and the guides of monitoring and troubleshooting do what they say, run by the real AWS CLI.

Against one sandbox; what needs an account is read by the CLI and not sent.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import sandbox
from policies import aws
from sandbox.box import Box
from tests.support import aws_cli
from tests.support.aws_cli import Call
from tests.support.documented import paragraphs
from tests.support.program import ROOT

RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
GUIDES = [ROOT / "docs" / "monitoring-guide.md", ROOT / "docs" / "troubleshooting.md"]
DOCUMENTS = [*RUNBOOKS, *GUIDES]
NAMES = [path.name for path in DOCUMENTS]

CATCH = """set -uE -o pipefail
bad=0
trap 'bad=1; echo "failed: $BASH_COMMAND" >&2' ERR"""
"""Goes on after a command that failed, and says so: one run shows all that is wrong."""
UNSENT = f"export {aws_cli.UNSENT}=yes"
"""From here on the CLI reads the whole command, parameters included, and does not ask AWS."""

ONLY_IN_VERSION_2 = {("logs", "tail")}
AWS_ONLY = {
    "costs and quotas of an account, and AWS's own state": [
        "budgets describe-budgets",
        "ce get-cost-and-usage",
        "health describe-events",
        "service-quotas list-requested-service-quota-change-history-by-quota",
        "service-quotas request-service-quota-increase",
        "sesv2 get-account",
        "sts get-caller-identity",
    ],
    "what the sandbox only records: canaries, scaling, learnt bands, networks": [
        "application-autoscaling describe-scaling-activities",
        "cloudwatch put-anomaly-detector",
        "dynamodb update-table",
        "ec2 describe-vpc-endpoints",
        "lambda get-provisioned-concurrency-config",
        "synthetics get-canary",
        "synthetics get-canary-runs",
        "synthetics start-canary",
        "xray get-service-graph",
    ],
    "what the dev stack does not have": [
        "appsync list-graphql-apis",
        "elbv2 describe-load-balancers",
        "lambda invoke",
    ],
    "what the emulator does not compute": [
        "cloudwatch get-metric-data",
        "cloudwatch get-metric-statistics",
        "logs start-query",
        "sqs list-message-move-tasks",
        "sqs start-message-move-task",
    ],
    "what would change the stack under the other commands": [
        "kms cancel-key-deletion",
        "kms enable-key",
        "lambda put-function-concurrency",
        "lambda update-alias",
        "lambda update-event-source-mapping",
        "secretsmanager get-secret-value",
        "secretsmanager restore-secret",
        "sns subscribe",
    ],
    "steps on the way to one of these": [
        "logs describe-log-groups",
        "logs describe-query-definitions",
        "sqs get-queue-attributes",
    ],
    "AWS CLI 2 only": ["logs tail"],
}
"""Commands that the documents mark as needing an account, by the reason."""


@dataclass(frozen=True)
class Outcome:
    """What became of a document's commands: the shell's exit code, what it said, and the calls of the AWS CLI."""

    code: int
    said: str
    calls: list[Call]


def _preamble() -> str:
    """The variables and functions of "Before you begin", for the sandbox."""
    readme = paragraphs(ROOT / "docs" / "runbooks" / "README.md")
    begun = [p.text for p in readme if not p.on_aws_only][:5]
    assert begun[0].startswith("export STACK=dev"), "the sandbox's variables have moved"
    assert begun[-1].startswith("# Runs a Logs Insights query"), "the functions have moved"
    return "\n\n".join(begun)


def _script(document: Path) -> str:
    parts = paragraphs(document)
    run = [part.text for part in parts if part.is_run]
    read = ["\n".join(part.code) for part in parts if part.is_checked]
    unsent = [part.replace("aws logs tail ", ": only in version 2 ") for part in read]
    return "\n\n".join([CATCH, _preamble(), *run, UNSENT, *unsent, "exit $bad"])


def _change(running: Box) -> dict[str, object]:
    """The place in its stream of a row that was written, as a letter names it."""
    streams = running.client("dynamodbstreams")
    (stream,) = streams.list_streams(TableName=running.outputs["itemsTable"])["Streams"]
    arn = stream["StreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = streams.get_shard_iterator(**start)["ShardIterator"]
    first = streams.get_records(ShardIterator=iterator)["Records"][0]["dynamodb"]["SequenceNumber"]
    return {"streamArn": arn, "shardId": shard, "startSequenceNumber": first, "batchSize": 1}


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """The running dev stack, in which something has happened already."""
    with sandbox.running("dev") as running:
        item = {"name": "lamp", "price": "1.00"}
        assert running.http.post("/items", token=running.token(), json=item).status == 201
        order = {
            "orderId": "o-1",
            "customerEmail": "ann@example.com",
            "items": [{"id": "lamp", "quantity": 1, "price": "1.00"}],
        }
        event = {"requestPayload": {"Records": []}, "DDBStreamBatchInfo": _change(running)}
        for queue, body in (("ordersDeadLetterQueueUrl", order), ("failuresQueueUrl", event)):
            url = running.outputs[queue]
            running.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(body))
        yield running


@pytest.fixture(scope="module")
def ran(box: Box, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    """Every document's commands, run in a shell of its own, by the document's name."""
    if missing := [tool for tool in ("bash", "jq") if shutil.which(tool) is None]:
        pytest.skip(f"the documents want {' and '.join(missing)}")
    programs = tmp_path_factory.mktemp("programs")
    outputs = programs / "outputs.json"
    outputs.write_text(json.dumps({"endpoint": box.endpoint, "outputs": box.outputs}), "utf-8")
    python = programs / "python"
    python.write_text(
        f'#!/bin/sh\n[ "$*" = "-m sandbox outputs --json" ] && cat {outputs}\n', "utf-8"
    )
    python.chmod(0o755)

    def run(document: Path) -> Outcome:
        folder = tmp_path_factory.mktemp(document.stem)
        path = f"{programs}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", _script(document)],
            cwd=folder,
            env={"PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return Outcome(done.returncode, done.stderr[-4000:], cli.calls(folder))

    with aws_cli.running(programs) as cli, ThreadPoolExecutor(3) as pool:
        return dict(zip(NAMES, pool.map(run, DOCUMENTS), strict=True))


@pytest.mark.parametrize("document", NAMES)
def test_commands_of_a_document_run(document: str, ran: Mapping[str, Outcome]) -> None:
    assert ran[document].code == 0, ran[document].said
    assert [call for call in ran[document].calls if call.code] == []
    parts = paragraphs(next(path for path in DOCUMENTS if path.name == document))
    said = {call for part in parts if part.is_run or part.is_checked for call in part.calls}
    done = {tuple(call.arguments[2:4]) for call in ran[document].calls}
    assert said - ONLY_IN_VERSION_2 <= done, "not every command of the document was called"


def test_commands_that_need_an_account_are_marked_and_listed() -> None:
    marked = {
        " ".join(call)
        for document in DOCUMENTS
        for paragraph in paragraphs(document)
        if paragraph.on_aws_only
        for call in paragraph.calls
    }
    assert marked == {command for commands in AWS_ONLY.values() for command in commands}


def _dimensions(values: Iterable[str]) -> dict[str, str]:
    pairs = (dict(part.split("=", 1) for part in value.split(",")) for value in values)
    return {pair["Name"]: pair["Value"] for pair in pairs}


def test_metrics_are_asked_for_by_dimensions_of_this_stack(
    box: Box, ran: Mapping[str, Outcome]
) -> None:
    known: dict[str, set[str]] = {}
    for alarm in (r for r in box.resources if r["type"] == aws.ALARM):
        queries = alarm["inputs"].get("metricQueries") or []
        metrics = [alarm["inputs"], *(query.get("metric") or {} for query in queries)]
        for name, value in (pair for m in metrics for pair in (m.get("dimensions") or {}).items()):
            known.setdefault(name, set()).add(value)
    for document, outcome in ran.items():
        for call in outcome.calls:
            for name, value in _dimensions(call.options("--dimensions")).items():
                if call.sent and name not in {"State", "Operation", "Resource"}:
                    assert value in known.get(name, ()), f"{document}: {name}={value}"
