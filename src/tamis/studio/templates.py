"""The gallery of templates: what there is to begin with, what each is made of, and something made of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from tamis.errors import BadRequestError, ForbiddenError
from tamis.model.principal import Permission
from tamis.model.template import Template, TemplateScope, TemplateType
from tamis.services.data.buckets import BucketService
from tamis.services.data.collections import CollectionService
from tamis.services.listing import ListQuery
from tamis.services.manifests.kind import references
from tamis.services.manifests.templates import Made, Place, TemplateService
from tamis.studio import fields
from tamis.studio.sign_in import remember_namespace
from tamis.studio.visit import Visit

_MOST_CHOICES = 1000
_PAGES: Mapping[TemplateType, str] = {
    TemplateType.NAMESPACE: "/data",
    TemplateType.BUCKET: "/data/buckets/",
    TemplateType.COLLECTION: "/data/collections/",
    TemplateType.RETRIEVER: "/retrievers/",
    TemplateType.TAXONOMY: "/data/taxonomies/",
    TemplateType.CLUSTER: "/data/clusters/",
}
"""Where what was made is seen; its id follows."""
_COUNTED: Mapping[TemplateType, str] = {
    TemplateType.BUCKET: "buckets", TemplateType.COLLECTION: "collections", TemplateType.RETRIEVER: "retrievers",
}  # fmt: skip
"""Nouns that quotas count; a namespace of a template counts what it makes itself."""


async def index(visit: Visit) -> Response:
    service = visit.service(TemplateService)
    shelves = {kind: await service.list(visit.principal, kind) for kind in TemplateType}
    return visit.page("templates.html", shelves=shelves, system=TemplateScope.SYSTEM)


async def show(visit: Visit) -> Response:
    """Raises: NotFoundError."""
    template = await _template_of(visit)
    buckets: Sequence[Any] = ()
    if template.type is TemplateType.COLLECTION:
        found = await visit.service(BucketService).list(visit.principal, ListQuery(limit=_MOST_CHOICES))
        buckets = [one.bucket for one in found.items]
    return visit.page(
        "template.html", shown=template, buckets=buckets, system=TemplateScope.SYSTEM,
        collections=await visit.service(CollectionService).all(visit.principal), named=_named(template),
        may_make=_may_make(visit, template.type),
        usual=_usual_name(template),
    )  # fmt: skip


async def make(visit: Visit) -> Response:
    """Raises: BadRequestError naming the field, ForbiddenError, and as the service does."""
    template = await _template_of(visit)
    if not _may_make(visit, template.type):
        raise ForbiddenError("this key has scopes, and a new namespace concerns the whole organisation")
    made = await _made(visit, template)
    if template.type is not TemplateType.NAMESPACE:
        return visit.moved(f"{_PAGES[template.type]}{made.resource_id}")
    response = visit.moved(_PAGES[template.type])
    remember_namespace(visit.request, response, made.resource_id)
    return response


async def delete(visit: Visit) -> Response:
    """One of the organisation's. Raises: NotFoundError, ConflictError."""
    template = await _template_of(visit)
    await visit.service(TemplateService).delete(visit.principal, template.type, template.template_id)
    return visit.moved("/data/templates")


async def _template_of(visit: Visit) -> Template:
    kind = fields.choice(str(visit.request.path_params["kind"]), "kind", TemplateType)
    return await visit.service(TemplateService).get(
        visit.principal, kind, str(visit.request.path_params["template_id"])
    )


async def _made(visit: Visit, template: Template) -> Made:
    service, place = visit.service(TemplateService), _place(visit, template)
    if template.type is TemplateType.NAMESPACE:
        return await service.make_namespace(visit.principal, template.template_id, place)
    noun = _COUNTED.get(template.type)
    if noun is None:
        return await service.make(visit.principal, template.type, template.template_id, place)
    with visit.making(noun):
        return await service.make(visit.principal, template.type, template.template_id, place)


def _place(visit: Visit, template: Template) -> Place:
    """As the API would have been told. Raises: BadRequestError naming the field."""
    name, about = visit.field("name"), visit.field("description") or None
    chosen = [*visit.chosen("collection")]
    if template.type is TemplateType.COLLECTION:
        return Place(name, about, _source(visit))
    if template.type is TemplateType.TAXONOMY:
        given = {one: visit.field(f"c.{one}") for one in _named(template)}
        return Place(name, about, collections={one: collection for one, collection in given.items() if collection})
    if template.type not in (TemplateType.RETRIEVER, TemplateType.CLUSTER):
        return Place(name, about)
    if not chosen:
        raise BadRequestError("collection: choose at least one", field="collection")
    key = "collection_ids" if template.type is TemplateType.CLUSTER else "collection_identifiers"
    return Place(name, about, {key: [*chosen]})


def _source(visit: Visit) -> dict[str, Any]:
    """Empty where the template's own is taken. Raises: BadRequestError."""
    kind, _, identifier = visit.field("source").partition(":")
    if not kind:
        return {}
    if kind not in ("bucket", "collection") or not identifier:
        raise BadRequestError("source: bucket:ID or collection:ID", field="source")
    return {"source": {"type": kind, f"{kind}_ids": [identifier]}}


def _named(template: Template) -> list[str]:
    """Collections that it names, which stand for some of the namespace."""
    return sorted(name for section, name in references(template.configuration) if section == "collections")


def _usual_name(template: Template) -> str:
    if template.type is not TemplateType.NAMESPACE:
        return str(template.configuration.get("name", ""))
    entries: Any = template.configuration["namespaces"]
    return str(entries[0]["name"])


def _may_make(visit: Visit, kind: TemplateType) -> bool:
    return visit.principal.may(Permission.WRITE) and (kind is not TemplateType.NAMESPACE or not visit.principal.scopes)
