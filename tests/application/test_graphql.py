"""The items API in GraphQL over real HTTP: AppSync's resolvers, the functions of the REST API, people of the user pool."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from sandbox.box import Box
from sandbox.web import Answer

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not here")

ITEM = "id name price description tags version createdAt updatedAt"
CREATE = f"mutation($input: ItemInput!) {{ createItem(input: $input) {{ {ITEM} }} }}"
READ = f"query($id: ID!) {{ item(id: $id) {{ {ITEM} }} }}"
LIST = "query($limit: Int, $cursor: String) { items(limit: $limit, cursor: $cursor) { items { id } nextCursor } }"
UPDATE = f"""
mutation($id: ID!, $version: Int!, $input: ItemInput!) {{
  updateItem(id: $id, version: $version, input: $input) {{ {ITEM} }}
}}
"""
DELETE = "mutation($id: ID!) { deleteItem(id: $id) }"
LAMP = {"name": "lamp", "price": "19.90", "tags": ["light"]}


class Graph:
    """Asks the GraphQL API of a running stack as one person."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.token = box.token(cognito=True)

    def send(self, query: str, token: str = "", **variables: Any) -> Answer:
        """One request, with this token or with none."""
        headers = {"Authorization": token} if token else {}
        body = {"query": query, "variables": variables}
        return self.box.http.post(self.box.outputs["graphqlUrl"], json=body, headers=headers)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a query that succeeds."""
        answer = self.send(query, self.token, **variables)
        assert answer.status == 200
        assert "errors" not in answer.json(), answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    def refused(self, query: str, **variables: Any) -> dict[str, Any]:
        """The one error of a query that its function refuses."""
        answer = self.send(query, self.token, **variables)
        assert answer.status == 200
        (error,) = answer.json()["errors"]
        found: dict[str, Any] = error
        return found

    def create(self, **fields: Any) -> dict[str, Any]:
        """A new item."""
        made: dict[str, Any] = self.ask(CREATE, input={**LAMP, **fields})["createItem"]
        return made


@pytest.fixture(scope="module")
def graph(box: Box) -> Graph:
    """Somebody of the user pool, at the GraphQL API."""
    return Graph(box)


def test_stack_with_a_graphql_api_breaks_no_rule(graph: Graph) -> None:
    assert [line for line in graph.box.broken_rules if "graphql" in line] == []
    assert graph.box.report.unread == []


def test_item_is_the_same_in_graphql_and_rest(graph: Graph) -> None:
    made = graph.create(description="bright")
    assert graph.ask(READ, id=made["id"]) == {"item": made}
    assert graph.box.http.get(f"/items/{made['id']}", token=True).json() == made


def test_item_of_the_rest_api_is_read_in_graphql(graph: Graph) -> None:
    made = graph.box.http.post("/items", token=True, json=LAMP).json()
    found = graph.ask(READ, id=made["id"])["item"]
    assert found == {**made, "description": made.get("description")}


def test_items_are_listed_page_by_page(graph: Graph) -> None:
    for number in range(4):
        graph.create(name=f"lamp {number}")
    first = graph.ask(LIST, limit=2)["items"]
    second = graph.ask(LIST, limit=2, cursor=first["nextCursor"])["items"]
    both = graph.ask(LIST, limit=4)["items"]
    assert len(both["items"]) == 4
    assert first["items"] + second["items"] == both["items"]


def test_update_asks_for_the_version_that_was_read(graph: Graph) -> None:
    made = graph.create()
    wanted = {"id": made["id"], "version": made["version"], "input": {**LAMP, "price": "20.00"}}
    changed = graph.ask(UPDATE, **wanted)["updateItem"]
    assert (changed["price"], changed["version"]) == ("20.00", made["version"] + 1)
    error = graph.refused(UPDATE, **wanted)
    assert (error["errorType"], error["errorInfo"]["status"]) == ("PreconditionFailed", 412)
    assert error["path"] == ["updateItem"]
    assert graph.ask(READ, id=made["id"]) == {"item": changed}


def test_update_of_what_is_not_there_is_an_error(graph: Graph) -> None:
    error = graph.refused(UPDATE, id="nothing", version=1, input=LAMP)
    assert (error["errorType"], error["errorInfo"]["status"]) == ("NotFound", 404)


def test_deleted_item_is_gone_and_deleting_again_succeeds(graph: Graph) -> None:
    made = graph.create()
    for _ in range(2):
        assert graph.ask(DELETE, id=made["id"]) == {"deleteItem": made["id"]}
    assert graph.ask(READ, id=made["id"]) == {"item": None}


def test_wrong_values_are_named_member_by_member(graph: Graph) -> None:
    error = graph.refused(CREATE, input={**LAMP, "name": " ", "price": "-1"})
    assert (error["errorType"], error["message"]) == ("BadRequest", "The item is not valid.")
    refused = {each["pointer"] for each in error["errorInfo"]["errors"]}
    assert refused == {"/name", "/price"}
    assert error["errorInfo"]["requestId"]


def test_question_outside_the_schema_reaches_no_function(graph: Graph) -> None:
    for query, variables in {
        CREATE: {"input": {"name": "lamp"}},
        "{ items { secrets } }": {},
        "mutation { dropItems }": {},
    }.items():
        answer = graph.send(query, graph.token, **variables)
        assert (answer.status, answer.json()["data"]) == (200, None)
        assert "errorType" not in answer.json()["errors"][0]
    assert graph.send("{ items", graph.token).status == 400


def test_only_people_of_the_pool_may_ask(graph: Graph) -> None:
    made = graph.create()
    head, body, signature = graph.token.split(".")
    tampered = f"{head}.{body}.{signature[:-6]}AAAAAA"
    for token in ("", "nonsense", tampered, graph.box.token(), graph.box.token(expires=-60)):
        answer = graph.send(DELETE, token, id=made["id"])
        assert answer.status == 401
        assert answer.json()["errors"][0]["errorType"] == "UnauthorizedException"
    assert graph.ask(READ, id=made["id"]) == {"item": made}
