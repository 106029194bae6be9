"""Names of our own for APIs: certificate, domain, base path and DNS record."""

from __future__ import annotations

from typing import Literal

import pulumi
import pulumi_aws as aws

from settings import DomainSettings
from settings.stages import StageSettings

VALIDATION_TTL = 300
"""Seconds that resolvers keep the record that shows ACM whose domain it is."""


def address(
    settings: StageSettings,
    default: pulumi.Input[str],
    *,
    scheme: Literal["https", "wss"] = "https",
) -> pulumi.Output[str]:
    """Where an API is called, without a slash at its end: `default`, or its domain's if settings switch that off.

    It is known before the domain leads there: functions behind an API may be told it.
    """
    domain = settings.domain
    if domain is None or not settings.disable_execute_api_endpoint:
        return pulumi.Output.from_input(default)
    path = f"/{domain.base_path}" if domain.base_path else ""
    return pulumi.Output.from_input(f"{scheme}://{domain.domain_name}{path}")


class Domains:
    """The domains of a stack: each is made when an API first asks for it, and shared by all that name it.

    REST, HTTP and WebSocket APIs are mapped alike: version 2 of API Gateway's interface takes stages of REST APIs too,
    where the domain is regional and speaks TLS 1.2 (API Gateway Developer Guide, "Use API mappings to connect API
    stages to a custom domain name for REST APIs").
    """

    def __init__(self) -> None:
        self._made: dict[str, Domain] = {}

    def map(
        self,
        name: str,
        settings: DomainSettings | None,
        *,
        api_id: pulumi.Input[str],
        stage: pulumi.Input[str],
        parent: pulumi.Resource,
    ) -> None:
        """Put a stage (its name) of an API under its domain, if it has one.

        Raises ValueError where two APIs name one domain, and not the same certificate and hosted zone.
        """
        if settings is None:
            return
        aws.apigatewayv2.ApiMapping(
            f"{name}-domain-mapping",
            aws.apigatewayv2.ApiMappingArgs(
                api_id=api_id,
                stage=stage,
                domain_name=self._domain(settings).name.domain_name,
                api_mapping_key=settings.base_path or None,
            ),
            pulumi.ResourceOptions(parent=parent),
        )

    def _domain(self, settings: DomainSettings) -> Domain:
        wanted = settings.model_copy(update={"base_path": ""})
        made = self._made.get(settings.domain_name)
        if made is None:
            made = self._made[settings.domain_name] = Domain(wanted)
        elif made.settings != wanted:
            raise ValueError(
                f"domain {settings.domain_name}: all APIs must name the same certificate and hosted zone"
            )
        return made


class Domain(pulumi.ComponentResource):
    """A domain, its certificate where none is given, and its DNS record where the hosted zone is.

    It is named after itself and not after an API, so that it stays what it is whichever of them come and go.
    """

    def __init__(
        self, settings: DomainSettings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        # No two names are written alike: a dot never stands beside a hyphen.
        written = settings.domain_name.replace("-", "--").replace(".", "-")
        self.logical_name = f"domain-{written}"
        super().__init__("sandpiper:components:Domain", self.logical_name, None, opts)
        self.settings = settings
        self._child = pulumi.ResourceOptions(parent=self)
        self.name = self._create_name(settings.certificate_arn or self._validated_certificate())
        self._point()
        self.register_outputs({})

    def _create_name(self, certificate_arn: pulumi.Input[str]) -> aws.apigatewayv2.DomainName:
        return aws.apigatewayv2.DomainName(
            f"{self.logical_name}-name",
            aws.apigatewayv2.DomainNameArgs(
                domain_name=self.settings.domain_name,
                domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                    certificate_arn=certificate_arn,
                    endpoint_type="REGIONAL",
                    security_policy="TLS_1_2",
                ),
            ),
            self._child,
        )

    def _validated_certificate(self) -> pulumi.Output[str]:
        """A new certificate, which ACM issues once the hosted zone shows whose domain it is."""
        if self.settings.hosted_zone_id is None:
            raise ValueError("domain: a certificate is needed, or a hosted zone to get one through")
        certificate = aws.acm.Certificate(
            f"{self.logical_name}-certificate",
            aws.acm.CertificateArgs(domain_name=self.settings.domain_name, validation_method="DNS"),
            self._child,
        )
        # One name, so one option.
        shown = certificate.domain_validation_options.apply(lambda options: options[0])
        record = aws.route53.Record(
            f"{self.logical_name}-validation-record",
            aws.route53.RecordArgs(
                zone_id=self.settings.hosted_zone_id,
                name=shown.apply(lambda option: option.resource_record_name or ""),
                type=shown.apply(lambda option: option.resource_record_type or ""),
                records=[shown.apply(lambda option: option.resource_record_value or "")],
                ttl=VALIDATION_TTL,
                # It is the same for every certificate of the name in this account: an earlier one may have left it.
                allow_overwrite=True,
            ),
            self._child,
        )
        issued = aws.acm.CertificateValidation(
            f"{self.logical_name}-validation",
            aws.acm.CertificateValidationArgs(
                certificate_arn=certificate.arn, validation_record_fqdns=[record.fqdn]
            ),
            self._child,
        )
        return issued.certificate_arn

    def _point(self) -> None:
        """Without a hosted zone somebody else's DNS has to point at the domain's target."""
        if self.settings.hosted_zone_id is None:
            return
        place = self.name.domain_name_configuration
        aws.route53.Record(
            f"{self.logical_name}-record",
            aws.route53.RecordArgs(
                zone_id=self.settings.hosted_zone_id,
                name=self.settings.domain_name,
                type="A",
                aliases=[
                    aws.route53.RecordAliasArgs(
                        name=place.apply(lambda made: made.target_domain_name or ""),
                        zone_id=place.apply(lambda made: made.hosted_zone_id or ""),
                        evaluate_target_health=False,
                    )
                ],
            ),
            self._child,
        )
