"""Objects of a bucket: create one or a hundred, list, get, update, patch, delete, aggregate."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import ListRequest, Paging, pagination
from tamis.api.schemas.aggregation import DocumentAggregationRequest, DocumentAggregationResponse
from tamis.api.schemas.aggregation_wire import aggregation_model, aggregation_of
from tamis.api.schemas.object import (
    CreateObjectRequest,
    CreateObjectsBatchRequest,
    ListObjectsResponse,
    ObjectResponse,
    PatchObjectRequest,
    UpdateObjectRequest,
    object_draft,
    object_patch,
    object_replacement,
    object_response,
    object_stats,
)
from tamis.model.filters import parse_filter
from tamis.model.matching import check_filter
from tamis.services.data.objects import ObjectService

router = APIRouter(prefix="/v1/buckets/{bucket_identifier}/objects", tags=["objects"], route_class=JsonRoute)

Objects = Annotated[ObjectService, Depends(service(ObjectService))]
Policy = Annotated[str | None, Query(description="insert, update or upsert, by the bucket's unique key")]


class ListObjectsRequest(ListRequest):
    pass


class ObjectAggregationRequest(DocumentAggregationRequest):
    pass


class ObjectAggregationResponse(DocumentAggregationResponse):
    pass


@router.post("")
async def create_object(
    principal: Writer, bucket_identifier: str, body: CreateObjectRequest, objects: Objects, policy: Policy = None
) -> ObjectResponse:
    """Register an object. Nothing is extracted until a batch of it is submitted."""
    return object_response(await objects.create(principal, bucket_identifier, object_draft(body), policy))


@router.post("/batch")
async def create_objects(
    principal: Writer, bucket_identifier: str, body: CreateObjectsBatchRequest, objects: Objects, policy: Policy = None
) -> list[ObjectResponse]:
    """Register up to a hundred objects: all of them, or none where one is refused."""
    drafts = [object_draft(one, "body", "objects", place) for place, one in enumerate(body.objects)]
    return [object_response(one) for one in await objects.create_many(principal, bucket_identifier, drafts, policy)]


@router.post("/list")
async def list_objects(
    principal: Reader,
    request: Request,
    bucket_identifier: str,
    objects: Objects,
    paging: Paging,
    body: ListObjectsRequest | None = None,
) -> ListObjectsResponse:
    """The bucket's objects, newest first where no order is asked for."""
    query = paging.query(body)
    page = await objects.list(principal, bucket_identifier, query)
    return ListObjectsResponse(
        pagination=pagination(page, request, query),
        results=[object_response(found) for found in page.items],
        stats=object_stats(page.items),
    )


@router.post("/aggregate")
async def aggregate_objects(
    principal: Reader, bucket_identifier: str, body: ObjectAggregationRequest, objects: Objects
) -> ObjectAggregationResponse:
    """Group objects by fields, dates or ranges and compute figures of each group."""
    matching = parse_filter(body.filters, ["body", "filters"])
    check_filter(matching, ["body", "filters"])
    rows = await objects.aggregate(principal, bucket_identifier, aggregation_of(body), matching)
    return ObjectAggregationResponse(**aggregation_model(rows).model_dump())


@router.get("/{object_identifier}")
async def get_object(
    principal: Reader, bucket_identifier: str, object_identifier: str, objects: Objects
) -> ObjectResponse:
    """An object with its blobs."""
    return object_response(await objects.get(principal, bucket_identifier, object_identifier))


@router.put("/{object_identifier}")
async def update_object(
    principal: Writer, bucket_identifier: str, object_identifier: str, body: UpdateObjectRequest, objects: Objects
) -> ObjectResponse:
    """Replace blobs or metadata whole; what is not sent stays."""
    change = object_replacement(body)
    return object_response(await objects.change(principal, bucket_identifier, object_identifier, change))


@router.patch("/{object_identifier}")
async def patch_object(
    principal: Writer, bucket_identifier: str, object_identifier: str, body: PatchObjectRequest, objects: Objects
) -> ObjectResponse:
    """Lay metadata over what is there; null takes a field away."""
    change = object_patch(body)
    return object_response(await objects.change(principal, bucket_identifier, object_identifier, change))


@router.delete("/{object_identifier}", status_code=204)
async def delete_object(
    principal: Deleter, bucket_identifier: str, object_identifier: str, objects: Objects
) -> Response:
    """Delete an object and its files; documents made of it stay."""
    await objects.delete(principal, bucket_identifier, object_identifier)
    return Response(status_code=204)
