# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `templates` sends and gets."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class BaseTemplateModel(TypedDict):
    category: NotRequired[str | None]
    configuration: dict[str, Any]
    created_at: str
    created_by: NotRequired[str | None]
    description: str
    internal_id: str
    is_active: NotRequired[bool]
    is_public: NotRequired[bool]
    name: str
    requirements: NotRequired[list[str]]
    scope: TemplateScope
    source_resource_id: NotRequired[str | None]
    tags: NotRequired[list[str]]
    template_id: str
    template_type: TemplateType
    updated_at: str
    use_cases: NotRequired[list[str]]


TemplateScope: TypeAlias = Literal["system", "organization", "user"]

TemplateType: TypeAlias = Literal["namespace", "retriever", "cluster", "collection", "bucket", "taxonomy"]
