"""Domains: an API under a name of one's own, with a certificate and a record where they can be made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.domains import api_domain
from settings import DomainSettings
from tests.support.program import Answers, Run, run_program

CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
ZONE = "Z0123456789ABCDEFGHIJ"
DOMAIN, MAPPING = (
    "aws:apigatewayv2/domainName:DomainName",
    "aws:apigatewayv2/apiMapping:ApiMapping",
)
RECORD, ISSUED = "aws:route53/record:Record", "aws:acm/certificateValidation:CertificateValidation"


class Names(Answers):
    """What API Gateway and ACM say of names."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[str, Any]]:
        made, outputs = super().new_resource(args)
        if args.typ == DOMAIN:
            outputs["domainNameConfiguration"] |= {
                "targetDomainName": "d-1.aws.example",
                "hostedZoneId": "ZAWS",
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

    def __init__(self, name: str) -> None:
        super().__init__("test:components:Front", name)


Make = Callable[[DomainSettings, Front], pulumi.Output[str]]


def as_rest(settings: DomainSettings, front: Front) -> pulumi.Output[str]:
    return api_domain("api", settings, api_id="r1", stage_id="tiny", parent=front)


def as_http(settings: DomainSettings, front: Front) -> pulumi.Output[str]:
    return api_domain("http", settings, api_id="h1", stage_id="$default", parent=front)


def as_socket(settings: DomainSettings, front: Front) -> pulumi.Output[str]:
    return api_domain("socket", settings, api_id="w1", stage_id="tiny", parent=front, scheme="wss")


def named(make: Make, *, preview: bool = False, **settings: Any) -> Run:
    def program() -> None:
        wanted = DomainSettings(domain_name="api.example.com", **settings)
        pulumi.export("url", make(wanted, Front("front")))

    return run_program(program, config={}, stack="tiny", answers=Names(), preview=preview)


def types(run: Run) -> set[str]:
    return {r.type for r in run.resources if r.type.startswith("aws:")}


def test_api_answers_under_a_base_path_of_its_domain() -> None:
    run = named(as_rest, certificate_arn=CERTIFICATE, base_path="v1")
    assert run.one(MAPPING, "api-domain-mapping").get("apiMappingKey") == "v1"
    assert run.outputs["url"] == "https://api.example.com/v1"


@pytest.mark.parametrize(
    ("make", "name", "api", "stage", "url"),
    [
        (as_rest, "api", "r1", "tiny", "https://api.example.com"),
        (as_http, "http", "h1", "$default", "https://api.example.com"),
        (as_socket, "socket", "w1", "tiny", "wss://api.example.com"),
    ],
)
def test_apis_of_all_kinds_have_domains_of_the_newer_kind_which_they_may_share(
    make: Make, name: str, api: str, stage: str, url: str
) -> None:
    run = named(make, certificate_arn=CERTIFICATE)
    configuration = run.one(DOMAIN, f"{name}-domain").get("domainNameConfiguration")
    assert configuration == {
        "certificateArn": CERTIFICATE,
        "endpointType": "REGIONAL",
        "securityPolicy": "TLS_1_2",
    }
    mapping = run.one(MAPPING, f"{name}-domain-mapping").properties
    assert mapping == {"apiId": api, "stage": stage, "domainName": "api.example.com"}
    assert run.outputs["url"] == url


def test_domain_with_a_certificate_and_no_zone_leaves_dns_to_others() -> None:
    run = named(as_http, certificate_arn=CERTIFICATE)
    assert types(run) == {DOMAIN, MAPPING}


@pytest.mark.parametrize(("make", "name"), [(as_rest, "api"), (as_http, "http")])
def test_a_hosted_zone_gets_an_alias_of_the_domain(make: Make, name: str) -> None:
    run = named(make, certificate_arn=CERTIFICATE, hosted_zone_id=ZONE)
    record = run.one(RECORD, f"{name}-domain-record")
    assert (record.get("zoneId"), record.get("name"), record.get("type")) == (
        ZONE,
        "api.example.com",
        "A",
    )
    (alias,) = record.properties["aliases"]
    assert (alias["name"], alias["zoneId"]) == ("d-1.aws.example", "ZAWS")
    assert "aws:acm/certificate:Certificate" not in types(run)


@pytest.mark.parametrize(("make", "name"), [(as_rest, "api"), (as_http, "http")])
def test_without_a_certificate_one_is_made_and_shown_to_be_ours(make: Make, name: str) -> None:
    run = named(make, hosted_zone_id=ZONE)
    certificate = run.one("aws:acm/certificate:Certificate", f"{name}-domain-certificate")
    assert certificate.properties == {"domainName": "api.example.com", "validationMethod": "DNS"}
    record = run.one(RECORD, f"{name}-domain-validation-record").properties
    assert record == {
        "zoneId": ZONE,
        "name": "_mark.api.example.com.",
        "type": "CNAME",
        "records": ["_proof.acm-validations.aws."],
        "ttl": 300,
        "allowOverwrite": True,
    }
    issued = run.one(ISSUED, f"{name}-domain-validation")
    assert issued.get("validationRecordFqdns") == ["_mark.api.example.com."]
    (domain,) = run.all(DOMAIN)
    assert issued.urn in domain.depends_on, "API Gateway refuses a certificate that waits"


@pytest.mark.parametrize("make", [as_rest, as_http, as_socket])
def test_domain_can_be_previewed_before_anything_is_known_of_it(make: Make) -> None:
    run = named(make, preview=True, hosted_zone_id=ZONE)
    assert {RECORD, ISSUED} < types(run)


def test_http_api_may_share_the_domain_of_a_rest_api() -> None:
    settings = DomainSettings(
        domain_name="api.example.com", certificate_arn=CERTIFICATE, base_path="shop"
    )

    def program() -> None:
        rest = Front("rest")
        as_rest(settings.model_copy(update={"base_path": "v1"}), rest)
        shared = api_domain(
            "http", settings, api_id="h1", stage_id="$default", parent=Front("http"), beside=rest
        )
        pulumi.export("url", shared)

    run = run_program(program, config={}, stack="tiny", answers=Names())
    (domain,) = run.all(DOMAIN)
    mapping = run.one(MAPPING, "http-domain-mapping")
    assert mapping.get("apiMappingKey") == "shop"
    assert domain.urn in mapping.depends_on
    assert run.outputs["url"] == "https://api.example.com/shop"


def test_everything_of_a_domain_belongs_to_its_api() -> None:
    run = named(as_rest, hosted_zone_id=ZONE)
    made = [r for r in run.resources if r.type.startswith("aws:")]
    assert len(made) == 6
    assert {r.parent.rpartition("::")[2] for r in made} == {"front"}
