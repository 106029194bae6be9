"""Rights that AWS gives by a role's own policy and the emulator judges on another action or resource.

Each entry of `FALSE_DENIALS` widens nothing a handler may do on AWS: it restates a grant the role has in the words
the emulator asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

COMPAT: Final = "sandbox-compat"
"""Name of the inline policy that carries the additions."""


class FalseDenial(NamedTuple):
    """A granted action, what the emulator asks for instead, and why."""

    granted: tuple[str, ...]
    asked: tuple[str, ...]
    reason: str


FALSE_DENIALS: Final = (
    FalseDenial(
        ("ses:SendEmail", "ses:SendRawEmail", "ses:SendTemplatedEmail", "ses:SendBulkEmail"),
        ("ses:SendEmail", "ses:SendRawEmail", "ses:SendTemplatedEmail", "ses:SendBulkEmail"),
        "SES sending on `*`: the emulator does not judge it by the sender's identity",
    ),
    FalseDenial(
        ("ssm:GetParametersByPath", "ssm:GetParameters"),
        ("ssm:GetParametersByPath", "ssm:GetParameters"),
        "ssm:GetParametersByPath and GetParameters on `*`: the emulator does not judge them by the path",
    ),
    FalseDenial(
        (
            "dynamodb:PartiQLSelect",
            "dynamodb:PartiQLInsert",
            "dynamodb:PartiQLUpdate",
            "dynamodb:PartiQLDelete",
        ),
        (
            "dynamodb:ExecuteStatement",
            "dynamodb:BatchExecuteStatement",
            "dynamodb:ExecuteTransaction",
        ),
        "PartiQL statements on `*`: the emulator judges them as ExecuteStatement, without the table",
    ),
)


def additions(documents: Iterable[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Statements to add for what the documents grant, and one sentence for each."""
    granted = [statement for document in documents for statement in _allowing(document)]
    statements: list[dict[str, Any]] = []
    reasons = []
    for denial in FALSE_DENIALS:
        asked = sorted({a for s in granted for a in _asked(denial, s)})
        if asked:
            statements.append({"Effect": "Allow", "Action": asked, "Resource": "*"})
            reasons.append(denial.reason)
    return statements, reasons


def _allowing(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = document.get("Statement") or []
    statements = given if isinstance(given, list) else [given]
    return [s for s in statements if s.get("Effect") == "Allow"]


def _many(value: Any) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _asked(denial: FalseDenial, statement: Mapping[str, Any]) -> tuple[str, ...]:
    """What the emulator asks for beyond a statement; nothing where `*` is granted as the action's own words."""
    patterns = [pattern.lower() for pattern in _many(statement.get("Action"))]
    hits = [
        a for a in denial.granted if any(fnmatchcase(a.lower(), pattern) for pattern in patterns)
    ]
    if not hits or (denial.granted == denial.asked and "*" in _many(statement.get("Resource"))):
        return ()
    return tuple(hits) if denial.granted == denial.asked else denial.asked
