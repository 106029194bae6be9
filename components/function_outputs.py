"""What a function says of itself, to the program and to other stacks."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

import pulumi


@dataclass(frozen=True, kw_only=True)
class FunctionOutputs:
    """Known once the function is there. `arn` is the bare function's; callers use `qualified_arn`, the alias."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    qualified_arn: pulumi.Output[str]
    invoke_arn: pulumi.Output[str]
    version: pulumi.Output[str]
    last_modified: pulumi.Output[str]
    source_code_hash: pulumi.Output[str]
    """Base64 of the deployed package's SHA-256."""
    source_code_size: pulumi.Output[int]
    """Bytes of the deployed package."""
    runtime: pulumi.Output[str]
    """Empty for a container image, as is the handler."""
    handler: pulumi.Output[str]
    timeout: pulumi.Output[int]
    """Seconds."""
    memory_size: pulumi.Output[int]
    """MB."""
    role_arn: pulumi.Output[str]
    log_group: pulumi.Output[str]
    url: pulumi.Output[str] | None = None
    """Only where settings ask for a function URL."""

    def exported(self) -> dict[str, pulumi.Output[str] | pulumi.Output[int]]:
        """The same under the names of stack exports (docs/outputs.md): `qualifiedArn` for `qualified_arn`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {_camel(name): value for name, value in values.items() if value is not None}


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)
