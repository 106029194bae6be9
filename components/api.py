"""ApiFront: the REST API of a stack. Routes are data; one document describes all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components import api_logs, integrations, logs, openapi
from components.account_logs import own_account_log_role
from components.authorizers import Authorizer
from components.documents import fingerprint, json_text
from components.domains import Domains, address
from components.firewall import Firewall
from components.function import ServerlessFunction
from components.gateway_calls import let_call
from components.grants import Grant
from components.integrations import Enqueue, Fixed, Operation
from components.keys import DataKey
from components.method_settings import method_settings
from components.place import Place
from components.routes import Route
from components.schemas import Schemas
from components.service_roles import ServiceRole, service_role
from components.usage import UsagePlan
from settings import ApiSettings

__all__ = ["ApiFront", "Enqueue", "Fixed", "Route", "speaks"]


def speaks(settings: ApiSettings, description: Path) -> Grant:
    """What a function needs to know to answer for the API: the origins it may name, and how its answers must look.

    `description` is openapi.json. Where settings have answers checked it goes into the function's archive, and an
    answer that breaks it becomes a 500; elsewhere no function carries it.
    """
    origins = {"CORS_ALLOW_ORIGINS": ",".join(settings.cors_allow_origins)}
    if not settings.check_answers:
        return Grant(environment=origins)
    return Grant(
        environment={**origins, "CHECKED_ANSWERS": description.name},
        files={description.name: description},
    )


class ApiFront(pulumi.ComponentResource):
    """A regional REST API with authorizers, request validation, CORS, throttling, keys, cache and its own stage.

    The description is passed as `body` with `fail_on_warnings`: what API Gateway would drop silently fails the update
    instead. The deployment's trigger is the description's hash; without it a stage serves the old API for ever.

    `authorizer` guards every route that names no other. `url` has no slash at its end: it is the stage's own address,
    or the custom domain's where the stage's is switched off. `usage` is there where a route asks for a key, `firewall`
    where settings say so. `senders` are the roles of routes without a function. Raises pulumi.RunError, in one line, for
    routes that contradict each other and schemas that are not there.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: ApiSettings,
        routes: Sequence[Route],
        authorizer: Authorizer,
        schemas: Schemas,
        stage_name: str,
        domains: Domains,
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:ApiFront", name, None, opts)
        self.routes = tuple(routes)
        self.logical_name = name
        self.title, self.stage_name = f"{place.prefix}-{name}", stage_name
        self._settings, self._encryption, self._place = settings, encryption, place
        self._child = pulumi.ResourceOptions(parent=self)
        self.senders = self._create_senders()
        self._body = self._describe(authorizer, schemas)
        self.rest_api = self._create_rest_api()
        self.deployment = self._deploy()
        self.account = (
            own_account_log_role(name, self) if settings.manage_account_log_role else None
        )
        self.certificate = self._create_certificate()
        self.stage = self._create_stage()
        self.method_settings = method_settings(name, settings, routes, self.stage, self)
        self._permit(authorizer)
        self.usage = self._count_calls()
        self.firewall = self._guard()
        domains.map(
            name, settings.domain, api_id=self.rest_api.id, stage=self.stage.stage_name, parent=self
        )
        self.url = address(settings, self.stage.invoke_url)
        self.register_outputs({"url": self.url})

    def _create_senders(self) -> dict[str, ServiceRole]:
        """For each route without a function, the role in which the gateway sends, and may do nothing else."""
        return {
            route.endpoint: service_role(
                f"{self.logical_name}-{route.words}",
                route.target.queue.send().statements,
                # Who names a role in an API must be allowed to pass it, which IAM grants within an account only.
                service="apigateway.amazonaws.com",
                description=f"API Gateway of {self._place.prefix} sends to {route.target.queue.component}",
                opts=self._child,
            )
            for route in self.routes
            if isinstance(route.target, Enqueue)
        }

    def _describe(self, authorizer: Authorizer, schemas: Schemas) -> pulumi.Output[str]:
        return json_text(
            openapi.document(
                self.title,
                self.routes,
                settings=self._settings,
                schemas=schemas,
                authorizer=authorizer,
                behind=self._behind,
            )
        )

    def _behind(self, route: Route, headers: Mapping[str, str]) -> Operation:
        match route.target:
            case ServerlessFunction() as function:
                return integrations.invoke(function)
            case Fixed() as answer:
                return integrations.fixed(answer, headers)
            case Enqueue() as target:
                role = self.senders[route.endpoint].role
                return integrations.enqueue(target, role, self._place, headers)

    def _create_rest_api(self) -> aws.apigateway.RestApi:
        s = self._settings
        size = s.minimum_compression_size
        return aws.apigateway.RestApi(
            f"{self.logical_name}-rest",
            aws.apigateway.RestApiArgs(
                # The document's title and description overwrite these, so both are the same.
                name=self.title,
                description=s.description,
                body=self._body,
                fail_on_warnings=True,
                minimum_compression_size=None if size is None else str(size),
                # Said again, and as an empty list where there are none: the provider would put back what it knows.
                binary_media_types=list(s.binary_media_types),
                disable_execute_api_endpoint=s.disable_execute_api_endpoint,
                endpoint_configuration=aws.apigateway.RestApiEndpointConfigurationArgs(
                    types="REGIONAL"
                ),
            ),
            self._child,
        )

    def _deploy(self) -> aws.apigateway.Deployment:
        triggers: dict[str, pulumi.Input[str]] = {"description": fingerprint(self._body)}
        if self._settings.disable_execute_api_endpoint:
            # No part of the description, and yet nothing of it holds before the next deployment.
            triggers["endpoint"] = "disabled"
        return aws.apigateway.Deployment(
            f"{self.logical_name}-deployment",
            aws.apigateway.DeploymentArgs(rest_api=self.rest_api.id, triggers=triggers),
            # The first request may come with the deployment.
            pulumi.ResourceOptions(
                parent=self, depends_on=[sender.rights for sender in self.senders.values()]
            ),
        )

    def _create_stage(self) -> aws.apigateway.Stage:
        s = self._settings
        waits: list[pulumi.Resource] = [self.account] if self.account else []
        self.access_log = access_log = self._create_access_log() if s.access_log_enabled else None
        if s.logging_level != "OFF":
            waits.append(self._create_execution_log())
        return aws.apigateway.Stage(
            f"{self.logical_name}-stage",
            aws.apigateway.StageArgs(
                rest_api=self.rest_api.id,
                deployment=self.deployment.id,
                stage_name=self.stage_name,
                description=s.description,
                variables=dict(s.variables) or None,
                cache_cluster_enabled=s.cache_cluster_enabled,
                cache_cluster_size=s.cache_cluster_size if s.cache_cluster_enabled else None,
                client_certificate_id=self.certificate,
                xray_tracing_enabled=s.tracing_enabled,
                access_log_settings=aws.apigateway.StageAccessLogSettingsArgs(
                    destination_arn=access_log.arn,
                    format=api_logs.line(api_logs.REST_FORMAT, self.title),
                )
                if access_log
                else None,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=waits),
        )

    def _create_certificate(self) -> pulumi.Output[str] | None:
        """By it an HTTP backend knows that a request comes from this gateway."""
        if not self._settings.client_certificate:
            return None
        args = aws.apigateway.ClientCertificateArgs(description=f"Shown by {self.title}")
        name = f"{self.logical_name}-client-certificate"
        return aws.apigateway.ClientCertificate(name, args, self._child).id

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
        return logs.log_group(
            f"{self.logical_name}-{role}",
            physical_name=name,
            retention_in_days=self._settings.log_retention_in_days,
            encryption=self._encryption,
            parent=self,
        )

    def _permit(self, authorizer: Authorizer) -> None:
        guards = [openapi.guards(route, authorizer) for route in self.routes]
        let_call(
            self.logical_name,
            self.rest_api.execution_arn,
            routes=[route.function for route in self.routes],
            authorizers=[guard.function for guard in guards if guard],
            parent=self,
        )

    def _count_calls(self) -> UsagePlan | None:
        if not any(route.api_key for route in self.routes):
            return None
        return UsagePlan(
            self.logical_name, settings=self._settings.usage_plan, stage=self.stage, parent=self
        )

    @property
    def api_key_id(self) -> pulumi.Input[str]:
        """The key of the usage plan, "" where no route asks for one."""
        return self.usage.key.id if self.usage else ""

    def _guard(self) -> Firewall | None:
        if self._settings.firewall is None:
            return None
        return Firewall(
            f"{self.logical_name}-firewall",
            settings=self._settings.firewall,
            stage_arn=self.stage.arn,
            encryption=self._encryption,
            place=self._place,
            opts=self._child,
        )
