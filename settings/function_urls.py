"""Settings of a function's URL."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from settings import arns
from settings.api import ORIGIN
from settings.fields import Model, distinct, form, members, setting
from settings.text import WrongValueError

_URL: Final = "Lambda API reference, CreateFunctionUrlConfig"
_CORS: Final = "Lambda API reference, Cors"

METHODS: Final = ("GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*")
"""Methods that a function URL's CORS may name. OPTIONS has too many letters for the API, which answers it itself."""


_HEADER: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_ACCOUNT: Final = r"[0-9]{12}"

Method = Annotated[
    str, form("|".join(map(re.escape, METHODS)), f"must be one of {', '.join(METHODS)}")
]
Header = Annotated[str, form(_HEADER, "must be the name of an HTTP header, or *")]


def _check_origin(origin: str) -> str:
    match = re.fullmatch(ORIGIN, origin)
    if origin != "*" and (not match or int(match[3] or 0) > 65535):
        raise WrongValueError(
            "must be *, https://host or https://host:port, in lower case and without a path"
        )
    return origin


def _check_principal(principal: str) -> str:
    if not re.fullmatch(_ACCOUNT, principal, re.ASCII) and not arns.fits(principal, arns.CALLER):
        raise WrongValueError(
            "must be an account's 12 digits or the ARN of an IAM role or user",
            "write an account in quotes",
        )
    return principal


class UrlCorsSettings(Model):
    """Which web pages may call a function URL from a browser."""

    allow_origins: tuple[Annotated[str, AfterValidator(_check_origin)], ...] = setting(
        (),
        "Web origins, `https://host[:port]`, or `*` for all.",
        unit="origins",
        max_length=100,
        values="`*`, https://host or https://host:port",
        source=_CORS,
        schema=members(rf"{ORIGIN}|\*"),
        example=["https://app.example.com"],
    )
    allow_methods: tuple[Method, ...] = setting(
        (),
        "Methods, or `*` for all. OPTIONS is not among them: Lambda answers it itself.",
        unit="methods",
        max_length=6,
        values="GET, PUT, HEAD, POST, PATCH, DELETE, `*`",
        source=_CORS,
        schema={"items": {"enum": METHODS}},
        example=["GET", "POST"],
    )
    allow_headers: tuple[Header, ...] = setting(
        (),
        "Request headers, or `*` for all.",
        unit="headers",
        max_length=100,
        values="names of headers, or `*`",
        source=_CORS,
        schema=members(_HEADER),
        example=["content-type"],
    )
    expose_headers: tuple[Header, ...] = setting(
        (),
        "Response headers that a page may read.",
        unit="headers",
        max_length=100,
        values="names of headers, or `*`",
        source=_CORS,
        schema=members(_HEADER),
        example=["x-request-id"],
    )
    max_age: int = setting(
        0, "How long a browser remembers the answer.", unit="seconds", ge=0, le=86400, source=_CORS
    )
    allow_credentials: bool = setting(
        default=False,
        description="Let pages send cookies along; then every origin must be named.",
        source=_CORS,
    )


class FunctionUrlSettings(Model):
    """An HTTPS address of the function's own, at the alias `live`."""

    authorization_type: Literal["AWS_IAM", "NONE"] = setting(
        "AWS_IAM",
        "AWS_IAM takes signed calls only. NONE is open to everybody, and only functions that settings/wiring.py names may be.",
        source=_URL,
    )
    invoke_mode: Literal["BUFFERED", "RESPONSE_STREAM"] = setting(
        "BUFFERED",
        "RESPONSE_STREAM sends an answer as it is made, by a handler that streams (awslambda.streamifyResponse in Node.js); "
        "not for Python, Java, .NET and Ruby.",
        source=_URL,
    )
    principals: Annotated[
        tuple[Annotated[str, AfterValidator(_check_principal)], ...], AfterValidator(distinct)
    ] = setting(
        (),
        "Accounts, IAM roles and users that may call it. Empty: those of this account whose own policy allows it.",
        values="accounts of 12 digits, ARNs of IAM roles and users",
        source="Lambda API reference, AddPermission",
        schema=members(f"{_ACCOUNT}|{arns.pattern(arns.CALLER)[1:-1]}", unique=True),
        example=["123456789012"],
    )
    cors: UrlCorsSettings | None = setting(
        None, "Which web pages may call it. Without it: none.", source=_CORS
    )
