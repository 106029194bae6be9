"""HttpApi: the HTTP API of a stack: cheaper and leaner than the REST API, with tokens checked by the gateway itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import api_logs, endpoints, logs
from components.domains import Domains, address
from components.function import ServerlessFunction
from components.gateway_calls import integrate, let_call
from components.http_authorizers import HttpAuthorizer
from components.keys import DataKey
from components.place import Place
from settings import HttpApiSettings

STAGE = "$default"
"""The stage without a name: a named one would stand in front of every path that a function sees."""

ALLOWED_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
ALLOWED_HEADERS = ("authorization", "content-type")
_AUTHORIZERS = "authorizer must be one of components/http_authorizers.py; a REST API has others"


@dataclass(frozen=True)
class HttpRoute:
    """`HttpRoute("POST /users", create_user)`: method and path, and the function behind it.

    `authorizer` is another one than the API's; `scopes`, of which a token must hold one, are for JWT authorizers. Raises
    pulumi.RunError, in one line, for what API Gateway would refuse.
    """

    endpoint: str
    function: ServerlessFunction
    authorizer: HttpAuthorizer | None = None
    scopes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.endpoint != endpoints.DEFAULT:
            endpoints.check(self.endpoint)
        endpoints.several(self.endpoint, scopes=self.scopes)
        if self.authorizer is not None:
            endpoints.one_of(self.endpoint, self.authorizer, HttpAuthorizer, _AUTHORIZERS)

    @property
    def words(self) -> str:
        """The route as part of a resource's name: `get-products`."""
        return endpoints.words(self.endpoint)


class HttpApi(pulumi.ComponentResource):
    """An HTTP API whose every route asks `authorizer`, unless the route names another one.

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
        domains: Domains,
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:HttpApi", name, None, opts)
        self.logical_name, self.title = name, f"{place.prefix}-{name}"
        self._settings, self._encryption = settings, encryption
        self._child = pulumi.ResourceOptions(parent=self)
        self._guard = authorizer
        self.api = self._create_api()
        self.routes = self._create_routes(routes)
        self.stage = self._create_stage()
        let_call(
            name,
            self.api.execution_arn,
            routes=[route.function for route in routes],
            authorizers=[(route.authorizer or authorizer).function for route in routes],
            parent=self,
        )
        domains.map(name, settings.domain, api_id=self.api.id, stage=self.stage.name, parent=self)
        self.url = address(settings, self.api.api_endpoint)
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
        guards = self._create_authorizers(routes)
        made = [
            self._route(
                route, integrations[route.function], guards[route.authorizer or self._guard]
            )
            for route in routes
        ]
        return made + [self._preflight(r, integrations[r.function]) for r in self._greedy(routes)]

    def _greedy(self, routes: Sequence[HttpRoute]) -> list[HttpRoute]:
        """Routes of any method: where browsers may call, they would ask a preflight for its token."""
        if not self._settings.cors_allow_origins:
            return []
        return [
            r for r in routes if r.endpoint == endpoints.DEFAULT or r.endpoint.startswith("ANY ")
        ]

    def _preflight(
        self, route: HttpRoute, integration: aws.apigatewayv2.Integration
    ) -> aws.apigatewayv2.Route:
        """Open, and answered by the API itself: the function never sees it."""
        path = (
            "/{proxy+}" if route.endpoint == endpoints.DEFAULT else route.endpoint.split(" ", 1)[1]
        )
        return aws.apigatewayv2.Route(
            f"{self.logical_name}-{route.words}-preflight-route",
            aws.apigatewayv2.RouteArgs(
                api_id=self.api.id,
                route_key=f"OPTIONS {path}",
                target=pulumi.Output.concat("integrations/", integration.id),
                authorization_type="NONE",
            ),
            self._child,
        )

    def _create_authorizers(
        self, routes: Sequence[HttpRoute]
    ) -> dict[HttpAuthorizer, aws.apigatewayv2.Authorizer]:
        used = dict.fromkeys(route.authorizer or self._guard for route in routes)
        names = [guard.name for guard in used]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise pulumi.RunError(
                f"{self.title}: two authorizers are called '{twice}'; give each its own name"
            )
        return {
            guard: aws.apigatewayv2.Authorizer(
                f"{self.logical_name}-{guard.name}-authorizer",
                guard.args(self.api.id),
                self._child,
            )
            for guard in used
        }

    def _integrate(self, function: ServerlessFunction) -> aws.apigatewayv2.Integration:
        return integrate(
            self.logical_name,
            self.api,
            function,
            milliseconds=30_000,
            # The provider's own default is 1.0, which has other names for everything.
            payload_format_version="2.0",
            parent=self,
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
        self.access_log = group = self._create_access_log() if s.access_log_enabled else None
        return aws.apigatewayv2.Stage(
            f"{self.logical_name}-stage",
            aws.apigatewayv2.StageArgs(
                api_id=self.api.id,
                name=STAGE,
                description=s.description,
                auto_deploy=True,
                access_log_settings=api_logs.access_log_settings(
                    group, api_logs.HTTP_FORMAT, self.title
                ),
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
        rate, burst = self._settings.rates(endpoint)
        return aws.apigatewayv2.StageRouteSettingArgs(
            route_key=endpoint,
            throttling_rate_limit=rate,
            throttling_burst_limit=burst,
            detailed_metrics_enabled=self._settings.metrics_enabled,
        )

    def _create_access_log(self) -> aws.cloudwatch.LogGroup:
        # Log delivery keeps one policy of 5,120 characters for all groups but those under this prefix.
        name = pulumi.Output.concat(f"/aws/vendedlogs/{self.title}-", self.api.id, "/access")
        return logs.log_group(
            f"{self.logical_name}-access-logs",
            physical_name=name,
            retention_in_days=self._settings.log_retention_in_days,
            encryption=self._encryption,
            parent=self,
        )
