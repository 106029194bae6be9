"""IAM: roles and their inline policies.

The emulator judges the calls of handlers by these, a few of them wrongly: for those a role gets one more inline
policy, `sandbox-compat`, which is rebuilt from its other policies and reported.
"""

from __future__ import annotations

import json
import threading
from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.iam_compat import COMPAT, additions
from sandbox.services.shared import dropped, pairs, physical_name, remove, tags

_LOCK: Final = threading.Lock()
"""Two policies of one role are made side by side, and both rebuild its `sandbox-compat`."""


@resource(
    "aws:iam/role:Role",
    ignored={"forceDetachPolicies": "removing a role here always detaches what hangs on it"},
)
def role(r: Resource) -> Outputs:
    name = physical_name(r, limit=64)
    wanted = tags(r)
    made = r.api(
        "iam",
        "create_role",
        "path",
        "description",
        "maxSessionDuration",
        "permissionsBoundary",
        RoleName=name,
        AssumeRolePolicyDocument=_text(r.take("assumeRolePolicy")),
        Tags=pairs(wanted),
    )["Role"]
    _attached(r, name)
    return {
        "id": name,
        "name": name,
        "arn": made["Arn"],
        "uniqueId": made["RoleId"],
        "createDate": made["CreateDate"].isoformat().replace("+00:00", "Z"),
        "tagsAll": wanted,
    }


@role.updates
def update_role(r: Resource) -> Outputs:
    if r.changed & {"name", "namePrefix", "path"}:
        delete_role(r)
        return role.create(r)
    old = dict(r.old or {})
    name = physical_name(r, limit=64)
    r.take("path")
    trust = _text(r.take("assumeRolePolicy"))
    r.call("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=trust)
    hours = r.take("maxSessionDuration", 3600)
    r.call(
        "iam",
        "update_role",
        RoleName=name,
        Description=r.take("description", ""),
        MaxSessionDuration=hours,
    )
    boundary = r.take("permissionsBoundary")
    if boundary:
        r.call("iam", "put_role_permissions_boundary", RoleName=name, PermissionsBoundary=boundary)
    elif "permissionsBoundary" in r.changed:
        r.call("iam", "delete_role_permissions_boundary", RoleName=name)
    if r.changed & {"inlinePolicies", "managedPolicyArns"}:
        _detach(r, name, inline="inlinePolicies" in r.changed)
    _attached(r, name)
    wanted = tags(r)
    if extra := dropped(r, wanted):
        r.call("iam", "untag_role", RoleName=name, TagKeys=extra)
    if wanted:
        r.call("iam", "tag_role", RoleName=name, Tags=pairs(wanted))
    return {**old, "tagsAll": wanted}


@role.deletes
def delete_role(r: Resource) -> None:
    name = (r.old or {})["name"]
    with _LOCK:
        _detach(r, name, inline=True)
        remove(r, "iam", "delete_role", RoleName=name)


def _attached(r: Resource, name: str) -> None:
    for arn in r.take("managedPolicyArns", []):
        r.call("iam", "attach_role_policy", RoleName=name, PolicyArn=arn)
    blocks = [b for b in r.blocks("inlinePolicies") if b.inputs.get("name")]
    for b in blocks:
        r.call(
            "iam",
            "put_role_policy",
            RoleName=name,
            PolicyName=b.take("name"),
            PolicyDocument=_text(b.take("policy")),
        )
    if r.old or any(_needs_mending(_text(b.inputs["policy"])) for b in blocks):
        _mend(r, name)


def _detach(r: Resource, name: str, *, inline: bool) -> None:
    from botocore.exceptions import ClientError

    try:
        managed = r.call("iam", "list_attached_role_policies", RoleName=name)["AttachedPolicies"]
        names = r.call("iam", "list_role_policies", RoleName=name)["PolicyNames"]
    except ClientError:
        return
    for policy in managed:
        remove(r, "iam", "detach_role_policy", RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy_name in names if inline else ():
        remove(r, "iam", "delete_role_policy", RoleName=name, PolicyName=policy_name)


@resource("aws:iam/rolePolicy:RolePolicy")
def role_policy(r: Resource) -> Outputs:
    name = physical_name(r, limit=128)
    role_name = r.take("role")
    document = _text(r.take("policy"))
    r.call("iam", "put_role_policy", RoleName=role_name, PolicyName=name, PolicyDocument=document)
    if r.old or _needs_mending(document):
        _mend(r, role_name)
    return {"id": f"{role_name}:{name}", "name": name, "role": role_name, "policy": document}


@role_policy.updates
def update_role_policy(r: Resource) -> Outputs:
    if r.changed & {"name", "namePrefix", "role"}:
        delete_role_policy(r)
    return role_policy.create(r)


@role_policy.deletes
def delete_role_policy(r: Resource) -> None:
    role_name, _, name = (r.old or {})["id"].partition(":")
    remove(r, "iam", "delete_role_policy", RoleName=role_name, PolicyName=name)
    _mend(r, role_name)


def _text(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)


def _needs_mending(document: str) -> bool:
    """Most policies need none, and none of them is worth reading the role's others back."""
    return bool(additions([json.loads(document)])[0])


def _mend(r: Resource, role_name: str) -> None:
    """Rebuild the role's `sandbox-compat` from its other inline policies; report what it grants."""
    from botocore.exceptions import ClientError

    with _LOCK:
        try:
            names = r.call("iam", "list_role_policies", RoleName=role_name)["PolicyNames"]
        except ClientError:
            return
        others = [name for name in names if name != COMPAT]
        statements, reasons = additions(_document(r, role_name, name) for name in others)
        if statements and _runs_handlers(r, role_name):
            document = json.dumps({"Version": "2012-10-17", "Statement": statements})
            r.call(
                "iam",
                "put_role_policy",
                RoleName=role_name,
                PolicyName=COMPAT,
                PolicyDocument=document,
            )
            for reason in reasons:
                r.note_compat(reason)
        elif COMPAT in names:
            remove(r, "iam", "delete_role_policy", RoleName=role_name, PolicyName=COMPAT)


def _document(r: Resource, role_name: str, name: str) -> dict[str, Any]:
    answer = r.call("iam", "get_role_policy", RoleName=role_name, PolicyName=name)
    return answer["PolicyDocument"]


def _runs_handlers(r: Resource, role_name: str) -> bool:
    """Whether functions take the role: what a service does in a role of its own is not judged here."""
    trust = r.call("iam", "get_role", RoleName=role_name)["Role"]["AssumeRolePolicyDocument"]
    return "lambda.amazonaws.com" in json.dumps(trust)
