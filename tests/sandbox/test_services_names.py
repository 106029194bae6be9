"""Certificates, zones and records, and an API that is called by a name of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox import domains
from tests.sandbox.rest_api_support import call
from tests.sandbox.services_support import Made, clients, make


def _records(zone: Made) -> dict[tuple[str, str], Any]:
    found = clients().client("route53").list_resource_record_sets(HostedZoneId=zone.id)
    return {(each["Name"], each["Type"]): each for each in found["ResourceRecordSets"]}


def _certificate(**inputs: Any) -> Made:
    given = {"domainName": "api.shop.example", "validationMethod": "DNS", **inputs}
    return make("acm/certificate:Certificate", "api", **given)


def test_certificate_is_validated_by_its_record() -> None:
    zone = make("route53/zone:Zone", "shop", name="shop.example", comment="ours", tags={"a": "1"})
    certificate = _certificate(tags={"a": "1"})
    (option,) = certificate["domainValidationOptions"]
    assert option["domainName"] == "api.shop.example"
    record = make(
        "route53/record:Record",
        "proof",
        zoneId=zone["zoneId"],
        name=option["resourceRecordName"],
        type=option["resourceRecordType"],
        records=[option["resourceRecordValue"]],
        ttl=300,
        allowOverwrite=True,
    )
    assert record["fqdn"] == option["resourceRecordName"].rstrip(".")
    assert (f"{record['fqdn']}.", "CNAME") in _records(zone)
    done = make(
        "acm/certificateValidation:CertificateValidation",
        "api",
        certificateArn=certificate["arn"],
        validationRecordFqdns=[record["fqdn"]],
    )
    assert done["certificateArn"] == certificate["arn"]
    assert certificate["status"] == "ISSUED"
    with pytest.raises(ValueError, match="asks for a record"):
        done.update(validationRecordFqdns=["other.shop.example"])
    record.delete()
    assert (f"{record['fqdn']}.", "CNAME") not in _records(zone)
    certificate.delete()
    zone.delete()


def test_certificate_keeps_its_arn_for_tags_only() -> None:
    certificate = _certificate(tags={"a": "1"})
    before = certificate["arn"]
    certificate.update(tags={"b": "2"})
    listed = clients().client("acm").list_tags_for_certificate(CertificateArn=before)["Tags"]
    assert (certificate["arn"], listed) == (before, [{"Key": "b", "Value": "2"}])
    certificate.update(subjectAlternativeNames=["www.shop.example"])
    assert certificate["arn"] != before
    assert len(certificate["domainValidationOptions"]) == 2
    certificate.delete()


def test_record_of_a_zone_changes_in_place_and_takes_its_full_name() -> None:
    zone = make("route53/zone:Zone", "shop", name="shop.example")
    record = make(
        "route53/record:Record",
        "www",
        zoneId=zone.id,
        name="www",
        type="A",
        aliases=[{"name": "d.execute-api.example", "zoneId": "Z1", "evaluateTargetHealth": False}],
    )
    assert record["fqdn"] == "www.shop.example"
    assert _records(zone)["www.shop.example.", "A"]["AliasTarget"]["HostedZoneId"] == "Z1"
    record.update(aliases=None, records=["192.0.2.1"], ttl=60)
    assert _records(zone)["www.shop.example.", "A"]["TTL"] == 60
    record.update(name="web.shop.example")
    assert {name for name, kind in _records(zone) if kind == "A"} == {"web.shop.example."}
    zone.update(comment="theirs", tags={"b": "2"})
    there = clients().client("route53").get_hosted_zone(Id=zone.id)["HostedZone"]
    assert there["Config"]["Comment"] == "theirs"
    record.delete()
    zone.delete()


def test_record_of_a_zone_from_outside_is_only_told() -> None:
    record = make(
        "route53/record:Record",
        "outside",
        zoneId="Z0123456789",
        name="api.shop.example",
        type="A",
        records=["192.0.2.1"],
        ttl=60,
    )
    assert record.notes == ["zone Z0123456789 is from outside: no record is made there"]
    assert record["fqdn"] == "api.shop.example"
    record.update(ttl=30)
    record.delete()


def _rest(name: str) -> str:
    """A REST API of one fixed answer on a stage `dev`; its id."""
    X = "x-amazon-apigateway-"  # noqa: N806
    answer = {"statusCode": "200", "responseTemplates": {"application/json": f'"{name}"'}}
    operation = {
        "responses": {"200": {"description": "ok"}},
        f"{X}integration": {
            "type": "mock",
            "requestTemplates": {"application/json": '{"statusCode":200}'},
            "responses": {"default": answer},
        },
    }
    info = {"title": name, "version": "1"}
    body = {"openapi": "3.0.1", "info": info, "paths": {"/a": {"get": operation}}}
    rest = make("apigateway/restApi:RestApi", name, body=json.dumps(body))
    deployed = make("apigateway/deployment:Deployment", name, restApi=rest.id)
    make("apigateway/stage:Stage", name, restApi=rest.id, deployment=deployed.id, stageName="dev")
    return rest.id


def test_address_of_a_domain_leads_to_what_is_mapped_there() -> None:
    domain = make(
        "apigateway/domainName:DomainName",
        "named",
        domainName="api.named.example",
        regionalCertificateArn="arn:aws:acm:us-west-2:000000000000:certificate/1",
        endpointConfiguration={"types": "REGIONAL"},
        securityPolicy="TLS_1_2",
    )
    rest = _rest("named")
    mapped = {"domainName": domain["domainName"], "restApi": rest, "stageName": "dev"}
    make("apigateway/basePathMapping:BasePathMapping", "named", basePath="v1", **mapped)
    own = f"{clients().endpoint}/_aws/execute-api/{rest}/dev"
    assert domains.local(clients(), "https://api.named.example/v1") == own
    assert call(domains.local(clients(), "https://api.named.example/v1/a")).json == "named"
    elsewhere = "https://api.named.example/v2"
    assert domains.local(clients(), elsewhere) == elsewhere
    make("apigateway/basePathMapping:BasePathMapping", "root", **mapped)
    assert domains.local(clients(), "https://api.named.example/a") == f"{own}/a"
    domain.delete()


def test_rest_api_is_mapped_to_a_domain_as_any_other_api_is() -> None:
    block = {"certificateArn": "arn:aws:acm:us-west-2:000000000000:certificate/1"}
    block |= {"endpointType": "REGIONAL", "securityPolicy": "TLS_1_2"}
    named = {"domainName": "both.named.example"}
    domain = make(
        "apigatewayv2/domainName:DomainName", "both", domainNameConfiguration=block, **named
    )
    rest, other = _rest("first"), _rest("second")
    mapping = make(
        "apigatewayv2/apiMapping:ApiMapping",
        "first",
        apiId=rest,
        stage="dev",
        apiMappingKey="v1",
        **named,
    )
    make("apigatewayv2/apiMapping:ApiMapping", "second", apiId=other, stage="dev", **named)
    url, host = clients().endpoint, {"Host": "both.named.example"}
    assert call(f"{url}/v1/a", **host).json == "first"
    assert call(f"{url}/a", **host).json == "second"
    local = domains.local(clients(), "https://both.named.example/v1")
    assert local == f"{url}/_aws/execute-api/{rest}/dev"
    mapping.update(apiMappingKey="v2")
    assert call(f"{url}/v2/a", **host).json == "first"
    assert call(f"{url}/v1/a", **host).status == 403
    domain.delete()


def test_socket_of_a_domain_is_a_socket_of_this_machine() -> None:
    api = make("apigatewayv2/api:Api", "named", protocolType="WEBSOCKET")
    stage = make("apigatewayv2/stage:Stage", "named", apiId=api.id, name="dev", autoDeploy=True)
    block = {"certificateArn": "arn:aws:acm:us-west-2:000000000000:certificate/1"}
    block |= {"endpointType": "REGIONAL", "securityPolicy": "TLS_1_2"}
    named = {"domainName": "live.named.example"}
    domain = make(
        "apigatewayv2/domainName:DomainName", "live", domainNameConfiguration=block, **named
    )
    make("apigatewayv2/apiMapping:ApiMapping", "live", apiId=api.id, stage=stage.id, **named)
    assert domains.local(clients(), "wss://live.named.example") == stage["invokeUrl"]
    domain.delete()
    api.delete()


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1/a", "https://nowhere.example/a"])
def test_any_other_address_stays_as_it_is(url: str) -> None:
    assert domains.local(clients(), url) == url
