"""Functions for tests: made, called, removed."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pulumi

from tests.sandbox.services_support import Made, make

ECHO = """
import os
def handler(event, context):
    return {"event": event, "mark": os.environ.get("MARK")}
"""


def archive(text: str = ECHO) -> pulumi.AssetArchive:
    return pulumi.AssetArchive({"main.py": pulumi.StringAsset(text)})


def role(name: str, *statements: dict[str, Any]) -> Made:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    made = make(
        "iam/role:Role",
        name,
        assumeRolePolicy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    if statements:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        make("iam/rolePolicy:RolePolicy", name, role=made["name"], policy=json.dumps(document))
    return made


@functools.cache
def execution_role() -> Made:
    return role("execution")


def builder() -> Iterator[Callable[..., Made]]:
    """Yield a maker of published functions; all of them go with the test."""
    made: list[Made] = []

    def build(name: str, text: str = ECHO, /, **inputs: Any) -> Made:
        given = {"runtime": "python3.13", "handler": "main.handler", "publish": True, **inputs}
        arn = execution_role()["arn"]
        made.append(make("lambda/function:Function", name, code=archive(text), role=arn, **given))
        return made[-1]

    yield build
    for each in made:
        each.delete()


def invoke(aws: Any, target: str, event: Any = None) -> Any:
    answer = aws("lambda").invoke(FunctionName=target, Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read())


def within(seconds: float, check: Callable[[], Any]) -> Any:
    limit = time.monotonic() + seconds
    while not (found := check()) and time.monotonic() < limit:
        time.sleep(0.05)
    return found
