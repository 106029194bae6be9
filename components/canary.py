"""Canary: a caller from outside that asks the health route over the internet, again and again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.buckets import Bucket
from components.grants import Statement
from components.keys import DataKey
from components.place import Place
from components.service_roles import ServiceRole, service_role
from settings import CanarySettings, DataSettings

MODULE = "canary"


class Canary(pulumi.ComponentResource):
    """A CloudWatch Synthetics canary; off, it is no resource at all. `physical_name` is known beforehand.

    `code` is the Python file that asks; it, and what each run found, lie in a bucket of the canary's own, whose access is
    noted in `logs`. The function that Synthetics makes of it goes with the canary; its log group has a generated name, stays, and is Synthetics' own.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: CanarySettings,
        code: Path,
        url: pulumi.Input[str],
        data: DataSettings,
        logs: Bucket,
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Canary", name, None, opts)
        self.physical_name = canary_name(place)
        self._child = pulumi.ResourceOptions(parent=self)
        if settings.enabled:
            results = Bucket(
                f"{name}-results",
                settings=data,
                place=place,
                encryption=encryption,
                logs=logs,
                expiration_days=max(
                    settings.success_retention_days, settings.failure_retention_days
                ),
                opts=self._child,
            )
            role = self._create_role(name, results, encryption, place)
            self._create(name, settings, self._upload(name, code, results), results, role, url)
        self.register_outputs({"name": self.physical_name})

    def _upload(self, name: str, code: Path, results: Bucket) -> aws.s3.BucketObject:
        text = code.read_text(encoding="utf-8")
        return aws.s3.BucketObject(
            f"{name}-code",
            aws.s3.BucketObjectArgs(
                bucket=results.name,
                # By its content: a change of the code is another key, and the canary is made of that.
                key=f"code/{hashlib.sha256(text.encode()).hexdigest()[:16]}.zip",
                source=pulumi.AssetArchive({f"python/{MODULE}.py": pulumi.StringAsset(text)}),
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[results.settled]),
        )

    def _create_role(
        self, name: str, results: Bucket, encryption: DataKey, place: Place
    ) -> ServiceRole:
        own_logs = place.arn("logs", f"log-group:/aws/lambda/cwsyn-{self.physical_name}-*")
        found = pulumi.Output.concat(results.arn, "/results/*")
        return service_role(
            name,
            [
                Statement(["s3:PutObject"], [found]),
                Statement(["s3:GetObject"], [pulumi.Output.concat(results.arn, "/code/*")]),
                Statement(["s3:GetBucketLocation"], [results.arn]),
                encryption.use("s3", "GenerateDataKey", "Decrypt"),
                # Synthetics makes the group itself, under a name with an id of its own.
                Statement(
                    ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], [own_logs]
                ),
                # PutMetricData and ListAllMyBuckets know no resource: AWS offers nothing narrower than "*".
                Statement(
                    ["cloudwatch:PutMetricData"],
                    ["*"],
                    {"StringEquals": {"cloudwatch:namespace": "CloudWatchSynthetics"}},
                ),
                Statement(["s3:ListAllMyBuckets"], ["*"]),
            ],
            service="lambda.amazonaws.com",
            description=f"What {self.physical_name} may do",
            opts=self._child,
        )

    def _create(
        self,
        name: str,
        settings: CanarySettings,
        code: aws.s3.BucketObject,
        results: Bucket,
        writer: ServiceRole,
        url: pulumi.Input[str],
    ) -> None:
        self.canary = aws.synthetics.Canary(
            f"{name}-canary",
            aws.synthetics.CanaryArgs(
                name=self.physical_name,
                runtime_version=settings.runtime_version,
                handler=f"{MODULE}.handler",
                s3_bucket=results.name,
                s3_key=code.key,
                s3_version=code.version_id,
                execution_role_arn=writer.role.arn,
                artifact_s3_location=pulumi.Output.concat("s3://", results.name, "/results/"),
                schedule=aws.synthetics.CanaryScheduleArgs(expression=settings.schedule_expression),
                run_config=aws.synthetics.CanaryRunConfigArgs(
                    timeout_in_seconds=settings.timeout_in_seconds,
                    active_tracing=False,
                    environment_variables={"HEALTH_URL": pulumi.Output.concat(url, "/health")},
                ),
                success_retention_period=settings.success_retention_days,
                failure_retention_period=settings.failure_retention_days,
                start_canary=True,
                # Else Synthetics leaves the function and its layers behind.
                delete_lambda=True,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[writer.rights]),
        )


def canary_name(place: Place) -> str:
    """What the canary is called: lower case, as Synthetics wants it."""
    return f"{place.prefix}-health".lower()
