"""Load balancers and GraphQL APIs: their requests counted, under AWS/ApplicationELB and AWS/AppSync.

Sources: Elastic Load Balancing user guide, "CloudWatch metrics for your Application Load Balancer" (what a function fails at is
the balancer's own 5xx); AppSync developer guide, "Using CloudWatch to monitor AppSync API metrics" (an error inside of an
answer with 200 is none).
"""

import contextvars
import time
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers.graphql_seams import APPSYNC
from sandbox.workers.metric_store import STORE
from sandbox.workers.seams import Seam

_BALANCER: Final = "ministack.services.alb"
_OWN: Final = b'{"message": "Lambda '
"""How the balancer's own words about a function begin."""
# fmt: off
_REQUEST: Final = ("lb", "method", "path", "headers", "body", "query_params", "port", "client_ip", "raw_query_string", "raw_path")
_TARGET: Final = ("function_ref", "tg_arn", "method", "path", "headers", "body", "query_params", "raw_query_string")
# fmt: on

Handler = Callable[..., Awaitable[Any]]
_target: contextvars.ContextVar[tuple[str, float] | None] = contextvars.ContextVar(
    "_target", default=None
)
"""The target group that has answered the request under way, and how long it took; None for the balancer's own answer."""


def seams() -> list[Seam]:
    """Return the seams of balancers and GraphQL APIs."""
    query = ("api_id", "data", "request_headers", "authorize")
    return [
        Seam(_BALANCER, "dispatch_request", _REQUEST, "balancers have no metrics", _balanced),
        Seam(_BALANCER, "_invoke_lambda_target", _TARGET, "balancers have no metrics", _answered),
        Seam(APPSYNC, "_execute_graphql", query, "GraphQL APIs have no metrics", _asked),
    ]


def _answered(_module: ModuleType, original: Handler) -> Handler:
    async def invoke(function_ref: str, tg_arn: str, *rest: Any, **named: Any) -> Any:
        started = time.monotonic()
        answer = await original(function_ref, tg_arn, *rest, **named)
        if not (answer[0] == 502 and answer[2].startswith(_OWN)):
            _target.set((tg_arn, time.monotonic() - started))
        return answer

    return invoke


def _balanced(_module: ModuleType, original: Handler) -> Handler:
    async def dispatch(lb: Mapping[str, Any], *rest: Any, **named: Any) -> Any:
        token = _target.set(None)
        try:
            answer = await original(lb, *rest, **named)
            _count(str(lb["LoadBalancerArn"]), int(answer[0]), _target.get())
        finally:
            _target.reset(token)
        return answer

    return dispatch


def _count(arn: str, status: int, target: tuple[str, float] | None) -> None:
    whole = (("LoadBalancer", arn.partition(":loadbalancer/")[2]),)
    places: list[tuple[tuple[str, str], ...]] = [whole]
    kind = f"HTTPCode_Target_{status // 100}XX_Count"
    if target is None:
        kind = f"HTTPCode_ELB_{status // 100}XX_Count"
    else:
        places.append((*whole, ("TargetGroup", target[0].rpartition(":")[2])))
    for place in places:
        STORE.add(("AWS/ApplicationELB", "RequestCount", place), 1, "Count")
        STORE.add(("AWS/ApplicationELB", kind, place), 1, "Count")
        if target is not None:
            STORE.add(("AWS/ApplicationELB", "TargetResponseTime", place), target[1], "Seconds")


def _asked(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def execute(api_id: str, *rest: Any, **named: Any) -> Any:
        started = time.monotonic()
        answer = original(api_id, *rest, **named)
        status, at = int(answer[0]), (("GraphQLAPIId", api_id),)
        milliseconds = round((time.monotonic() - started) * 1000)
        STORE.add(("AWS/AppSync", "Requests", at), 1, "Count")
        STORE.add(("AWS/AppSync", "4XXError", at), 400 <= status < 500, "Count")
        STORE.add(("AWS/AppSync", "5XXError", at), status >= 500, "Count")
        STORE.add(("AWS/AppSync", "Latency", at), milliseconds, "Milliseconds")
        return answer

    return execute
