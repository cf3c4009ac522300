"""Taxonomies: what there is, and the tree of one with how many labels of each node documents have."""

from starlette.responses import Response

from tamis.model.taxonomy import Taxonomy
from tamis.services.data.taxonomies import TaxonomyService
from tamis.services.data.taxonomy_analytics import TaxonomyAnalytics
from tamis.services.listing import ListQuery
from tamis.services.runs.labelling import result_field_of
from tamis.studio.places import page_number, placed
from tamis.studio.visit import Visit

PAGE_SIZE = 20


async def index(visit: Visit) -> Response:
    at = page_number(visit)
    query = ListQuery(limit=PAGE_SIZE, offset=(at - 1) * PAGE_SIZE)
    page = await visit.service(TaxonomyService).list(visit.principal, query)
    return visit.page("taxonomies.html", taxonomies=page, at=at, page_size=PAGE_SIZE)


async def show(visit: Visit) -> Response:
    """Raises: NotFoundError."""
    visit, taxonomy = await _taxonomy_of(visit)
    _, branches = await visit.service(TaxonomyAnalytics).tree(visit.principal, taxonomy.taxonomy_id)
    versions = await visit.service(TaxonomyService).versions(visit.principal, taxonomy.taxonomy_id)
    return placed(
        visit, "taxonomy.html", taxonomy=taxonomy, branches=branches, versions=versions,
        labels=sum(one.count for one in branches), where=result_field_of(taxonomy),
    )  # fmt: skip


async def delete(visit: Visit) -> Response:
    """Raises: ConflictError while a collection applies it."""
    visit, taxonomy = await _taxonomy_of(visit)
    await visit.service(TaxonomyService).delete(visit.principal, taxonomy.taxonomy_id)
    return visit.moved("/data/taxonomies")


async def _taxonomy_of(visit: Visit) -> tuple[Visit, Taxonomy]:
    identifier = str(visit.request.path_params["taxonomy_id"])
    return await visit.found(
        "taxonomy", lambda inside: inside.service(TaxonomyService).get(inside.principal, identifier)
    )
