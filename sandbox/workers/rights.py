"""What a service may do in a role: whether the role trusts it, and what the role's policies allow.

Conditions, denials and permission boundaries count, as IAM weighs them. A service says for what it acts, under the two
keys that AWS gives against confused deputies (IAM user guide, "The confused deputy problem").
"""

from typing import Any, Final

_ASSUMES: Final = "sts:AssumeRole"
_FIELDS: Final = 6
"""An ARN has six fields: arn, partition, service, region, account, resource."""


def may_assume(role: str, service: str, *, source: str) -> bool:
    """Whether `service` (`apigateway.amazonaws.com`) may take on the role for what has the ARN `source`."""
    from ministack.core import iam_evaluator

    record = _record(role)
    if record is None:
        return False
    keys = {"aws:sourcearn": source, "aws:sourceaccount": source.split(":")[4]}
    context = _context(service, _ASSUMES, role, keys)
    trust = record.get("AssumeRolePolicyDocument")
    judged = iam_evaluator.evaluate_resource_policy(trust, context, service)
    return bool(judged.decision == "Allow")


def may(role: str, action: str, arn: str) -> bool:
    """Whether the role's own policies allow an action (`sqs:SendMessage`) on the resource."""
    from ministack.core import iam_evaluator
    from ministack.services import iam

    if _record(role) is None:
        return False
    name, account = _named(role)
    policies = iam_evaluator._gather_role_policies(name, account)
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    judged = iam_evaluator.evaluate(_context(role, action, arn, {}), policies, *limits)
    return bool(judged.decision == "Allow")


def _named(role: str) -> tuple[str, str]:
    """A role's name, without its path, and its account."""
    return role.rpartition("/")[2], role.split(":")[4]


def _record(role: str) -> dict[str, Any] | None:
    """The emulator's record of a role, None where there is no such role."""
    from ministack.services import iam

    if role.count(":") < _FIELDS - 1:
        return None
    name, account = _named(role)
    found: dict[str, Any] | None = iam._roles.get_scoped(account, None, name)
    return found


def _context(principal: str, action: str, arn: str, keys: dict[str, str]) -> Any:
    from ministack.core import iam_evaluator

    region, account = arn.split(":")[3:5]
    context = iam_evaluator.EvalContext(principal, "AssumedRole", account, action, arn, region)
    context.service_context.update(keys)
    return context
