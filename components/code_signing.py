"""Who may sign the code of a function."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from settings import FunctionSettings


def create_config(
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
