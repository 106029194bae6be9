"""A warming event is answered by every handler at once, and nothing else is taken for one."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from common import warming

_HANDLERS = Path(__file__).parents[2] / "handlers"
_NAMES = sorted(path.stem for path in _HANDLERS.glob("*.py"))


@pytest.mark.parametrize("name", _NAMES)
def test_a_warming_event_touches_nothing_and_says_nothing(
    aws: Any, capsys: Any, event: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    handler = importlib.import_module(name).handler
    for variable in ("ITEMS_TABLE", "AUTH_SECRET_ARN", "UPLOADS_BUCKET", "NOTIFICATIONS_TOPIC_ARN"):
        monkeypatch.delenv(variable, raising=False)
    answer = handler(event("warming"), None)
    assert json.loads(json.dumps(answer)) == {"warmed": True}
    assert aws.calls == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        [],
        "warming",
        {"warming": False},
        {"warming": "true"},
        {"warming": 1},
        {"body": '{"warming": true}'},
        {"Records": [{"body": '{"warming": true}'}]},
        [{"warming": True}],
    ],
)
def test_any_other_event_reaches_the_handler(event: Any) -> None:
    seen: list[Any] = []

    @warming.aware
    def handler(event: Any, context: Any) -> str:
        seen.append((event, context))
        return "mine"

    assert handler(event, 7) == "mine"
    assert seen == [(event, 7)]


def test_a_handler_keeps_its_name_and_its_words() -> None:
    @warming.aware
    def handler(event: Any, context: Any) -> None:
        """Says what it does."""

    assert (handler.__name__, handler.__doc__) == ("handler", "Says what it does.")
