"""Run the whole program on Pulumi's mocks, in this process, and read what it registered as plain data."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import hashlib
import json
import logging
import runpy
import threading
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime import resource as registrations
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.stack import run_in_stack

from policies import Registered
from sandbox import goyaml, lean

# Importing these modules warns of old classes that nobody uses; what a program does use must still warn.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    _ = pulumi_aws.s3.Bucket, pulumi_aws.lambda_.Function

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "us-west-2"


def plain(value: Any) -> Any:
    """Undo what reaches a mock: secret wrappers, and floats that are whole numbers."""
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return plain(value["value"])
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _yaml(name: str) -> dict[str, Any]:
    found: dict[str, Any] = goyaml.load((ROOT / name).read_text(encoding="utf-8"), name) or {}
    return found


def stack_config(stack: str) -> dict[str, Any]:
    """The `config:` of Pulumi.yaml and Pulumi.<stack>.yaml, as the engine would hand it over."""
    project = _yaml("Pulumi.yaml")
    own = _yaml(f"Pulumi.{stack}.yaml") if (ROOT / f"Pulumi.{stack}.yaml").exists() else {}
    return {**(project.get("config") or {}), **(own.get("config") or {})}


# What stands before a resource's name in its ARN, where that is not the service alone.
ARN_FORMS = {
    "aws:iam/role:Role": f"arn:aws:iam::{ACCOUNT}:role/",
    "aws:s3/bucket:Bucket": "arn:aws:s3:::",
    "aws:dynamodb/table:Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/",
    "aws:lambda/function:Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:",
    "aws:lambda/layerVersion:LayerVersion": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:",
    "aws:cloudwatch/logGroup:LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:",
    "aws:cloudwatch/metricAlarm:MetricAlarm": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:",
    "aws:cloudwatch/eventBus:EventBus": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/",
    "aws:cloudwatch/eventRule:EventRule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/",
    "aws:cognito/userPool:UserPool": f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/",
    "aws:kinesis/stream:Stream": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:",
    "aws:kms/key:Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/",
    "aws:secretsmanager/secret:Secret": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:",
}


OUTPUTS: dict[str, dict[str, Any]] = {
    "aws:appsync/graphQLApi:GraphQLApi": {
        "uris": {"GRAPHQL": f"https://graph.appsync-api.{REGION}.amazonaws.com/graphql"}
    },
    "aws:lb/loadBalancer:LoadBalancer": {
        "dnsName": f"balancer.{REGION}.elb.amazonaws.com",
        "arnSuffix": "app/balancer-alb-0123456/50dc6c495c0c9188",
    },
    "aws:acm/certificate:Certificate": {
        "domainValidationOptions": [
            {
                "domainName": "api.example.com",
                "resourceRecordName": "_x.api.example.com.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_y.acm-validations.aws.",
            }
        ]
    },
}
"""What a type answers besides: outputs whose shape is its own."""


def _stage_url(type_: str, name: str, inputs: dict[str, Any]) -> str:
    if type_ == "aws:apigatewayv2/stage:Stage":
        return f"wss://{name}.execute-api.{REGION}.amazonaws.com/{name}"
    return f"https://{name}.execute-api.{REGION}.amazonaws.com/{inputs.get('stageName')}"


class Answers(pulumi.runtime.Mocks):
    """Plausible outputs for every resource: real enough for ARNs to be followed from one resource to the next."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[str, Any]]:
        inputs = plain(args.inputs)
        suffix = ".fifo" if inputs.get("fifoQueue") else ""
        name = inputs.get("name") or inputs.get("alarmName") or f"{args.name}-0123456{suffix}"
        service = args.typ.split(":")[1].split("/")[0] if ":" in args.typ else ""
        arn = ARN_FORMS.get(args.typ, f"arn:aws:{service}:{REGION}:{ACCOUNT}:") + name
        if args.typ == "aws:cloudwatch/eventRule:EventRule" and inputs.get("eventBusName"):
            arn = f"{ARN_FORMS[args.typ]}{inputs['eventBusName']}/{name}"
        if args.typ == "aws:lambda/alias:Alias":
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{inputs['functionName']}:{name}"
        if args.typ == "aws:lambda/layerVersion:LayerVersion":
            arn = f"{ARN_FORMS[args.typ]}{inputs['layerName']}:1"
        scheme = "wss" if inputs.get("protocolType") == "WEBSOCKET" else "https"
        computed = {
            "arn": arn,
            "name": name,
            "bucket": name,
            "url": f"https://{service}.{REGION}.amazonaws.com/{ACCOUNT}/{name}",
            "keyId": name,
            "invokeArn": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
            "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{name}",
            "invokeUrl": _stage_url(args.typ, name, inputs),
            "apiEndpoint": f"{scheme}://{name}.execute-api.{REGION}.amazonaws.com",
            "endpoint": f"cognito-idp.{REGION}.amazonaws.com/{name}",
            "streamArn": f"{arn}/stream/2026",
            "version": "1",
            "codeSha256": "c2hhMjU2",
            "sourceCodeSize": 1024,
            "lastModified": "2026-11-21T00:00:00.000+0000",
            "functionUrl": f"https://{name}.lambda-url.{REGION}.on.aws/",
            "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}",
            "result": f"random-{name}",
        }
        return name, {**computed, **OUTPUTS.get(args.typ, {}), **inputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        return {"accountId": ACCOUNT, "region": REGION, "partition": "aws", "id": "x"}


@dataclass
class Run:
    """One finished run: the exports, and every registration in the order it arrived."""

    stack: str
    outputs: dict[str, Any] = field(default_factory=dict)
    resources: list[Registered] = field(default_factory=list)
    ignored: dict[str, set[str]] = field(default_factory=dict)
    """URN -> inputs whose changes the program leaves alone (`ignore_changes`)."""

    def one(self, type_: str, name: str) -> Registered:
        """The one resource of a type and logical name."""
        found = [r for r in self.resources if r.type == type_ and r.name == name]
        assert len(found) == 1, f"{type_} {name}: {len(found)} of them"
        return found[0]

    def all(self, type_: str) -> list[Registered]:
        """Every resource of a type."""
        return [r for r in self.resources if r.type == type_]


class _Monitor(mocks.MockMonitor):
    def __init__(self, answers: pulumi.runtime.Mocks, run: Run) -> None:
        super().__init__(answers)
        self._run = run
        self._registered: set[str] = set()
        self._one_at_a_time = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (the engine's name)
        urn = self.make_urn(request.parent, request.type, request.name)
        with self._one_at_a_time:  # Registrations arrive in parallel.
            if urn in self._registered and request.type != "pulumi:pulumi:Stack":
                raise ValueError(f"duplicate resource name: {urn}")
            self._registered.add(urn)
        answer = super().RegisterResource(request)
        self._run.ignored[urn] = set(request.ignoreChanges)
        self._run.resources.append(
            Registered(
                type=request.type,
                name=request.name,
                urn=urn,
                properties=plain(rpc.deserialize_properties(request.object)),
                outputs={"id": answer.id, **self.resources[urn].state}
                if urn in self.resources
                else {},
                parent=request.parent,
                protect=request.protect,
                depends_on=frozenset(request.dependencies),
                retain_on_delete=request.retainOnDelete,
            )
        )
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if "::pulumi:pulumi:Stack::" in request.urn:
            self._run.outputs.update(plain(rpc.deserialize_properties(request.outputs)))
        return super().RegisterResourceOutputs(request)


def _thread_loop(loops: list[asyncio.AbstractEventLoop]) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loops.append(loop)


def _drop_what_waits(loop: asyncio.AbstractEventLoop) -> None:
    """End the outputs that a program left waiting when it stopped early, here and not in a later test."""
    while waiting := asyncio.all_tasks(loop):
        for task in waiting:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))


def run_program(
    program: Callable[[], None],
    *,
    config: Mapping[str, Any],
    stack: str = "dev",
    answers: pulumi.runtime.Mocks | None = None,
    preview: bool = False,
) -> Run:
    """Run any Pulumi program on mocks; config values that are not text are handed over as JSON."""
    run = Run(stack)
    answers = answers or Answers()

    def inside() -> None:
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        # The mock monitor waits in its threads on loops of their own and never closes them: so make them here.
        loops: list[asyncio.AbstractEventLoop] = []
        pool = ThreadPoolExecutor(16, initializer=_thread_loop, initargs=(loops,))
        loop.set_default_executor(pool)
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}
        pulumi.runtime.set_all_config(texts)
        pulumi.runtime.set_mocks(
            answers,
            project="sandpiper",
            stack=stack,
            preview=preview,
            monitor=_Monitor(answers, run),
        )
        settings.set_root_resource(None)
        settings.SETTINGS.outputs, settings.SETTINGS.lock = set(), threading.Lock()
        settings.SETTINGS.package_refs = {}
        try:
            loop.run_until_complete(run_in_stack(program))
        finally:
            pool.shutdown()
            _drop_what_waits(loop)
            asyncio.set_event_loop(None)
            for each in (loop, *loops):
                each.close()

    # The SDK reads the source line of each frame of each registration: a third of a run, for lines nobody looks at.
    trace = registrations._get_stack_trace
    registrations._get_stack_trace = source_pb2.StackTrace
    gc.disable()
    try:
        with lean.provider():
            contextvars.copy_context().run(inside)
    finally:
        # What a run made is kept by the tests anyway; looking through it for garbage would cost a fifth of the suite.
        gc.freeze()
        gc.enable()
        registrations._get_stack_trace = trace
    return run


def run_stack(
    stack: str,
    *,
    config: Mapping[str, Any] | None = None,
    answers: pulumi.runtime.Mocks | None = None,
    preview: bool = False,
) -> Run:
    """Run `__main__.py` as a stack file configures it; `config` replaces whole keys."""
    quiet = {"sandpiper:packaging": {"build": False}}
    return run_program(
        lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__") and None,
        config={**stack_config(stack), **quiet, **(config or {})},
        stack=stack,
        answers=answers,
        preview=preview,
    )


def digests(run: Run) -> dict[str, str]:
    """Resource -> what Pulumi would tell its archive by: names and contents for files, the name for a ready zip.

    A zip in .build/ is named after what it is made of, and not built in tests.
    """
    found: dict[str, str] = {}
    for resource in run.resources:
        code = resource.properties.get("code")
        if isinstance(code, pulumi.AssetArchive):
            held: Mapping[str, Any] = code.assets
            files = {name: _digest(asset) for name, asset in held.items()}
            found[resource.name] = hashlib.sha256(
                json.dumps(files, sort_keys=True).encode()
            ).hexdigest()
        elif isinstance(code, pulumi.FileArchive):
            found[resource.name] = Path(code.path).name
    return found


def _digest(asset: Any) -> str:
    data = Path(asset.path).read_bytes() if hasattr(asset, "path") else asset.text.encode()
    return hashlib.sha256(data).hexdigest()
