"""What scanners may say and why we leave it so: policies/suppressions.yaml."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatch

import pytest
import yaml

from policies import aws
from tests.conftest import STACKS
from tests.support.program import ROOT, Run

MOST_IN_PRODUCTION = 8
SUPPRESSIONS = yaml.safe_load((ROOT / "policies" / "suppressions.yaml").read_text(encoding="utf-8"))


def ids(stack: str) -> set[str]:
    return {s["check"] for s in SUPPRESSIONS if fnmatch(stack, s["stack"])}


@pytest.mark.parametrize("suppression", SUPPRESSIONS, ids=lambda s: f"{s['check']}-{s['stack']}")
def test_suppression_names_a_check_a_resource_and_a_reason(
    suppression: dict[str, str], runs: Callable[[str], Run]
) -> None:
    assert set(suppression) == {"check", "resource", "stack", "reason"}
    assert re.fullmatch(r"CKV2?_AWS_\d+", suppression["check"])
    assert suppression["reason"].endswith(".")
    assert len(suppression["reason"].split()) >= 8
    stacks = [stack for stack in STACKS if fnmatch(stack, suppression["stack"])]
    assert stacks
    for stack in stacks:
        names = [r.name for r in runs(stack).resources]
        assert any(fnmatch(name, suppression["resource"]) for name in names)


def test_production_leaves_few_checks_unmet() -> None:
    assert len(ids("prod")) <= MOST_IN_PRODUCTION


def test_development_leaves_unmet_what_costs_money_only_besides() -> None:
    assert ids("prod") < ids("dev")
    assert ids("dev") - ids("prod") == {
        "CKV2_AWS_29",
        "CKV2_AWS_51",
        "CKV2_AWS_57",
        "CKV_AWS_115",
        "CKV_AWS_120",
        "CKV_AWS_225",
        "CKV_AWS_28",
        "CKV_AWS_338",
    }


def test_no_check_is_suppressed_twice_for_one_resource() -> None:
    keys = [(s["check"], s["resource"], s["stack"]) for s in SUPPRESSIONS]
    assert len(keys) == len(set(keys))


def test_stages_show_a_certificate_wherever_the_check_is_met(run: Run) -> None:
    sockets = [s for s in run.all(aws.STAGE) if s.name == "socket-stage"]
    shown = {
        bool(stage.get("clientCertificateId")) for stage in (*run.all(aws.REST_STAGE), *sockets)
    }
    assert shown == {"CKV2_AWS_51" not in ids(run.stack)}


def test_urls_without_a_signature_are_those_that_are_suppressed_by_name(run: Run) -> None:
    named = {s["resource"] for s in SUPPRESSIONS if s["check"] == "CKV_AWS_258"}
    assert {
        u.name for u in run.all(aws.FUNCTION_URL) if u.get("authorizationType") == "NONE"
    } == named
