"""Functions for tests: made, called, removed."""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pulumi

from builders import elf
from tests.sandbox.services_support import Made, make

ECHO = """
import os
def handler(event, context):
    return {"event": event, "mark": os.environ.get("MARK")}
"""

GO = r"""
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"runtime"
	"strconv"
)

func ask(method, path, body string) (textproto.MIMEHeader, string) {
	host := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		os.Exit(1)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s /2018-06-01/runtime/invocation/%s HTTP/1.1\r\nHost: %s\r\n", method, path, host)
	fmt.Fprintf(conn, "Content-Length: %d\r\n\r\n%s", len(body), body)
	answer := textproto.NewReader(bufio.NewReader(conn))
	if _, err := answer.ReadLine(); err != nil {
		os.Exit(1)
	}
	head, _ := answer.ReadMIMEHeader()
	size, _ := strconv.Atoi(head.Get("Content-Length"))
	content := make([]byte, size)
	io.ReadFull(answer.R, content)
	return head, string(content)
}

func main() {
	for {
		head, event := ask("GET", "next", "")
		fmt.Println("go was here")
		ask("POST", head.Get("Lambda-Runtime-Aws-Request-Id")+"/response", fmt.Sprintf(
			`{"event": %s, "machine": %q, "endpoint": %q, "mark": %q, "group": %q, "stream": %q, "host": %q}`,
			event, runtime.GOARCH, os.Getenv("AWS_ENDPOINT_URL"), os.Getenv("MARK"),
			os.Getenv("AWS_LAMBDA_LOG_GROUP_NAME"), os.Getenv("AWS_LAMBDA_LOG_STREAM_NAME"),
			os.Getenv("GATEWAY_PORT"),
		))
	}
}
"""
"""A custom runtime that answers what it was told and where it runs; without net/http, which takes long to build."""


def archive(text: str = ECHO) -> pulumi.AssetArchive:
    return pulumi.AssetArchive({"main.py": pulumi.StringAsset(text)})


def stand_in(runtime: str, declared: str = "x86_64") -> list[str]:
    """What is said of a Python function on this machine, where anything is."""
    python, here = f"{sys.version_info.major}.{sys.version_info.minor}", elf.here()
    if (runtime, declared) == (f"python{python}", here):
        return []
    return [f"declared {runtime} on {declared}, run by this machine's Python {python} on {here}"]


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
        usual = {"runtime": "python3.13", "handler": "main.handler", "publish": True}
        given = {"role": execution_role()["arn"], **usual, **inputs}
        made.append(make("lambda/function:Function", name, code=archive(text), **given))
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
