"""What a stack file may say of a function's code: where it comes from, what runs it, who vouches for it."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, field_validator

from settings.archives import BUILT, UNZIPPED, ZIPPED
from settings.arns import LAYER, SIGNING_CONFIG, LayerArn, SigningConfigArn, pattern
from settings.fields import Model, form, setting
from settings.function_parts import CodeSigningSettings, ImageSettings
from settings.images import URI, check_uri
from settings.runtimes import ALL_SUPPORTED, DEFAULT_RUNTIME, check_runtime
from settings.text import WrongValueError, is_credential

LAMBDA: Final = "Lambda API reference, CreateFunction"
_CODE: Final = "Lambda API reference, FunctionCode"
_LAYERS: Final = "Lambda developer guide, layers"
_QUOTAS: Final = "Lambda quotas"
_BUCKET: Final = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_SHA256: Final = r"[A-Za-z0-9+/]{43}="

SOURCES: Final = ("source_dir", "filename", "inline", "s3_bucket", "image_uri")
"""Keys that say where a function's code comes from; at most one of them."""

MOST_LAYERS: Final = 5
"""Layers that Lambda allows a function."""

INLINE_BYTES: Final = 4096
"""Size of an inline text, as CloudFormation has it for ZipFile."""


def _no_spaces(handler: str) -> str:
    if not 1 <= len(handler) <= 128 or any(map(str.isspace, handler)):
        raise WrongValueError("must be 1 to 128 characters without spaces")
    return handler


def _small(text: str) -> str:
    size = len(text.encode(errors="surrogatepass"))
    if not text.strip():
        raise WrongValueError("must be a program's text")
    if size > INLINE_BYTES:
        raise WrongValueError(f"must be at most {INLINE_BYTES} bytes", "keep it in source_dir")
    if is_credential(text):
        raise WrongValueError(
            "must not hold a credential", "keep it in Secrets Manager and pass its ARN"
        )
    return text


class CodeSettings(Model):
    """Where the code comes from and what runs it. Without any of its sources it comes from handlers/."""

    handler: Annotated[str, AfterValidator(_no_spaces)] | None = setting(
        None,
        "What Lambda calls, as in `index.handler`. Without it: what the function's family is written with.",
        values="1 to 128 characters without spaces",
        source=LAMBDA,
        schema={"pattern": r"^[^\s]{1,128}$"},
        example="index.handler",
    )
    runtime: str = setting(
        DEFAULT_RUNTIME,
        "Lambda runtime identifier, of the handler's own family; container images have none.",
        schema={"enum": ALL_SUPPORTED},
        source="Lambda developer guide, Lambda runtimes",
    )
    architecture: Literal["arm64", "x86_64"] = setting(
        "arm64",
        "Instruction set; arm64 costs a fifth less. Layers are built for it.",
        source=LAMBDA,
    )
    layers: tuple[LayerArn, ...] = setting(
        (),
        "Layers of others, extensions among them, by the ARN of a version; with the program's own at most five.",
        unit="layers",
        max_length=MOST_LAYERS,
        source=_LAYERS,
        schema={"items": {"type": "string", "pattern": pattern(LAYER)}},
        example=[
            "arn:aws:lambda:us-west-2:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:7"
        ],
    )
    source_dir: str | None = setting(
        None,
        f"Folder to pack as it is, relative to the project, of at most {ZIPPED} MB zipped and {UNZIPPED} MB unzipped; a bigger "
        f"one goes by s3_bucket. Hidden files stay here, hidden folders other than {BUILT} are refused.",
        values=f"a folder of at most {ZIPPED} MB zipped, {UNZIPPED} MB unzipped",
        source=_QUOTAS,
        example="handlers/checksum_ruby",
    )
    filename: str | None = setting(
        None,
        f"Ready .zip, relative to the project, of at most {ZIPPED} MB and {UNZIPPED} MB unzipped; a bigger one goes by "
        "s3_bucket.",
        values=f"a .zip of at most {ZIPPED} MB, {UNZIPPED} MB unzipped",
        source=_QUOTAS,
        schema={"pattern": r"\.zip$"},
        example="build/checksum.zip",
    )
    inline: Annotated[str, AfterValidator(_small)] | None = setting(
        None,
        f"The program itself, at most {INLINE_BYTES} bytes, as index.py or index.mjs; Python and Node.js only.",
        values=f"at most {INLINE_BYTES} bytes",
        source="CloudFormation reference, AWS::Lambda::Function Code, ZipFile",
        schema={"minLength": 1, "maxLength": INLINE_BYTES},
    )
    s3_bucket: Annotated[str, form(_BUCKET, "must be a bucket's name")] | None = setting(
        None,
        "Bucket of this region that holds the package; goes with s3_key.",
        values="a bucket's name",
        source=_CODE,
        schema={"pattern": f"^{_BUCKET}$"},
        example="releases-example",
    )
    s3_key: str | None = setting(
        None,
        "Key of the package in s3_bucket.",
        source=_CODE,
        min_length=1,
        max_length=1024,
        example="checksum/1.4.0.zip",
    )
    s3_object_version: str | None = setting(
        None,
        "Version of that object. Without it: the newest when the function is updated.",
        source=_CODE,
        min_length=1,
        max_length=1024,
    )
    source_code_hash: (
        Annotated[str, form(_SHA256, "must be the SHA-256 of the package in Base64, 44 characters")]
        | None
    ) = setting(
        None,
        "Base64 of the package's SHA-256; a new one is what tells that an object was overwritten.",
        values="44 characters",
        source="Pulumi AWS provider, aws.lambda.Function",
        schema={"pattern": f"^{_SHA256}$"},
    )
    image_uri: Annotated[str, AfterValidator(check_uri)] | None = setting(
        None,
        "Container image in ECR, of this region, by tag or digest; `latest` names none for good. A function that moves from "
        "a package to an image, or back, is deleted first, with its versions, alias, permissions and URL: use a new function "
        "name and move the route.",
        values="an image in ECR by tag or digest, not `latest`",
        source=_CODE,
        schema={"pattern": f"^{URI}$"},
        example="123456789012.dkr.ecr.us-west-2.amazonaws.com/inference:1.4.0",
    )
    image_config: ImageSettings | None = setting(
        None, "What the image runs. Without it: what its Dockerfile says.", source=_CODE
    )
    code_signing_config_arn: SigningConfigArn | None = setting(
        None,
        "Code signing configuration given from outside.",
        values="ARN of a code signing configuration",
        source=LAMBDA,
        schema={"pattern": pattern(SIGNING_CONFIG)},
        example="arn:aws:lambda:us-west-2:123456789012:code-signing-config:csc-0123456789abcdef0",
    )
    code_signing: CodeSigningSettings | None = setting(
        None,
        "Code signing configuration of its own.",
        source="Lambda API reference, CreateCodeSigningConfig",
    )
    update_runtime_on: Literal["Auto", "FunctionUpdate"] = setting(
        "Auto",
        "When Lambda moves the function to a newer patch of its runtime: by itself, or with the next update only.",
        source="Lambda API reference, PutRuntimeManagementConfig",
    )

    _runtime = field_validator("runtime")(staticmethod(check_runtime))

    @property
    def code_source(self) -> str | None:
        """The key of `SOURCES` that says where the code comes from; None: handlers/."""
        given = [key for key in SOURCES if getattr(self, key) is not None]
        return given[0] if given else None
