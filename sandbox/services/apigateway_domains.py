"""API Gateway: domains of REST APIs (real for whoever sends their name as Host) and client certificates."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.apigateway import retag
from sandbox.services.shared import REGION, remove, replaced, tags

_NOT_SERVED: Final = "it has no DNS record and no TLS here: send its name as Host header"


@resource(
    "aws:apigateway/domainName:DomainName",
    ignored={**REGION, "certificatePrivateKey": "nothing here speaks TLS: no key is handed on"},
)
def domain_name(r: Resource) -> Outputs:
    name, wanted = r.take("domainName"), tags(r)
    r.note(_NOT_SERVED)
    if r.inputs.get("mutualTlsAuthentication"):
        r.note("client certificates are not asked for")
    r.take("certificatePrivateKey")
    made = r.api("apigateway", "create_domain_name", domainName=name, tags=wanted or None)
    moment = made.get("certificateUploadDate")
    return {
        "id": name,
        "domainName": name,
        "arn": f"arn:aws:apigateway:{r.aws.region}::/domainnames/{name}",
        "certificateUploadDate": moment.isoformat() if moment else "",
        "cloudfrontDomainName": made.get("distributionDomainName", ""),
        "cloudfrontZoneId": made.get("distributionHostedZoneId", "Z2FDTNDATAQYW2"),
        "domainNameId": made.get("domainNameId", ""),
        "regionalDomainName": made.get("regionalDomainName", ""),
        "regionalZoneId": made.get("regionalHostedZoneId", ""),
        "tagsAll": wanted,
    }


@domain_name.updates
def update_domain_name(r: Resource) -> Outputs:
    """Tags change in place. Anything else makes another one: it keeps its name, and its mappings are put back."""
    old = dict(r.old or {})
    if r.changed <= {"tags"}:
        for key in set(r.inputs) - {"tags"}:
            r.take(key)
        wanted = tags(r)
        r.note(_NOT_SERVED)
        retag(r, old["arn"], wanted)
        return {**old, "tagsAll": wanted}
    there = r.call("apigateway", "get_base_path_mappings", domainName=old["id"]).get("items", [])
    outputs = replaced(domain_name.create, delete_domain_name)(r)
    for each in there:
        r.call(
            "apigateway",
            "create_base_path_mapping",
            domainName=outputs["id"],
            basePath=each.get("basePath"),
            restApiId=each["restApiId"],
            stage=each.get("stage"),
        )
    return outputs


@domain_name.deletes
def delete_domain_name(r: Resource) -> None:
    remove(r, "apigateway", "delete_domain_name", domainName=(r.old or {})["id"])


@resource("aws:apigateway/basePathMapping:BasePathMapping", ignored=REGION)
def base_path_mapping(r: Resource) -> Outputs:
    domain, path = r.take("domainName"), r.take("basePath") or "(none)"
    r.take("domainNameId")
    r.call(
        "apigateway",
        "create_base_path_mapping",
        domainName=domain,
        basePath=path,
        restApiId=r.take("restApi"),
        stage=r.take("stageName"),
    )
    shown = "" if path == "(none)" else path
    return {"id": f"{domain}/{shown}", "domainName": domain, "basePath": shown}


@base_path_mapping.deletes
def delete_base_path_mapping(r: Resource) -> None:
    old = r.old or {}
    remove(
        r,
        "apigateway",
        "delete_base_path_mapping",
        domainName=old["domainName"],
        basePath=old["basePath"] or "(none)",
    )


base_path_mapping.updates(replaced(base_path_mapping.create, delete_base_path_mapping))


@resource(
    "aws:apigateway/clientCertificate:ClientCertificate",
    not_simulated="the sandbox presents no certificate to any backend",
)
def client_certificate(r: Resource) -> Outputs:
    """A certificate that is valid as AWS's are, for a year, and that nobody holds the key of."""
    old: Any = r.old or {}
    wanted = tags(r)
    if old:
        return {**old, "tagsAll": wanted}
    own = hashlib.sha256(r.urn.encode()).hexdigest()[:6]
    start = datetime.now(UTC)
    end = start + timedelta(days=365)
    return {
        "id": own,
        "arn": f"arn:aws:apigateway:{r.aws.region}::/clientcertificates/{own}",
        "createdDate": start.isoformat(),
        "expirationDate": end.isoformat(),
        "pemEncodedCertificate": _certificate(start, end),
        "tagsAll": wanted,
    }


def _certificate(start: datetime, end: datetime) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ApiGateway")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
