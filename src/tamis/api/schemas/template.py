"""Templates on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field


class TemplateScope(StrEnum):
    SYSTEM = "system"
    ORGANIZATION = "organization"
    USER = "user"


class TemplateType(StrEnum):
    NAMESPACE = "namespace"
    RETRIEVER = "retriever"
    CLUSTER = "cluster"
    COLLECTION = "collection"
    BUCKET = "bucket"
    TAXONOMY = "taxonomy"


class BaseTemplateModel(BaseModel):
    category: str | None = None
    configuration: dict[str, Any]
    created_at: datetime
    created_by: str | None = None
    description: str = Field(..., min_length=1, max_length=1000)
    internal_id: str
    is_active: bool = True
    is_public: bool = False
    name: str = Field(..., min_length=1, max_length=100)
    requirements: list[str] = Field(default_factory=list)
    scope: TemplateScope
    source_resource_id: str | None = None
    tags: list[str] = Field(default_factory=list)
    template_id: str = Field(..., pattern="^tmpl_[a-z0-9_]+$")
    template_type: TemplateType
    updated_at: datetime
    use_cases: list[str] = Field(default_factory=list)
