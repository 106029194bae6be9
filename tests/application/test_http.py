"""The contract of the REST API, over real HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin

import pytest

from sandbox.box import Box

NewItem = Callable[..., dict[str, Any]]
REFUSED_BODIES: list[tuple[str, bytes]] = [
    ("not JSON", b"{"),
    ("no object", b"[]"),
    ("null", b"null"),
    ("nothing", b""),
    ("no name", b'{"price": "1.00"}'),
    ("no price", b'{"name": "x"}'),
    ("empty name", b'{"name": "", "price": 1}'),
    ("name too long", json.dumps({"name": "x" * 201, "price": 1}).encode()),
    ("name of another type", b'{"name": 7, "price": 1}'),
    ("negative price", b'{"name": "x", "price": -0.01}'),
    ("negative price as text", b'{"name": "x", "price": "-1"}'),
    ("three decimals", b'{"name": "x", "price": 1.005}'),
    ("three decimals as text", b'{"name": "x", "price": "1.005"}'),
    ("price as boolean", b'{"name": "x", "price": true}'),
    ("price that is no number", b'{"name": "x", "price": "free"}'),
    ("NaN", b'{"name": "x", "price": NaN}'),
    ("unknown member", b'{"name": "x", "price": 1, "colour": "red"}'),
    ("tags of another type", b'{"name": "x", "price": 1, "tags": "a"}'),
    ("tag of another type", b'{"name": "x", "price": 1, "tags": [1]}'),
    ("half a surrogate pair", b'{"name": "\\ud800", "price": 1}'),
    ("deep nesting", b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}"),
]


def test_health_is_public(box: Box) -> None:
    answer = box.http.get("/health")
    assert (answer.status, answer.json()["status"]) == (200, "ok")


def test_an_item_is_created_with_its_location_and_etag(box: Box) -> None:
    body = {"name": "lamp", "price": "19.90", "description": "warm", "tags": ["home", "light"]}
    answer = box.http.post("/items", token=True, json=body)
    item = answer.json()
    assert answer.status == 201
    assert {k: item[k] for k in body} == body
    assert set(item) == {*body, "id", "version", "createdAt", "updatedAt"}
    assert (item["version"], answer.headers["ETag"]) == (1, '"1"')
    location = urljoin(f"{box.outputs['apiUrl']}/items", answer.headers["Location"])
    assert location == f"{box.outputs['apiUrl']}/items/{item['id']}"
    assert box.http.get(location, token=True).json() == item


@pytest.mark.parametrize(
    ("sent", "answered"),
    [("0", "0.00"), ("12.5", "12.50"), (12.5, "12.50"), (0.1, "0.10"), (7, "7.00")],
)
def test_a_price_is_text_with_two_decimals(new_item: NewItem, sent: Any, answered: str) -> None:
    assert new_item(price=sent)["price"] == answered


def test_an_unknown_item_is_404_as_problem(box: Box) -> None:
    answer = box.http.get("/items/0190c2d4-0000-7000-8000-000000000000", token=True)
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["status"] == 404


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
@pytest.mark.parametrize(("kind", "body"), REFUSED_BODIES, ids=[k for k, _ in REFUSED_BODIES])
def test_a_refused_body_is_400(box: Box, kind: str, body: bytes, content_type: str) -> None:
    answer = box.http.post(
        "/items", token=_token(box), body=body, headers={"Content-Type": content_type}
    )
    assert answer.status == 400, (kind, answer.text)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["title"] == "Bad Request"


def test_a_body_refused_by_the_gateway_starts_no_function(box: Box) -> None:
    before = len(box.logs("create-item"))
    answer = box.http.post("/items", token=True, json={"name": "x"})
    assert answer.status == 400
    assert len(box.logs("create-item")) == before


def test_items_are_listed_page_by_page_without_gap_or_repeat(box: Box, new_item: NewItem) -> None:
    made = [new_item(name=f"page {n}")["id"] for n in range(7)]
    everything = _listed(box, limit=100, pages=1000)
    assert len(everything) == len(set(everything))
    assert [i for i in everything if i in made] == made
    # The table holds what other tests left; small pages of its beginning tell as much as of all of it.
    assert _listed(box, limit=2, pages=3) == everything[:6]


def _listed(box: Box, *, limit: int, pages: int) -> list[str]:
    """Ids of the first pages, or of all of them where there are not so many."""
    seen: list[str] = []
    cursor = None
    for _ in range(pages):
        query = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        answer = box.http.get("/items", token=_token(box), query=query)
        assert answer.status == 200
        page = answer.json()
        assert 0 < len(page["items"]) <= limit
        seen += [item["id"] for item in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    return seen


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", ""])
def test_a_bad_limit_is_400(box: Box, limit: str) -> None:
    expected = 200 if limit == "" else 400
    assert box.http.get(f"/items?limit={limit}", token=_token(box)).status == expected


def test_a_forged_cursor_is_400(box: Box, new_item: NewItem) -> None:
    new_item()
    new_item()
    cursor = box.http.get("/items?limit=1", token=True).json()["nextCursor"]
    forged = [
        cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB"),
        "x",
        base64.urlsafe_b64encode(b'{"id": "1"}').decode(),
    ]
    for each in forged:
        answer = box.http.get("/items", token=_token(box), query={"cursor": each})
        assert answer.status == 400, each


def test_an_update_needs_the_current_etag(box: Box, new_item: NewItem) -> None:
    item = new_item(description="old")
    path, token = f"/items/{item['id']}", _token(box)
    body = {"name": "desk", "price": 5}
    assert box.http.put(path, token=token, json=body).status == 428
    fresh = box.http.put(path, token=token, json=body, headers={"If-Match": '"1"'})
    assert (fresh.status, fresh.headers["ETag"], fresh.json()["version"]) == (200, '"2"', 2)
    assert fresh.json()["description"] is None
    stale = box.http.put(path, token=token, json=body, headers={"If-Match": '"1"'})
    assert stale.status == 412
    assert box.http.get(path, token=token).json() == fresh.json()


def test_of_many_updates_with_one_etag_one_succeeds(box: Box, new_item: NewItem) -> None:
    path, token = f"/items/{new_item()['id']}", _token(box)

    def update(turn: int) -> int:
        body = {"name": f"turn {turn}", "price": turn}
        return box.http.put(path, token=token, json=body, headers={"If-Match": '"1"'}).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(update, range(8)))
    assert sorted(statuses) == [200] + [412] * 7
    assert box.http.get(path, token=token).json()["version"] == 2


def test_a_deleted_item_is_gone_and_may_be_deleted_again(box: Box, new_item: NewItem) -> None:
    path, token = f"/items/{new_item()['id']}", _token(box)
    assert box.http.delete(path, token=token).status == 204
    assert box.http.get(path, token=token).status == 404
    assert box.http.delete(path, token=token).status == 204


ROUTES = [
    ("POST", "/items"),
    ("GET", "/items"),
    ("GET", "/items/x"),
    ("PUT", "/items/x"),
    ("DELETE", "/items/x"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_but_health_asks_for_a_token(box: Box, method: str, path: str) -> None:
    body = {"name": "x", "price": 1} if method in {"POST", "PUT"} else None
    answer = box.http.request(method, path, json=body)
    assert answer.status == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 401
    assert box.http.request(method, path, json=body, token="not.a.token").status == 403


def test_expired_and_tampered_tokens_are_refused(box: Box) -> None:
    good = box.token()
    head, payload, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    other = "A" if signature[5] != "A" else "B"
    tokens = [
        box.token(expires=-60),
        f"{none}.{payload}.",
        f"{head}.{payload}.{signature[:5]}{other}{signature[6:]}",
        "x" * 9000,
    ]
    for token in tokens:
        assert box.http.get("/items", token=token).status in {401, 403}
    assert box.http.get("/items", token=good).status == 200


def test_an_unknown_route_is_a_problem_of_the_gateway(box: Box) -> None:
    answer = box.http.get("/nowhere")
    assert answer.status in {403, 404}
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_browser_may_ask_from_the_allowed_origin_only(box: Box, new_item: NewItem) -> None:
    origin = "http://localhost:3000"
    preflight = box.http.options(
        "/items", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status in {200, 204}
    assert preflight.headers["Access-Control-Allow-Origin"] == origin
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    path = f"/items/{new_item()['id']}"
    allowed = box.http.get(path, token=True, headers={"Origin": origin})
    assert allowed.headers["Access-Control-Allow-Origin"] == origin
    foreign = box.http.get(path, token=True, headers={"Origin": "https://evil.example"})
    assert foreign.headers["Access-Control-Allow-Origin"] is None
    refused = box.http.get(path, headers={"Origin": origin})
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (401, origin)


def test_logs_are_json_with_the_request_id(box: Box, new_item: NewItem) -> None:
    new_item()
    lines = [line for line in box.logs("create-item") if isinstance(line, dict)]
    answered = [line for line in lines if line.get("message") == "request answered"]
    assert answered
    assert {"timestamp", "level", "service", "function", "requestId"} <= set(answered[-1])


def test_sixteen_callers_meet_no_error(box: Box, new_item: NewItem) -> None:
    path, token = f"/items/{new_item()['id']}", _token(box)
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: box.http.get(path, token=token).status, range(160)))
    assert statuses == [200] * 160


_TOKENS: dict[int, str] = {}


def _token(box: Box) -> str:
    """One token for many calls, as a client would use it."""
    return _TOKENS.setdefault(id(box), box.token())
