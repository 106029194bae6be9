"""Repository: where container images of a function wait for Lambda."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from components.grants import policy
from components.keys import DataKey
from components.place import Place
from settings import DataSettings, RepositorySettings


class Repository(pulumi.ComponentResource):
    """An ECR repository whose tags never move: scanned on push, encrypted, the oldest images expire.

    It comes before the function: push an image to `url`, then name it in the function's `image_uri`.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: RepositorySettings,
        data: DataSettings,
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Repository", name, None, opts)
        self._place = place
        child = pulumi.ResourceOptions(parent=self)
        self.repository = self._create_repository(name, data, encryption)
        self.lifecycle = aws.ecr.LifecyclePolicy(
            f"{name}-repository-lifecycle",
            aws.ecr.LifecyclePolicyArgs(
                repository=self.repository.name, policy=json.dumps(_keep(settings.keep_images))
            ),
            child,
        )
        self.policy = aws.ecr.RepositoryPolicy(
            f"{name}-repository-policy",
            aws.ecr.RepositoryPolicyArgs(
                repository=self.repository.name, policy=policy([self._lambda_reads(name)])
            ),
            child,
        )
        self.url = self.repository.repository_url
        self.register_outputs({"url": self.url})

    def _create_repository(
        self, name: str, data: DataSettings, encryption: DataKey
    ) -> aws.ecr.Repository:
        return aws.ecr.Repository(
            f"{name}-repository",
            aws.ecr.RepositoryArgs(
                image_tag_mutability="IMMUTABLE",
                image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(
                    scan_on_push=True
                ),
                encryption_configurations=[
                    aws.ecr.RepositoryEncryptionConfigurationArgs(
                        encryption_type="KMS", kms_key=encryption.arn
                    )
                ],
                force_delete=not data.protect,
            ),
            pulumi.ResourceOptions(parent=self, protect=data.protect),
        )

    def _lambda_reads(self, name: str) -> dict[str, Any]:
        function = self._place.function_arn(name)
        return {
            "Sid": "LambdaReads",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            # A published version may ask under its own ARN.
            "Condition": {"ArnLike": {"aws:SourceArn": [function, f"{function}:*"]}},
        }


def _keep(images: int) -> dict[str, Any]:
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": f"The newest {images} images stay",
                "selection": {
                    "tagStatus": "any",
                    "countType": "imageCountMoreThan",
                    "countNumber": images,
                },
                "action": {"type": "expire"},
            }
        ]
    }
