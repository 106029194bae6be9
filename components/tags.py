"""Tags on everything that can carry them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi


def tag_everything(tags: Mapping[str, str]) -> None:
    """Give every taggable resource of the stack these tags; a tag it sets itself wins.

    The SDK's stack transformation is used rather than the provider's default tags, because it runs on mocks and in the
    sandbox too. A type is taggable where the provider computes `tags_all` for it.
    """

    def transform(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult | None:
        if "tags_all" not in args.props:
            return None
        props: dict[str, Any] = {**args.props}
        props["tags"] = {**tags, **(props.get("tags") or {})}
        return pulumi.ResourceTransformationResult(props, args.opts)

    pulumi.runtime.register_stack_transformation(transform)
