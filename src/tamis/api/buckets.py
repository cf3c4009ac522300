"""Buckets: create, list, get, update, patch, delete."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import ListRequest, Paging, pagination
from tamis.api.schemas.bucket import (
    BucketCreateRequest,
    BucketPatchRequest,
    BucketResponse,
    BucketUpdateRequest,
    ListBucketsResponse,
    bucket_changes,
    bucket_draft,
    bucket_response,
    bucket_stats,
)
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.services.data.buckets import BucketService

router = APIRouter(prefix="/v1/buckets", tags=["buckets"], route_class=JsonRoute)

Buckets = Annotated[BucketService, Depends(service(BucketService))]


class ListBucketsRequest(ListRequest):
    pass


@router.post("")
async def create_bucket(principal: Writer, body: BucketCreateRequest, buckets: Buckets) -> BucketResponse:
    """Make a bucket with the schema that its objects keep to."""
    return bucket_response(await buckets.create(principal, bucket_draft(body)))


@router.post("/list")
async def list_buckets(
    principal: Reader, request: Request, buckets: Buckets, paging: Paging, body: ListBucketsRequest | None = None
) -> ListBucketsResponse:
    """The namespace's buckets, newest first where no order is asked for."""
    query = paging.query(body)
    page = await buckets.list(principal, query)
    return ListBucketsResponse(
        pagination=pagination(page, request, query),
        results=[bucket_response(details) for details in page.items],
        stats=bucket_stats(page.items),
        total_count=page.total,
    )


@router.get("/{bucket_identifier}")
async def get_bucket(principal: Reader, bucket_identifier: str, buckets: Buckets) -> BucketResponse:
    """A bucket by id or name, with its counts."""
    return bucket_response(await buckets.get(principal, bucket_identifier))


@router.put("/{bucket_identifier}")
async def update_bucket(
    principal: Writer, bucket_identifier: str, body: BucketUpdateRequest, buckets: Buckets
) -> BucketResponse:
    """Replace name, description or metadata; what is not sent stays."""
    return bucket_response(await buckets.update(principal, bucket_identifier, bucket_changes(body)))


@router.patch("/{bucket_identifier}")
async def patch_bucket(
    principal: Writer, bucket_identifier: str, body: BucketPatchRequest, buckets: Buckets
) -> BucketResponse:
    """Change the fields that are sent."""
    return bucket_response(await buckets.update(principal, bucket_identifier, bucket_changes(body)))


@router.delete("/{bucket_identifier}")
async def delete_bucket(principal: Deleter, bucket_identifier: str, buckets: Buckets) -> GenericDeleteResponse:
    """Delete a bucket with its objects, uploads, batches and files."""
    bucket = await buckets.delete(principal, bucket_identifier)
    return GenericDeleteResponse(message=f"deleted bucket {bucket.name}")
