"""ServerlessFunction: one Lambda function with its own role, its own log group and an alias to call it by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.grants import Grant, Statement, policy, together, trust
from components.keys import DataKey
from components.layers import Layer
from components.packaging import Code
from components.place import Place
from settings import FunctionSettings

ALIAS = "live"
"""Triggers and routes call this alias, never the bare function, so that a release is one move of a pointer."""

SERVICE_NAME = "SERVICE_NAME"
LOG_LEVEL = "LOG_LEVEL"


def _unchanged(args: object) -> None:
    del args


@dataclass(frozen=True)
class FunctionTweaks:
    """A typed last word on the arguments of the raw resources, for what the component does not name."""

    function: Callable[[aws.lambda_.FunctionArgs], None] = _unchanged
    role: Callable[[aws.iam.RoleArgs], None] = _unchanged


class ServerlessFunction(pulumi.ComponentResource):
    """A function that may do exactly what its grants say, and logs only where it should.

    Raw children: `role`, `policy`, `log_group`, `function`, `alias`, and `provisioned_concurrency` where settings ask for
    it. Raises pulumi.RunError where the stack file sets an environment variable that a grant sets, or a layer was built
    for another runtime or architecture.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: FunctionSettings,
        code: Code,
        grants: Sequence[Grant] = (),
        layers: Sequence[Layer] = (),
        encryption: DataKey,
        place: Place,
        description: str = "",
        tweaks: FunctionTweaks | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:ServerlessFunction", name, None, opts)
        self.logical_name = name
        self.physical_name = f"{place.prefix}-{name}"
        self.settings = settings
        self._encryption = encryption
        self._tweaks = tweaks or FunctionTweaks()
        self._child = pulumi.ResourceOptions(parent=self)
        granted = together(grants)
        environment = self._environment(granted, place)
        self.log_group = self._create_log_group()
        self.role = self._create_role()
        self.policy = self._create_policy(granted)
        self.function = self._create_function(code, environment, self._fitting(layers), description)
        self.alias = self._create_alias()
        self.provisioned_concurrency = self._provision_concurrency()
        self.register_outputs({"arn": self.function.arn, "qualifiedArn": self.alias.arn})

    @property
    def arn(self) -> pulumi.Output[str]:
        """What triggers name: the alias."""
        return self.alias.arn

    @property
    def invoke_arn(self) -> pulumi.Output[str]:
        """What API Gateway names: the alias, in the form of an integration URI."""
        return self.alias.invoke_arn

    def outputs(self) -> dict[str, pulumi.Input[str | int]]:
        """What other stacks may know of the function (docs/outputs.md)."""
        return {
            "name": self.function.name,
            "arn": self.function.arn,
            "qualifiedArn": self.alias.arn,
            "invokeArn": self.alias.invoke_arn,
            "version": self.function.version,
            "runtime": self.settings.runtime,
            "handler": self.function.handler.apply(lambda handler: handler or ""),
            "timeout": self.settings.timeout,
            "memorySize": self.settings.memory_size,
            "roleArn": self.role.arn,
            "logGroup": self.log_group.name,
        }

    def allow(
        self,
        name: str,
        *,
        principal: str,
        source_arn: pulumi.Input[str],
        source_account: str | None = None,
        parent: pulumi.Resource,
    ) -> aws.lambda_.Permission:
        """Let one AWS service invoke the alias on behalf of one source."""
        return aws.lambda_.Permission(
            name,
            aws.lambda_.PermissionArgs(
                action="lambda:InvokeFunction",
                function=self.function.name,
                qualifier=self.alias.name,
                principal=principal,
                source_arn=source_arn,
                source_account=source_account,
            ),
            pulumi.ResourceOptions(parent=parent),
        )

    def also_may(self, name: str, grant: Grant, *, parent: pulumi.Resource) -> aws.iam.RolePolicy:
        """A further policy on the function's role: what a trigger needs the role to do."""
        return aws.iam.RolePolicy(
            name,
            aws.iam.RolePolicyArgs(role=self.role.name, policy=policy(grant.statements)),
            pulumi.ResourceOptions(parent=parent),
        )

    def _environment(self, granted: Grant, place: Place) -> dict[str, pulumi.Input[str]]:
        given = {
            SERVICE_NAME: place.prefix.split("-")[0],
            LOG_LEVEL: self.settings.log_level,
            **granted.environment,
        }
        for variable in self.settings.environment:
            if variable in granted.environment:
                raise pulumi.RunError(
                    f"functions.{self.logical_name}.environment.{variable}: "
                    "the program sets this variable itself; choose another name"
                )
        return {**given, **self.settings.environment}

    def _fitting(self, layers: Sequence[Layer]) -> list[pulumi.Output[str]]:
        for layer in layers:
            ours = (self.settings.runtime, self.settings.architecture)
            if (layer.runtime, layer.architecture) != ours:
                raise pulumi.RunError(
                    f"functions.{self.logical_name}: runs on {' and '.join(ours)}, but its layer was built "
                    f"for {layer.runtime} and {layer.architecture}; give both the same"
                )
        return [layer.arn for layer in layers]

    def _create_log_group(self) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self.logical_name}-logs",
            aws.cloudwatch.LogGroupArgs(
                name=f"/aws/lambda/{self.physical_name}",
                retention_in_days=self.settings.log_retention_in_days,
                kms_key_id=self._encryption.arn,
            ),
            self._child,
        )

    def _create_role(self) -> aws.iam.Role:
        args = aws.iam.RoleArgs(
            description=f"Execution role of {self.physical_name}",
            assume_role_policy=trust("lambda.amazonaws.com"),
        )
        self._tweaks.role(args)
        return aws.iam.Role(f"{self.logical_name}-role", args, self._child)

    def _create_policy(self, granted: Grant) -> aws.iam.RolePolicy:
        statements = [
            # No CreateLogGroup: a late invocation would bring a deleted group back, without retention.
            Statement(
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                [pulumi.Output.concat(self.log_group.arn, ":*")],
            ),
            *granted.statements,
        ]
        if self.settings.tracing_mode == "Active":
            # X-Ray knows no resources: AWS offers nothing narrower than "*".
            statements.append(
                Statement(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])
            )
        return aws.iam.RolePolicy(
            f"{self.logical_name}-policy",
            aws.iam.RolePolicyArgs(role=self.role.name, policy=policy(statements)),
            self._child,
        )

    def _create_function(
        self,
        code: Code,
        environment: dict[str, pulumi.Input[str]],
        layers: list[pulumi.Output[str]],
        description: str,
    ) -> aws.lambda_.Function:
        s = self.settings
        args = aws.lambda_.FunctionArgs(
            name=self.physical_name,
            description=description or None,
            role=self.role.arn,
            runtime=s.runtime,
            handler=code.handler,
            code=code.archive,
            architectures=[s.architecture],
            memory_size=s.memory_size,
            timeout=s.timeout,
            ephemeral_storage=aws.lambda_.FunctionEphemeralStorageArgs(
                size=s.ephemeral_storage_size
            ),
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=environment),
            kms_key_arn=self._encryption.arn,
            layers=layers or None,
            reserved_concurrent_executions=s.reserved_concurrent_executions,
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode=s.tracing_mode),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="JSON",
                log_group=self.log_group.name,
                # Both levels are always named: without them the provider sees a difference for ever.
                application_log_level=s.log_level,
                system_log_level="INFO",
            ),
            publish=True,
        )
        self._tweaks.function(args)
        # Lambda checks tracing and network rights at create time, and Pulumi only sees that role.arn is used.
        ready = pulumi.ResourceOptions(parent=self, depends_on=[self.policy, self.log_group])
        return aws.lambda_.Function(f"{self.logical_name}-function", args, ready)

    def _create_alias(self) -> aws.lambda_.Alias:
        return aws.lambda_.Alias(
            f"{self.logical_name}-{ALIAS}",
            aws.lambda_.AliasArgs(
                name=ALIAS, function_name=self.function.name, function_version=self.function.version
            ),
            self._child,
        )

    def _provision_concurrency(self) -> aws.lambda_.ProvisionedConcurrencyConfig | None:
        wanted = self.settings.provisioned_concurrent_executions
        if wanted is None:
            return None
        return aws.lambda_.ProvisionedConcurrencyConfig(
            f"{self.logical_name}-provisioned-concurrency",
            aws.lambda_.ProvisionedConcurrencyConfigArgs(
                function_name=self.alias.function_name,
                qualifier=self.alias.name,
                provisioned_concurrent_executions=wanted,
            ),
            self._child,
        )
