"""Whatever a stack file says, its user gets settings or lines."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from settings.function import FunctionSettings
from settings.reader import KEYS
from settings.triggers import QueueSettings, ScheduleSettings
from settings.whole import ObservabilitySettings
from tests.settings.helper import refused

CANARY = "zzsecretzz"
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "1",
            "true",
            "yes",
            "-0",
            "1e999",
            "rate()",
            "cron(? ? ? ? ? ?)",
            "at(0000-00-00T00:00:00)",
            "٣",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)


def fields(model: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Some of a model's keys, each with any value."""
    return st.dictionaries(st.sampled_from(sorted(model.model_fields)), ANYTHING, max_size=4)


CONFIG = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(KEYS, ANYTHING),
        "functions": st.dictionaries(
            st.sampled_from(["defaults", "create-item", "notification-sender"])
            | st.text(max_size=9),
            fields(FunctionSettings) | ANYTHING,
            max_size=3,
        ),
        "triggers": st.fixed_dictionaries(
            {},
            optional={
                "queues": st.fixed_dictionaries({"notifications": fields(QueueSettings)})
                | ANYTHING,
                "schedules": st.fixed_dictionaries({"cleanup-job": fields(ScheduleSettings)})
                | ANYTHING,
            },
        ),
        "observability": fields(ObservabilitySettings) | ANYTHING,
        "tags": st.dictionaries(st.text(max_size=9), ANYTHING, max_size=3),
        "aws:region": ANYTHING,
    },
)


@settings(max_examples=150, deadline=None)
@given(CONFIG)
def test_any_config_gives_settings_or_lines_that_name_the_file(config: dict[str, Any]) -> None:
    for line in refused(config):
        assert line.startswith("Pulumi.dev.yaml: ")
        assert len(line.splitlines()) == 1


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING), st.text(max_size=12))
def test_any_secret_is_kept(config: dict[str, Any], suffix: str) -> None:
    secret = CANARY + suffix
    hidden = {
        key: {"secure": secret} if index % 2 else {secret: secret}
        for index, key in enumerate(config)
    }
    text = "\n".join(
        refused(hidden, secret=[key for index, key in enumerate(config) if not index % 2])
    )
    assert CANARY not in text


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(KEYS), st.text(max_size=30))
def test_config_that_is_no_json_gives_settings_or_lines(key: str, text: str) -> None:
    assert all(line.startswith("Pulumi.dev.yaml: ") for line in refused({key: text}))
