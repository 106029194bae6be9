"""Bodies that are no JSON, or nothing that the route takes: each is the caller's mistake and none of ours."""

from __future__ import annotations

import pytest

from sandbox.box import Box
from sandbox.web import Answer
from tests.support import hostile
from tests.support.hostile_doors import DOORS, Door

pytestmark = pytest.mark.usefixtures("clean_logs")

MALFORMED = hostile.malformed()
SENT = [
    *((door, "application/json") for door in DOORS),
    # Of these the gateway checks none: they are up to the functions. An HTTP API looks at no type.
    *((door, "text/plain") for door in DOORS if door.api == "apiUrl"),
]
"""Doors and content types that a body meets another check by."""


@pytest.mark.parametrize(("door", "content_type"), SENT, ids=str)
def test_a_body_that_is_no_json_is_refused(box: Box, door: Door, content_type: str) -> None:
    # Of two doors with the same check one takes the even bodies and the other the odd ones.
    bodies = MALFORMED[SENT.index((door, content_type)) % 2 :: 2]
    answers = hostile.all_at_once(lambda body: door.send(box, body, content_type), bodies)
    assert len(answers) > 60
    wrong = [(body, _short(a)) for body, a in answers if not _is_refused(a)]
    assert not wrong, hostile.shown(wrong)


@pytest.mark.parametrize(("door", "content_type"), SENT, ids=str)
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


@pytest.mark.parametrize("door", [door for door in DOORS if door.api == "apiUrl"], ids=str)
def test_a_type_that_the_gateway_does_not_check_is_refused_or_checked_by_the_function(
    box: Box, door: Door
) -> None:
    checked, passed = (door.send(box, b"{}", kind) for kind in ("application/json", "text/plain"))
    assert (_is_refused(checked), _is_refused(passed)) == (True, True)
    assert passed.status == 415 or passed.json()["detail"] != checked.json()["detail"]


@pytest.mark.parametrize(("door", "content_type"), SENT, ids=str)
def test_bytes_that_are_no_text_never_get_through_as_they_are(
    box: Box, door: Door, content_type: str
) -> None:
    answers = hostile.all_at_once(lambda body: door.send(box, body, content_type), hostile.NOT_UTF8)
    # Of a body that is answered, the answer is UTF-8 itself, or decoding it would fail here.
    wrong = [(body, _short(a)) for body, a in answers if a.status >= 500 or not a.text]
    assert not wrong, hostile.shown(wrong)


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "multipart/form-data", "a/b; c", "\xff"]
)
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_another_content_type_changes_nothing_or_is_refused(
    box: Box, door: Door, content_type: str
) -> None:
    answer = door.send(box, b"{", content_type)
    assert _is_refused(answer), _short(answer)


def _is_refused(answer: Answer) -> bool:
    if answer.status not in {400, 413, 415}:
        return False
    kind = str(answer.headers["Content-Type"])
    return kind.startswith("application/problem+json") and answer.json()["status"] == answer.status


def _short(answer: Answer) -> str:
    return f"{answer.status} {answer.headers['Content-Type']} {answer.body[:200]!r}"
