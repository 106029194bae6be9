"""Whatever a stack file says, its user gets settings or lines."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from settings.fields import entries, facts, nested
from settings.function import FunctionSettings
from settings.reader import KEYS, TRIGGERS
from settings.sections import SECTIONS
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
            10**400,
            "api.example.com",
            "0.0.0.0/0",
            "https://[",
            "https://[::1%a]/",
            "https://a.example:99999/",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)


def fields(model: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Some of a model's keys, each with any value; a map of settings has some of its own keys."""
    return st.lists(st.sampled_from(sorted(model.model_fields)), max_size=4, unique=True).flatmap(
        lambda keys: st.fixed_dictionaries({key: _value(model.model_fields[key]) for key in keys})
    )


def _value(field: Any) -> st.SearchStrategy[Any]:
    if inner := nested(field.annotation):
        return fields(inner) | ANYTHING
    if inner := entries(field.annotation):
        return (
            st.dictionaries(
                st.sampled_from(["night", "at night", "GET /items", "POST /users"]), fields(inner)
            )
            | ANYTHING
        )
    known = facts(field).example
    return ANYTHING if known is None else ANYTHING | st.just(known)


CONFIG = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(KEYS, ANYTHING),
        **{name: fields(model) | ANYTHING for name, model in SECTIONS.items()},
        "functions": st.dictionaries(
            st.sampled_from(["defaults", "create-item", "notification-sender", "products"])
            | st.text(max_size=9),
            fields(FunctionSettings) | ANYTHING,
            max_size=3,
        ),
        "triggers": st.fixed_dictionaries(
            {},
            optional={
                group: st.fixed_dictionaries({}, optional=dict.fromkeys(names, fields(model)))
                | ANYTHING
                for group, (model, names) in TRIGGERS.items()
            },
        ),
        "tags": st.dictionaries(st.text(max_size=9), ANYTHING, max_size=3),
        "aws:region": ANYTHING | st.just("eu-central-1"),
    },
)

EXAMPLES = st.fixed_dictionaries(
    {},
    optional={
        key: st.just(facts(field).example)
        for key, field in FunctionSettings.model_fields.items()
        if facts(field).example is not None
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


@settings(max_examples=100, deadline=None)
@given(EXAMPLES)
def test_every_example_of_a_setting_is_right_by_itself(own: dict[str, Any]) -> None:
    taken = FunctionSettings.model_validate(own).model_dump(mode="json")
    assert {key: taken[key] for key in own} == own


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 50), st.none() | st.integers(0, 120))
def test_scaling_is_taken_exactly_where_its_numbers_are_in_order(
    low: int, high: int, warm: int, reserved: int | None
) -> None:
    own = {
        "provisioned_concurrent_executions": warm,
        "provisioned_concurrency_scaling": {"min_capacity": low, "max_capacity": high},
        "reserved_concurrent_executions": reserved,
    }
    in_order = low <= warm <= high and (reserved is None or high <= reserved)
    assert (refused({"functions": {"create-item": own}}) == []) == in_order
