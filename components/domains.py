"""Names of our own for APIs: certificate, domain, base path and DNS record."""

from __future__ import annotations

from typing import Literal

import pulumi
import pulumi_aws as aws

from settings import DomainSettings

VALIDATION_TTL = 300
"""Seconds that resolvers keep the record that shows ACM whose domain it is."""


def api_domain(
    name: str,
    settings: DomainSettings,
    *,
    api_id: pulumi.Input[str],
    stage_id: pulumi.Input[str],
    parent: pulumi.Resource,
    scheme: Literal["https", "wss"] = "https",
    beside: pulumi.Resource | None = None,
) -> pulumi.Output[str]:
    """Put a stage of any API under its domain; the address there, without a slash at its end.

    A domain can be made once. An HTTP API that shares the domain of a REST API names that API's component as `beside`:
    then only the mapping is made here, after everything of the other one. AWS lets the two share what was made through
    the newer interface only, and so a REST API's domain is made through it as well.
    """
    made: pulumi.Input[str] = settings.domain_name
    if beside is None:
        made = _create_domain(name, settings, parent).domain_name
    mapping = aws.apigatewayv2.ApiMapping(
        f"{name}-domain-mapping",
        aws.apigatewayv2.ApiMappingArgs(
            api_id=api_id,
            stage=stage_id,
            domain_name=made,
            api_mapping_key=settings.base_path or None,
        ),
        pulumi.ResourceOptions(parent=parent, depends_on=[beside] if beside else None),
    )
    return _address(scheme, settings, mapping.domain_name)


def _create_domain(
    name: str, settings: DomainSettings, parent: pulumi.Resource
) -> aws.apigatewayv2.DomainName:
    domain = aws.apigatewayv2.DomainName(
        f"{name}-domain",
        aws.apigatewayv2.DomainNameArgs(
            domain_name=settings.domain_name,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                certificate_arn=_certificate(name, settings, parent),
                endpoint_type="REGIONAL",
                security_policy="TLS_1_2",
            ),
        ),
        pulumi.ResourceOptions(parent=parent),
    )
    place = domain.domain_name_configuration
    _point(
        name,
        settings,
        place.apply(lambda made: made.target_domain_name or ""),
        place.apply(lambda made: made.hosted_zone_id or ""),
        parent,
    )
    return domain


def _address(
    scheme: str, settings: DomainSettings, mapped: pulumi.Output[str]
) -> pulumi.Output[str]:
    """From the mapping, so that nobody is told the address before it leads anywhere."""
    path = f"/{settings.base_path}" if settings.base_path else ""
    return pulumi.Output.concat(f"{scheme}://", mapped, path)


def _certificate(name: str, settings: DomainSettings, parent: pulumi.Resource) -> pulumi.Input[str]:
    """The certificate that settings name, or a new one that ACM issues once the hosted zone shows whose domain it is."""
    if settings.certificate_arn is not None:
        return settings.certificate_arn
    child = pulumi.ResourceOptions(parent=parent)
    certificate = aws.acm.Certificate(
        f"{name}-domain-certificate",
        aws.acm.CertificateArgs(domain_name=settings.domain_name, validation_method="DNS"),
        child,
    )
    # One name, so one option.
    shown = certificate.domain_validation_options.apply(lambda options: options[0])
    record = aws.route53.Record(
        f"{name}-domain-validation-record",
        aws.route53.RecordArgs(
            zone_id=_zone(settings),
            name=shown.apply(lambda option: option.resource_record_name or ""),
            type=shown.apply(lambda option: option.resource_record_type or ""),
            records=[shown.apply(lambda option: option.resource_record_value or "")],
            ttl=VALIDATION_TTL,
            # It is the same for every certificate of the name in this account: an earlier one may have left it.
            allow_overwrite=True,
        ),
        child,
    )
    issued = aws.acm.CertificateValidation(
        f"{name}-domain-validation",
        aws.acm.CertificateValidationArgs(
            certificate_arn=certificate.arn, validation_record_fqdns=[record.fqdn]
        ),
        child,
    )
    return issued.certificate_arn


def _point(
    name: str,
    settings: DomainSettings,
    target: pulumi.Input[str],
    target_zone: pulumi.Input[str],
    parent: pulumi.Resource,
) -> None:
    """Without a hosted zone somebody else's DNS has to point at the domain's target."""
    if settings.hosted_zone_id is None:
        return
    aws.route53.Record(
        f"{name}-domain-record",
        aws.route53.RecordArgs(
            zone_id=settings.hosted_zone_id,
            name=settings.domain_name,
            type="A",
            aliases=[
                aws.route53.RecordAliasArgs(
                    name=target, zone_id=target_zone, evaluate_target_health=False
                )
            ],
        ),
        pulumi.ResourceOptions(parent=parent),
    )


def _zone(settings: DomainSettings) -> str:
    if settings.hosted_zone_id is None:
        raise ValueError("domain: a certificate is needed, or a hosted zone to get one through")
    return settings.hosted_zone_id
