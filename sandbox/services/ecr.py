"""ECR: repositories and their policies. They are real; no image of theirs runs here."""

from __future__ import annotations

from typing import Any

from sandbox.resources import AGAIN, Outputs, Resource, resource
from sandbox.services.shared import REGION, dropped, pairs, physical_name, remove, tags


@resource("aws:ecr/repository:Repository", ignored=REGION)
def repository(r: Resource) -> Outputs:
    name = physical_name(r, limit=256)
    wanted = tags(r)
    encryption = r.take("encryptionConfigurations")
    made = r.api(
        "ecr",
        "create_repository",
        "imageScanningConfiguration",
        "imageTagMutability",
        "imageTagMutabilityExclusionFilters",
        repositoryName=name,
        encryptionConfiguration=_encryption(encryption),
        tags=pairs(wanted),
    )["repository"]
    _note_scan(r)
    return _outputs(r, made, wanted)


@repository.updates
def update_repository(r: Resource) -> Outputs:
    """What can change in place; another name or encryption makes another repository, as on AWS."""
    if r.changed & {"name", "encryptionConfigurations"}:
        delete_repository(r)
        return repository.create(r)
    name = physical_name(r, limit=256)
    r.take("encryptionConfigurations")
    scanning = r.params(
        r.aws, "ecr", "put_image_scanning_configuration", "imageScanningConfiguration"
    ) or {"imageScanningConfiguration": {"scanOnPush": False}}
    r.call("ecr", "put_image_scanning_configuration", repositoryName=name, **scanning)
    tag_change = r.params(
        r.aws,
        "ecr",
        "put_image_tag_mutability",
        "imageTagMutability",
        "imageTagMutabilityExclusionFilters",
    )
    tag_change.setdefault("imageTagMutability", "MUTABLE")
    r.call("ecr", "put_image_tag_mutability", repositoryName=name, **tag_change)
    wanted = tags(r)
    old = dict(r.old or {})
    if extra := dropped(r, wanted):
        r.call("ecr", "untag_resource", resourceArn=old["arn"], tagKeys=extra)
    if wanted:
        r.call("ecr", "tag_resource", resourceArn=old["arn"], tags=pairs(wanted))
    _note_scan(r)
    return {**old, "forceDelete": bool(r.take("forceDelete")), "tagsAll": wanted}


@repository.deletes
def delete_repository(r: Resource) -> None:
    old = r.old or {}
    remove(
        r,
        "ecr",
        "delete_repository",
        repositoryName=old["name"],
        force=bool(old.get("forceDelete")),
    )


@resource("aws:ecr/lifecyclePolicy:LifecyclePolicy", update=AGAIN, ignored=REGION)
def lifecycle_policy(r: Resource) -> Outputs:
    name, policy = r.take("repository"), r.take("policy")
    made = r.call("ecr", "put_lifecycle_policy", repositoryName=name, lifecyclePolicyText=policy)
    r.note("its rules are recorded: no image expires")
    return {"id": name, "repository": name, "registryId": made["registryId"]}


@lifecycle_policy.deletes
def delete_lifecycle_policy(r: Resource) -> None:
    remove(r, "ecr", "delete_lifecycle_policy", repositoryName=(r.old or {})["repository"])


@resource("aws:ecr/repositoryPolicy:RepositoryPolicy", update=AGAIN, ignored=REGION)
def repository_policy(r: Resource) -> Outputs:
    name, policy = r.take("repository"), r.take("policy")
    made = r.call("ecr", "set_repository_policy", repositoryName=name, policyText=policy)
    return {"id": name, "repository": name, "registryId": made["registryId"]}


@repository_policy.deletes
def delete_repository_policy(r: Resource) -> None:
    remove(r, "ecr", "delete_repository_policy", repositoryName=(r.old or {})["repository"])


def _encryption(blocks: Any) -> dict[str, str] | None:
    """The provider wants a list of at most one block with snake names; the API one structure."""
    if not blocks:
        return None
    given = blocks[0] if isinstance(blocks, list) else blocks
    return {key: value for key, value in given.items() if value is not None}


def _note_scan(r: Resource) -> None:
    if (r.inputs.get("imageScanningConfiguration") or {}).get("scanOnPush"):
        r.note("images are not scanned")


def _outputs(r: Resource, made: dict[str, Any], wanted: dict[str, str]) -> Outputs:
    return {
        "id": made["repositoryName"],
        "name": made["repositoryName"],
        "arn": made["repositoryArn"],
        "registryId": made["registryId"],
        "repositoryUrl": made["repositoryUri"],
        "forceDelete": bool(r.take("forceDelete")),
        "tagsAll": wanted,
    }
