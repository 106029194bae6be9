"""ApiFront: the REST API of a stack. Routes are data; one document describes all of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.function import ServerlessFunction
from components.grants import Grant, policy, trust
from components.keys import DataKey
from components.openapi import Route, document
from components.place import Place
from settings import ApiSettings

__all__ = ["ApiFront", "Route", "answers_browsers"]

ACCESS_LOG_FORMAT = {
    "requestId": "$context.requestId",
    "ip": "$context.identity.sourceIp",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "integrationError": "$context.integrationErrorMessage",
    "authorizerError": "$context.authorizer.error",
}


def answers_browsers(settings: ApiSettings) -> Grant:
    """What a function needs to know to answer browsers: the origins it may name."""
    return Grant(environment={"CORS_ALLOW_ORIGINS": ",".join(settings.cors_allow_origins)})


class ApiFront(pulumi.ComponentResource):
    """A regional REST API with a JWT authorizer, request validation, CORS, throttling and its own stage.

    The description is passed as `body` with `fail_on_warnings`: what API Gateway would drop silently fails the update
    instead. The deployment's trigger is the description's hash; without it a stage serves the old API for ever.
    `url` has no slash at its end.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: ApiSettings,
        routes: Sequence[Route],
        authorizer: ServerlessFunction,
        schemas: Mapping[str, Any],
        stage_name: str,
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:ApiFront", name, None, opts)
        self.routes = tuple(routes)
        self.logical_name = name
        self.title, self.stage_name = f"{place.prefix}-{name}", stage_name
        self._settings = settings
        self._encryption = encryption
        self._child = pulumi.ResourceOptions(parent=self)
        self._body = pulumi.Output.json_dumps(
            document(
                self.title,
                routes,
                schemas=schemas,
                authorizer_uri=authorizer.invoke_arn,
                authorizer_ttl=settings.authorizer_result_ttl_in_seconds,
                allow_origin=next(iter(settings.cors_allow_origins), None),
                compression=settings.minimum_compression_size,
            ),
            sort_keys=True,
        )
        self.rest_api = self._create_rest_api()
        self.deployment = self._deploy()
        self.account = self._own_account_log_role() if settings.manage_account_log_role else None
        self.stage = self._create_stage()
        self.method_settings = self._throttle()
        self._permit(routes, authorizer)
        self.url = self.stage.invoke_url
        self.register_outputs({"url": self.url})

    def _create_rest_api(self) -> aws.apigateway.RestApi:
        size = self._settings.minimum_compression_size
        return aws.apigateway.RestApi(
            f"{self.logical_name}-rest",
            aws.apigateway.RestApiArgs(
                # The document's title overwrites the name, so both are the same.
                name=self.title,
                body=self._body,
                fail_on_warnings=True,
                minimum_compression_size=None if size is None else str(size),
                endpoint_configuration=aws.apigateway.RestApiEndpointConfigurationArgs(
                    types="REGIONAL"
                ),
            ),
            self._child,
        )

    def _deploy(self) -> aws.apigateway.Deployment:
        fingerprint = self._body.apply(lambda body: hashlib.sha256(body.encode()).hexdigest())
        return aws.apigateway.Deployment(
            f"{self.logical_name}-deployment",
            aws.apigateway.DeploymentArgs(
                rest_api=self.rest_api.id, triggers={"description": fingerprint}
            ),
            self._child,
        )

    def _create_stage(self) -> aws.apigateway.Stage:
        s = self._settings
        waits: list[pulumi.Resource] = [self.account] if self.account else []
        access_log = self._create_access_log() if s.access_log_enabled else None
        if s.logging_level != "OFF":
            waits.append(self._create_execution_log())
        return aws.apigateway.Stage(
            f"{self.logical_name}-stage",
            aws.apigateway.StageArgs(
                rest_api=self.rest_api.id,
                deployment=self.deployment.id,
                stage_name=self.stage_name,
                xray_tracing_enabled=s.tracing_enabled,
                access_log_settings=aws.apigateway.StageAccessLogSettingsArgs(
                    destination_arn=access_log.arn, format=json.dumps(ACCESS_LOG_FORMAT)
                )
                if access_log
                else None,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=waits),
        )

    def _create_access_log(self) -> aws.cloudwatch.LogGroup:
        # With the API's id: logs that arrive late bring a deleted group back, and its name would then be taken.
        name = pulumi.Output.concat(f"/aws/apigateway/{self.title}-", self.rest_api.id, "/access")
        return self._create_log_group("access-logs", name)

    def _create_execution_log(self) -> aws.cloudwatch.LogGroup:
        # API Gateway would make this group itself, without retention, with the first request.
        name = pulumi.Output.concat(
            "API-Gateway-Execution-Logs_", self.rest_api.id, "/", self.stage_name
        )
        return self._create_log_group("execution-logs", name)

    def _create_log_group(self, role: str, name: pulumi.Input[str]) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self.logical_name}-{role}",
            aws.cloudwatch.LogGroupArgs(
                name=name,
                retention_in_days=self._settings.log_retention_in_days,
                kms_key_id=self._encryption.arn,
            ),
            self._child,
        )

    def _throttle(self) -> aws.apigateway.MethodSettings:
        s = self._settings
        return aws.apigateway.MethodSettings(
            f"{self.logical_name}-method-settings",
            aws.apigateway.MethodSettingsArgs(
                rest_api=self.rest_api.id,
                stage_name=self.stage.stage_name,
                method_path="*/*",
                settings=aws.apigateway.MethodSettingsSettingsArgs(
                    metrics_enabled=s.metrics_enabled,
                    logging_level=s.logging_level,
                    # Never: request and answer bodies would land in the logs.
                    data_trace_enabled=False,
                    throttling_rate_limit=s.throttle_rate_limit,
                    throttling_burst_limit=s.throttle_burst_limit,
                ),
            ),
            self._child,
        )

    def _permit(self, routes: Sequence[Route], authorizer: ServerlessFunction) -> None:
        """One permission per function, not per route: a resource policy holds 20 KB."""
        execution = self.rest_api.execution_arn
        for function in dict.fromkeys(route.function for route in routes):
            function.allow(
                f"{function.logical_name}-{self.logical_name}-permission",
                principal="apigateway.amazonaws.com",
                source_arn=pulumi.Output.concat(execution, "/*/*"),
                parent=self,
            )
        authorizer.allow(
            f"{authorizer.logical_name}-{self.logical_name}-permission",
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(execution, "/authorizers/*"),
            parent=self,
        )

    def _own_account_log_role(self) -> aws.apigateway.Account:
        """The one log role of API Gateway per account and region; it stays when this stack is destroyed."""
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        role = aws.iam.Role(
            f"{self.logical_name}-account-logs-role",
            aws.iam.RoleArgs(
                description="API Gateway writes its logs with this role, for every API of the account and region",
                assume_role_policy=trust("apigateway.amazonaws.com"),
            ),
            kept,
        )
        rights = aws.iam.RolePolicy(
            f"{self.logical_name}-account-logs-policy",
            aws.iam.RolePolicyArgs(role=role.name, policy=policy([_WRITES_ALL_LOGS])),
            kept,
        )
        return aws.apigateway.Account(
            f"{self.logical_name}-account",
            aws.apigateway.AccountArgs(cloudwatch_role_arn=role.arn),
            pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[rights])),
        )


# The role serves every API of the account and region, whose groups are not known here; API Gateway refuses a narrower one.
_WRITES_ALL_LOGS = {
    "Effect": "Allow",
    "Action": [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "logs:GetLogEvents",
        "logs:FilterLogEvents",
    ],
    "Resource": "*",
}
