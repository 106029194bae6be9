"""What a function runs: one source of code, layers that fit, and signatures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from policies import aws, links, runtimes
from policies.model import Registered, Stack, rule

MOST_LAYERS, MOST_PUBLISHERS = 5, 20

_HANDLER = re.compile(r"\S{1,128}")
_IMAGE = re.compile(
    r"\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/[a-z0-9._/-]+(?::([\w.-]{1,128}))?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_LAYER = re.compile(r"arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{12}:layer:[\w-]{1,140}:\d+", re.ASCII)
_SIGNING = re.compile(
    r"arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{12}:code-signing-config:csc-[a-z0-9]{17}", re.ASCII
)
_PROFILE = re.compile(
    r"arn:aws[a-z-]*:signer:[a-z0-9-]+:\d{12}:/signing-profiles/\w{2,64}/[A-Za-z0-9]{10}", re.ASCII
)


@rule
def function_has_one_source_of_code(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """An archive, an object in S3 or an image; an image brings runtime, handler and layers itself."""
    for function in stack.all(aws.FUNCTION):
        sources = [k for k in ("code", "s3Bucket", "imageUri") if function.get(k) is not None]
        if len(sources) != 1:
            told = " and ".join(sources) or "nowhere"
            yield function, f"takes its code from {told}; say one of code, s3Bucket and imageUri"
        wrong = _wrong_image if is_image(function) else _wrong_archive
        yield from ((function, text) for text in wrong(function))
        for config in stack.having(aws.RUNTIME_MANAGEMENT, functionName=function.get("name")):
            if is_image(function):
                yield config, f"{function.name} is an image; nobody updates its runtime"


@rule
def layer_fits_its_functions(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """At most five, no two versions of one layer; own ones built for the runtime and architecture, given ones of the region."""
    for function in stack.all(aws.FUNCTION):
        arns = [str(arn) for arn in function.get("layers") or []]
        if len(arns) > MOST_LAYERS:
            yield function, "uses more than five layers"
        twice = Counter(arn.rpartition(":")[0] for arn in arns)
        for name in (name for name, count in twice.items() if count > 1):
            yield function, f"uses two versions of layer {name}; AWS takes one"
        for arn in arns:
            layer = stack.at(arn, aws.LAYER)
            if layer is None:
                yield from ((function, text) for text in _wrong_layer(function, arn))
            elif not _fits(layer, function):
                yield function, f"{layer.name} was built for another runtime or architecture"


@rule
def layer_has_a_name_and_a_user(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Two layers of one name would be versions of each other; one that nobody uses was built for nothing."""
    used = {str(arn) for f in stack.all(aws.FUNCTION) for arn in f.get("layers") or []}
    names = Counter(layer.get("layerName") for layer in stack.all(aws.LAYER))
    for layer in stack.all(aws.LAYER):
        if names[layer.get("layerName")] > 1:
            yield layer, f"shares the name {layer.get('layerName')} with another target's layer"
        if layer.output("arn") not in used:
            yield layer, "no function uses it; remove it"


@rule
def signed_code_is_in_s3(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AWS Signer signs objects in S3 only: with Enforce, AWS refuses what is uploaded with the function."""
    for function in stack.all(aws.FUNCTION):
        arn = function.get("codeSigningConfigArn")
        if arn is None:
            continue
        config = stack.at(str(arn), aws.CODE_SIGNING)
        found = _SIGNING.fullmatch(str(arn))
        if config is None and not (found and _is_near(function, found[1])):
            yield function, "codeSigningConfigArn must be one of the function's region"
        if is_image(function):
            yield function, "an image cannot be signed this way; take codeSigningConfigArn away"
        elif config is not None and _enforces(config):
            own = any(stack.at(str(layer), aws.LAYER) for layer in function.get("layers") or [])
            if function.get("s3Bucket") is None or own:
                yield (
                    function,
                    f"{config.name} enforces signatures; code and layers must come signed from S3",
                )


@rule
def signatures_have_publishers(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Versions of signing profiles, and a decision about unsigned code."""
    for config in stack.all(aws.CODE_SIGNING):
        arns = config.get("allowedPublishers.signingProfileVersionArns") or []
        if not 0 < len(arns) <= MOST_PUBLISHERS or not all(_PROFILE.fullmatch(a) for a in arns):
            yield (
                config,
                f"allowedPublishers must be 1 to {MOST_PUBLISHERS} signing profile versions",
            )
        if config.get("policies.untrustedArtifactOnDeployment") not in {"Enforce", "Warn"}:
            yield config, "untrustedArtifactOnDeployment must be Enforce or Warn"


def is_image(function: Registered) -> bool:
    """It runs a container image; the default is an archive."""
    return function.get("packageType") == "Image"


def _wrong_archive(function: Registered) -> Iterator[str]:
    if function.get("packageType") not in {None, "Zip"}:
        yield f"packageType is {function.get('packageType')}; say Zip or Image"
    if function.get("runtime") not in runtimes.KNOWN:
        yield f"runtime {function.get('runtime')} is unknown or retired"
    if not _HANDLER.fullmatch(str(function.get("handler") or "")):
        yield "handler must be 1 to 128 characters without a space"
    if (function.get("s3Bucket") is None) != (function.get("s3Key") is None):
        yield "s3Bucket and s3Key belong together"
    if function.get("s3ObjectVersion") is not None and function.get("s3Key") is None:
        yield "s3ObjectVersion is of no use without s3Bucket and s3Key"
    for key in ("imageUri", "imageConfig"):
        if function.get(key) is not None:
            yield f"{key} needs packageType Image"


def _wrong_image(function: Registered) -> Iterator[str]:
    for key in ("runtime", "handler", "layers", "s3Key"):
        if function.get(key):
            yield f"an image takes no {key}"
    uri = str(function.get("imageUri") or "")
    found = _IMAGE.fullmatch(uri)
    if found is None or not (found[2] or "@" in uri) or not _is_near(function, found[1]):
        yield "imageUri must name a tag or digest in a repository (ECR) of the function's region"
    elif found[2] == "latest" and "@" not in uri:
        yield "imageUri must not be :latest, which says nothing of what runs"


def _wrong_layer(function: Registered, arn: str) -> Iterator[str]:
    found = _LAYER.fullmatch(arn)
    if found is None:
        yield f"layer {arn} is neither of this stack nor the ARN of a layer's version"
    elif not _is_near(function, found[1]):
        yield f"layer {arn} is of another region; AWS takes layers of the function's own"


def _fits(layer: Registered, function: Registered) -> bool:
    """Runtime and architecture are named; only what holds no machine code, a layer for another language, may name none."""
    runtime, architectures = function.get("runtime"), layer.get("compatibleArchitectures") or ()
    portable = not architectures and runtimes.family(runtime) != "python"
    return runtime in (layer.get("compatibleRuntimes") or ()) and (
        portable or set(function.get("architectures") or ()) <= set(architectures)
    )


def _enforces(config: Registered) -> bool:
    return config.get("policies.untrustedArtifactOnDeployment") == "Enforce"


def _is_near(function: Registered, region: str) -> bool:
    return links.place_of(function).region in {region, ""}


RULES = (
    function_has_one_source_of_code,
    layer_fits_its_functions,
    layer_has_a_name_and_a_user,
    signed_code_is_in_s3,
    signatures_have_publishers,
)
