"""Who API Gateway may call: one permission per function and API."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi

from components.function import ServerlessFunction


def let_call(
    name: str,
    execution_arn: pulumi.Input[str],
    *,
    routes: Iterable[ServerlessFunction | None],
    authorizers: Iterable[ServerlessFunction | None],
    parent: pulumi.Resource,
) -> None:
    """Let the API `name` call these functions; a function's resource policy holds 20 KB, so once, not per route.

    One that stands behind a route and authorizes besides has two permissions, each with a name of its own.
    """
    behind = dict.fromkeys(function for function in routes if function is not None)
    asked = dict.fromkeys(function for function in authorizers if function is not None)
    wanted = [
        *((function, "", "/*/*") for function in behind),
        *((f, "-authorizer" if f in behind else "", "/authorizers/*") for f in asked),
    ]
    for function, role, path in wanted:
        function.allow(
            f"{function.logical_name}-{name}{role}-permission",
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(execution_arn, path),
            parent=parent,
        )
