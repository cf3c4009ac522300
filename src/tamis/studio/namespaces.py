"""Namespaces: what each holds, another one, and which is looked at."""

from collections.abc import Sequence

from starlette.responses import Response

from tamis.errors import ForbiddenError
from tamis.model.principal import Permission
from tamis.model.template import Template, TemplateScope, TemplateType
from tamis.services.data.namespaces import NamespaceDraft, NamespaceService
from tamis.services.listing import ListQuery
from tamis.services.manifests.templates import Place, TemplateService
from tamis.studio.places import page_number
from tamis.studio.sign_in import remember_namespace
from tamis.studio.visit import Visit

PAGE_SIZE = 50


async def show(visit: Visit) -> Response:
    page = page_number(visit)
    query = ListQuery(limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    found = await visit.service(NamespaceService).list(visit.principal, query)
    return visit.page(
        "namespaces.html",
        found=found,
        may_create=_may_create(visit),
        templates=await _templates(visit) if page == 1 and _may_create(visit) else (),
        page_no=page,
        page_size=PAGE_SIZE,
    )


async def create(visit: Visit) -> Response:
    """The new one is looked at from then on. Raises: ForbiddenError, ValidationError, AlreadyExistsError."""
    if not _may_create(visit):
        raise ForbiddenError("this key has scopes, and a new namespace concerns the whole organisation")
    draft = NamespaceDraft(visit.field("name"), visit.field("description") or None)
    with visit.making("namespaces"):
        made = await visit.service(NamespaceService).create(visit.principal, draft)
    response = visit.moved("/data")
    remember_namespace(visit.request, response, made.namespace.namespace_id)
    return response


async def begin(visit: Visit) -> Response:
    """A namespace of a template, which is looked at from then on. Raises: as `create`, and NotFoundError."""
    if not _may_create(visit):
        raise ForbiddenError("this key has scopes, and a new namespace concerns the whole organisation")
    place = Place(visit.field("name"))
    made = await visit.service(TemplateService).make_namespace(visit.principal, visit.field("template"), place)
    response = visit.moved("/data")
    remember_namespace(visit.request, response, made.resource_id)
    return response


async def _templates(visit: Visit) -> Sequence[Template]:
    """Those that have something in them: an empty namespace is made by its name alone."""
    found = await visit.service(TemplateService).list(visit.principal, TemplateType.NAMESPACE)
    return [one for one in found if "buckets" in one.configuration or one.scope is not TemplateScope.SYSTEM]


def _may_create(visit: Visit) -> bool:
    return visit.principal.may(Permission.WRITE) and not visit.principal.scopes
