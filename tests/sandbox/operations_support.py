"""A small program with a queue, its dead letters and functions, as a private sandbox."""

from __future__ import annotations

import textwrap
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sandbox
from sandbox.box import Box
from tests.sandbox.cli_support import HEAD, Project

PROGRAM = (
    HEAD
    + """
import json
from pathlib import Path

def allow(service):
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

rights = {"Effect": "Allow", "Resource": "*", "Action": ["dynamodb:*", "sqs:*", "sns:*", "lambda:InvokeFunction"]}
role = Resource("aws:iam/role:Role", "role", assumeRolePolicy=allow("lambda"))
Resource("aws:iam/rolePolicy:RolePolicy", "role", role=role.name, policy=json.dumps({"Version": "2012-10-17", "Statement": [rights]}))
table = Resource("aws:dynamodb/table:Table", "rows", billingMode="PAY_PER_REQUEST", hashKey="id",
                 attributes=[{"name": "id", "type": "S"}])
"""
)
"""Ends before the first function; `role`, `table` and `allow` are there."""


def functions(sources: Mapping[str, str]) -> str:
    """Lines of a program that make a function of each handler `handlers/NAME.py`, exported as the application does."""
    made = [
        f"""
{name} = Resource("aws:lambda/function:Function", "{name}", role=role.arn, runtime="python3.12", timeout=5,
    handler="{name}.handler", code=pulumi.AssetArchive({{"{name}.py": pulumi.FileAsset("handlers/{name}.py")}}),
    environment={{"variables": {{"TABLE": table.name}}}})
"""
        for name in sources
    ]
    exported = ", ".join(
        f'"{name}": {{"name": {name}.name, "arn": {name}.arn}}' for name in sources
    )
    return (
        "".join(made)
        + f'pulumi.export("functions", {{{exported}}})\npulumi.export("rowsTable", table.name)\n'
    )


@contextmanager
def running(root: Path, sources: Mapping[str, str], more: str = "") -> Generator[Box]:
    """A sandbox of the program with these functions and `more` lines."""
    project = Project(root, PROGRAM + functions(sources) + textwrap.dedent(more))
    for name, source in sources.items():
        (project.root / "handlers" / f"{name}.py").write_text(textwrap.dedent(source))
    with sandbox.running("dev", root=project.root, strict=False) as box:
        yield box
