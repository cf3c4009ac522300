"""Taxonomies: stored, versioned, tried out, applied to collections."""

from enum import Enum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, status

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import Paging, pagination
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.api.schemas.taxonomy import (
    ApplyTaxonomyRequest,
    ApplyTaxonomyResponse,
    CloneTaxonomyRequest,
    CloneTaxonomyResponse,
    CreateTaxonomyRequest,
    CreateTaxonomyVersionRequest,
    ExecuteTaxonomyRequest,
    JoinResponse,
    ListTaxonomiesRequest,
    ListTaxonomiesResponse,
    PatchTaxonomyRequest,
    TaxonomyResponse,
    application,
    config_of,
    show_application,
    show_stats,
    show_taxonomy,
    show_tried,
    taxonomy_change,
    taxonomy_draft,
    taxonomy_trial,
)
from tamis.model.page import Page
from tamis.services.data.taxonomies import TaxonomyDraft, TaxonomyService
from tamis.services.data.taxonomy_trials import MOST_DOCUMENTS, TaxonomyTrials
from tamis.services.listing import ListQuery

router = APIRouter(route_class=JsonRoute)

Taxonomies = Annotated[TaxonomyService, Depends(service(TaxonomyService))]
Trials = Annotated[TaxonomyTrials, Depends(service(TaxonomyTrials))]
Version = Annotated[int | None, Query(ge=1, description="Left out, the newest.")]
_PATH = "/v1/taxonomies"
_TAGS: list[str | Enum] = ["taxonomies"]


@router.post(_PATH, tags=_TAGS)
async def create_taxonomy(principal: Writer, body: CreateTaxonomyRequest, taxonomies: Taxonomies) -> TaxonomyResponse:
    """A tree of classes, written out or inferred, and how documents are matched to them."""
    return show_taxonomy(await taxonomies.create(principal, taxonomy_draft(body)))


@router.post(f"{_PATH}/list", tags=_TAGS)
async def list_taxonomies(
    principal: Reader,
    request: Request,
    taxonomies: Taxonomies,
    paging: Paging,
    body: ListTaxonomiesRequest | None = None,
) -> ListTaxonomiesResponse:
    """The namespace's taxonomies, newest first where no order is asked for."""
    query = paging.query(body)
    page = await taxonomies.list(principal, query)
    return ListTaxonomiesResponse(
        results=[show_taxonomy(one) for one in page.items],
        pagination=pagination(page, request, query).model_dump(),
        total_count=page.total,
        stats=show_stats(page.items),
    )


@router.post(f"{_PATH}/execute/{{taxonomy_identifier}}", tags=_TAGS)
async def execute_taxonomy(
    principal: Reader, taxonomy_identifier: str, body: ExecuteTaxonomyRequest, trials: Trials, version: Version = None
) -> JoinResponse:
    """Try it out on some documents; nothing is stored."""
    return show_tried(await trials.run(principal, taxonomy_identifier, taxonomy_trial(body, MOST_DOCUMENTS), version))


@router.get(f"{_PATH}/{{taxonomy_identifier}}", tags=_TAGS)
async def get_taxonomy(
    principal: Reader, taxonomy_identifier: str, taxonomies: Taxonomies, version: Version = None
) -> TaxonomyResponse:
    """A taxonomy by id or name."""
    return show_taxonomy(await taxonomies.get(principal, taxonomy_identifier, version))


@router.patch(f"{_PATH}/{{taxonomy_identifier}}", tags=_TAGS)
async def patch_taxonomy(
    principal: Writer, taxonomy_identifier: str, body: PatchTaxonomyRequest, taxonomies: Taxonomies
) -> TaxonomyResponse:
    """Change its name, description or metadata; its config changes by a new version."""
    return show_taxonomy(await taxonomies.patch(principal, taxonomy_identifier, taxonomy_change(body)))


@router.delete(f"{_PATH}/{{taxonomy_identifier}}", tags=_TAGS)
async def delete_taxonomy(
    principal: Deleter, taxonomy_identifier: str, taxonomies: Taxonomies
) -> GenericDeleteResponse:
    """With its versions and analytics; labels stay in documents."""
    await taxonomies.delete(principal, taxonomy_identifier)
    return GenericDeleteResponse()


@router.post(f"{_PATH}/{{taxonomy_identifier}}/clone", status_code=status.HTTP_201_CREATED, tags=_TAGS)
async def clone_taxonomy(
    principal: Writer, taxonomy_identifier: str, body: CloneTaxonomyRequest, taxonomies: Taxonomies
) -> CloneTaxonomyResponse:
    """Copy it under a new name; what is sent stands over the source's."""
    draft = TaxonomyDraft(body.taxonomy_name, config_of(body.config), body.description)
    made, source_id = await taxonomies.clone(principal, taxonomy_identifier, draft)
    return CloneTaxonomyResponse(source_taxonomy_id=source_id, taxonomy=show_taxonomy(made))


@router.get(f"{_PATH}/{{taxonomy_id}}/versions", tags=_TAGS)
async def list_taxonomy_versions(
    principal: Reader, request: Request, taxonomy_id: str, taxonomies: Taxonomies
) -> ListTaxonomiesResponse:
    """Every version, newest first."""
    found = await taxonomies.versions(principal, taxonomy_id)
    query = ListQuery(limit=max(len(found), 1))
    page = Page(found, len(found), query.limit, 0)
    return ListTaxonomiesResponse(
        results=[show_taxonomy(one) for one in found],
        pagination=pagination(page, request, query).model_dump(),
        total_count=len(found),
    )


@router.post(f"{_PATH}/{{taxonomy_id}}/versions", tags=_TAGS)
async def create_taxonomy_version(
    principal: Writer, taxonomy_id: str, body: CreateTaxonomyVersionRequest, taxonomies: Taxonomies
) -> TaxonomyResponse:
    """The next version, which is what the taxonomy is from now on; earlier ones can be read and tried out."""
    return show_taxonomy(await taxonomies.add_version(principal, taxonomy_id, config_of(body.config)))


@router.post("/v1/collections/{collection_identifier}/apply-taxonomy", tags=["collections"])
async def apply_taxonomy(
    principal: Writer, collection_identifier: str, body: ApplyTaxonomyRequest, taxonomies: Taxonomies
) -> ApplyTaxonomyResponse:
    """Label the documents that are there; a task tells how far it is, and goes on after a crash."""
    return show_application(*await taxonomies.apply(principal, collection_identifier, application(body)))
