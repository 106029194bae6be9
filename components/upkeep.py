"""What Lambda keeps beside a function: who may sign its code, when its runtime changes, what it does about loops."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from settings import FunctionSettings


def sign_code(
    name: str, settings: FunctionSettings, parent: pulumi.Resource
) -> aws.lambda_.CodeSigningConfig | None:
    """A code signing configuration of the function's own, where settings ask for one."""
    s = settings.code_signing
    if s is None:
        return None
    return aws.lambda_.CodeSigningConfig(
        f"{name}-code-signing",
        aws.lambda_.CodeSigningConfigArgs(
            description=f"Who may sign the code of {name}",
            allowed_publishers=aws.lambda_.CodeSigningConfigAllowedPublishersArgs(
                signing_profile_version_arns=list(s.signing_profile_version_arns)
            ),
            policies=aws.lambda_.CodeSigningConfigPoliciesArgs(
                untrusted_artifact_on_deployment=s.untrusted_artifact_on_deployment
            ),
        ),
        pulumi.ResourceOptions(parent=parent),
    )


def configure(
    name: str,
    settings: FunctionSettings,
    function: aws.lambda_.Function,
    parent: pulumi.Resource,
) -> None:
    """Declare what is not Lambda's own default."""
    child = pulumi.ResourceOptions(parent=parent)
    if settings.recursive_loop != "Terminate":
        aws.lambda_.FunctionRecursionConfig(
            f"{name}-recursion",
            aws.lambda_.FunctionRecursionConfigArgs(
                function_name=function.name, recursive_loop=settings.recursive_loop
            ),
            child,
        )
    if settings.update_runtime_on != "Auto":
        aws.lambda_.RuntimeManagementConfig(
            f"{name}-runtime",
            aws.lambda_.RuntimeManagementConfigArgs(
                function_name=function.name,
                # Lambda keeps it per version, and the alias calls this one.
                qualifier=function.version,
                update_runtime_on=settings.update_runtime_on,
            ),
            child,
        )
