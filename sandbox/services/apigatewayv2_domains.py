"""Custom domains of HTTP and WebSocket APIs. They are real for whoever sends their name as Host."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.apigatewayv2 import V2, retag
from sandbox.services.shared import REGION, remove, replaced, tags

_OWN: Final = ("domainNameConfiguration", "mutualTlsAuthentication", "routingMode")
_RENAME: Final = {"domainNameConfiguration": "DomainNameConfigurations"}


@resource("aws:apigatewayv2/domainName:DomainName", ignored=REGION)
def domain_name(r: Resource) -> Outputs:
    name, wanted = r.take("domainName"), tags(r)
    _note(r)
    made = r.api(
        V2, "create_domain_name", *_OWN, rename=_RENAME, DomainName=name, Tags=wanted or None
    )
    return _outputs(r, made, wanted)


@domain_name.updates
def update_domain_name(r: Resource) -> Outputs:
    if "domainName" in r.changed:
        return replaced(domain_name.create, delete_domain_name)(r)
    name, wanted = r.take("domainName"), tags(r)
    _note(r)
    made = r.api(V2, "update_domain_name", *_OWN, rename=_RENAME, DomainName=name)
    outputs = _outputs(r, made, wanted)
    retag(r, outputs["arn"], wanted)
    return outputs


@domain_name.deletes
def delete_domain_name(r: Resource) -> None:
    remove(r, V2, "delete_domain_name", DomainName=(r.old or {})["id"])


def _note(r: Resource) -> None:
    r.note("it has no DNS record and no TLS here: send its name as Host header")
    if r.inputs.get("mutualTlsAuthentication"):
        r.note("client certificates are not asked for")


def _outputs(r: Resource, made: dict[str, Any], wanted: dict[str, str]) -> Outputs:
    name = made["DomainName"]
    there = made["DomainNameConfigurations"][0]
    block = r.inputs.get("domainNameConfiguration") or {}
    given = block[0] if isinstance(block, list) else block
    return {
        "id": name,
        "domainName": name,
        "arn": f"arn:aws:apigateway:{r.aws.region}::/domainnames/{name}",
        "apiMappingSelectionExpression": made["ApiMappingSelectionExpression"],
        "domainNameConfiguration": {
            **given,
            "hostedZoneId": there["HostedZoneId"],
            "targetDomainName": there["ApiGatewayDomainName"],
        },
        "tagsAll": wanted,
    }


@resource("aws:apigatewayv2/apiMapping:ApiMapping", ignored=REGION)
def api_mapping(r: Resource) -> Outputs:
    made = r.api(V2, "create_api_mapping")
    return {"id": made["ApiMappingId"], "domainName": r.inputs["domainName"]}


@api_mapping.deletes
def delete_api_mapping(r: Resource) -> None:
    old = r.old or {}
    remove(r, V2, "delete_api_mapping", DomainName=old["domainName"], ApiMappingId=old["id"])


api_mapping.updates(replaced(api_mapping.create, delete_api_mapping))
