"""Batches of a bucket's objects."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import MAX_OFFSET
from tamis.api.schemas.batch import (
    AddObjectsToBatchRequest,
    BatchEvent,
    BatchModel,
    CreateBatchRequest,
    ListBatchesRequest,
    ListBatchesResponse,
    PatchBatchRequest,
    RetryBatchRequest,
    SubmitBatchRequest,
    batch_event,
    batch_model,
    failed_model,
    task_model,
)
from tamis.api.schemas.page import GenericDeleteResponse, PaginationMetadata
from tamis.api.schemas.stream import event_content
from tamis.api.schemas.task import TaskResponse
from tamis.api.streams import EVENT_HEADERS, framed
from tamis.errors import ValidationError
from tamis.model.batch import TaskStatus
from tamis.services.data.batch_following import BatchFollowing, BatchStep
from tamis.services.data.batches import BatchService

router = APIRouter(prefix="/v1/buckets/{bucket_identifier}/batches", tags=["batches"], route_class=JsonRoute)

Batches = Annotated[BatchService, Depends(service(BatchService))]
Following = Annotated[BatchFollowing, Depends(service(BatchFollowing))]
_HEARTBEAT = b": the batch goes on\n\n"


class EventsResponse(StreamingResponse):
    media_type = "text/event-stream"


_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The `data` of each event is a BatchEvent.", "content": event_content(BatchEvent)},
}


@router.post("")
async def create_batch(
    principal: Writer, bucket_identifier: str, body: CreateBatchRequest, batches: Batches
) -> BatchModel:
    """A draft of objects that are to be processed together."""
    metadata = {**(body.metadata or {}), **({"batch_name": body.batch_name} if body.batch_name else {})}
    return batch_model(await batches.create(principal, bucket_identifier, body.object_ids, metadata))


@router.post("/list")
async def list_batches(
    principal: Reader, bucket_identifier: str, batches: Batches, body: ListBatchesRequest | None = None
) -> ListBatchesResponse:
    """The bucket's batches, newest first."""
    asked = body or ListBatchesRequest()
    status = TaskStatus(asked.status.value) if asked.status else None
    page = await batches.list(principal, bucket_identifier, status, asked.limit, asked.offset)
    shown = [batch_model(details) for details in page.items]
    where = PaginationMetadata(has_next=page.has_next, limit=page.limit, offset=page.offset, total=page.total)
    return ListBatchesResponse(batches=shown, pagination=where, results=shown, total_count=page.total)


@router.get("/{batch_id}")
async def get_batch(principal: Reader, bucket_identifier: str, batch_id: str, batches: Batches) -> BatchModel:
    """A batch with its tiers, and what failed in each."""
    return batch_model(await batches.get(principal, bucket_identifier, batch_id))


@router.get("/{batch_id}/events", response_class=EventsResponse, responses=_EVENTS)
async def follow_batch(principal: Reader, bucket_identifier: str, batch_id: str, following: Following) -> Response:
    """Server-sent events: how far the batch is, now and after each change; the last one is `batch_end`."""
    begun = await following.begin(principal, bucket_identifier, batch_id)
    steps = following.follow(principal, bucket_identifier, begun)
    return EventsResponse(_written(steps), headers=EVENT_HEADERS)


async def _written(steps: AsyncGenerator[BatchStep | None, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(steps):
        async for step in steps:
            yield _HEARTBEAT if step is None else b"".join(framed(batch_event(step).model_dump(mode="json")))


@router.patch("/{batch_id}")
async def patch_batch(
    principal: Writer, bucket_identifier: str, batch_id: str, body: PatchBatchRequest, batches: Batches
) -> BatchModel:
    """Replace the batch's metadata."""
    return batch_model(await batches.patch(principal, bucket_identifier, batch_id, body.metadata))


@router.delete("/{batch_id}")
async def delete_batch(
    principal: Deleter, bucket_identifier: str, batch_id: str, batches: Batches
) -> GenericDeleteResponse:
    """Forget a batch that does not run; the documents that it made stay."""
    await batches.delete(principal, bucket_identifier, batch_id)
    return GenericDeleteResponse()


@router.post("/{batch_id}/objects")
async def add_objects_to_batch(
    principal: Writer, bucket_identifier: str, batch_id: str, body: AddObjectsToBatchRequest, batches: Batches
) -> BatchModel:
    """Put more objects into a draft."""
    return batch_model(await batches.add_objects(principal, bucket_identifier, batch_id, body.object_ids))


@router.post("/{batch_id}/submit")
async def submit_batch(
    principal: Writer,
    bucket_identifier: str,
    batch_id: str,
    batches: Batches,
    body: SubmitBatchRequest | None = None,
) -> TaskResponse:
    """Start processing; submitted again, it answers the same task."""
    asked = body or SubmitBatchRequest()
    return task_model(await batches.submit(principal, bucket_identifier, batch_id, asked.include_processing_history))


@router.post("/{batch_id}/cancel")
async def cancel_batch(principal: Writer, bucket_identifier: str, batch_id: str, batches: Batches) -> TaskResponse:
    """Stop between two calls of the extractor."""
    return task_model(await batches.cancel(principal, bucket_identifier, batch_id))


@router.post("/{batch_id}/retry")
async def retry_batch(
    principal: Writer,
    bucket_identifier: str,
    batch_id: str,
    batches: Batches,
    body: RetryBatchRequest | None = None,
) -> dict[str, Any]:
    """Process failed sources again."""
    asked = body or RetryBatchRequest()
    batch, count = await batches.retry(
        principal, bucket_identifier, batch_id, asked.retry_mode == "all", asked.tier_nums, asked.max_retry_count
    )
    return {
        "batch_id": batch.batch_id,
        "task_id": batch.task_id,
        "status": str(batch.status),
        "retry_mode": asked.retry_mode,
        "tier_nums": asked.tier_nums,
        "retried_count": count,
        "message": f"{count} sources wait to be processed again",
    }


@router.get("/{batch_id}/failed-documents")
async def list_failed_documents(
    principal: Reader,
    bucket_identifier: str,
    batch_id: str,
    batches: Batches,
    tier_num: int | None = None,
    collection_id: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> dict[str, Any]:
    """The sources that could not be extracted, each with its reason."""
    if not 0 <= (tier_num or 0) <= MAX_OFFSET:
        raise ValidationError.at(["query", "tier_num"], "the number of a tier, the first one is 0")
    if offset > MAX_OFFSET:
        raise ValidationError.at(["query", "offset"], f"at most {MAX_OFFSET}")
    page = await batches.failed(principal, bucket_identifier, batch_id, tier_num, collection_id, limit, offset)
    return failed_model(batch_id, page)
