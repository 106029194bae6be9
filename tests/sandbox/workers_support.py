"""A launcher, and functions made of a few lines of code."""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

HOME = Path(__file__).resolve().parents[2]
RUNTIME = f"python3.{sys.version_info.minor}"
REGION = "us-west-2"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


ECHO = "def handler(event, context):\n    return event\n"
REQUEST_ID = re.compile(r"START RequestId: ([0-9a-f-]{36}) Version: ")


def archive(*, suffix: str = ".py", **files: str) -> bytes:
    """Zip files; three underscores in a name stand for a slash."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for name, text in files.items():
            opened.writestr(name.replace("___", "/") + suffix, text)
    return packed.getvalue()


@dataclass
class Reply:
    """What Invoke said."""

    payload: Any
    error: str | None
    log: str

    @property
    def ok(self) -> Any:
        assert self.error is None, self.payload
        return self.payload

    @property
    def failure(self) -> dict[str, Any]:
        assert self.error == "Unhandled", self.payload
        return self.payload


class Launcher:
    """A running `sandbox.launcher`."""

    def __init__(self, tmp: Path, **extra: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.tmp = tmp
        self.log = tmp.with_suffix(".log")
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(HOME),
            "TMPDIR": str(tmp),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "AUTH": "true",
            "LAMBDA_EXECUTOR": "local",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "SECRET_OF_THE_HOST": "must not leak",
            **extra,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.launcher"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._names = itertools.count()
        self._clients: dict[str, Any] = {}
        self._wait()
        self.role = self.client("iam").create_role(
            RoleName="tests", AssumeRolePolicyDocument=json.dumps(TRUST)
        )["Role"]["Arn"]

    def _wait(self) -> None:
        until = time.monotonic() + 20
        while not self._answers():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.01)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.get("/_ministack/health")[0] == 200
        return False

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=f"http://127.0.0.1:{self.port}",
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 0}, max_pool_connections=32),
            )
        return self._clients[service]

    def function(self, source: str, *, handler: str = "app.handler", **more: Any) -> str:
        """Create a function of `source`, or of `files={module: source}`, and return its name."""
        name = f"function-{next(self._names)}"
        files = more.pop("files", {})
        settings = {"Runtime": RUNTIME, "Timeout": 10, "MemorySize": 256, "Role": self.role, **more}
        self.client("lambda").create_function(
            FunctionName=name,
            Handler=handler,
            Code={"ZipFile": archive(app=source, **files)},
            **settings,
        )
        return name

    def invoke(self, name: str, event: Any = None, **more: Any) -> Reply:
        answer = self.client("lambda").invoke(
            FunctionName=name, Payload=json.dumps(event), LogType="Tail", **more
        )
        log = base64.b64decode(answer.get("LogResult", "")).decode()
        return Reply(json.loads(answer["Payload"].read()), answer.get("FunctionError"), log)

    def change(self, name: str) -> None:
        """Change a function's configuration, as a deployment does."""
        self.client("lambda").update_function_configuration(
            FunctionName=name, Environment={"Variables": {"CHANGED": "yes"}}
        )

    def run(self, source: str, event: Any = None, **more: Any) -> Reply:
        return self.invoke(self.function(source, **more), event)

    def messages(self, name: str) -> list[tuple[str, str]]:
        """The function's log events as (stream, message)."""
        found = self.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")
        return [(event["logStreamName"], event["message"]) for event in found["events"]]

    def get(self, path: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read().decode()
        finally:
            connection.close()

    def upgrade(self, path: str) -> int:
        """Ask for a WebSocket and return the status of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(b"sixteen bytes...").decode(),
        }
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.close()
        connection.close()
        return response.status

    def api(self, function: str, *, qualifier: str | None = None) -> str:
        """Make a REST API in front of a function and return the path of its one route."""
        gateway = self.client("apigateway")
        api = gateway.create_rest_api(name="tests")["id"]
        root = gateway.get_resources(restApiId=api)["items"][0]["id"]
        arn = f"arn:aws:lambda:{REGION}:000000000000:function:{function}"
        arn += f":{qualifier}" if qualifier else ""
        gateway.put_method(
            restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE"
        )
        gateway.put_integration(
            restApiId=api,
            resourceId=root,
            httpMethod="GET",
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
        )
        return self.deploy(api)

    def deploy(self, api: str) -> str:
        self.client("apigateway").create_deployment(restApiId=api, stageName="test")
        return f"/_aws/execute-api/{api}/test/"

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(10)
        for client in self._clients.values():
            client.close()


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and only waits to be reaped does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip()[:1] not in ("", "Z")


def ended(process: int, seconds: float = 5.0) -> bool:
    """Whether a process ends within some seconds."""
    until = time.monotonic() + seconds
    while alive(process):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
