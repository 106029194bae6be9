"""WAF: web ACLs, their sets and their associations. Nothing here looks at a request."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import physical_name, tags

_WHY: Final = "the sandbox has no firewall: every request passes"
_KINDS: Final = {
    "aws:wafv2/ipSet:IpSet": "ipset",
    "aws:wafv2/regexPatternSet:RegexPatternSet": "regexpatternset",
    "aws:wafv2/ruleGroup:RuleGroup": "rulegroup",
    "aws:wafv2/webAcl:WebAcl": "webacl",
}


def _made(r: Resource) -> Outputs:
    """Outputs as AWS forms them; an id that lasts as long as the resource's name."""
    old: Mapping[str, Any] = r.old or {}
    name = physical_name(r, limit=128)
    mark = hashlib.sha256(r.urn.encode()).hexdigest()
    own = f"{mark[:8]}-{mark[8:12]}-{mark[12:16]}-{mark[16:20]}-{mark[20:32]}"
    edge = r.inputs.get("scope") == "CLOUDFRONT"
    place, region = ("global", "us-east-1") if edge else ("regional", r.aws.region)
    kind = _KINDS[r.type]
    outputs = {
        "id": own,
        "arn": f"arn:aws:wafv2:{region}:{r.aws.account}:{place}/{kind}/{name}/{own}",
        "name": name,
        "lockToken": old.get("lockToken") or own[::-1],
        "tagsAll": tags(r),
    }
    if kind == "webacl":
        outputs |= {"applicationIntegrationUrl": "", "capacity": _capacity(r)}
    return outputs


def _capacity(r: Resource) -> int:
    """Units that the rules would take at least: AWS counts one for each."""
    return len(r.take("rules") or [])


for _token in _KINDS:
    resource(_token, not_simulated=_WHY)(_made)


@resource("aws:wafv2/webAclAssociation:WebAclAssociation", not_simulated=_WHY)
def web_acl_association(r: Resource) -> Outputs:
    return {"id": f"{r.take('webAclArn')},{r.take('resourceArn')}"}


@resource("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", not_simulated=_WHY)
def web_acl_logging(r: Resource) -> Outputs:
    return {"id": r.take("resourceArn")}
