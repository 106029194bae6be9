"""ServerlessFunction: one Lambda function with its own role, its own log group and an alias to call it by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from builders import zips
from components import (
    asynchronous,
    code_signing,
    concurrency,
    execution_role,
    runtime_options,
    urls,
)
from components.function_args import function_args
from components.function_outputs import FunctionOutputs
from components.grants import Grant, Statement, policy, together, trust, variable_name
from components.keys import DataKey
from components.layers import Layer
from components.logs import log_group
from components.messaging import Queue
from components.place import Place
from components.sources import AnyCode, Code, ImageCode
from settings import TAKEN_VARIABLE, FunctionSettings

ALIAS = "live"
"""Triggers and routes call this alias, never the bare function, so that a release is one move of a pointer."""

SERVICE_NAME = "SERVICE_NAME"
LOG_LEVEL = "LOG_LEVEL"
LOG_SAMPLE_RATE = "LOG_SAMPLE_RATE"
STACK = "STACK"


def _unchanged(args: object) -> None:
    del args


@dataclass(frozen=True)
class FunctionTweaks:
    """A typed last word on the arguments of the raw resources, for what the component does not name."""

    function: Callable[[aws.lambda_.FunctionArgs], None] = _unchanged
    role: Callable[[aws.iam.RoleArgs], None] = _unchanged


class ServerlessFunction(pulumi.ComponentResource):
    """A function that may do exactly what its grants say, and logs only where it should.

    Raw children: `log_group`, `function`, `alias`; `role` and `policy` unless settings name a role from outside;
    `code_signing`, `url`, `provisioned_concurrency` and `event_invoke_config` where settings or triggers ask for them.
    `failures` is where asynchronous invocations end that were out of retries. `log_sample_rate` is the share (0 to 1) of
    requests that it logs at DEBUG.

    Raises pulumi.RunError where the stack file sets an environment variable that a grant sets, or code and layers are
    larger than Lambda takes.
    """

    event_invoke_config: aws.lambda_.FunctionEventInvokeConfig | None = None

    def __init__(
        self,
        name: str,
        *,
        settings: FunctionSettings,
        code: AnyCode,
        grants: Sequence[Grant] = (),
        layers: Sequence[Layer] = (),
        failures: Queue,
        encryption: DataKey,
        place: Place,
        log_sample_rate: float = 0,
        tweaks: FunctionTweaks | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:ServerlessFunction", name, None, opts)
        self.logical_name = name
        self.physical_name = f"{place.prefix}-{name}"
        self.settings, self._log_sample_rate = settings, log_sample_rate
        self._place, self._failures, self._encryption = place, failures, encryption
        self._tweaks = tweaks or FunctionTweaks()
        self._child = pulumi.ResourceOptions(parent=self)
        granted = together(grants)
        code = code.with_files(granted.files) if isinstance(code, Code) else code
        environment = self._environment(granted)
        self.log_group = self._create_log_group()
        self.role = self._create_role()
        self.policy = self._create_policy(granted)
        self.code_signing = code_signing.create_config(name, settings, self)
        self.function = self._create_function(code, environment, self._fitting(code, layers))
        self.alias = self._create_alias()
        runtime_options.configure(name, settings, self.function, self._child)
        self.provisioned_concurrency = concurrency.provision(name, settings, self.alias, self)
        self.url = urls.create_url(name, settings.function_url, self.alias, place, self)
        if settings.asynchronous:
            self.catch_failures()
        self.register_outputs({"arn": self.function.arn, "qualifiedArn": self.alias.arn})

    @property
    def arn(self) -> pulumi.Output[str]:
        """What triggers name: the alias."""
        return self.alias.arn

    @property
    def invoke_arn(self) -> pulumi.Output[str]:
        """What API Gateway names: the alias, in the form of an integration URI."""
        return self.alias.invoke_arn

    @property
    def role_arn(self) -> pulumi.Input[str]:
        """The execution role, its own or the one given from outside."""
        return self.role.arn if self.role else self.settings.execution_role_arn or ""

    @property
    def outputs(self) -> FunctionOutputs:
        """What the function says of itself; the last word has what was really made."""
        made, s = self.function, self.settings
        return FunctionOutputs(
            name=made.name,
            arn=made.arn,
            qualified_arn=self.alias.arn,
            invoke_arn=self.alias.invoke_arn,
            version=made.version,
            last_modified=made.last_modified,
            source_code_hash=made.code_sha256,
            source_code_size=made.source_code_size,
            runtime=made.runtime.apply(lambda runtime: runtime or ""),
            handler=made.handler.apply(lambda handler: handler or ""),
            timeout=made.timeout.apply(lambda seconds: seconds or s.timeout),
            memory_size=made.memory_size.apply(lambda megabytes: megabytes or s.memory_size),
            role_arn=made.role,
            log_group=self.log_group.name,
            url=self.url.function_url if self.url else None,
        )

    def invoke(self) -> Grant:
        """Call the function."""
        variable = variable_name(self.logical_name, "FUNCTION")
        return Grant([Statement(["lambda:InvokeFunction"], [self.arn])], {variable: self.arn})

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

    def also_may(
        self, name: str, grant: Grant, *, parent: pulumi.Resource
    ) -> list[aws.iam.RolePolicy]:
        """A further policy on the function's own role: what a trigger needs the role to do.

        A role from outside gets none: who made it says what it may do.
        """
        if self.role is None:
            return []
        args = aws.iam.RolePolicyArgs(role=self.role.name, policy=policy(grant.statements))
        return [aws.iam.RolePolicy(name, args, pulumi.ResourceOptions(parent=parent))]

    def catch_failures(self) -> None:
        """Asynchronous invocations: finite retries, then a place where the event waits. Whoever starts them asks for it."""
        if self.event_invoke_config is None:
            wanted = asynchronous.rights(self.settings, self._failures)
            policies = self.also_may(f"{self.logical_name}-failures-policy", wanted, parent=self)
            self.event_invoke_config = asynchronous.configure(
                self.logical_name, self.settings, self.alias, self._failures, policies, self
            )

    def _environment(self, granted: Grant) -> dict[str, pulumi.Input[str]]:
        given = {
            SERVICE_NAME: self._place.project,
            LOG_LEVEL: self.settings.log_level,
            STACK: self._place.prefix,
            **granted.environment,
        }
        if self._log_sample_rate:
            given[LOG_SAMPLE_RATE] = f"{self._log_sample_rate:g}"
        for variable in self.settings.environment:
            if variable in granted.environment:
                raise self._wrong(f".environment.{variable}: {TAKEN_VARIABLE}")
        return {**given, **self.settings.environment}

    @property
    def _least_level(self) -> str:
        """Lambda drops lines below it: those of sampled requests would never get through."""
        level = self.settings.log_level
        return "DEBUG" if self._log_sample_rate and level != "TRACE" else level

    def _fitting(self, code: AnyCode, layers: Sequence[Layer]) -> list[pulumi.Input[str]]:
        """ARNs of the layers, the program's first; an image brings everything itself."""
        if isinstance(code, ImageCode):
            return []
        target = self.settings.runtime, self.settings.architecture
        fitted = [layer.fitting(*target) for layer in layers]
        size = code.unzipped + sum(layer.unzipped for layer in fitted)
        if size > zips.UNZIPPED_LIMIT:
            raise self._wrong(
                f": code and layers must be at most {zips.megabytes(zips.UNZIPPED_LIMIT)} unzipped (got "
                f"{zips.megabytes(size)}); take a dependency out, or use a container image (image_uri)"
            )
        return [*(layer.arn for layer in fitted), *self.settings.layers]

    def _wrong(self, text: str) -> pulumi.RunError:
        stack = f"Pulumi.{self._place.stack}.yaml"
        return pulumi.RunError(f"{stack}: functions.{self.logical_name}{text}")

    def _create_log_group(self) -> aws.cloudwatch.LogGroup:
        return log_group(
            f"{self.logical_name}-logs",
            physical_name=f"/aws/lambda/{self.physical_name}",
            retention_in_days=self.settings.log_retention_in_days,
            encryption=self._encryption,
            parent=self,
        )

    def _create_role(self) -> aws.iam.Role | None:
        if self.settings.execution_role_arn is not None:
            return None
        args = aws.iam.RoleArgs(
            description=f"Execution role of {self.physical_name}",
            assume_role_policy=trust("lambda.amazonaws.com"),
        )
        self._tweaks.role(args)
        return aws.iam.Role(f"{self.logical_name}-role", args, self._child)

    def _create_policy(self, granted: Grant) -> list[aws.iam.RolePolicy]:
        arn = self._place.function_arn(self.logical_name)
        own = execution_role.statements(self.settings, arn=arn, log_group=self.log_group.arn)
        return self.also_may(
            f"{self.logical_name}-policy", Grant([*own, *granted.statements]), parent=self
        )

    def _create_function(
        self,
        code: AnyCode,
        environment: dict[str, pulumi.Input[str]],
        layers: list[pulumi.Input[str]],
    ) -> aws.lambda_.Function:
        args = function_args(self.settings, role=self.role_arn)
        args.name = self.physical_name
        args.environment = aws.lambda_.FunctionEnvironmentArgs(variables=environment)
        args.kms_key_arn = self.settings.kms_key_arn or self._encryption.arn
        args.logging_config = aws.lambda_.FunctionLoggingConfigArgs(
            log_format="JSON",
            log_group=self.log_group.name,
            # Both levels are always named: without them the provider sees a difference for ever.
            application_log_level=self._least_level,
            system_log_level=self.settings.system_log_level,
        )
        args.layers = layers or None
        args.tags = {
            "Name": self.physical_name,
            "Service": self._place.project,
            "Runtime": self.settings.runtime,
            "HasLayers": str(bool(layers)).lower(),
            **self.settings.tags,
        }
        if self.code_signing is not None:
            args.code_signing_config_arn = self.code_signing.arn
        code.put_into(args)
        self._tweaks.function(args)
        # Lambda checks tracing and network rights at create time, and Pulumi only sees that role.arn is used.
        ready = pulumi.ResourceOptions(parent=self, depends_on=[*self.policy, self.log_group])
        return aws.lambda_.Function(f"{self.logical_name}-function", args, ready)

    def _create_alias(self) -> aws.lambda_.Alias:
        return aws.lambda_.Alias(
            f"{self.logical_name}-{ALIAS}",
            aws.lambda_.AliasArgs(
                name=ALIAS, function_name=self.function.name, function_version=self.function.version
            ),
            self._child,
        )
