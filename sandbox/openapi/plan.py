"""What an API consists of, as plain data in the words of API Gateway's own operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Method:
    """One method of one path. Names stand where the API has ids: of its authorizer and its request validator."""

    path: str
    verb: str
    authorizer: str | None = None
    authorization: str = "NONE"
    scopes: tuple[str, ...] = ()
    api_key_required: bool = False
    operation_name: str = ""
    parameters: dict[str, bool] = field(default_factory=dict)
    """`method.request.<place>.<name>` to whether it is required."""
    models: dict[str, str] = field(default_factory=dict)
    """Content type of the body to model name."""
    validator: str | None = None
    responses: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Status to `responseParameters` and `responseModels` of the method response."""
    integration: dict[str, Any] = field(default_factory=dict)
    """Parameters of PutIntegration."""
    integration_responses: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Status to `selectionPattern`, `responseParameters`, `responseTemplates`, `contentHandling`."""


@dataclass(frozen=True)
class Plan:
    """An API as its document describes it."""

    title: str
    description: str
    version: str
    methods: tuple[Method, ...]
    models: dict[str, dict[str, Any]]
    """Name to schema, with references still within the document."""
    validators: dict[str, dict[str, bool]]
    authorizers: dict[str, dict[str, Any]]
    """Name to parameters of CreateAuthorizer."""
    gateway_responses: dict[str, dict[str, Any]]
    settings: dict[str, Any]
    """`binaryMediaTypes`, `minimumCompressionSize`, `apiKeySource`, `policy` where the document sets them."""
