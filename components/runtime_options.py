"""What Lambda keeps beside a function, where it is not Lambda's own default."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from settings import FunctionSettings


def configure(
    name: str, s: FunctionSettings, function: aws.lambda_.Function, opts: pulumi.ResourceOptions
) -> None:
    """What happens to a function that calls itself, and when its runtime is brought up to date."""
    if s.recursive_loop != "Terminate":
        aws.lambda_.FunctionRecursionConfig(
            f"{name}-recursion",
            aws.lambda_.FunctionRecursionConfigArgs(
                function_name=function.name, recursive_loop=s.recursive_loop
            ),
            opts,
        )
    if s.update_runtime_on != "Auto":
        aws.lambda_.RuntimeManagementConfig(
            f"{name}-runtime",
            aws.lambda_.RuntimeManagementConfigArgs(
                function_name=function.name,
                # Lambda keeps it per version, and the alias calls this one.
                qualifier=function.version,
                update_runtime_on=s.update_runtime_on,
            ),
            opts,
        )
