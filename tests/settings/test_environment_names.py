"""Names that a stack file may not give a function's variables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from settings.function import GRANTED_BYTES
from settings.function_rules import OTHER_RIGHTS, TAKEN_VARIABLE
from tests.settings.helper import refused
from tests.support.program import Run

RESERVED = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_EXEC_WRAPPERS",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
]
GRANTED = [
    "ITEMS_TABLE",
    "AUDIT_TABLE",
    "UPLOADS_BUCKET",
    "IMAGES_BUCKET",
    "NOTIFICATIONS_TOPIC_ARN",
    "AUTH_SECRET_ARN",
    "CURSOR_KEY_SECRET_ARN",
    "SERVICE_NAME",
    "MODEL_BUCKET",
    "FUNCTION_NAMES",
    "VERSIONS_TO_KEEP",
]


@pytest.mark.parametrize("name", RESERVED)
def test_name_that_lambda_reserves_is_refused(name: str, handlers: Path) -> None:
    assert _refused(name, handlers) == [
        _line(name, "must not be a name that Lambda reserves; choose another name")
    ]


@pytest.mark.parametrize("name", GRANTED)
def test_name_that_a_grant_sets_is_refused(name: str, handlers: Path) -> None:
    assert _refused(name, handlers) == [_line(name, TAKEN_VARIABLE)]


@pytest.mark.parametrize(
    "name",
    [
        "UPLOAD_RETENTION_DAYS",
        "A1",
        "lower_case",
        "LAMBDA_TASK",
        "HANDLER",
        "AWS_LAMBDA_EXEC_WRAPPER",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_LWA_PORT",
    ],
)
def test_other_name_is_accepted(name: str, handlers: Path) -> None:
    assert _refused(name, handlers) == []


def test_every_variable_that_the_program_sets_is_refused_in_a_stack_file(dev: Run) -> None:
    names = {name for variables in _variables(dev) for name in variables}
    assert len(names) > 8
    config = {"functions": {"defaults": {"environment": dict.fromkeys(names, "x")}}}
    lines = refused(config)
    free = {name for name in names if not any(f".{name}: must not" in line for line in lines)}
    assert free == set(), "set by a grant; add it to _GRANTED in settings/function_rules.py"
    assert len(lines) == len(names)


def test_the_programs_own_variables_fit_the_share_kept_for_them(dev: Run) -> None:
    for variables in _variables(dev):
        # It grows with the program, and is counted with what the stack file says.
        rest = {name: text for name, text in variables.items() if name != "FUNCTION_NAMES"}
        assert len(json.dumps(rest)) < GRANTED_BYTES


def test_share_of_a_role_for_other_rights_is_enough_for_the_one_that_names_every_function(
    dev: Run,
) -> None:
    policies = [
        found.get("policy")
        for found in dev.all("aws:iam/rolePolicy:RolePolicy")
        if found.name in {"version-cleaner-policy", "version-cleaner-failures-policy"}
    ]
    assert len(policies) == 2
    text = "".join(policies).replace(" ", "")
    rest = re.sub(r'"arn:aws:lambda:[^"]+:function:[^"]+",?', "", text)
    assert 500 < len(rest) < OTHER_RIGHTS
    assert len(rest) < len(text) - 1000


def _variables(run: Run) -> list[dict[str, str]]:
    functions = run.all("aws:lambda/function:Function")
    return [found.get("environment.variables") or {} for found in functions]


def _refused(name: str, handlers: Path) -> list[str]:
    return refused({"functions": {"health": {"environment": {name: "x"}}}}, handlers=handlers)


def _line(name: str, text: str) -> str:
    return f"Pulumi.dev.yaml: functions.health.environment.{name}: {text}"
