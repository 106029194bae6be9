"""Certificates: made and issued at once, whatever DNS says. Nothing here speaks TLS with them."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, dropped, pairs, remove, replaced, tags

ACM: Final = "acm"
_FIXED: Final = (
    "certificateAuthorityArn",
    "domainName",
    "keyAlgorithm",
    "options",
    "subjectAlternativeNames",
    "validationMethod",
    "validationOptions",
)
_WHY: Final = "it is issued at once: no DNS record is looked up, and nothing here speaks TLS"


@resource(
    "aws:acm/certificate:Certificate",
    ignored={**REGION, "earlyRenewalDuration": "a sandbox does not live as long"},
    secret_outputs=["privateKey"],
)
def certificate(r: Resource) -> Outputs:
    wanted = tags(r)
    if body := r.take("certificateBody"):
        made = r.call(
            ACM,
            "import_certificate",
            Certificate=body,
            PrivateKey=r.take("privateKey"),
            CertificateChain=r.take("certificateChain"),
            Tags=pairs(wanted),
        )
        r.note("nothing here speaks TLS")
    else:
        rename = {"validationOptions": "DomainValidationOptions"}
        made = r.api(ACM, "request_certificate", *_FIXED, rename=rename, Tags=pairs(wanted))
        r.note(_WHY)
    return _outputs(r, made["CertificateArn"], wanted)


@certificate.updates
def update_certificate(r: Resource) -> Outputs:
    """Tags change in place; anything else makes another certificate, as on AWS."""
    old = dict(r.old or {})
    if r.changed - {"tags"}:
        return replaced(certificate.create, delete_certificate)(r)
    for key in r.inputs:
        r.take(key)
    r.note(_WHY)
    wanted = tags(r)
    if extra := dropped(r, wanted):
        gone = [{"Key": key} for key in extra]
        r.call(ACM, "remove_tags_from_certificate", CertificateArn=old["arn"], Tags=gone)
    if wanted:
        r.call(ACM, "add_tags_to_certificate", CertificateArn=old["arn"], Tags=pairs(wanted))
    return {**old, "tagsAll": wanted}


@certificate.recalls
def recall_certificate(r: Resource) -> Outputs:
    return {"privateKey": r.inputs.get("privateKey") or ""}


@certificate.deletes
def delete_certificate(r: Resource) -> None:
    remove(r, ACM, "delete_certificate", CertificateArn=(r.old or {})["arn"])


def _outputs(r: Resource, arn: str, wanted: dict[str, str]) -> Outputs:
    there = r.call(ACM, "describe_certificate", CertificateArn=arn)["Certificate"]
    return {
        "id": arn,
        "arn": arn,
        "domainName": there.get("DomainName", ""),
        "domainValidationOptions": [_shown(each) for each in there["DomainValidationOptions"]]
        if r.inputs.get("validationMethod") == "DNS"
        else [],
        "status": there.get("Status", "ISSUED"),
        "type": there.get("Type", "AMAZON_ISSUED"),
        "keyAlgorithm": r.inputs.get("keyAlgorithm", "RSA_2048"),
        "notBefore": _moment(there.get("NotBefore")),
        "notAfter": _moment(there.get("NotAfter")),
        "tagsAll": wanted,
    }


def _shown(option: dict[str, Any]) -> dict[str, str]:
    record = option["ResourceRecord"]
    return {
        "domainName": option["DomainName"],
        "resourceRecordName": record["Name"],
        "resourceRecordType": record["Type"],
        "resourceRecordValue": record["Value"],
    }


def _moment(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else ""


@resource("aws:acm/certificateValidation:CertificateValidation", ignored=REGION)
def certificate_validation(r: Resource) -> Outputs:
    """What waits for a certificate on AWS; here it exists, and its records must be those that it asks for."""
    arn = r.take("certificateArn")
    there = r.call(ACM, "describe_certificate", CertificateArn=arn)["Certificate"]
    options = [_shown(each)["resourceRecordName"] for each in there["DomainValidationOptions"]]
    asked = {name.rstrip(".") for name in options}
    given = {name.rstrip(".") for name in r.take("validationRecordFqdns") or []}
    if given and (missing := sorted(asked - given)):
        raise ValueError(f"the certificate asks for a record {missing[0]}, which is not among them")
    return {"id": str(there.get("IssuedAt") or arn), "certificateArn": arn}


certificate_validation.updates(certificate_validation.create)
