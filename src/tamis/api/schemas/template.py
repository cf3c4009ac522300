"""Templates on the wire."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.paging import ListRequest
from tamis.model.template import Template, TemplateScope, TemplateType
from tamis.services.manifests.templates import TemplateDraft


class BaseTemplateModel(BaseModel):
    """configuration: of a namespace a manifest, else the body of the request that makes the resource."""

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


class ListTemplatesRequest(ListRequest):
    category: str | None = Field(None, max_length=100)
    scope: TemplateScope | None = None
    is_active: bool = True
    tags: list[str] | None = Field(None, description="A template has all of these.")


class ListTemplatesResponse(BaseModel):
    results: list[BaseTemplateModel]
    total_count: int


class CreateTemplateFromResourceRequest(BaseModel):
    template_name: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, min_length=1, max_length=1000)
    scope: TemplateScope = TemplateScope.ORGANIZATION
    is_public: bool = False
    category: str | None = Field(None, min_length=1, max_length=50)
    tags: list[str] = Field(default_factory=list, max_length=50)

    def draft(self) -> TemplateDraft:
        return TemplateDraft(
            self.template_name, self.description, self.scope, self.is_public, self.category, tuple(self.tags)
        )


class CreateTemplateFromResourceResponse(BaseModel):
    template_id: str
    template_name: str
    template_type: TemplateType
    scope: TemplateScope
    source_resource_id: str
    created_at: datetime


class InstantiateTemplateRequest(BaseModel):
    namespace_name: str = Field(min_length=3, max_length=50)
    description: str | None = Field(None, max_length=500)


class InstantiateBucketTemplateRequest(BaseModel):
    bucket_name: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, max_length=1000)


class InstantiateCollectionTemplateRequest(BaseModel):
    """Left out both, it draws from what the template names, where that is there."""

    collection_name: str = Field(min_length=1, max_length=100)
    bucket_ids: list[str] | None = Field(None, min_length=1)
    collection_id: str | None = None
    description: str | None = Field(None, max_length=1000)
    tags: list[str] = Field(default_factory=list, description="Kept as `tags` in the collection's metadata.")


class InstantiateRetrieverTemplateRequest(BaseModel):
    retriever_name: str = Field(min_length=1, max_length=100)
    collection_identifiers: list[str] = Field(min_length=1)
    description: str | None = Field(None, max_length=1000)
    tags: list[str] = Field(default_factory=list)


class InstantiateTaxonomyTemplateRequest(BaseModel):
    taxonomy_name: str = Field(min_length=1, max_length=100)
    collection_config: dict[str, str] = Field(
        description="By the names of collections that the template has, those of this namespace; `collection_id` is "
        "its only one. What is left out is looked for by the template's name."
    )
    description: str | None = Field(None, max_length=1000)


class InstantiateClusterTemplateRequest(BaseModel):
    cluster_name: str = Field(min_length=1, max_length=100)
    collection_ids: list[str] = Field(min_length=1)
    description: str | None = Field(None, max_length=1000)


class InstantiatedTemplateResponse(BaseModel):
    """It is there, whole, when this is answered: there is no task to wait for."""

    namespace_id: str
    namespace_name: str
    template_id: str
    status: str = "ready"
    task_id: str | None = None
    created_at: datetime


class _Instantiated(BaseModel):
    template_id: str
    status: str = "created"
    created_at: datetime


class InstantiatedBucketTemplateResponse(_Instantiated):
    bucket_id: str
    bucket_name: str


class InstantiatedCollectionTemplateResponse(_Instantiated):
    collection_id: str
    collection_name: str


class InstantiatedRetrieverTemplateResponse(_Instantiated):
    retriever_id: str
    retriever_name: str


class InstantiatedTaxonomyTemplateResponse(_Instantiated):
    taxonomy_id: str
    taxonomy_name: str


class InstantiatedClusterTemplateResponse(_Instantiated):
    cluster_id: str
    cluster_name: str


def show_template(template: Template, organization_id: str = "") -> BaseTemplateModel:
    """organization_id: whose it is, where it did not come with the installation."""
    of_system = template.scope is TemplateScope.SYSTEM
    return BaseTemplateModel(
        category=template.category,
        configuration=_configuration(template),
        created_at=template.created_at,
        created_by=template.created_by or None,
        description=template.description,
        internal_id="system" if of_system else organization_id,
        is_public=of_system,
        name=template.name,
        requirements=list(template.requirements),
        scope=template.scope,
        source_resource_id=template.source_id or None,
        tags=list(template.tags),
        template_id=template.template_id,
        template_type=template.type,
        updated_at=template.created_at,
        use_cases=list(template.use_cases),
    )


def _configuration(template: Template) -> dict[str, Any]:
    if template.type is TemplateType.NAMESPACE:
        return dict(template.configuration)
    spelt = {"name": f"{template.type}_name"}
    if template.type is TemplateType.BUCKET:
        spelt["schema"] = "bucket_schema"
    return {spelt.get(name, name): value for name, value in template.configuration.items()}


def show_saved(template: Template) -> CreateTemplateFromResourceResponse:
    return CreateTemplateFromResourceResponse(
        template_id=template.template_id,
        template_name=template.name,
        template_type=template.type,
        scope=template.scope,
        source_resource_id=template.source_id,
        created_at=template.created_at,
    )
