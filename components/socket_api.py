"""Socket: the WebSocket API of a stack, by which functions speak to browsers unasked; SocketRoutes: who hears its clients."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components import api_logs, logs
from components.documents import fingerprint, json_text
from components.domains import Domains, address
from components.function import ServerlessFunction
from components.gateway_calls import integrate, let_call
from components.grants import Grant, Statement, variable_name
from components.integrations import LONGEST_MILLISECONDS
from components.keys import DataKey
from components.place import Place
from settings import SocketSettings

CONNECT = "$connect"
ROUTE_KEY = r"\$(?:connect|disconnect|default)|[A-Za-z0-9_.:/-]{1,128}"
SELECTION = "$request.body.action"
"""Where a message names its route."""


class Socket(pulumi.ComponentResource):
    """A WebSocket API without its routes, so that the functions behind them may have the right to answer.

    `url` is the address of the stage to come, `wss://...`, or the custom domain's where the API's own is switched off.
    Raw child: `api`.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: SocketSettings,
        stage_name: str,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Socket", name, None, opts)
        self.logical_name, self.title = name, f"{place.prefix}-{name}"
        self.settings, self.stage_name = settings, stage_name
        self.api = aws.apigatewayv2.Api(
            f"{name}-api",
            aws.apigatewayv2.ApiArgs(
                name=self.title,
                description=settings.description,
                protocol_type="WEBSOCKET",
                route_selection_expression=SELECTION,
                disable_execute_api_endpoint=settings.disable_execute_api_endpoint,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        # The stage's own; the stage waits for the functions, which may wait for this.
        own = pulumi.Output.concat(self.api.api_endpoint, "/", stage_name)
        self.url = address(settings, own, scheme="wss")
        self.register_outputs({"url": self.url})

    def push(self) -> Grant:
        """Send to whoever is connected."""
        # The management endpoint is the socket's own address, asked by HTTP.
        endpoint = self.url.apply(lambda url: "http" + url.removeprefix("ws"))
        posts = f"/{self.stage_name}/POST/@connections/*"
        return Grant(
            [
                Statement(
                    ["execute-api:ManageConnections"],
                    [pulumi.Output.concat(self.api.execution_arn, posts)],
                )
            ],
            {variable_name(self.logical_name, "ENDPOINT"): endpoint},
        )


class SocketRoutes(pulumi.ComponentResource):
    """Who hears the clients of a socket: `routes` maps each route key to its function.

    `$connect` asks `authorizer`, a function that is given the whole handshake: a browser can send no header, so the
    token may stand in the address. No route has a response: one that is empty would reach the client as an empty
    message, so a function that has something to say posts it. Raw children: `stage`, `deployment`.

    `account` is API Gateway's log role, where this stack owns it; `certificate` the id of what the gateway shows
    those it calls.
    """

    def __init__(
        self,
        name: str,
        socket: Socket,
        *,
        routes: Mapping[str, ServerlessFunction],
        authorizer: ServerlessFunction,
        domains: Domains,
        encryption: DataKey,
        account: pulumi.Resource | None = None,
        certificate: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:SocketRoutes", name, None, opts)
        for key in routes:
            if not re.fullmatch(ROUTE_KEY, key):
                raise pulumi.RunError(
                    f"{socket.title}: '{key}' is no route; it must be $connect, $disconnect, $default or an action's name"
                )
        self.logical_name, self._socket, self.api = socket.logical_name, socket, socket.api
        self._settings, self._encryption, self._account = socket.settings, encryption, account
        self._certificate = certificate
        self._child = pulumi.ResourceOptions(parent=self)
        self.deployment = self._deploy(routes, self._create_authorizer(authorizer))
        self.stage = self._create_stage()
        let_call(
            self.logical_name,
            self.api.execution_arn,
            routes=routes.values(),
            authorizers=[authorizer],
            parent=self,
        )
        domains.map(
            self.logical_name,
            self._settings.domain,
            api_id=self.api.id,
            stage=self.stage.name,
            parent=self,
        )
        self.register_outputs({})

    @property
    def title(self) -> str:
        """The socket's."""
        return self._socket.title

    def _create_authorizer(self, function: ServerlessFunction) -> aws.apigatewayv2.Authorizer:
        return aws.apigatewayv2.Authorizer(
            f"{self.logical_name}-authorizer",
            aws.apigatewayv2.AuthorizerArgs(
                api_id=self.api.id,
                name="jwt",
                authorizer_type="REQUEST",
                authorizer_uri=function.invoke_arn,
                # No identity sources: all that are named must be there, and a token is in one place or the other.
            ),
            self._child,
        )

    def _deploy(
        self, routes: Mapping[str, ServerlessFunction], authorizer: aws.apigatewayv2.Authorizer
    ) -> aws.apigatewayv2.Deployment:
        functions = dict.fromkeys(routes.values())
        integrations = {function: self._integrate(function) for function in functions}
        made = [self._route(key, integrations[f], authorizer) for key, f in routes.items()]
        described = json_text(
            {
                "routes": {key: function.invoke_arn for key, function in routes.items()},
                "authorizer": authorizer.authorizer_uri,
                "selection": SELECTION,
                # What is replaced leaves its old self in a deployment, which would then lead nowhere.
                "parts": [p.id for p in (authorizer, *integrations.values(), *made)],
                "disabled": self._settings.disable_execute_api_endpoint,
            }
        )
        return aws.apigatewayv2.Deployment(
            f"{self.logical_name}-deployment",
            aws.apigatewayv2.DeploymentArgs(
                api_id=self.api.id,
                triggers={"description": fingerprint(described)},
            ),
            pulumi.ResourceOptions(parent=self, depends_on=made),
        )

    def _integrate(self, function: ServerlessFunction) -> aws.apigatewayv2.Integration:
        return integrate(
            self.logical_name,
            self.api,
            function,
            milliseconds=LONGEST_MILLISECONDS,
            parent=self,
        )

    def _route(
        self,
        key: str,
        integration: aws.apigatewayv2.Integration,
        authorizer: aws.apigatewayv2.Authorizer,
    ) -> aws.apigatewayv2.Route:
        connects = key == CONNECT
        return aws.apigatewayv2.Route(
            f"{self.logical_name}-{key.removeprefix('$')}-route",
            aws.apigatewayv2.RouteArgs(
                api_id=self.api.id,
                route_key=key,
                target=pulumi.Output.concat("integrations/", integration.id),
                # Who has connected has been asked: AWS takes an authorizer at no other route.
                authorization_type="CUSTOM" if connects else "NONE",
                authorizer_id=authorizer.id if connects else None,
            ),
            self._child,
        )

    def _create_stage(self) -> aws.apigatewayv2.Stage:
        s = self._settings
        waits: list[pulumi.Resource] = [self._account] if self._account else []
        self.access_log: aws.cloudwatch.LogGroup | None = None
        if s.access_log_enabled:
            self.access_log = self._create_log_group(
                "access-logs", f"/aws/vendedlogs/{self._socket.title}-", "/access"
            )
        if s.logging_level != "OFF":
            # API Gateway would make this group itself, without retention, with the first message.
            waits.append(
                self._create_log_group(
                    "execution-logs", "/aws/apigateway/", f"/{self._socket.stage_name}"
                )
            )
        return aws.apigatewayv2.Stage(
            f"{self.logical_name}-stage",
            aws.apigatewayv2.StageArgs(
                api_id=self.api.id,
                name=self._socket.stage_name,
                description=s.description,
                deployment_id=self.deployment.id,
                client_certificate_id=self._certificate,
                access_log_settings=api_logs.access_log_settings(
                    self.access_log, api_logs.SOCKET_FORMAT, self.title
                ),
                default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                    throttling_rate_limit=s.throttle_rate_limit,
                    throttling_burst_limit=s.throttle_burst_limit,
                    detailed_metrics_enabled=s.metrics_enabled,
                    logging_level=s.logging_level,
                    # Never: messages would land in the logs.
                    data_trace_enabled=False,
                ),
            ),
            pulumi.ResourceOptions(parent=self, depends_on=waits),
        )

    def _create_log_group(self, role: str, before: str, after: str) -> aws.cloudwatch.LogGroup:
        return logs.log_group(
            f"{self.logical_name}-{role}",
            physical_name=pulumi.Output.concat(before, self.api.id, after),
            retention_in_days=self._settings.log_retention_in_days,
            encryption=self._encryption,
            parent=self,
        )
