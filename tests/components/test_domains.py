"""Domains: an API under a name of one's own, with a certificate and a record where they can be made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.domains import Domains, address
from settings import DomainSettings, SocketSettings
from tests.support.program import Answers, Run, run_program

CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
ZONE = "Z0123456789ABCDEFGHIJ"
DOMAIN, MAPPING = (
    "aws:apigatewayv2/domainName:DomainName",
    "aws:apigatewayv2/apiMapping:ApiMapping",
)
RECORD, ISSUED = "aws:route53/record:Record", "aws:acm/certificateValidation:CertificateValidation"
OWN = "domain-api-example-com"


def domain(name: str = "api.example.com", **values: Any) -> DomainSettings:
    """A domain that has a certificate, unless `values` say otherwise."""
    return DomainSettings(**{"domain_name": name, "certificate_arn": CERTIFICATE, **values})


class Names(Answers):
    """What API Gateway and ACM say of names."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[str, Any]]:
        made, outputs = super().new_resource(args)
        if args.typ == DOMAIN:
            outputs["domainNameConfiguration"] |= {
                "targetDomainName": "d-1.aws.example",
                "hostedZoneId": "ZAPI",
            }
        if args.typ == "aws:acm/certificate:Certificate":
            shown = {
                "domainName": outputs["domainName"],
                "resourceRecordName": "_mark.api.example.com.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_proof.acm-validations.aws.",
            }
            outputs["domainValidationOptions"] = [shown]
        if args.typ == RECORD:
            outputs["fqdn"] = outputs["name"]
        return made, outputs


class Front(pulumi.ComponentResource):
    """An API without anything of its own."""

    def __init__(self, name: str, domains: Domains, settings: DomainSettings | None) -> None:
        super().__init__("test:components:Front", name)
        domains.map(name, settings, api_id=f"{name}-id", stage="tiny", parent=self)


def told(program: Callable[[Domains], object], *, preview: bool = False) -> Run:
    """Run a program that has the domains of a stack."""

    def whole() -> None:
        program(Domains())

    return run_program(whole, config={}, stack="tiny", answers=Names(), preview=preview)


def alone(settings: DomainSettings, *, preview: bool = False) -> Run:
    """A stack with one API under a domain."""
    return told(lambda domains: Front("rest", domains, settings), preview=preview)


def types(run: Run) -> set[str]:
    return {r.type for r in run.resources if r.type.startswith("aws:")}


def test_api_is_mapped_to_a_base_path_of_its_domain() -> None:
    run = alone(domain(base_path="v1"))
    made, mapping = run.one(DOMAIN, f"{OWN}-name"), run.one(MAPPING, "rest-domain-mapping")
    assert made.properties == {
        "domainName": "api.example.com",
        "domainNameConfiguration": {
            "certificateArn": CERTIFICATE,
            "endpointType": "REGIONAL",
            "securityPolicy": "TLS_1_2",
        },
    }
    assert mapping.properties == {
        "domainName": "api.example.com",
        "apiMappingKey": "v1",
        "apiId": "rest-id",
        "stage": "tiny",
    }
    assert mapping.parent.rpartition("::")[2] == "rest", "the mapping is the API's own"


def test_api_without_a_base_path_has_the_whole_name() -> None:
    assert "apiMappingKey" not in alone(domain()).one(MAPPING, "rest-domain-mapping").properties


def test_api_without_a_domain_makes_nothing() -> None:
    assert types(told(lambda domains: Front("rest", domains, None))) == set()


@pytest.mark.parametrize(
    ("settings", "closed", "told_to_all"),
    [
        (None, False, "wss://a.aws.example/tiny"),
        (domain(), False, "wss://a.aws.example/tiny"),
        (domain(), True, "wss://api.example.com"),
        (domain(base_path="v1"), True, "wss://api.example.com/v1"),
    ],
)
def test_address_is_the_gateways_own_until_that_is_switched_off(
    settings: DomainSettings | None, told_to_all: str, *, closed: bool
) -> None:
    said = SocketSettings(domain=settings, disable_execute_api_endpoint=closed)
    run = told(
        lambda _: pulumi.export("url", address(said, "wss://a.aws.example/tiny", scheme="wss"))
    )
    assert run.outputs["url"] == told_to_all


def test_domain_with_a_certificate_and_no_zone_leaves_dns_to_others() -> None:
    assert types(alone(domain())) == {DOMAIN, MAPPING}


def test_hosted_zone_gets_an_alias_of_the_domain() -> None:
    run = alone(domain(hosted_zone_id=ZONE))
    record = run.one(RECORD, f"{OWN}-record")
    assert (record.get("zoneId"), record.get("name"), record.get("type")) == (
        ZONE,
        "api.example.com",
        "A",
    )
    (alias,) = record.properties["aliases"]
    assert (alias["name"], alias["zoneId"]) == ("d-1.aws.example", "ZAPI")
    assert "aws:acm/certificate:Certificate" not in types(run)


def test_without_a_certificate_one_is_made_and_shown_to_be_ours() -> None:
    run = alone(domain(certificate_arn=None, hosted_zone_id=ZONE))
    certificate = run.one("aws:acm/certificate:Certificate", f"{OWN}-certificate")
    assert certificate.properties == {"domainName": "api.example.com", "validationMethod": "DNS"}
    record = run.one(RECORD, f"{OWN}-validation-record").properties
    assert record == {
        "zoneId": ZONE,
        "name": "_mark.api.example.com.",
        "type": "CNAME",
        "records": ["_proof.acm-validations.aws."],
        "ttl": 300,
        "allowOverwrite": True,
    }
    issued = run.one(ISSUED, f"{OWN}-validation")
    assert issued.get("validationRecordFqdns") == ["_mark.api.example.com."]
    made = run.one(DOMAIN, f"{OWN}-name")
    assert made.get("domainNameConfiguration.certificateArn") == certificate.output("arn")
    assert issued.urn in made.depends_on, "API Gateway refuses a certificate that waits"


def test_certificate_cannot_be_made_without_a_zone() -> None:
    with pytest.raises(ValueError, match="or a hosted zone to get one through"):
        alone(domain(certificate_arn=None))


def test_domain_can_be_previewed_before_anything_is_known_of_it() -> None:
    run = alone(domain(certificate_arn=None, hosted_zone_id=ZONE), preview=True)
    assert {RECORD, ISSUED, MAPPING} < types(run)


def shared(*order: str) -> Run:
    """Two APIs under one domain, made in this order."""

    def program(domains: Domains) -> None:
        for name in order:
            settings = domain(certificate_arn=None, hosted_zone_id=ZONE, base_path=name)
            Front(name, domains, settings)

    return told(program)


def test_two_apis_share_a_domain_that_is_made_once() -> None:
    run = shared("rest", "shop")
    assert len(run.all(DOMAIN)) == 1
    assert {m.get("apiMappingKey"): m.get("apiId") for m in run.all(MAPPING)} == {
        "rest": "rest-id",
        "shop": "shop-id",
    }


def test_domain_is_the_same_whichever_api_asks_first() -> None:
    def urns(run: Run) -> set[str]:
        return {r.urn for r in run.resources}

    assert urns(shared("rest", "shop")) == urns(shared("shop", "rest"))
    fewer = urns(shared("shop", "rest")) - urns(shared("shop"))
    assert {urn.rpartition("::")[2] for urn in fewer} == {"rest", "rest-domain-mapping"}


def test_everything_of_a_domain_belongs_to_it() -> None:
    made = [r for r in shared("rest").resources if r.name.startswith(f"{OWN}-")]
    assert len(made) == 5
    assert {r.parent.rpartition("::")[2] for r in made} == {OWN}


def test_names_that_differ_by_a_dot_are_two_domains() -> None:
    def program(domains: Domains) -> None:
        for name in ("a-b.example.com", "a.b.example.com"):
            Front(name.replace(".", ""), domains, domain(name))

    assert {d.name for d in told(program).all(DOMAIN)} == {
        "domain-a--b-example-com-name",
        "domain-a-b-example-com-name",
    }


def test_apis_may_not_disagree_on_the_certificate_of_their_domain() -> None:
    def program(domains: Domains) -> None:
        Front("rest", domains, domain(base_path="rest"))
        Front("shop", domains, domain(certificate_arn=CERTIFICATE.replace("0", "1")))

    with pytest.raises(ValueError, match=r"api\.example\.com: all APIs must name the same"):
        told(program)
