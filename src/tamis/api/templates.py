"""Templates that need no key: pipelines and namespaces to begin with."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.template import BaseTemplateModel, TemplateScope, TemplateType
from tamis.api.visitors import LOOKED
from tamis.services.templates import Template, TemplateService

router = APIRouter(
    prefix="/v1/public/templates", tags=["public templates"], route_class=JsonRoute, dependencies=[LOOKED]
)

Templates = Annotated[TemplateService, Depends(service(TemplateService))]
Category = Annotated[str | None, Query(max_length=100)]


@router.get("/retrievers")
async def list_retriever_templates(templates: Templates, category: Category = None) -> list[BaseTemplateModel]:
    """Pipelines to begin with; a `configuration` is the body of `POST /v1/retrievers`."""
    return [_shown(one) for one in templates.list("retriever", category)]


@router.get("/retrievers/{template_id}")
async def get_retriever_template(template_id: str, templates: Templates) -> BaseTemplateModel:
    """One of them."""
    return _shown(templates.get("retriever", template_id))


@router.get("/namespaces")
async def list_namespace_templates(templates: Templates, category: Category = None) -> list[BaseTemplateModel]:
    """Namespaces to begin with; a `configuration` is the body of `POST /v1/namespaces`."""
    return [_shown(one) for one in templates.list("namespace", category)]


@router.get("/namespaces/{template_id}")
async def get_namespace_template(template_id: str, templates: Templates) -> BaseTemplateModel:
    """One of them."""
    return _shown(templates.get("namespace", template_id))


def _shown(template: Template) -> BaseTemplateModel:
    return BaseTemplateModel(
        category=template.category,
        configuration=dict(template.configuration),
        created_at=template.created_at,
        description=template.description,
        internal_id="system",
        is_public=True,
        name=template.name,
        requirements=list(template.requirements),
        scope=TemplateScope.SYSTEM,
        tags=list(template.tags),
        template_id=template.template_id,
        template_type=TemplateType(template.template_type),
        updated_at=template.created_at,
        use_cases=list(template.use_cases),
    )
