"""Function URLs: HTTPS addresses of a function's own, and who may call them."""

from __future__ import annotations

import hashlib
import re

import pulumi
import pulumi_aws as aws

from components.place import Place
from settings import FunctionUrlSettings


def create_url(
    name: str,
    settings: FunctionUrlSettings | None,
    alias: aws.lambda_.Alias,
    place: Place,
    parent: pulumi.Resource,
) -> aws.lambda_.FunctionUrl | None:
    """An HTTPS address of the alias, where settings ask for one; signed requests only, unless they say NONE."""
    if settings is None:
        return None
    cors = settings.cors
    url = aws.lambda_.FunctionUrl(
        f"{name}-url",
        aws.lambda_.FunctionUrlArgs(
            function_name=alias.function_name,
            qualifier=alias.name,
            authorization_type=settings.authorization_type,
            invoke_mode=settings.invoke_mode,
            cors=aws.lambda_.FunctionUrlCorsArgs(
                allow_origins=list(cors.allow_origins),
                allow_methods=list(cors.allow_methods),
                allow_headers=list(cors.allow_headers) or None,
                expose_headers=list(cors.expose_headers) or None,
                max_age=cors.max_age,
                allow_credentials=cors.allow_credentials,
            )
            if cors
            else None,
        ),
        pulumi.ResourceOptions(parent=parent),
    )
    for principal in settings.principals:
        # AWS keeps an account in this form; 12 digits would be a difference at every `up`.
        account = f"arn:{place.partition}:iam::{principal}:root"
        _let_call(name, account if principal.isdigit() else principal, alias, url)
    return url


def _let_call(
    name: str, principal: str, alias: aws.lambda_.Alias, url: aws.lambda_.FunctionUrl
) -> None:
    """Callers of the stack's own account need an identity policy only; others are named at the function, twice."""
    # The resource's name becomes the statement's id, of which AWS takes 100 characters.
    words = "-".join(re.findall(r"[A-Za-z0-9]+", principal.rsplit("::", maxsplit=1)[-1]))
    who = f"{words[:20]}-{hashlib.sha256(principal.encode()).hexdigest()[:8]}"
    below = pulumi.ResourceOptions(parent=url)
    aws.lambda_.Permission(
        f"{name}-url-{who}-permission",
        aws.lambda_.PermissionArgs(
            action="lambda:InvokeFunctionUrl",
            function=alias.function_name,
            qualifier=alias.name,
            principal=principal,
            function_url_auth_type="AWS_IAM",
        ),
        below,
    )
    # Since October 2025 a caller of a URL needs this right as well; it holds for calls through the URL alone.
    aws.lambda_.Permission(
        f"{name}-url-{who}-invoke-permission",
        aws.lambda_.PermissionArgs(
            action="lambda:InvokeFunction",
            function=alias.function_name,
            qualifier=alias.name,
            principal=principal,
            invoked_via_function_url=True,
        ),
        below,
    )
