"""No setting is accepted and then forgotten: every field of every model changes what is registered.

The fields are read from the models, so one that is added later is tried as well.
"""

from __future__ import annotations

import functools
import json
import typing
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from components.packaging import Handlers
from components.schedules import Warming
from settings import (
    DomainSettings,
    FunctionSettings,
    LogSettings,
    ObjectiveSettings,
    PackagingSettings,
    PartnerSettings,
    PictureSettings,
    ProbeSettings,
    ReportSettings,
    WebhookSettings,
)
from settings.fields import Model, choices, facts, kinds
from settings.reader import KEYS, NAMESPACE, TRIGGERS
from settings.whole import StackWide
from tests.support.program import Run, run_stack
from tests.support.takers import TAKERS
from tests.support.tiny import Parts, tiny

Values = Mapping[str, Any]

SETTLED_EARLIER = {
    "functions.enabled": "decides whether the function is declared; see below",
    "packaging.build": "decides whether files are made, not what is declared; tests/components/test_packaging.py",
    "account_concurrent_executions": "decides whether reservations fit the account; tests/settings/wrong_stack_files.yaml",
}
"""Fields that change no input of a resource, and what they change instead."""

EXAMPLES: Values = {
    "source_code_hash": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "image_config": {"command": ["app.handler"]},
    "secret_recovery_window_in_days": 7,
    "schedule_expression": "rate(10 minutes)",
    "user_pool_tier": "PLUS",
    "invocations_thresholds": {"f": 5},
    "latency_percent": 95,
    "runtime_version": "syn-python-selenium-13.0",
}
"""Values of fields that say nothing of the form they want."""

TOGETHER: Mapping[str, Values] = {
    "image_config": {"image_uri": "123456789012.dkr.ecr.us-west-2.amazonaws.com/a:1"},
    "s3_key": {"s3_bucket": "releases"},
    "s3_bucket": {"s3_key": "a.zip"},
    "s3_object_version": {"s3_bucket": "releases", "s3_key": "a.zip"},
    "source_code_hash": {"s3_bucket": "releases", "s3_key": "a.zip"},
    "provisioned_concurrency_scaling": {"provisioned_concurrent_executions": 2},
}
"""Function settings that mean something beside others only."""

DOMAIN: Values = {"domain_name": "api.example.com", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"}
LEAST: Mapping[type[Model], Values] = {
    DomainSettings: DOMAIN,
    ObjectiveSettings: {"latency_percent": 95.0},
}
"""What a model wants to be told besides its required fields."""

ENABLED: Mapping[str, Values] = {
    "load_balancer": {
        "enabled": True,
        "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "security_group_ids": ["sg-0123456789abcdef0"],
        "certificate_arn": facts(DomainSettings.model_fields["certificate_arn"]).example,
    },
    "graphql": {"enabled": True},
    "telemetry": {"enabled": True},
    "telemetry.iot_topic": {"iot_rule_enabled": True},
    "mail.create_identity": {"from_address": "orders@example.com"},
    "mail.configuration_set": {"from_address": "orders@example.com"},
    "budget.email": {"monthly_usd": 10},
    "logs.destination_filter": {
        "destination_arn": facts(LogSettings.model_fields["destination_arn"]).example
    },
    "canary": {"enabled": True},
    "observability.anomaly_band": {"anomaly_detection": True},
    "observability.slack_workspace_id": {"page": {"slack_channel_id": "C0123456789"}},
    "observability.page": {"slack_workspace_id": "T0123456789"},
    "observability.ticket": {"slack_workspace_id": "T0123456789"},
    "api.cache_cluster_size": {"cache_cluster_enabled": True},
    "api.routes.cache_ttl_in_seconds": {"cache_cluster_enabled": True},
    **{
        f"{api}.disable_execute_api_endpoint": {"domain": DOMAIN}
        for api in ("api", "http_api", "socket")
    },
    **{
        f"http_api.{key}": {"cors_allow_origins": ["https://a.example.com"]}
        for key in ("cors_allow_credentials", "cors_max_age")
    },
}
"""Sections and settings that mean something beside others only."""


def paths(model: type[Model], *path: str) -> Iterator[tuple[str, ...]]:
    """Every field of a model, those of nested models too."""
    for key, field in model.model_fields.items():
        inner = nested(field)
        if not isinstance(field.default, Model):  # One that is always there is its fields.
            yield (*path, key)
        if inner is not None:
            yield from paths(inner, *path, key)


def nested(field: FieldInfo) -> type[Model] | None:
    """The model that a field holds, or that the entries of its map are."""
    for part in [field.annotation, *typing.get_args(field.annotation)]:
        if isinstance(part, type) and issubclass(part, Model):
            return part
    return None


def smallest(model: type[Model]) -> Values:
    """The least that a model wants to be told."""
    known = LEAST.get(model, {})
    return {**{k: other(k, f) for k, f in model.model_fields.items() if f.is_required()}, **known}


def other(key: str, field: FieldInfo) -> Any:
    """A value that a field takes and that is not its default."""
    known = choices(field.annotation) or (facts(field).schema or {}).get("enum", ())
    wanted, inner = kinds(field.annotation), nested(field)
    if key in EXAMPLES or facts(field).example is not None:
        return EXAMPLES.get(key, facts(field).example)
    if inner is not None:
        return {name_in(field): smallest(inner)} if is_map(field) else smallest(inner)
    if known:
        return next(value for value in known if value != field.default)
    if bool in wanted:
        return not field.default
    if int in wanted or float in wanted:
        return number(field)
    return ["word"] if tuple in wanted else {"KEY": "word"} if dict in wanted else "word"


def is_map(field: FieldInfo) -> bool:
    """Whether a field holds models by names of the user's choice."""
    return typing.get_origin(field.annotation) is Mapping


def name_in(field: FieldInfo) -> str:
    """A name that a map takes: the first it knows, where it does not take every one."""
    return next(iter((facts(field).schema or {}).get("propertyNames", {}).get("enum", ())), "word")


def number(field: FieldInfo) -> int | float:
    """Another number within a field's limits."""
    low = next((rule.ge for rule in field.metadata if isinstance(rule, Ge)), 1)
    high = next((rule.le for rule in field.metadata if isinstance(rule, Le)), None)
    step = int((facts(field).schema or {}).get("multipleOf", 1))
    if not isinstance(field.default, int | float):
        return typing.cast("int", low) or 1  # 0 may mean what nothing means
    if isinstance(field.default, float):
        return field.default / 2
    return field.default - step if high == field.default else field.default + step


def another(value: Any) -> Any:
    """A value of the same form, for a field that always has one."""
    if isinstance(value, list):
        return [another(part) for part in value]
    if isinstance(value, int):
        return value + 1
    return value.replace("0", "1", 1) if "0" in value else f"{value}2"


def told(model: type[Model], path: tuple[str, ...], *, changed: bool) -> Values:
    """A model's values up to a field: with another value there, or as small as may be."""
    key, *rest = path
    field = model.model_fields[key]
    inner = nested(field)
    if rest:
        assert inner is not None
        within = {**smallest(inner), **told(inner, tuple(rest), changed=changed)}
        return {key: {name_in(field): within} if is_map(field) else within}
    if not changed:
        return {}
    known = field.is_required() or key in LEAST.get(model, {})
    return {key: another(other(key, field)) if known else other(key, field)}


def registered(run: Run) -> str:
    """What a run said to the engine, without what only the order of threads decides."""
    lines = [
        json.dumps([r.type, r.name, r.properties, sorted(r.depends_on), r.protect], default=_text)
        for r in run.resources
    ]
    return "\n".join(sorted(lines))


def _text(value: object) -> object:
    if isinstance(value, pulumi.AssetArchive):
        return value.assets
    return {key: str(part) for key, part in vars(value).items()}


# Functions: one program with every variant of one function in it.


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one handler, and everything that a code source may name."""
    root = tmp_path_factory.mktemp("project")
    (root / "handlers").mkdir()
    (root / "handlers" / "f.py").write_text("def handler(event, context): ...\n", encoding="utf-8")
    for key in ("source_dir", "filename"):
        place = root / str(facts(FunctionSettings.model_fields[key]).example)
        place.parent.mkdir(parents=True, exist_ok=True)
        if key == "source_dir":
            place.mkdir(exist_ok=True)
            (place / "index.py").write_text("", encoding="utf-8")
        else:
            with zipfile.ZipFile(place, "w") as held:
                held.writestr("index.py", "")
    return root


@functools.cache
def one_function(root: Path, values: str) -> str:
    """What a program with this one function registers."""

    def program(parts: Parts) -> None:
        handlers = Handlers(root / "handlers", packaging=PackagingSettings(build=False))
        settings = FunctionSettings.model_validate(json.loads(values))
        function = parts.function(
            "f",
            code=handlers.code("f", settings),
            settings=settings,
            log_sample_rate=settings.log_sample_rate or 0,
        )
        Warming(
            "warming", [function], failures=parts.failures, encryption=parts.key, place=parts.place
        )

    return registered(tiny(program))


FUNCTION_PATHS = [
    p for p in paths(FunctionSettings) if f"functions.{'.'.join(p)}" not in SETTLED_EARLIER
]


@pytest.mark.parametrize("path", FUNCTION_PATHS, ids=".".join)
def test_every_setting_of_a_function_reaches_a_resource(
    path: tuple[str, ...], project: Path
) -> None:
    beside = TOGETHER.get(path[0], {})
    before = {**beside, **told(FunctionSettings, path, changed=False)}
    after = {**beside, **told(FunctionSettings, path, changed=True)}
    assert one_function(project, json.dumps(before)) != one_function(project, json.dumps(after))


def test_function_that_is_switched_off_is_not_declared() -> None:
    off = {"sandpiper:functions": {"checksum": {"enabled": False}}}
    names = {r.name for r in run_stack("dev", config=off).resources}
    assert "get-item-function" in names
    assert not [name for name in names if name.startswith("checksum")]


WHOLE: Mapping[str, Values] = {
    "packaging.opencv": {"packaging": {"build": False, "opencv": True}},
    "repositories": {"repositories": {"inference": {}}},
    **{key: {key: other(key, field)} for key, field in StackWide.model_fields.items()},
}
"""Settings that `__main__.py` itself looks at -> what a stack file says then; each costs a run of the whole program."""


NETWORK: Values = {
    "subnet_ids": ["subnet-0123456789abcdef0"],
    "security_group_ids": ["sg-0123456789abcdef0"],
}
TOLD_TO_FUNCTIONS: Mapping[str, tuple[type[Model], Mapping[str, Values]]] = {
    "partner": (PartnerSettings, {"partner": {"url": "https://shop.example.com/orders"}}),
    "probe": (
        ProbeSettings,
        {
            "probe": {"host": "a.example.com"},
            "functions": {"network-probe": {"vpc_config": NETWORK}},
        },
    ),
    "webhook": (WebhookSettings, {}),
    "images": (PictureSettings, {}),
    "reports": (ReportSettings, {}),
}
"""Sections that `__main__.py` hands to single functions -> what a stack file says beside them."""


@functools.cache
def with_settings(section: str, values: str) -> str:
    """What a program registers that has one component with these settings."""
    model, take = TAKERS[section]
    settings = model.model_validate(json.loads(values))
    return registered(tiny(lambda parts: take(parts, settings)))


SECTION_PATHS = [
    (section, *path)
    for section, (model, _) in TAKERS.items()
    for path in paths(model)
    if ".".join((section, *path)) not in {*SETTLED_EARLIER, *WHOLE}
]


@pytest.mark.parametrize("path", SECTION_PATHS, ids=".".join)
def test_every_setting_of_a_section_reaches_a_resource(path: tuple[str, ...]) -> None:
    section, *rest = path
    model, _ = TAKERS[section]
    heads = [".".join(path[:length]) for length in range(1, len(path) + 1)]
    beside = {key: value for head in heads for key, value in ENABLED.get(head, {}).items()}
    beside = {key: value for key, value in beside.items() if key != rest[0]}
    before, after = (
        {**beside, **told(model, tuple(rest), changed=changed)} for changed in (False, True)
    )
    assert with_settings(section, json.dumps(before)) != with_settings(section, json.dumps(after))


@pytest.mark.parametrize("path", sorted(WHOLE.keys() - SETTLED_EARLIER.keys()))
def test_every_setting_of_the_whole_stack_reaches_a_resource(path: str, dev: Run) -> None:
    config = {f"{NAMESPACE}{key}": value for key, value in WHOLE[path].items()}
    assert registered(run_stack("dev", config=config)) != registered(dev)


@functools.cache
def told_to_functions(section: str, values: str) -> str:
    """What the whole program registers with these settings of a section."""
    _, beside = TOLD_TO_FUNCTIONS[section]
    said = {**beside, section: {**beside.get(section, {}), **json.loads(values)}}
    config = {f"{NAMESPACE}{key}": value for key, value in said.items()}
    return registered(run_stack("dev", config=config))


@pytest.mark.parametrize(
    "path",
    [(s, *path) for s, (model, _) in TOLD_TO_FUNCTIONS.items() for path in paths(model)],
    ids=".".join,
)
def test_every_setting_that_functions_are_told_reaches_them(path: tuple[str, ...]) -> None:
    section, *rest = path
    model, _ = TOLD_TO_FUNCTIONS[section]
    after = json.dumps(told(model, tuple(rest), changed=True))
    assert told_to_functions(section, "{}") != told_to_functions(section, after)


def test_every_key_of_a_stack_file_is_tried() -> None:
    groups = TAKERS.keys() & TRIGGERS.keys()
    assert groups == TRIGGERS.keys()
    sections = {*TAKERS, *TOLD_TO_FUNCTIONS} - groups
    tried = {"functions", "triggers", *sections, *StackWide.model_fields}
    assert tried == set(KEYS)


def test_every_excuse_is_of_a_setting_that_there_is() -> None:
    sections = {
        "functions": FunctionSettings,
        **{name: model for name, (model, _) in TAKERS.items()},
    }
    known = {".".join((name, *path)) for name, model in sections.items() for path in paths(model)}
    assert SETTLED_EARLIER.keys() <= known | StackWide.model_fields.keys()
