"""Domains of our own in front of APIs: TLS, certificates, and where each path leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from policies import aws, gateways
from policies.model import Registered, Stack, rule


@rule
def domain_is_one_that_apis_may_share(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AWS lets REST and HTTP APIs share a domain that was made and mapped by version 2 of API Gateway's interface."""
    for older in stack.all(aws.REST_DOMAIN, aws.BASE_PATH_MAPPING):
        yield older, "make it with apigatewayv2, whose domains lead to every kind of API"


@rule
def domain_speaks_tls_as_it_should(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """TLS 1.2 at least, a regional endpoint, and a certificate that is valid before the domain is made."""
    for domain in stack.all(aws.DOMAIN):
        certificate = domain.get("domainNameConfiguration.certificateArn")
        policy = domain.get("domainNameConfiguration.securityPolicy")
        # Version 2 of the interface knows this one and TLS_1_0; it takes TLS 1.3 as well.
        if policy != "TLS_1_2":
            yield domain, f"securityPolicy is {policy}; say TLS_1_2"
        if domain.get("domainNameConfiguration.endpointType") != "REGIONAL":
            yield domain, "its endpoint must be REGIONAL, as the API is"
        if not str(certificate or "").startswith("arn:"):
            yield domain, "names no certificate"
        made = stack.at(str(certificate), aws.CERTIFICATE)
        checked = stack.having(aws.CERTIFICATE_VALIDATION, certificateArn=certificate)
        if made is not None and not any(v.urn in stack.waits_for(domain) for v in checked):
            yield domain, f"must wait until {made.name} is validated; use the validation's ARN"


@rule
def domain_is_made_once(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AWS takes a name once; APIs share it by mappings, but a WebSocket API shares with nobody else."""
    counted = Counter(domain.get("domainName") for domain in stack.all(aws.DOMAIN))
    for domain in stack.all(aws.DOMAIN):
        name = domain.get("domainName")
        if counted[name] > 1:
            yield domain, f"{name} is made {counted[name]} times; map each API to one of them"
        apis = [api for m in _mappings(stack, domain) if (api := _api(stack, m)) is not None]
        kinds = {api.get("protocolType") for api in apis}
        if gateways.SOCKET in kinds and len(kinds) > 1:
            yield domain, "is shared by a WebSocket API and another one; AWS refuses that"


@rule
def domain_leads_somewhere(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Each path of a domain leads to one stage of this stack."""
    for domain in stack.all(aws.DOMAIN):
        mappings = _mappings(stack, domain)
        if not mappings:
            yield domain, "no mapping leads from it to a stage"
        for path, count in Counter(map(_path, mappings)).items():
            if count > 1:
                yield domain, f"{count} mappings have the path '{path}'"
        for mapping in mappings:
            if _api(stack, mapping) is None:
                yield mapping, "leads to no stage of this stack"


@rule
def closed_address_leaves_another(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """An API whose own address is closed is reached by its domain only."""
    mapped = {
        api.urn
        for mapping in stack.all(aws.API_MAPPING)
        if (api := _api(stack, mapping)) is not None
    }
    for api in stack.all(aws.REST_API, aws.API):
        if api.get("disableExecuteApiEndpoint") is True and api.urn not in mapped:
            yield api, "disableExecuteApiEndpoint closes its one address; give it a domain"


def _mappings(stack: Stack, domain: Registered) -> list[Registered]:
    return stack.having(aws.API_MAPPING, domainName=domain.get("domainName"))


def _path(mapping: Registered) -> str:
    return str(mapping.get("apiMappingKey") or "")


def _api(stack: Stack, mapping: Registered) -> Registered | None:
    """The API behind a mapping, if its stage is one of this stack."""
    id_, stage = mapping.get("apiId"), mapping.get("stage")
    if stack.having(aws.REST_STAGE, restApi=id_, stageName=stage) or stack.having(
        aws.STAGE, apiId=id_, name=stage
    ):
        return stack.answering("id", str(id_), aws.REST_API, aws.API)
    return None


RULES = (
    domain_is_one_that_apis_may_share,
    domain_speaks_tls_as_it_should,
    domain_is_made_once,
    domain_leads_somewhere,
    closed_address_leaves_another,
)
