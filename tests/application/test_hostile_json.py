"""Bodies that are no JSON, or nothing that the route takes: each is the caller's mistake and none of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from sandbox.box import Box
from sandbox.web import Answer
from tests.support import hostile
from tests.support.hostile_doors import DOORS, Door, watched
from tests.support.program import ROOT

MALFORMED = hostile.malformed()


@pytest.fixture(scope="module", autouse=True)
def _logs_stay_clean(box: Box) -> Iterator[None]:
    with watched(box):
        yield


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_body_that_is_no_json_is_refused(box: Box, door: Door, content_type: str) -> None:
    answers = hostile.all_at_once(lambda body: door.send(box, body, content_type), MALFORMED)
    assert len(answers) > 120
    wrong = [(body, _short(a)) for body, a in answers if not _is_refused(a)]
    assert not wrong, hostile.shown(wrong)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_json_that_the_route_does_not_take_is_refused(
    box: Box, door: Door, content_type: str
) -> None:
    answers = hostile.all_at_once(lambda body: door.send(box, body, content_type), hostile.ODD)
    wrong = [
        (body, _short(a))
        for body, a in answers
        if not (_is_refused(a) or (door.takes_any_object and a.status < 300))
    ]
    assert not wrong, hostile.shown(wrong)


@pytest.mark.parametrize(
    ("function", "file"),
    [
        ("create-item", "api_create_item"),
        ("update-item", "api_update_item"),
        ("create-user", "http_api_create_user"),
    ],
)
def test_a_function_itself_refuses_what_a_gateway_may_let_through(
    box: Box, function: str, file: str
) -> None:
    text = (ROOT / "tests" / "events" / f"{file}.json").read_text(encoding="utf-8")
    event = json.loads(text)

    def called(body: bytes) -> int:
        answer = box.invoke(function, {**event, "body": body.decode(), "isBase64Encoded": False})
        return int(answer.payload["statusCode"])

    assert called(event["body"].encode()) in {200, 201, 404}
    texts = [body for body in (*MALFORMED, *hostile.ODD) if _is_text(body)]
    wrong = [(b, s) for b, s in hostile.all_at_once(called, texts) if s != 400]
    assert not wrong, hostile.shown(wrong)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_bytes_that_are_no_text_never_get_through_as_they_are(
    box: Box, door: Door, content_type: str
) -> None:
    answers = hostile.all_at_once(lambda body: door.send(box, body, content_type), hostile.NOT_UTF8)
    # Of a body that is answered, the answer is UTF-8 itself, or decoding it would fail here.
    wrong = [(body, _short(a)) for body, a in answers if a.status >= 500 or not a.text]
    assert not wrong, hostile.shown(wrong)


@pytest.mark.parametrize(
    "content_type", ["", "application/xml", "multipart/form-data", "a/b; c", "\xff"]
)
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_another_content_type_changes_nothing_or_is_refused(
    box: Box, door: Door, content_type: str
) -> None:
    answer = door.send(box, b"{", content_type)
    assert _is_refused(answer), _short(answer)


def _is_text(body: bytes) -> bool:
    try:
        return bool(body.decode())
    except UnicodeDecodeError:
        return False


def _is_refused(answer: Answer) -> bool:
    if answer.status not in {400, 413, 415}:
        return False
    kind = str(answer.headers["Content-Type"])
    return kind.startswith("application/problem+json") and answer.json()["status"] == answer.status


def _short(answer: Answer) -> str:
    return f"{answer.status} {answer.headers['Content-Type']} {answer.body[:200]!r}"
