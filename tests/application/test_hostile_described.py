"""Requests made from openapi.json, good ones and bad ones: every answer is what the document says of it.

Schemathesis walks each operation's boundaries, makes random requests and chains of them, and checks every answer:
status, type, schema, headers, no 5xx, bad data refused, good data taken, and no way around the credentials.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from schemathesis.config import ProjectConfig, SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from sandbox.box import Box
from tests.support import hostile
from tests.support.hostile_doors import credentials
from tests.support.program import ROOT

pytestmark = pytest.mark.usefixtures("clean_logs")

SEED = 1
EXAMPLES = 4
"""Random requests per operation; the boundaries come on top."""
CHECKS = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
    "missing_required_header",
    "object_level_authorization",
    "unsupported_method",
    "allow_header_conformance",
}
"""All that Schemathesis has, but a limit of time."""


@dataclass(frozen=True)
class Allowed:
    """A difference that is meant to be. `operation` and `says` are compared where they are given."""

    check: str
    statuses: frozenset[int]
    reason: str
    operation: str = ""
    says: str = ""

    def covers(self, check: str, operation: str, status: int, body: str) -> bool:
        """Whether it is this difference."""
        return (
            check == self.check
            and status in self.statuses
            and self.operation in {"", operation}
            and self.says in body
        )


ALLOWED = (
    Allowed(
        "unsupported_method",
        frozenset({403, 404}),
        "API Gateway says 403 to a method without a route, the emulator 404; neither can be made to say 405",
    ),
    Allowed(
        "positive_data_acceptance",
        frozenset({412, 428}),
        "a precondition is about the item as it is now, of which a schema knows nothing",
        operation="PUT /items/{id}",
    ),
    Allowed(
        "positive_data_acceptance",
        frozenset({422}),
        "a key of an earlier request with another body, of which a schema knows nothing",
        operation="POST /items",
        says="Idempotency-Key",
    ),
    Allowed(
        "positive_data_acceptance",
        frozenset({400}),
        "a cursor is only taken from an answer",
        operation="GET /items",
        says="The query parameter cursor was not given out",
    ),
    Allowed(
        "positive_data_acceptance",
        frozenset({400}),
        "draft-04 has neither classes of characters nor decimals that hold for every engine",
        says="must not contain control characters",
    ),
    Allowed(
        "positive_data_acceptance",
        frozenset({400}),
        "multipleOf 0.01 is not exact in floating point",
        says="with at most 2 decimals",
    ),
)


@dataclass(frozen=True)
class Run:
    """What Schemathesis did: requests by operation, failures that no allowance covers, checks that ran."""

    requests: Counter[str]
    failures: list[tuple[str, str]]
    checks: set[str]


@pytest.fixture(scope="module")
def run(box: Box) -> Run:
    """One run of every phase over the whole document."""
    document = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    return _run(box, document)


def test_every_answer_is_described(run: Run) -> None:
    assert not run.failures, hostile.shown(run.failures)


def test_every_operation_is_asked_and_every_check_is_made(run: Run) -> None:
    document = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    described = {
        f"{m.upper()} {p}" for p, operations in document["paths"].items() for m in operations
    }
    assert {name for name, count in run.requests.items() if count >= 5} >= described
    assert run.checks >= CHECKS


def test_a_document_that_promises_too_much_is_found_out(box: Box) -> None:
    document = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    health = document["paths"]["/health"]["get"]
    health["security"] = [{"bearer": []}]
    health["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "array"}
    document["paths"] = {"/health": {"get": health}}
    failed = {what.split()[0] for what, _ in _run(box, document).failures}
    assert failed >= {"ignored_auth", "response_schema_conformance"}


def _run(box: Box, document: dict[str, Any]) -> Run:
    done = Run(Counter(), [], set())
    for event in from_schema(_schema(box, document)).execute():
        if isinstance(event, events.NonFatalError):
            done.failures.append((event.label, repr(event.value)))
        elif isinstance(event, events.FatalError):
            done.failures.append(("the run", repr(event.exception)))
        elif isinstance(event, events.ScenarioFinished):
            _count(done, event)
    return done


def _schema(box: Box, document: dict[str, Any]) -> Any:
    own = credentials(box, "apiUrl")
    project = ProjectConfig.from_dict(
        {
            "base-url": box.outputs["apiUrl"],
            # Two threads would trip over each other where Python 3.11 parses source for Hypothesis.
            "workers": 1,
            "continue-on-failure": True,
            "auth": {
                "openapi": {
                    "bearer": {"bearer": own["Authorization"].removeprefix("Bearer ")},
                    "apiKey": {"api_key": own["x-api-key"]},
                }
            },
            "generation": {"deterministic": True, "max-examples": EXAMPLES, "no-shrink": True},
        }
    )
    config = SchemathesisConfig(seed=SEED)
    config.projects.default = project
    return schemathesis.openapi.from_dict(document, config=config)


def _count(done: Run, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    if event.status is Status.ERROR:
        done.failures.append((recorder.label, "could not be made"))
    for case_id, checks in recorder.checks.items():
        done.requests[recorder.cases[case_id].value.operation.label] += 1
        for check in checks:
            done.checks.add(check.name)
            if check.failure_info is not None:
                failure = check.failure_info.failure
                asked = recorder.interactions[failure.case_id or case_id]
                status = asked.response.status_code if asked.response else 0
                body = (asked.response.content or b"").decode() if asked.response else ""
                if not any(
                    a.covers(check.name, failure.operation or "", status, body) for a in ALLOWED
                ):
                    what = f"{check.name} {failure.operation}"
                    done.failures.append((what, f"{status} {failure.message[:200]} {body[:200]}"))
