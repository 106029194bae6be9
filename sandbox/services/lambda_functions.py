"""Lambda: functions, their code, configuration and versions."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.archives import zip_bytes
from sandbox.services.shared import REGION, dropped, physical_name, remove, tags

_PROVIDER_ONLY: Final = "it steers the provider, not the function"
_IGNORED: Final = {
    **REGION,
    "codeSha256": "the emulator hashes the code itself",
    "replaceSecurityGroupsOnDestroy": "a sandbox has no security groups",
    "replacementSecurityGroupIds": "a sandbox has no security groups",
    "sourceCodeHash": "the emulator hashes the code itself",
    "sourceKmsKeyArn": "the code lies unencrypted in the emulator's memory",
    "useResourceTimeoutForPropagation": _PROVIDER_ONLY,
    "publishTo": "it chooses a place for versions of managed instances, which no sandbox has",
}
_CODE: Final = {"code", "s3Bucket", "s3Key", "s3ObjectVersion", "imageUri", "architectures"}
_SETTINGS: Final = (
    "capacityProviderConfig",
    "deadLetterConfig",
    "description",
    "durableConfig",
    "environment",
    "ephemeralStorage",
    "fileSystemConfig",
    "handler",
    "imageConfig",
    "kmsKeyArn",
    "layers",
    "loggingConfig",
    "memorySize",
    "role",
    "runtime",
    "snapStart",
    "timeout",
    "tracingConfig",
    "vpcConfig",
)
_RENAME: Final = {"fileSystemConfig": "FileSystemConfigs"}
_DEFAULTS: Final[dict[str, Any]] = {
    "deadLetterConfig": {"DeadLetterConfig": {"TargetArn": ""}},
    "description": {"Description": ""},
    "environment": {"Environment": {"Variables": {}}},
    "ephemeralStorage": {"EphemeralStorage": {"Size": 512}},
    "fileSystemConfig": {"FileSystemConfigs": []},
    "kmsKeyArn": {"KMSKeyArn": ""},
    "layers": {"Layers": []},
    "memorySize": {"MemorySize": 128},
    "snapStart": {"SnapStart": {"ApplyOn": "None"}},
    "timeout": {"Timeout": 3},
    "tracingConfig": {"TracingConfig": {"Mode": "PassThrough"}},
    "vpcConfig": {"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}},
}
"""What AWS falls back to when an input is taken away."""


@resource("aws:lambda/function:Function", ignored=_IGNORED)
def function(r: Resource) -> Outputs:
    name = physical_name(r, limit=64)
    wanted = tags(r)
    for text in _differences(r):
        r.note(text)
    publish = bool(r.take("publish"))
    made = r.api(
        "lambda",
        "create_function",
        *_SETTINGS,
        "architectures",
        "packageType",
        "tenancyConfig",
        "codeSigningConfigArn",
        rename=_RENAME,
        FunctionName=name,
        Code=_code(r),
        Publish=publish,
        Tags=wanted or None,
    )
    _reserve(r, name)
    return _outputs(r, made, made["Version"], wanted)


@function.updates
def update_function(r: Resource) -> Outputs:
    """Code, then configuration, in place; a version is published only where one of them changed."""
    if r.changed & {"name", "packageType", "tenancyConfig"}:
        delete_function(r)
        return function.create(r)
    name = physical_name(r, limit=64)
    for text in _differences(r):
        r.note(text)
    for key in ("packageType", "tenancyConfig", "codeSigningConfigArn"):
        r.take(key)
    _change_code(r, name)
    _change_settings(r, name)
    version = _version(r, name)
    if "reservedConcurrentExecutions" in r.changed:
        remove(r, "lambda", "delete_function_concurrency", FunctionName=name)
    _reserve(r, name)
    made = r.call("lambda", "get_function_configuration", FunctionName=name)
    wanted = tags(r)
    if extra := dropped(r, wanted):
        r.call("lambda", "untag_resource", Resource=made["FunctionArn"], TagKeys=extra)
    if wanted:
        r.call("lambda", "tag_resource", Resource=made["FunctionArn"], Tags=wanted)
    return _outputs(r, made, version, wanted)


@function.deletes
def delete_function(r: Resource) -> None:
    old = r.old or {}
    if not old.get("skipDestroy"):
        remove(r, "lambda", "delete_function", FunctionName=old["name"])


def _change_code(r: Resource, name: str) -> None:
    code, architectures = _code(r), r.take("architectures")
    if r.changed & _CODE:
        r.call(
            "lambda", "update_function_code", FunctionName=name, Architectures=architectures, **code
        )


def _change_settings(r: Resource, name: str) -> None:
    given = r.params(r.aws, "lambda", "update_function_configuration", *_SETTINGS, rename=_RENAME)
    for key in r.changed & set(_DEFAULTS):
        if r.inputs.get(key) is None:
            given |= _DEFAULTS[key]
    if r.changed & set(_SETTINGS):
        r.call("lambda", "update_function_configuration", FunctionName=name, **given)


def _version(r: Resource, name: str) -> str:
    """The version that answers now: a new one where code or settings changed, else the one there was."""
    before = str((r.old or {}).get("version") or "$LATEST")
    if not r.take("publish"):
        return "$LATEST"
    if before != "$LATEST" and not r.changed & (_CODE | set(_SETTINGS)):
        return before
    return r.call("lambda", "publish_version", FunctionName=name)["Version"]


def _code(r: Resource) -> dict[str, Any]:
    """The `Code` of CreateFunction and, spread out, the parameters of UpdateFunctionCode."""
    place = {
        "S3Bucket": r.take("s3Bucket"),
        "S3Key": r.take("s3Key"),
        "S3ObjectVersion": r.take("s3ObjectVersion"),
        "ImageUri": r.take("imageUri"),
    }
    given = {key: value for key, value in place.items() if value is not None}
    archive = r.take("code")
    return given if archive is None else {"ZipFile": zip_bytes(archive)}


def _reserve(r: Resource, name: str) -> None:
    reserved = r.take("reservedConcurrentExecutions")
    if reserved is not None and reserved >= 0:
        r.call(
            "lambda",
            "put_function_concurrency",
            FunctionName=name,
            ReservedConcurrentExecutions=reserved,
        )


def _differences(r: Resource) -> Iterator[str]:
    """What is declared of this function and does not run here."""
    yield "memory and /tmp sizes are recorded: this machine's are the limit"
    tracing = r.inputs.get("tracingConfig") or {}
    if tracing.get("mode") == "Active":
        yield "tracing is recorded: a sandbox has no X-Ray"
    if r.inputs.get("vpcConfig"):
        yield "it runs on this machine's network, in no VPC"
    if r.inputs.get("codeSigningConfigArn"):
        yield "code signing is recorded: signatures are not checked"
    if r.inputs.get("fileSystemConfig"):
        yield "no file system is mounted"
    runtime = str(r.inputs.get("runtime") or "image")
    if not runtime.startswith(("python", "nodejs", "provided")):
        yield f"no {runtime} runs here: invoking it is refused"


def _outputs(r: Resource, made: dict[str, Any], version: str, wanted: dict[str, str]) -> Outputs:
    arn = f"arn:aws:lambda:{r.aws.region}:{r.aws.account}:function:{made['FunctionName']}"
    qualified = f"{arn}:{version}"
    gateway = f"arn:aws:apigateway:{r.aws.region}:lambda:path"
    archive = r.inputs.get("code")
    digest = made["CodeSha256"] or (
        base64.b64encode(hashlib.sha256(zip_bytes(archive)).digest()).decode() if archive else ""
    )
    return {
        "id": made["FunctionName"],
        "name": made["FunctionName"],
        "arn": arn,
        "invokeArn": f"{gateway}/2015-03-31/functions/{arn}/invocations",
        "qualifiedArn": qualified,
        "qualifiedInvokeArn": f"{gateway}/2015-03-31/functions/{qualified}/invocations",
        "responseStreamingInvokeArn": (
            f"{gateway}/2021-11-15/functions/{arn}/response-streaming-invocations"
        ),
        "version": version,
        "lastModified": made["LastModified"],
        "codeSha256": digest,
        "sourceCodeHash": digest,
        "sourceCodeSize": made["CodeSize"],
        "skipDestroy": bool(r.take("skipDestroy")),
        "tagsAll": wanted,
    }
