"""When a WebSocket API is deployed anew: by what its routes lead to and who is asked, not by what they run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from components.socket_api import Socket, SocketRoutes
from settings import SocketSettings
from tests.support.tiny import Parts, source, tiny


def fingerprint(
    *,
    routes: dict[str, str] | None = None,
    gate: str = "gate",
    code: str = "1",
    settings: SocketSettings | None = None,
) -> str:
    """What tells the stage to serve a new deployment, of an API with these routes to functions."""

    def program(parts: Parts) -> None:
        led = routes or {"$connect": "a", "$default": "a"}
        made = {
            name: parts.function(name, code=source(code)) for name in dict.fromkeys(led.values())
        }
        socket = Socket(
            "live", settings=settings or SocketSettings(), stage_name="tiny", place=parts.place
        )
        SocketRoutes(
            "live-routes",
            socket,
            routes={key: made[name] for key, name in led.items()},
            authorizer=parts.function(gate, code=source(code)),
            domains=parts.domains,
            encryption=parts.key,
        )

    (deployment,) = tiny(program).all("aws:apigatewayv2/deployment:Deployment")
    return str(deployment.get("triggers.description"))


@pytest.mark.parametrize(
    "changed",
    [
        lambda: fingerprint(routes={"$connect": "a", "$default": "a", "more": "a"}),
        lambda: fingerprint(routes={"$connect": "a"}),
        lambda: fingerprint(routes={"$connect": "a", "$default": "b"}),
        lambda: fingerprint(gate="another-gate"),
    ],
    ids=["a route more", "a route less", "another function", "another authorizer"],
)
def test_what_is_routed_otherwise_is_deployed(changed: Callable[[], str]) -> None:
    assert changed() != fingerprint()


@pytest.mark.parametrize(
    "same",
    [
        lambda: fingerprint(code="2"),
        lambda: fingerprint(settings=SocketSettings(throttle_rate_limit=1, description="Other")),
    ],
    ids=["code", "sizes"],
)
def test_what_is_only_run_otherwise_is_not(same: Callable[[], str]) -> None:
    assert same() == fingerprint()
