"""Cognito: app clients, domains, resource servers, identity providers and groups of a user pool."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.cognito import IDP
from sandbox.services.shared import REGION, remove, replaced

_CLIENT: Final = {
    "callbackUrls": "CallbackURLs",
    "defaultRedirectUri": "DefaultRedirectURI",
    "logoutUrls": "LogoutURLs",
}


@resource(
    "aws:cognito/userPoolClient:UserPoolClient", ignored=REGION, secret_outputs=["clientSecret"]
)
def user_pool_client(r: Resource) -> Outputs:
    name = r.auto_name()
    _note_client(r)
    made = r.api(IDP, "create_user_pool_client", rename=_CLIENT, ClientName=name)
    return _client_outputs(made["UserPoolClient"])


@user_pool_client.updates
def update_user_pool_client(r: Resource) -> Outputs:
    """An update resets what it does not name; the secret cannot come or go."""
    if r.changed & {"userPoolId", "generateSecret"}:
        return replaced(user_pool_client.create, delete_user_pool_client)(r)
    name = r.auto_name()
    r.take("generateSecret")
    _note_client(r)
    empty = {key[0].upper() + key[1:]: [] for key in r.changed & _LISTS if not r.inputs.get(key)}
    made = r.api(
        IDP,
        "update_user_pool_client",
        rename=_CLIENT,
        ClientName=name,
        ClientId=(r.old or {})["id"],
        **{_CLIENT.get(key[0].lower() + key[1:], key): value for key, value in empty.items()},
    )
    return _client_outputs(made["UserPoolClient"])


@user_pool_client.recalls
def recall_user_pool_client(r: Resource) -> Outputs:
    old = r.old or {}
    found = r.call(
        IDP, "describe_user_pool_client", UserPoolId=old["userPoolId"], ClientId=old["id"]
    )
    return {"clientSecret": found["UserPoolClient"].get("ClientSecret", "")}


@user_pool_client.deletes
def delete_user_pool_client(r: Resource) -> None:
    old = r.old or {}
    remove(r, IDP, "delete_user_pool_client", UserPoolId=old["userPoolId"], ClientId=old["id"])


_LISTS: Final = {
    "allowedOauthFlows",
    "allowedOauthScopes",
    "callbackUrls",
    "explicitAuthFlows",
    "logoutUrls",
    "readAttributes",
    "supportedIdentityProviders",
    "writeAttributes",
}


def _note_client(r: Resource) -> None:
    if r.inputs.get("analyticsConfiguration"):
        r.note("no analytics are sent")
    if r.inputs.get("refreshTokenRotation"):
        r.note("refresh tokens are not rotated")


def _client_outputs(made: dict[str, Any]) -> Outputs:
    return {
        "id": made["ClientId"],
        "userPoolId": made["UserPoolId"],
        "name": made["ClientName"],
        "clientSecret": made.get("ClientSecret", ""),
        "preventUserExistenceErrors": made.get("PreventUserExistenceErrors"),
        "explicitAuthFlows": made.get("ExplicitAuthFlows") or [],
    }


@resource("aws:cognito/userPoolDomain:UserPoolDomain", ignored=REGION)
def user_pool_domain(r: Resource) -> Outputs:
    domain, pool = r.take("domain"), r.take("userPoolId")
    certificate = r.take("certificateArn")
    made = r.call(
        IDP,
        "create_user_pool_domain",
        Domain=domain,
        UserPoolId=pool,
        CustomDomainConfig={"CertificateArn": certificate} if certificate else None,
        ManagedLoginVersion=r.take("managedLoginVersion"),
    )
    r.note("its pages are at /oauth2/ of the sandbox's own address")
    cloudfront = made.get("CloudFrontDomain", "")
    return {
        "id": domain,
        "domain": domain,
        "userPoolId": pool,
        "awsAccountId": r.aws.account,
        "cloudfrontDistribution": cloudfront,
        "cloudfrontDistributionArn": cloudfront,
        "cloudfrontDistributionZoneId": "Z2FDTNDATAQYW2",
        "managedLoginVersion": made.get("ManagedLoginVersion", 1),
        "s3Bucket": "",
        "version": "1",
    }


@user_pool_domain.deletes
def delete_user_pool_domain(r: Resource) -> None:
    old = r.old or {}
    remove(r, IDP, "delete_user_pool_domain", Domain=old["domain"], UserPoolId=old["userPoolId"])


user_pool_domain.updates(replaced(user_pool_domain.create, delete_user_pool_domain))


@resource("aws:cognito/resourceServer:ResourceServer", ignored=REGION)
def resource_server(r: Resource) -> Outputs:
    return _serve(r, "create_resource_server")


@resource_server.updates
def update_resource_server(r: Resource) -> Outputs:
    if r.changed & {"userPoolId", "identifier"}:
        return replaced(resource_server.create, delete_resource_server)(r)
    return _serve(r, "update_resource_server")


@resource_server.deletes
def delete_resource_server(r: Resource) -> None:
    old = r.old or {}
    remove(
        r,
        IDP,
        "delete_resource_server",
        UserPoolId=old["userPoolId"],
        Identifier=old["identifier"],
    )


def _serve(r: Resource, operation: str) -> Outputs:
    name, pool, identifier = r.auto_name(), r.take("userPoolId"), r.take("identifier")
    scopes = [
        {"ScopeName": b.take("scopeName"), "ScopeDescription": b.take("scopeDescription")}
        for b in r.blocks("scopes")
    ]
    r.call(IDP, operation, UserPoolId=pool, Identifier=identifier, Name=name, Scopes=scopes)
    return {
        "id": f"{pool}|{identifier}",
        "userPoolId": pool,
        "identifier": identifier,
        "name": name,
        "scopeIdentifiers": [f"{identifier}/{each['ScopeName']}" for each in scopes],
    }


@resource("aws:cognito/identityProvider:IdentityProvider", ignored=REGION)
def identity_provider(r: Resource) -> Outputs:
    r.api(IDP, "create_identity_provider")
    r.note("a sign-in with it needs its servers to be reached")
    return _provider_outputs(r)


@identity_provider.updates
def update_identity_provider(r: Resource) -> Outputs:
    if r.changed & {"userPoolId", "providerName", "providerType"}:
        return replaced(identity_provider.create, delete_identity_provider)(r)
    r.take("providerType")
    r.api(IDP, "update_identity_provider")
    r.note("a sign-in with it needs its servers to be reached")
    return _provider_outputs(r)


@identity_provider.deletes
def delete_identity_provider(r: Resource) -> None:
    old = r.old or {}
    remove(
        r,
        IDP,
        "delete_identity_provider",
        UserPoolId=old["userPoolId"],
        ProviderName=old["providerName"],
    )


def _provider_outputs(r: Resource) -> Outputs:
    pool, name = r.inputs["userPoolId"], r.inputs["providerName"]
    return {"id": f"{pool}:{name}", "userPoolId": pool, "providerName": name}


@resource("aws:cognito/userGroup:UserGroup", ignored=REGION)
def user_group(r: Resource) -> Outputs:
    name = r.auto_name()
    made = r.api(IDP, "create_group", GroupName=name)["Group"]
    return {
        "id": f"{made['UserPoolId']}/{name}",
        "name": name,
        "userPoolId": made["UserPoolId"],
    }


@user_group.deletes
def delete_user_group(r: Resource) -> None:
    old = r.old or {}
    remove(r, IDP, "delete_group", UserPoolId=old["userPoolId"], GroupName=old["name"])


user_group.updates(replaced(user_group.create, delete_user_group))
