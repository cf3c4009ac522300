"""Namespaces: what each holds, another one, and which is looked at."""

from starlette.responses import Response

from tamis.errors import ForbiddenError
from tamis.model.principal import Permission
from tamis.services.data.namespaces import NamespaceDraft, NamespaceService
from tamis.services.listing import ListQuery
from tamis.studio.places import page_number
from tamis.studio.sign_in import remember_namespace
from tamis.studio.visit import Visit

PAGE_SIZE = 50


async def show(visit: Visit) -> Response:
    page = page_number(visit)
    query = ListQuery(limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    found = await visit.service(NamespaceService).list(visit.principal, query)
    return visit.page(
        "namespaces.html", found=found, may_create=_may_create(visit), page_no=page, page_size=PAGE_SIZE
    )  # fmt: skip


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


def _may_create(visit: Visit) -> bool:
    return visit.principal.may(Permission.WRITE) and not visit.principal.scopes
