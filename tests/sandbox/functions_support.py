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

GO = """
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
)

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(api + "next")
		if err != nil {
			os.Exit(1)
		}
		event, _ := io.ReadAll(next.Body)
		fmt.Println("go was here")
		answer, _ := json.Marshal(map[string]any{
			"event": json.RawMessage(event), "machine": runtime.GOARCH, "word": "ANSWER",
			"endpoint": os.Getenv("AWS_ENDPOINT_URL"), "mark": os.Getenv("MARK"),
			"group": os.Getenv("AWS_LAMBDA_LOG_GROUP_NAME"), "host": os.Getenv("GATEWAY_PORT"),
		})
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		http.Post(api+id+"/response", "application/json", bytes.NewReader(answer))
	}
}
"""
"""A custom runtime of the standard library alone: it answers what it was told and where it runs."""


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
