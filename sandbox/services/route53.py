"""Route 53: zones of the stack and their records. Nothing here asks them for an address."""

from __future__ import annotations

from typing import Any, Final

from sandbox.faults import is_missing
from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, dropped, pairs, remove, replaced, tags

DNS: Final = "route53"
_NOT_ASKED: Final = "nothing here asks DNS: names are found by their Host header"


@resource(
    "aws:route53/zone:Zone", ignored={**REGION, "forceDestroy": "a sandbox keeps nothing of it"}
)
def zone(r: Resource) -> Outputs:
    name, wanted = r.take("name"), tags(r)
    r.note(_NOT_ASKED)
    if r.take("vpcs"):
        r.note("a sandbox has no VPC: the zone is a public one")
    made = r.call(
        DNS,
        "create_hosted_zone",
        Name=name,
        CallerReference=r.urn,
        HostedZoneConfig={"Comment": r.take("comment", "Managed by Pulumi")},
        DelegationSetId=r.take("delegationSetId"),
    )
    mark = made["HostedZone"]["Id"].rpartition("/")[2]
    _tag(r, mark, wanted)
    servers = made["DelegationSet"]["NameServers"]
    return {
        "id": mark,
        "zoneId": mark,
        "name": name,
        "arn": f"arn:aws:route53:::hostedzone/{mark}",
        "nameServers": servers,
        "primaryNameServer": servers[0] if servers else "",
        "tagsAll": wanted,
    }


@zone.updates
def update_zone(r: Resource) -> Outputs:
    old = dict(r.old or {})
    if r.changed - {"tags", "comment", "forceDestroy"}:
        return replaced(zone.create, delete_zone)(r)
    for key in r.inputs:
        r.take(key)
    r.note(_NOT_ASKED)
    if "comment" in r.changed:
        text = r.inputs.get("comment") or ""
        r.call(DNS, "update_hosted_zone_comment", Id=old["id"], Comment=text)
    wanted = tags(r)
    _tag(r, old["id"], wanted)
    return {**old, "tagsAll": wanted}


@zone.deletes
def delete_zone(r: Resource) -> None:
    remove(r, DNS, "delete_hosted_zone", Id=(r.old or {})["id"])


def _tag(r: Resource, mark: str, wanted: dict[str, str]) -> None:
    given = {"AddTags": pairs(wanted), "RemoveTagKeys": dropped(r, wanted) or None}
    if any(given.values()):
        r.call(DNS, "change_tags_for_resource", ResourceType="hostedzone", ResourceId=mark, **given)


@resource("aws:route53/record:Record", ignored=REGION)
def record(r: Resource) -> Outputs:
    """A record of the stack's own zone is kept; one of a zone from outside is only told."""
    mark, kind, wanted = r.take("zoneId"), r.take("type"), _wanted(r)
    action = "UPSERT" if r.take("allowOverwrite") or r.old else "CREATE"
    there = _zone_name(r, mark)
    if there is None:
        r.note(f"zone {mark} is from outside: no record is made there")
    else:
        r.note(_NOT_ASKED)
        wanted["Name"] = _full(wanted["Name"], there)
        _change(r, mark, action, wanted)
    name = wanted["Name"].rstrip(".")
    return {
        "id": f"{mark}_{name}_{kind}",
        "zoneId": mark,
        "fqdn": name,
        "sandboxRecord": wanted,
    }


@record.updates
def update_record(r: Resource) -> Outputs:
    if r.changed & {"name", "type", "zoneId", "setIdentifier"}:
        delete_record(r)
    return record.create(r)


@record.deletes
def delete_record(r: Resource) -> None:
    old = r.old or {}
    if _zone_name(r, old["zoneId"]) is not None:
        _change(r, old["zoneId"], "DELETE", old["sandboxRecord"])


def _wanted(r: Resource) -> dict[str, Any]:
    values = [{"Value": value} for value in r.take("records") or []]
    aliases = [
        {
            "DNSName": b.take("name"),
            "HostedZoneId": b.take("zoneId"),
            "EvaluateTargetHealth": bool(b.take("evaluateTargetHealth")),
        }
        for b in r.blocks("aliases")
    ]
    found = {
        "Name": r.take("name"),
        "Type": r.take("type"),
        "TTL": r.take("ttl"),
        "SetIdentifier": r.take("setIdentifier"),
        "HealthCheckId": r.take("healthCheckId"),
        "ResourceRecords": values or None,
        "AliasTarget": aliases[0] if aliases else None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _change(r: Resource, mark: str, action: str, wanted: dict[str, Any]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": wanted}]}
    r.call(DNS, "change_resource_record_sets", HostedZoneId=mark, ChangeBatch=batch)


def _zone_name(r: Resource, mark: str) -> str | None:
    """The zone's name without the dot at its end; None where the sandbox has no such zone."""
    from botocore.exceptions import ClientError

    try:
        return str(r.call(DNS, "get_hosted_zone", Id=mark)["HostedZone"]["Name"]).rstrip(".")
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def _full(name: str, zone_name: str) -> str:
    """The record's whole name: what does not end with the zone's gets it, as the provider does."""
    plain = name.rstrip(".")
    inside = plain == zone_name or plain.endswith(f".{zone_name}")
    return plain if inside else f"{plain}.{zone_name}"
