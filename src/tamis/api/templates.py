"""Templates: what comes with the installation, open to everybody, and what an organisation made of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import OrganizationDeleter, OrganizationReader, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import MAX_LIMIT, Paging
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.api.schemas.template import BaseTemplateModel, ListTemplatesRequest, ListTemplatesResponse, show_template
from tamis.api.visitors import LOOKED
from tamis.errors import NotFoundError
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.template import Template, TemplateScope, TemplateType
from tamis.services.listing import select
from tamis.services.manifests.shipped import SECTIONS
from tamis.services.manifests.templates import TemplateService

public = APIRouter(
    prefix="/v1/public/templates", tags=["public templates"], route_class=JsonRoute, dependencies=[LOOKED]
)
router = APIRouter(prefix="/v1/templates", tags=["templates"], route_class=JsonRoute)

Templates = Annotated[TemplateService, Depends(service(TemplateService))]
Category = Annotated[str | None, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Every template is active: none is left where others are asked for."""

    category: Category = None
    scope: TemplateScope | None = None
    is_active: bool = True


Asked = Annotated[_Asked, Depends()]


@public.get("/retrievers")
async def list_public_retriever_templates(templates: Templates, category: Category = None) -> list[BaseTemplateModel]:
    """Pipelines to begin with; a `configuration` is the body of `POST /v1/retrievers`."""
    return _shown(templates.shipped(TemplateType.RETRIEVER, category))


@public.get("/retrievers/{template_id}")
async def get_public_retriever_template(template_id: str, templates: Templates) -> BaseTemplateModel:
    """One of them."""
    return show_template(templates.get_shipped(TemplateType.RETRIEVER, template_id))


@public.get("/namespaces")
async def list_public_namespace_templates(templates: Templates, category: Category = None) -> list[BaseTemplateModel]:
    """Namespaces to begin with; a `configuration` is a manifest, as `POST /v1/manifest/apply` takes it."""
    return _shown(templates.shipped(TemplateType.NAMESPACE, category))


@public.get("/namespaces/{template_id}")
async def get_public_namespace_template(template_id: str, templates: Templates) -> BaseTemplateModel:
    """One of them."""
    return show_template(templates.get_shipped(TemplateType.NAMESPACE, template_id))


@router.get("/buckets")
async def list_bucket_templates(
    principal: OrganizationReader, templates: Templates, asked: Asked
) -> list[BaseTemplateModel]:
    """The organisation's for a bucket, newest first, and then those of the installation."""
    return await _listed(principal, templates, TemplateType.BUCKET, asked)


@router.get("/buckets/{template_id}")
async def get_bucket_template(
    principal: OrganizationReader, template_id: str, templates: Templates
) -> BaseTemplateModel:
    """One of them."""
    return show_template(await templates.get(principal, TemplateType.BUCKET, template_id), principal.organization_id)


@router.delete("/buckets/{template_id}")
async def delete_bucket_template(
    principal: OrganizationDeleter, template_id: str, templates: Templates
) -> GenericDeleteResponse:
    """Let one of the organisation's go; what was made of it stays."""
    await templates.delete(principal, TemplateType.BUCKET, template_id)
    return GenericDeleteResponse()


@router.get("/clusters")
async def list_cluster_templates(
    principal: OrganizationReader, templates: Templates, asked: Asked
) -> list[BaseTemplateModel]:
    """The organisation's for a cluster, newest first, and then those of the installation."""
    return await _listed(principal, templates, TemplateType.CLUSTER, asked)


@router.get("/clusters/{template_id}")
async def get_cluster_template(
    principal: OrganizationReader, template_id: str, templates: Templates
) -> BaseTemplateModel:
    """One of them."""
    return show_template(await templates.get(principal, TemplateType.CLUSTER, template_id), principal.organization_id)


@router.delete("/clusters/{template_id}")
async def delete_cluster_template(
    principal: OrganizationDeleter, template_id: str, templates: Templates
) -> GenericDeleteResponse:
    """Let one of the organisation's go; what was made of it stays."""
    await templates.delete(principal, TemplateType.CLUSTER, template_id)
    return GenericDeleteResponse()


@router.get("/collections")
async def list_collection_templates(
    principal: OrganizationReader, templates: Templates, asked: Asked
) -> list[BaseTemplateModel]:
    """The organisation's for a collection, newest first, and then those of the installation."""
    return await _listed(principal, templates, TemplateType.COLLECTION, asked)


@router.get("/collections/{template_id}")
async def get_collection_template(
    principal: OrganizationReader, template_id: str, templates: Templates
) -> BaseTemplateModel:
    """One of them."""
    return show_template(
        await templates.get(principal, TemplateType.COLLECTION, template_id), principal.organization_id
    )


@router.delete("/collections/{template_id}")
async def delete_collection_template(
    principal: OrganizationDeleter, template_id: str, templates: Templates
) -> GenericDeleteResponse:
    """Let one of the organisation's go; what was made of it stays."""
    await templates.delete(principal, TemplateType.COLLECTION, template_id)
    return GenericDeleteResponse()


@router.get("/namespaces")
async def list_namespace_templates(
    principal: OrganizationReader, templates: Templates, asked: Asked
) -> list[BaseTemplateModel]:
    """The organisation's for a namespace, newest first, and then those of the installation."""
    return await _listed(principal, templates, TemplateType.NAMESPACE, asked)


@router.get("/namespaces/{template_id}")
async def get_namespace_template(
    principal: OrganizationReader, template_id: str, templates: Templates
) -> BaseTemplateModel:
    """One of them."""
    return show_template(await templates.get(principal, TemplateType.NAMESPACE, template_id), principal.organization_id)


@router.delete("/namespaces/{template_id}")
async def delete_namespace_template(
    principal: OrganizationDeleter, template_id: str, templates: Templates
) -> GenericDeleteResponse:
    """Let one of the organisation's go; what was made of it stays."""
    await templates.delete(principal, TemplateType.NAMESPACE, template_id)
    return GenericDeleteResponse()


@router.get("/retrievers")
async def list_retriever_templates(
    principal: OrganizationReader, templates: Templates, asked: Asked
) -> list[BaseTemplateModel]:
    """The organisation's for a retriever, newest first, and then those of the installation."""
    return await _listed(principal, templates, TemplateType.RETRIEVER, asked)


@router.get("/retrievers/{template_id}")
async def get_retriever_template(
    principal: OrganizationReader, template_id: str, templates: Templates
) -> BaseTemplateModel:
    """One of them."""
    return show_template(await templates.get(principal, TemplateType.RETRIEVER, template_id), principal.organization_id)


@router.delete("/retrievers/{template_id}")
async def delete_retriever_template(
    principal: OrganizationDeleter, template_id: str, templates: Templates
) -> GenericDeleteResponse:
    """Let one of the organisation's go; what was made of it stays."""
    await templates.delete(principal, TemplateType.RETRIEVER, template_id)
    return GenericDeleteResponse()


@router.get("/taxonomies")
async def list_taxonomy_templates(
    principal: OrganizationReader, templates: Templates, asked: Asked
) -> list[BaseTemplateModel]:
    """The organisation's for a taxonomy, newest first, and then those of the installation."""
    return await _listed(principal, templates, TemplateType.TAXONOMY, asked)


@router.get("/taxonomies/{template_id}")
async def get_taxonomy_template(
    principal: OrganizationReader, template_id: str, templates: Templates
) -> BaseTemplateModel:
    """One of them."""
    return show_template(await templates.get(principal, TemplateType.TAXONOMY, template_id), principal.organization_id)


@router.delete("/taxonomies/{template_id}")
async def delete_taxonomy_template(
    principal: OrganizationDeleter, template_id: str, templates: Templates
) -> GenericDeleteResponse:
    """Let one of the organisation's go; what was made of it stays."""
    await templates.delete(principal, TemplateType.TAXONOMY, template_id)
    return GenericDeleteResponse()


@router.post("/{section}", include_in_schema=False)
async def list_templates_as_later_clients_do(
    principal: OrganizationReader,
    section: str,
    templates: Templates,
    paging: Paging,
    body: ListTemplatesRequest | None = None,
) -> ListTemplatesResponse:
    """As each list by GET, with search, filters and order in the body."""
    kind = next((kind for kind, plural in SECTIONS.items() if plural == section), None)
    if kind is None:
        raise NotFoundError.of("kind of templates", section)
    asked = body or ListTemplatesRequest()
    found = await templates.list(principal, kind, asked.category, asked.scope) if asked.is_active else ()
    kept = [one for one in found if set(asked.tags or ()) <= set(one.tags)]
    page = select(kept, _view, paging.query(body, default_limit=MAX_LIMIT))
    return ListTemplatesResponse(results=_shown(page.items, principal.organization_id), total_count=page.total)


def _view(template: Template) -> dict[str, JSON]:
    return show_template(template).model_dump(mode="json")


async def _listed(
    principal: Principal, templates: TemplateService, kind: TemplateType, asked: _Asked
) -> list[BaseTemplateModel]:
    found = await templates.list(principal, kind, asked.category, asked.scope) if asked.is_active else ()
    return _shown(found, principal.organization_id)


def _shown(templates: Sequence[Template], organization_id: str = "") -> list[BaseTemplateModel]:
    return [show_template(one, organization_id) for one in templates]
