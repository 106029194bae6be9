"""The forms of the names that AWS gives its resources.

AWS looks at them only when a function is created; here a slip of the pen is seen before.
"""

import re
from collections.abc import Callable
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator

from settings.text import WrongValueError

REGION: Final = r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}"
"""Regular expression of a region's name."""

_ARN = re.compile(rf"arn:(aws(?:-[a-z]+)*):([a-z0-9-]+):({REGION})?:([0-9]{{12}})?:(.+)")
_PLACE: Final = "<region>:<account>"


class Arn(NamedTuple):
    """The parts of an ARN; `region` and `account` are empty for services that have none."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


class Form(NamedTuple):
    """What the ARN of one kind of resource looks like."""

    service: str
    resource: str
    """Regular expression of what follows the account."""
    shape: str
    """The ARN as a line shows it."""
    what: str
    placed: tuple[bool, bool] = (True, True)
    """Whether it names a region, and an account."""


KEY: Final = Form("kms", r"key/[A-Za-z0-9-]{1,128}", f"arn:aws:kms:{_PLACE}:key/<id>", "a KMS key")
ROLE: Final = Form(
    "iam",
    r"role/(?:[\w+=,.@-]+/)*[\w+=,.@-]{1,64}",
    "arn:aws:iam::<account>:role/<name>",
    "an IAM role",
    (False, True),
)
LAYER: Final = Form(
    "lambda",
    r"layer:[A-Za-z0-9_-]{1,140}:[1-9][0-9]*",
    f"arn:aws:lambda:{_PLACE}:layer:<name>:<version>",
    "a layer's version",
)
ACCESS_POINT: Final = Form(
    "elasticfilesystem",
    r"access-point/fsap-[a-f0-9]{17}",
    f"arn:aws:elasticfilesystem:{_PLACE}:access-point/<id>",
    "an EFS access point",
)
QUEUE: Final = Form(
    "sqs", r"[A-Za-z0-9_-]{1,80}", f"arn:aws:sqs:{_PLACE}:<name>", "a standard SQS queue"
)
TOPIC: Final = Form(
    "sns", r"[A-Za-z0-9_-]{1,256}", f"arn:aws:sns:{_PLACE}:<name>", "a standard SNS topic"
)
ENDPOINT: Final = Form(
    "sns",
    r"endpoint/[A-Za-z_]{2,20}/[\w.-]{1,256}/[a-f0-9-]{36}",
    f"arn:aws:sns:{_PLACE}:endpoint/<platform>/<application>/<id>",
    "a mobile push endpoint",
)
FUNCTION: Final = Form(
    "lambda",
    r"function:[A-Za-z0-9_-]{1,64}(?::(?:\$LATEST|[A-Za-z0-9_-]{1,128}))?",
    f"arn:aws:lambda:{_PLACE}:function:<name>",
    "a function",
)
LOG_DESTINATION: Final = Form(
    "logs",
    r"destination:[^:*]{1,512}",
    f"arn:aws:logs:{_PLACE}:destination:<name>",
    "a log destination",
)
DATA_STREAM: Final = Form(
    "kinesis",
    r"stream/[A-Za-z0-9_.-]{1,128}",
    f"arn:aws:kinesis:{_PLACE}:stream/<name>",
    "a Kinesis stream",
)
DELIVERY_STREAM: Final = Form(
    "firehose",
    r"deliverystream/[A-Za-z0-9_.-]{1,64}",
    f"arn:aws:firehose:{_PLACE}:deliverystream/<name>",
    "a Firehose stream",
)
BUS: Final = Form(
    "events",
    r"event-bus/[\w./-]{1,256}",
    f"arn:aws:events:{_PLACE}:event-bus/<name>",
    "an event bus",
)
BUCKET: Final = Form(
    "s3",
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "arn:aws:s3:::<name>",
    "a bucket",
    (False, False),
)
SIGNING_CONFIG: Final = Form(
    "lambda",
    r"code-signing-config:csc-[a-z0-9]{17}",
    f"arn:aws:lambda:{_PLACE}:code-signing-config:<id>",
    "a code signing configuration",
)
SIGNING_PROFILE: Final = Form(
    "signer",
    r"/signing-profiles/[A-Za-z0-9_]{2,64}/[A-Za-z0-9]{10}",
    f"arn:aws:signer:{_PLACE}:/signing-profiles/<name>/<version>",
    "a signing profile's version",
)
CERTIFICATE: Final = Form(
    "acm",
    r"certificate/[A-Za-z0-9-]{1,64}",
    f"arn:aws:acm:{_PLACE}:certificate/<id>",
    "an ACM certificate",
)
CALLER: Final = Form(
    "iam",
    r"(?:role|user)/(?:[\w+=,.@-]+/)*[\w+=,.@-]{1,64}",
    "arn:aws:iam::<account>:role/<name>",
    "an IAM role or user",
    (False, True),
)


def parsed(text: str) -> Arn | None:
    """Return the parts of an ARN; None for any other text."""
    match = _ARN.fullmatch(text)
    return Arn(*(part or "" for part in match.groups())) if match else None


def fits(text: str, form: Form) -> bool:
    """Tell whether a text is an ARN of this form."""
    found = parsed(text)
    return (
        found is not None
        and found.service == form.service
        and (bool(found.region), bool(found.account)) == form.placed
        and re.fullmatch(form.resource, found.resource, re.ASCII) is not None
    )


def one_of(*forms: Form, remedy: str = "") -> Callable[[str], str]:
    """Return a validator: it hands back an ARN of one of these forms and raises WrongValueError for another text."""
    if len(forms) == 1:
        expected = f"must be the ARN of {forms[0].what}, {forms[0].shape}"
    else:
        *most, last = [form.what for form in forms]
        expected = f"must be the ARN of {', '.join(most)} or {last}"

    def check(text: str) -> str:
        if not any(fits(text, form) for form in forms):
            raise WrongValueError(expected, remedy)
        return text

    return check


def pattern(*forms: Form) -> str:
    """Return the regular expression of all ARNs of these forms, for a JSON schema."""
    return f"^(?:{'|'.join(map(_pattern, forms))})$"


def _pattern(form: Form) -> str:
    region, account = (
        part if placed else ""
        for part, placed in zip((REGION, "[0-9]{12}"), form.placed, strict=True)
    )
    return f"arn:aws(?:-[a-z]+)*:{form.service}:{region}:{account}:{form.resource}"


KeyArn = Annotated[str, AfterValidator(one_of(KEY))]
RoleArn = Annotated[str, AfterValidator(one_of(ROLE))]
LayerArn = Annotated[str, AfterValidator(one_of(LAYER))]
AccessPointArn = Annotated[str, AfterValidator(one_of(ACCESS_POINT))]
SigningConfigArn = Annotated[str, AfterValidator(one_of(SIGNING_CONFIG))]
SigningProfileArn = Annotated[str, AfterValidator(one_of(SIGNING_PROFILE))]
CertificateArn = Annotated[str, AfterValidator(one_of(CERTIFICATE))]
DeadLetterArn = Annotated[
    str, AfterValidator(one_of(QUEUE, TOPIC, remedy="Lambda takes none that ends in .fifo"))
]
SuccessArn = Annotated[str, AfterValidator(one_of(QUEUE, TOPIC, FUNCTION, BUS))]
FailureArn = Annotated[str, AfterValidator(one_of(QUEUE, TOPIC, FUNCTION, BUS, BUCKET))]
