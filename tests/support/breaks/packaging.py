"""Code from two places or none, layers that do not fit, signatures that cannot be."""

from __future__ import annotations

from policies import aws
from tests.support.breaking import Break, Resources, also, edited, registered
from tests.support.breaks.everything import FOREIGN_LAYER, REGISTRY, more

HEALTH, AUTHORIZER, IMAGE = "health-function", "authorizer-function", "update-item-function"
SIGNED, SIGNER = "checksum-function", "checksum-code-signing"
OWN_LAYER = "common-layer*"
PROFILES = "allowedPublishers.signingProfileVersionArns"


def with_a_layer_of_our_own(resources: Resources) -> Resources:
    """Uploaded by the program: nobody signed it."""
    layer = next(r for r in resources if r.type == aws.LAYER)
    return edited(aws.FUNCTION, SIGNED, {"layers": [layer.output("arn")]})(resources)


# fmt: off
SOURCES = (
    Break("function-has-one-source-of-code", "code and s3Bucket", edited(aws.FUNCTION, HEALTH, {"s3Bucket": "b", "s3Key": "k"})),
    Break("function-has-one-source-of-code", "from nowhere", edited(aws.FUNCTION, HEALTH, {"code": None})),
    Break("function-has-one-source-of-code", "packageType is Jar", edited(aws.FUNCTION, HEALTH, {"packageType": "Jar"})),
    Break("function-has-one-source-of-code", "python3.9 is unknown or retired", edited(aws.FUNCTION, HEALTH, {"runtime": "python3.9"})),
    Break("function-has-one-source-of-code", "runtime None is unknown", edited(aws.FUNCTION, HEALTH, {"runtime": None})),
    Break("function-has-one-source-of-code", "128 characters without a space", edited(aws.FUNCTION, HEALTH, {"handler": "a b"})),
    Break("function-has-one-source-of-code", "128 characters without a space", edited(aws.FUNCTION, HEALTH, {"handler": None})),
    Break("function-has-one-source-of-code", "s3Bucket and s3Key belong together", more(edited(aws.FUNCTION, SIGNED, {"s3Key": None}))),
    Break("function-has-one-source-of-code", "s3ObjectVersion is of no use", edited(aws.FUNCTION, HEALTH, {"s3ObjectVersion": "1"})),
    Break("function-has-one-source-of-code", "imageConfig needs packageType Image", edited(aws.FUNCTION, HEALTH, {"imageConfig": {"commands": ["x"]}})),
    Break("function-has-one-source-of-code", "imageUri needs packageType Image", more(edited(aws.FUNCTION, IMAGE, {"packageType": None}))),
    Break("function-has-one-source-of-code", "an image takes no runtime", more(edited(aws.FUNCTION, IMAGE, {"runtime": "python3.13"}))),
    Break("function-has-one-source-of-code", "an image takes no handler", more(edited(aws.FUNCTION, IMAGE, {"handler": "f.handler"}))),
    Break("function-has-one-source-of-code", "an image takes no layers", more(edited(aws.FUNCTION, IMAGE, {"layers": [FOREIGN_LAYER]}))),
    Break("function-has-one-source-of-code", "must not be :latest", more(edited(aws.FUNCTION, IMAGE, {"imageUri": f"{REGISTRY}:latest"}))),
    Break("function-has-one-source-of-code", "must name a tag or digest", more(edited(aws.FUNCTION, IMAGE, {"imageUri": REGISTRY}))),
    Break("function-has-one-source-of-code", "of the function's region", more(edited(aws.FUNCTION, IMAGE, {"imageUri": f"{REGISTRY}:1".replace("us-west-2", "eu-west-1")}))),
    Break("function-has-one-source-of-code", "nobody updates its runtime", more(registered(aws.RUNTIME_MANAGEMENT, "r", functionName="sandpiper-dev-update-item"))),
)

LAYERS = (
    Break("layer-fits-its-functions", "more than five", edited(aws.FUNCTION, AUTHORIZER, {"layers": [f"{FOREIGN_LAYER}{n}" for n in range(6)]})),
    Break("layer-fits-its-functions", "neither of this stack nor", edited(aws.FUNCTION, AUTHORIZER, {"layers": ["arn:aws:lambda:us-west-2:017000801446:layer:x"]})),
    Break("layer-fits-its-functions", "of another region", edited(aws.FUNCTION, AUTHORIZER, {"layers": [FOREIGN_LAYER.replace("us-west-2", "eu-west-1")]})),
    Break("layer-fits-its-functions", "two versions of layer", more(edited(aws.FUNCTION, AUTHORIZER, {"layers.2": f"{FOREIGN_LAYER}9"}))),
    Break("layer-fits-its-functions", "another runtime", edited(aws.FUNCTION, AUTHORIZER, {"runtime": "python3.11"})),
    Break("layer-fits-its-functions", "another runtime", edited(aws.LAYER, OWN_LAYER, {"compatibleArchitectures": ["x86_64"]})),
    Break("layer-fits-its-functions", "another runtime", edited(aws.LAYER, OWN_LAYER, {"compatibleArchitectures": None})),
    Break("layer-has-a-name-and-a-user", "shares the name", also(edited(aws.LAYER, "imaging-layer*", {"layerName": "one"}), edited(aws.LAYER, OWN_LAYER, {"layerName": "one"}))),
    Break("layer-has-a-name-and-a-user", "no function uses it", edited(aws.FUNCTION, "image-processor-function", {"layers": []})),
)

SIGNATURES = (
    Break("signed-code-is-in-s3", "must be one of the function's region", edited(aws.FUNCTION, HEALTH, {"codeSigningConfigArn": "csc-1"})),
    Break("signed-code-is-in-s3", "must be one of the function's region", edited(aws.FUNCTION, HEALTH, {"codeSigningConfigArn": "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"})),
    Break("signed-code-is-in-s3", "cannot be signed", more(edited(aws.FUNCTION, IMAGE, {"codeSigningConfigArn": "arn:aws:lambda:us-west-2:123456789012:code-signing-config:csc-0123456789abcdef0"}))),
    Break("signed-code-is-in-s3", "must come signed from S3", more(edited(aws.FUNCTION, SIGNED, {"s3Bucket": None, "s3Key": None, "code": "archive"}))),
    Break("signed-code-is-in-s3", "must come signed from S3", more(with_a_layer_of_our_own)),
    Break("signatures-have-publishers", "1 to 20", more(edited(aws.CODE_SIGNING, SIGNER, {PROFILES: []}))),
    Break("signatures-have-publishers", "1 to 20", more(edited(aws.CODE_SIGNING, SIGNER, {PROFILES: ["release"]}))),
    Break("signatures-have-publishers", "Enforce or Warn", more(edited(aws.CODE_SIGNING, SIGNER, {"policies": None}))),
    Break("everything-is-tagged", "needs the tags", more(edited(aws.CODE_SIGNING, SIGNER, {"tags": None}))),
    Break("description-fits", "has 257 characters", more(edited(aws.CODE_SIGNING, SIGNER, {"description": "d" * 257}))),
)

BREAKS = (*SOURCES, *LAYERS, *SIGNATURES)
# fmt: on
