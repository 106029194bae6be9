"""Lambda: functions, their code, configuration and versions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any, Final

from sandbox.resources import RETRY, Outputs, Resource, resource
from sandbox.services import lambda_code, machine, outside, senders
from sandbox.services.lambda_code import Code
from sandbox.services.shared import REGION, dropped, physical_name, remove, tags
from sandbox.workers import borders, refusals

_PROVIDER_ONLY: Final = "it steers the provider, not the function"
_IGNORED: Final = {
    **REGION,
    "codeSha256": "the emulator hashes the code itself",
    "replaceSecurityGroupsOnDestroy": "a sandbox has no security groups",
    "replacementSecurityGroupIds": "a sandbox has no security groups",
    "sourceKmsKeyArn": "the code lies unencrypted in the emulator's memory",
    "useResourceTimeoutForPropagation": _PROVIDER_ONLY,
    "publishTo": "it chooses a place for versions of managed instances, which no sandbox has",
}
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
    code = _code(r)
    given = _given(r, "create_function", "architectures", "packageType", "tenancyConfig")
    made = r.call(
        "lambda",
        "create_function",
        **given,
        FunctionName=name,
        Code=code.place,
        Publish=bool(r.take("publish")),
        Tags=wanted or None,
    )
    _sign(r, name)
    _reserve(r, name)
    return _outputs(r, made, made["Version"], wanted, code)


@function.updates
def update_function(r: Resource) -> Outputs:
    """Code, then configuration, in place; a version is published only where one of them changed."""
    if r.changed & {"name", "packageType", "tenancyConfig"}:
        delete_function(r)
        return function.create(r)
    name = physical_name(r, limit=64)
    for key in ("packageType", "tenancyConfig"):
        r.take(key)
    code = _code(r)
    changed = _change_code(r, name, code) | _change_settings(r, name)
    version = _version(r, name, changed=changed)
    if "codeSigningConfigArn" in r.changed:
        remove(r, "lambda", "delete_function_code_signing_config", FunctionName=name)
    _sign(r, name)
    if "reservedConcurrentExecutions" in r.changed:
        remove(r, "lambda", "delete_function_concurrency", FunctionName=name)
    _reserve(r, name)
    made = r.call("lambda", "get_function_configuration", FunctionName=name)
    wanted = tags(r)
    if extra := dropped(r, wanted):
        r.call("lambda", "untag_resource", Resource=made["FunctionArn"], TagKeys=extra)
    if wanted:
        r.call("lambda", "tag_resource", Resource=made["FunctionArn"], Tags=wanted)
    return _outputs(r, made, version, wanted, code)


@function.deletes
def delete_function(r: Resource) -> None:
    old = r.old or {}
    if not old.get("skipDestroy"):
        remove(r, "lambda", "delete_function", FunctionName=old["name"])


def _code(r: Resource) -> Code:
    """The code, and a word on everything of this function that does not run here."""
    for text in _differences(r):
        r.note(text)
    senders.permit(r)
    found = lambda_code.code(r)
    runtime = str(r.inputs.get("runtime") or "")
    why = found.refusal
    if why is None and runtime.startswith("provided") and "ZipFile" in found.place:
        why = refusals.reason({"Runtime": runtime}, found.place["ZipFile"])
    if why is not None:
        r.note(f"invoking it is refused: {why}")
    elif text := machine.stand_in(runtime, r.inputs.get("architectures")):
        r.note(text)
    return found


def _given(r: Resource, operation: str, *more: str) -> dict[str, Any]:
    """The settings as API parameters; what they name from outside of the stack gives way."""
    given = r.params(r.aws, "lambda", operation, *_SETTINGS, *more, rename=_RENAME)
    given["Role"] = outside.role(r, given["Role"])
    letters = given.get("DeadLetterConfig", {}).get("TargetArn")
    if letters and outside.is_outside(r, letters):
        given["DeadLetterConfig"] = {"TargetArn": ""}
        r.note("its dead-letter target is from outside: what fails for good is dropped")
    return given


def _change_code(r: Resource, name: str, code: Code) -> bool:
    architectures = r.take("architectures")
    hashed = {"sourceCodeHash"} if r.inputs.get("s3Bucket") else set[str]()
    again = (r.old or {}).get(RETRY)
    if not (again or r.changed & (lambda_code.INPUTS | hashed)):
        return False
    same = code.digest is not None and code.digest == (r.old or {}).get("codeSha256")
    if same and "architectures" not in r.changed:
        return False
    place = {**code.place, "Architectures": architectures}
    r.call("lambda", "update_function_code", FunctionName=name, **place)
    return True


def _change_settings(r: Resource, name: str) -> bool:
    given = _given(r, "update_function_configuration")
    for key in r.changed & set(_DEFAULTS):
        if r.inputs.get(key) is None:
            given |= _DEFAULTS[key]
    if not r.changed & set(_SETTINGS):
        return False
    r.call("lambda", "update_function_configuration", FunctionName=name, **given)
    return True


def _version(r: Resource, name: str, *, changed: bool) -> str:
    """The version that answers now: a new one where code or settings changed, else the one there was."""
    before = str((r.old or {}).get("version") or "$LATEST")
    if not r.take("publish"):
        return "$LATEST"
    if before != "$LATEST" and not changed:
        return before
    return r.call("lambda", "publish_version", FunctionName=name)["Version"]


def _sign(r: Resource, name: str) -> None:
    if arn := r.take("codeSigningConfigArn"):
        r.call(
            "lambda",
            "put_function_code_signing_config",
            FunctionName=name,
            CodeSigningConfigArn=arn,
        )


def _reserve(r: Resource, name: str) -> None:
    reserved = r.take("reservedConcurrentExecutions")
    if reserved is not None and reserved >= 0:
        r.call(
            "lambda",
            "put_function_concurrency",
            FunctionName=name,
            ReservedConcurrentExecutions=reserved,
        )


_RECORDED: Final = {
    "vpcConfig": "it runs on this machine's network, in no VPC",
    "codeSigningConfigArn": "code signing is recorded: signatures are not checked",
    "fileSystemConfig": "no file system is mounted",
    "capacityProviderConfig": "it runs on this machine, on no managed instances",
}
"""Inputs that are stored and have no effect, with what is said of them."""


def _differences(r: Resource) -> Iterator[str]:
    """What is declared of this function and does not run here."""
    yield "memory and /tmp sizes are recorded: this machine's are the limit"
    yield from (text for key, text in _RECORDED.items() if r.inputs.get(key))
    yield from _at_the_border(str(r.inputs.get("runtime") or ""))
    if (r.inputs.get("snapStart") or {}).get("applyOn") == "PublishedVersions":
        yield "no snapshot is taken: a published version is loaded ahead of its first call"
    if outside.is_outside(r, str(r.inputs.get("kmsKeyArn") or "")):
        yield "its key is from outside: it is recorded, and encrypts nothing here"
    for arn in r.inputs.get("layers") or ():
        if outside.is_outside(r, arn):
            yield f"layer {arn} is from outside: it is empty here"
    runtime = str(r.inputs.get("runtime") or "image")
    if not runtime.startswith(("python", "nodejs", "provided")):
        yield f"no {runtime} runs here: invoking it is refused"
    elif runtime.startswith("nodejs") and shutil.which("node") is None:
        yield "there is no Node.js on this machine: invoking it is refused"


def _at_the_border(runtime: str) -> Iterator[str]:
    """What becomes of a function's connections to other machines."""
    if borders.is_open():
        return
    if runtime.startswith(("python", "nodejs")):
        yield f"its connections to other machines are refused ({borders.VARIABLE}=open lets them out)"
    elif runtime.startswith("provided"):
        yield "its connections to other machines are not refused: mind what it is told to call"


def _outputs(
    r: Resource, made: dict[str, Any], version: str, wanted: dict[str, str], code: Code
) -> Outputs:
    """What the provider shows; an image counts by the digest of its manifest, and has no size."""
    arn = f"arn:aws:lambda:{r.aws.region}:{r.aws.account}:function:{made['FunctionName']}"
    qualified = f"{arn}:{version}"
    gateway = f"arn:aws:apigateway:{r.aws.region}:lambda:path"
    image = code.place.get("ImageUri")
    digest = lambda_code.digest_of_image(image) if image else made["CodeSha256"]
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
        **({RETRY: ["code"]} if code.refusal is not None else {}),
    }
