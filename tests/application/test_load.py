"""Two thousand orders, some of them poison, crashing or sent three times: nothing is lost, nothing is done twice."""

from __future__ import annotations

import pytest

from tests.support import load
from tests.support.effects import Effects

MESSAGES = 2000
PATIENCE_SECONDS = 150.0


def test_of_two_thousand_messages_none_is_lost_and_none_is_done_twice(
    effects: Effects, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = load.make(MESSAGES, seed=6)
    figures = load.run(effects, wanted, patience=PATIENCE_SECONDS)
    with capsys.disabled():
        print(f"\n{figures}")
    assert figures.mistakes == {}
    # Two of them in one batch may end their environment together.
    assert len(wanted.crashing) * 0.8 <= figures.crashes <= len(wanted.crashing)
