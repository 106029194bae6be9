"""Throttling, logs and cache of a REST stage: for all methods, and for each route that is sized by itself."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.routes import Route
from settings import ApiSettings

EVERY = "*/*"
"""All methods: what no route says of itself."""


def method_settings(
    name: str,
    settings: ApiSettings,
    routes: Sequence[Route],
    stage: aws.apigateway.Stage,
    parent: pulumi.Resource,
) -> list[aws.apigateway.MethodSettings]:
    """The settings of `*/*`, and those of single routes, which repeat everything: API Gateway merges nothing."""

    def made(
        resource: str, path: str, endpoint: str, *after: pulumi.Resource
    ) -> aws.apigateway.MethodSettings:
        return aws.apigateway.MethodSettings(
            resource,
            aws.apigateway.MethodSettingsArgs(
                rest_api=stage.rest_api,
                stage_name=stage.stage_name,
                method_path=path,
                settings=_settings(settings, endpoint),
            ),
            pulumi.ResourceOptions(parent=parent, depends_on=after),
        )

    every = made(f"{name}-method-settings", EVERY, EVERY)
    return [
        every,
        *(
            made(
                f"{name}-{route.words}-method-settings",
                _path(route),
                route.endpoint,
                # What holds for all is said first.
                every,
            )
            for route in routes
            if route.endpoint in settings.routes
        ),
    ]


def _path(route: Route) -> str:
    # The provider hands it on as it is, as part of a JSON pointer: `/items/{id}` of GET is `~1items~1{id}/GET`.
    return f"{route.path.replace('/', '~1')}/{route.method.upper()}"


def _settings(settings: ApiSettings, endpoint: str) -> aws.apigateway.MethodSettingsSettingsArgs:
    rate, burst = settings.rates(endpoint)
    args = aws.apigateway.MethodSettingsSettingsArgs(
        metrics_enabled=settings.metrics_enabled,
        logging_level=settings.logging_level,
        # Never: request and answer bodies would land in the logs.
        data_trace_enabled=False,
        throttling_rate_limit=rate,
        throttling_burst_limit=burst,
    )
    if settings.cache_cluster_enabled:
        args.caching_enabled = True
        # Nothing is kept for 0 seconds: only routes that name a time are cached.
        args.cache_ttl_in_seconds = settings.cache_ttl(endpoint)
        args.cache_data_encrypted = True
        # Who may not invalidate gets the cached answer, with a warning among its headers.
        args.require_authorization_for_cache_control = True
        args.unauthorized_cache_control_header_strategy = "SUCCEED_WITH_RESPONSE_HEADER"
    return args
