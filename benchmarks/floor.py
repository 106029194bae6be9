"""The floor: a bare MiniStack and a boto3 script that makes one function and one REST API, up to the first answer.

Run as a process of its own: python benchmarks/floor.py PORT FOLDER
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import boto3

HANDLER = 'def handler(event, context):\n    return {"statusCode": 200, "body": "{}"}\n'


def main(port: str, folder: str) -> None:
    """Print one JSON line when the API answered, then stop MiniStack."""
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": folder,
        "GATEWAY_PORT": port,
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
    }
    with (
        Path(folder, "floor.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, stdout=log, stderr=log
        ) as ministack,
    ):
        try:
            _until_200(f"{endpoint}/_ministack/health")
            _until_200(_one_api(endpoint))
            print(json.dumps({"answered": True}), flush=True)
        finally:
            ministack.terminate()


def _one_api(endpoint: str) -> str:
    session = boto3.Session("test", "test", region_name="us-west-2")
    lambda_ = session.client("lambda", endpoint_url=endpoint)
    gateway = session.client("apigateway", endpoint_url=endpoint)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", HANDLER)
    function = lambda_.create_function(
        FunctionName="floor",
        Runtime="python3.13",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/floor",
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]
    lambda_.add_permission(
        FunctionName="floor",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    api = gateway.create_rest_api(name="floor")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    path = gateway.create_resource(restApiId=api, parentId=root, pathPart="health")["id"]
    method = {"restApiId": api, "resourceId": path, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    gateway.put_integration(
        **method,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-west-2:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    gateway.create_deployment(restApiId=api, stageName="dev")
    return f"{endpoint}/_aws/execute-api/{api}/dev/health"


def _until_200(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.005)
    raise TimeoutError(url)


if __name__ == "__main__":
    main(*sys.argv[1:3])
