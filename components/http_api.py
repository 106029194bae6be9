"""HttpApi: the HTTP API of a stack: cheaper and leaner than the REST API, with tokens checked by the gateway itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import api_logs
from components.api import ApiFront
from components.domains import api_domain
from components.function import ServerlessFunction
from components.http_authorizers import HttpAuthorizer
from components.keys import DataKey
from components.place import Place
from settings import HttpApiSettings

STAGE = "$default"
"""The stage without a name: a named one would stand in front of every path that a function sees."""

ALLOWED_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
ALLOWED_HEADERS = ("authorization", "content-type")


@dataclass(frozen=True)
class HttpRoute:
    """`HttpRoute("POST /users", create_user)`: method and path, and the function behind it.

    `authorizer` is another one than the API's; `scopes`, of which a token must hold one, are for JWT authorizers.
    """

    endpoint: str
    function: ServerlessFunction
    authorizer: HttpAuthorizer | None = None
    scopes: Sequence[str] = ()

    @property
    def words(self) -> str:
        """The route as part of a resource's name: `get-products`."""
        return "-".join(re.findall(r"[a-z0-9]+", self.endpoint.lower()))


class HttpApi(pulumi.ComponentResource):
    """An HTTP API whose every route asks `authorizer`, unless the route names another one.

    `beside` is the REST API, which may have the domain already: then this one only takes its base path there.

    Raw children: `api`, `stage`, `routes`. `url` has no slash at its end: it is the API's own address, or the custom
    domain's where the API's is switched off.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: HttpApiSettings,
        routes: Sequence[HttpRoute],
        authorizer: HttpAuthorizer,
        beside: ApiFront,
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:HttpApi", name, None, opts)
        self.logical_name, self.title = name, f"{place.prefix}-{name}"
        self._settings, self._encryption = settings, encryption
        self._child = pulumi.ResourceOptions(parent=self)
        self._guard, self._beside = authorizer, beside
        self.api = self._create_api()
        self.routes = self._create_routes(routes)
        self.stage = self._create_stage()
        self._permit(routes)
        self.url = self._address()
        self.register_outputs({"url": self.url})

    def _create_api(self) -> aws.apigatewayv2.Api:
        s = self._settings
        return aws.apigatewayv2.Api(
            f"{self.logical_name}-api",
            aws.apigatewayv2.ApiArgs(
                name=self.title,
                description=s.description,
                protocol_type="HTTP",
                disable_execute_api_endpoint=s.disable_execute_api_endpoint,
                # With it the API answers preflights by itself and drops the functions' own CORS headers.
                cors_configuration=aws.apigatewayv2.ApiCorsConfigurationArgs(
                    allow_origins=list(s.cors_allow_origins),
                    allow_methods=list(ALLOWED_METHODS),
                    allow_headers=list(ALLOWED_HEADERS),
                    allow_credentials=s.cors_allow_credentials,
                    max_age=s.cors_max_age,
                )
                if s.cors_allow_origins
                else None,
            ),
            self._child,
        )

    def _create_routes(self, routes: Sequence[HttpRoute]) -> list[aws.apigatewayv2.Route]:
        functions = dict.fromkeys(route.function for route in routes)
        integrations = {function: self._integrate(function) for function in functions}
        used = dict.fromkeys(route.authorizer or self._guard for route in routes)
        guards = {
            guard: guard.create(f"{self.logical_name}-{guard.name}-authorizer", self.api, self)
            for guard in used
        }
        return [
            self._route(
                route, integrations[route.function], guards[route.authorizer or self._guard]
            )
            for route in routes
        ]

    def _integrate(self, function: ServerlessFunction) -> aws.apigatewayv2.Integration:
        return aws.apigatewayv2.Integration(
            f"{self.logical_name}-{function.logical_name}-integration",
            aws.apigatewayv2.IntegrationArgs(
                api_id=self.api.id,
                integration_type="AWS_PROXY",
                integration_method="POST",
                integration_uri=function.invoke_arn,
                # The provider's own default is 1.0, which has other names for everything.
                payload_format_version="2.0",
                timeout_milliseconds=30_000,
            ),
            self._child,
        )

    def _route(
        self,
        route: HttpRoute,
        integration: aws.apigatewayv2.Integration,
        authorizer: aws.apigatewayv2.Authorizer,
    ) -> aws.apigatewayv2.Route:
        return aws.apigatewayv2.Route(
            f"{self.logical_name}-{route.words}-route",
            aws.apigatewayv2.RouteArgs(
                api_id=self.api.id,
                route_key=route.endpoint,
                target=pulumi.Output.concat("integrations/", integration.id),
                authorization_type=(route.authorizer or self._guard).authorization_type,
                authorizer_id=authorizer.id,
                authorization_scopes=list(route.scopes) or None,
            ),
            self._child,
        )

    def _create_stage(self) -> aws.apigatewayv2.Stage:
        s = self._settings
        group = self._create_access_log() if s.access_log_enabled else None
        return aws.apigatewayv2.Stage(
            f"{self.logical_name}-stage",
            aws.apigatewayv2.StageArgs(
                api_id=self.api.id,
                name=STAGE,
                description=s.description,
                auto_deploy=True,
                access_log_settings=api_logs.access_log_settings(group, api_logs.HTTP_FORMAT),
                # Both limits are always named: AWS would store 0 for one that is left out, and let nothing through.
                default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                    throttling_rate_limit=s.throttle_rate_limit,
                    throttling_burst_limit=s.throttle_burst_limit,
                    detailed_metrics_enabled=s.metrics_enabled,
                ),
                route_settings=[self._sized(endpoint) for endpoint in sorted(s.routes)] or None,
            ),
            # Settings of a route that is not there yet are refused.
            pulumi.ResourceOptions(parent=self, depends_on=self.routes),
        )

    def _sized(self, endpoint: str) -> aws.apigatewayv2.StageRouteSettingArgs:
        s, own = self._settings, self._settings.routes[endpoint]
        rate, burst = own.throttle_rate_limit, own.throttle_burst_limit
        return aws.apigatewayv2.StageRouteSettingArgs(
            route_key=endpoint,
            throttling_rate_limit=s.throttle_rate_limit if rate is None else rate,
            throttling_burst_limit=s.throttle_burst_limit if burst is None else burst,
            detailed_metrics_enabled=s.metrics_enabled,
        )

    def _create_access_log(self) -> aws.cloudwatch.LogGroup:
        # Log delivery keeps one policy of 5,120 characters for all groups but those under this prefix.
        name = pulumi.Output.concat(f"/aws/vendedlogs/{self.title}-", self.api.id, "/access")
        return api_logs.log_group(
            f"{self.logical_name}-access-logs",
            physical_name=name,
            retention_in_days=self._settings.log_retention_in_days,
            encryption=self._encryption,
            parent=self,
        )

    def _permit(self, routes: Sequence[HttpRoute]) -> None:
        execution = self.api.execution_arn
        guards = [(route.authorizer or self._guard).function for route in routes]
        wanted = [(route.function, "", "/*/*") for route in routes]
        wanted += [(f, "-authorizer", "/authorizers/*") for f in guards if f is not None]
        for function, role, path in dict.fromkeys(wanted):
            function.allow(
                f"{function.logical_name}-{self.logical_name}{role}-permission",
                principal="apigateway.amazonaws.com",
                source_arn=pulumi.Output.concat(execution, path),
                parent=self,
            )

    def _address(self) -> pulumi.Output[str]:
        s = self._settings
        if s.domain is None:
            return self.api.api_endpoint
        own = api_domain(
            self.logical_name,
            s.domain,
            api_id=self.api.id,
            stage_id=self.stage.id,
            parent=self,
            beside=self._beside if self._beside.domain_name == s.domain.domain_name else None,
        )
        return own if s.disable_execute_api_endpoint else self.api.api_endpoint
