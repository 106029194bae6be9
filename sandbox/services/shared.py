"""What the service files share: names within AWS's limits, tags, removals, policies on loopback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.faults import is_missing
from sandbox.resources import Resource
from sandbox.translate import translate

REGION: Final = {"region": "a sandbox has one region, the stack's aws:region"}
"""The input every type of the provider has since its version 7."""

Tags = dict[str, str]


def physical_name(r: Resource, key: str = "name", *, limit: int, suffix: str = "") -> str:
    """The name in AWS: the input, or `<key>Prefix` plus a hash, or Pulumi's auto-name; at most `limit` characters.

    An update keeps the name it has unless a name is now given. Raises ValueError where AWS would refuse the length.
    """
    prefix = r.take(f"{key}Prefix")
    name = r.auto_name(key, suffix=suffix)
    if prefix and not r.inputs.get(key):
        name = prefix + name.removesuffix(suffix)[-7:] + suffix
    if len(name) > limit:
        raise ValueError(f"the name {name!r} has {len(name)} characters, AWS allows {limit}")
    return name


def tags(r: Resource) -> Tags:
    """The tags to set, as a plain map."""
    return dict(r.take("tags") or {})


def pairs(
    tags: Mapping[str, str], key: str = "Key", value: str = "Value"
) -> list[dict[str, str]] | None:
    """Tags as the list of Key/Value pairs most APIs want; None where there are none."""
    return [{key: k, value: v} for k, v in tags.items()] or None


def dropped(r: Resource, now: Mapping[str, str]) -> list[str]:
    """Keys of tags that the existing resource has and the program no longer names."""
    before = (r.old or {}).get("tagsAll") or {}
    return sorted(set(before) - set(now))


def remove(r: Resource, service: str, operation: str, **parameters: Any) -> None:
    """A deleting call; what is gone already is as good as deleted."""
    from botocore.exceptions import ClientError

    try:
        r.call(service, operation, **parameters)
    except ClientError as error:
        if not is_missing(error):
            raise


def replaced(
    create: Callable[[Resource], dict[str, Any]], delete: Callable[[Resource], None]
) -> Callable[[Resource], dict[str, Any]]:
    """An update for what AWS cannot change and nothing is lost by making anew: delete, then create."""

    def update(r: Resource) -> dict[str, Any]:
        delete(r)
        return create(r)

    return update


def nested(
    r: Resource,
    service: str,
    operation: str,
    value: Mapping[str, Any],
    rename: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Parameters for camelCase input that stands one level deeper in the API than in the provider.

    As with `Block.params`, a key without a counterpart in the API counts as an input that was not read.
    """
    unknown = r._untranslated.append  # the account of inputs is kept there
    return translate(r.aws.input_shape(service, operation), value, rename, unknown=unknown)
