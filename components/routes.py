"""Route: one line per method and path of the REST API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.authorizers import Authorizer
from components.function import ServerlessFunction
from components.integrations import Target

ANY = "any"
"""The method that stands for all methods which have no route of their own."""


@dataclass(frozen=True)
class Route:
    """`Route("POST /items", create_item, body="ItemInput")`: method and path, what stands behind, the body's schema.

    The method may be `ANY`, the path's last part `{proxy+}`. `query` and `headers` may be sent, those that `required`
    names must be. `public` leaves the authorizer out; policies allow that for named routes only. `authorizer` is another
    one than the API's. `api_key` asks a key besides. `answers` maps each status of the function's own to the schema of
    its body in schemas/answers (problems need none): openapi.json tells them to clients.
    """

    endpoint: str
    target: Target
    body: str | None = None
    query: Sequence[str] = ()
    headers: Sequence[str] = ()
    required: Sequence[str] = ()
    public: bool = False
    authorizer: Authorizer | None = None
    api_key: bool = False
    answers: Mapping[int, str] = field(default_factory=dict[int, str])

    @property
    def method(self) -> str:
        """The HTTP method in lower case, as OpenAPI spells it."""
        return self.endpoint.split(" ", 1)[0].lower()

    @property
    def path(self) -> str:
        """The path, e.g. `/items/{id}`."""
        return self.endpoint.split(" ", 1)[1]

    @property
    def words(self) -> str:
        """The route as part of a resource's name: `get-items-id`."""
        return "-".join(re.findall(r"[a-z0-9]+", self.endpoint.lower()))

    @property
    def function(self) -> ServerlessFunction | None:
        """The function behind it, where there is one."""
        return self.target if isinstance(self.target, ServerlessFunction) else None

    def parameters(self) -> list[tuple[str, str]]:
        """Place and name of each parameter: `("path", "id")`."""
        return [
            *(("path", name) for name in re.findall(r"{(\w+)\+?}", self.path)),
            *(("query", name) for name in self.query),
            *(("header", name) for name in self.headers),
        ]

    def asked(self, operation_id: str) -> dict[str, Any]:
        """The part of an operation that says what a caller sends, the same for the gateway and for people."""
        asked: dict[str, Any] = {
            "operationId": operation_id,
            "parameters": [
                {
                    "name": name,
                    "in": at,
                    "required": at == "path" or name in self.required,
                    "schema": {"type": "string"},
                }
                for at, name in self.parameters()
            ],
        }
        if self.body:
            schema = {"$ref": f"#/components/schemas/{self.body}"}
            content = {"application/json": {"schema": schema}}
            asked["requestBody"] = {"required": True, "content": content}
        return asked


def operation_ids(routes: Sequence[Route]) -> dict[str, str]:
    """Endpoint -> its operation's id: its function's name, or the route's own where that would not be unique.

    Raises ValueError for an endpoint that is there twice, or only differs in signs from another, and for a required
    parameter that its route does not have.
    """
    taken = Counter(route.words for route in routes)
    for route in routes:
        if taken[route.words] > 1:
            raise ValueError(f"{route.endpoint} is routed twice")
        if unknown := set(route.required) - {*route.query, *route.headers}:
            raise ValueError(
                f"{route.endpoint} requires {min(unknown)}, which is no parameter of it"
            )
    served = Counter(route.function.logical_name for route in routes if route.function)
    return {
        route.endpoint: (
            route.function.logical_name
            if route.function and served[route.function.logical_name] == 1
            else route.words
        ).replace("-", "_")
        for route in routes
    }
