"""Route: one line per method and path of the REST API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components import endpoints
from components.authorizers import Authorizer
from components.function import ServerlessFunction
from components.integrations import Target

ANY = "any"
"""The method that stands for all methods which have no route of their own."""

_TARGETS = "must go to a function, Enqueue(queue) or Fixed(status)"
_AUTHORIZERS = "authorizer must be one of components/authorizers.py; an HTTP API has others"
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Route:
    """`Route("POST /items", create_item, body="ItemInput")`: method and path, what stands behind, the body's schema.

    The method may be `ANY`, the path's last part `{proxy+}`. `query` and `headers` may be sent, those that `required`
    names must be. `public` leaves the authorizer out; policies allow that for named routes only. `authorizer` is another
    one than the API's. `api_key` asks a key besides. `answers` maps each status of the function's own to the schema of
    its body in schemas/answers (problems need none): openapi.json tells them to clients.

    Raises pulumi.RunError, in one line, for what API Gateway would refuse.
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

    def __post_init__(self) -> None:
        said = f"route '{self.endpoint}'"
        endpoints.check(self.endpoint)
        endpoints.several(
            self.endpoint, query=self.query, headers=self.headers, required=self.required
        )
        endpoints.one_of(self.endpoint, self.target, Target, _TARGETS)
        if self.authorizer is not None:
            endpoints.one_of(self.endpoint, self.authorizer, Authorizer, _AUTHORIZERS)
        for _, name in self.parameters():
            if not _NAME.fullmatch(name):
                raise pulumi.RunError(f"{said}: no parameter can be called '{name}'")
        if unknown := set(self.required) - {*self.query, *self.headers}:
            raise pulumi.RunError(f"{said}: requires {min(unknown)}, which is no parameter of it")
        if wrong := [status for status in self.answers if not 200 <= status <= 599]:
            raise pulumi.RunError(f"{said}: answers with {wrong[0]}, which is no status")

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
        return endpoints.words(self.endpoint)

    @property
    def function(self) -> ServerlessFunction | None:
        """The function behind it, where there is one."""
        return self.target if isinstance(self.target, ServerlessFunction) else None

    def parameters(self) -> list[tuple[str, str]]:
        """Place and name of each parameter: `("path", "id")`."""
        return [
            *(("path", name) for name in endpoints.variables(self.path)),
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
            asked["requestBody"] = {"required": True, "content": content(self.body)}
        return asked


def content(schema: str, kind: str = "application/json") -> dict[str, Any]:
    """A body by the name of its schema, as OpenAPI refers to it."""
    return {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def operation_ids(routes: Sequence[Route]) -> dict[str, str]:
    """Endpoint -> its operation's id: its function's name, or the route's own where that would not be unique.

    Raises pulumi.RunError for an endpoint that is there twice, or only differs in signs from another.
    """
    taken = Counter(route.words for route in routes)
    for route in routes:
        if taken[route.words] > 1:
            raise pulumi.RunError(f"route '{route.endpoint}': is there twice")
    served = Counter(route.function.logical_name for route in routes if route.function)
    return {
        route.endpoint: (
            route.function.logical_name
            if route.function and served[route.function.logical_name] == 1
            else route.words
        ).replace("-", "_")
        for route in routes
    }
