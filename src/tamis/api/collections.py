"""Collections: their extractors, their definition, their features, and running them again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, status

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import Paging, pagination
from tamis.api.schemas.collection import (
    CloneCollectionRequest,
    CloneCollectionResponse,
    CollectionResponse,
    CreateCollectionRequest,
    ListCollectionsRequest,
    ListCollectionsResponse,
    PatchCollectionRequest,
    TriggerCollectionRequest,
    TriggerCollectionResponse,
    collection_change,
    collection_clone,
    collection_draft,
    collection_model,
    collection_stats,
)
from tamis.api.schemas.extractor import (
    DescribeCollectionFeaturesResponse,
    FeatureExtractorResponseModel,
    extractor_model,
    features_model,
)
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.api.schemas.schema_sync import (
    SchemaSyncRequest,
    SchemaSyncResponse,
    SchemaSyncSkippedResponse,
    show_sync,
)
from tamis.model.filters import parse_filter
from tamis.model.matching import check_filter
from tamis.services.data.collection_runs import CollectionRunService
from tamis.services.data.collections import CollectionService
from tamis.services.data.schema_sync import SchemaSyncService

router = APIRouter(prefix="/v1/collections", tags=["collections"], route_class=JsonRoute)

Collections = Annotated[CollectionService, Depends(service(CollectionService))]
SchemaSyncs = Annotated[SchemaSyncService, Depends(service(SchemaSyncService))]
Triggers = Annotated[CollectionRunService, Depends(service(CollectionRunService))]


@router.get("/features/extractors")
async def list_feature_extractors(collections: Collections) -> list[FeatureExtractorResponseModel]:
    """Every extractor of this server, with the schema of its parameters."""
    return [extractor_model(extractor) for extractor in collections.extractors()]


@router.get("/features/extractors/{feature_extractor_id}")
async def get_feature_extractor(feature_extractor_id: str, collections: Collections) -> FeatureExtractorResponseModel:
    """By `text_extractor_v1`, `text_extractor@v1`, `text_extractor` or `text`."""
    return extractor_model(collections.extractor(feature_extractor_id))


@router.post("")
async def create_collection(
    principal: Writer, body: CreateCollectionRequest, collections: Collections
) -> CollectionResponse:
    """Define a collection; its output schema and features stand at once."""
    return collection_model(await collections.create(principal, collection_draft(body)))


@router.post("/list")
async def list_collections(
    principal: Reader,
    request: Request,
    collections: Collections,
    paging: Paging,
    body: ListCollectionsRequest | None = None,
) -> ListCollectionsResponse:
    """The namespace's collections, newest first where no order is asked for."""
    query = paging.query(body)
    page = await collections.list(principal, query)
    return ListCollectionsResponse(
        pagination=pagination(page, request, query),
        results=[collection_model(details) for details in page.items],
        stats=collection_stats(page.items),
        total_count=page.total,
    )


@router.get("/{collection_identifier}")
async def get_collection(principal: Reader, collection_identifier: str, collections: Collections) -> CollectionResponse:
    """A collection by id or name."""
    return collection_model(await collections.get(principal, collection_identifier))


@router.patch("/{collection_identifier}")
async def patch_collection(
    principal: Writer, collection_identifier: str, body: PatchCollectionRequest, collections: Collections
) -> CollectionResponse:
    """Change name, description, metadata, applications, or whether batches feed it."""
    return collection_model(await collections.patch(principal, collection_identifier, collection_change(body)))


@router.delete("/{collection_identifier}")
async def delete_collection(
    principal: Deleter, collection_identifier: str, collections: Collections
) -> GenericDeleteResponse:
    """Delete a collection with its documents and its index."""
    await collections.delete(principal, collection_identifier)
    return GenericDeleteResponse()


@router.get("/{collection_identifier}/features")
async def describe_collection_features(
    principal: Reader, collection_identifier: str, collections: Collections
) -> DescribeCollectionFeaturesResponse:
    """The feature URIs that searches on this collection may use."""
    return features_model((await collections.get(principal, collection_identifier)).collection)


@router.post("/{collection_identifier}/clone", status_code=status.HTTP_201_CREATED)
async def clone_collection(
    principal: Writer, collection_identifier: str, body: CloneCollectionRequest, collections: Collections
) -> CloneCollectionResponse:
    """Define another collection as this one is, but for what is sent; its documents come with the next batch."""
    made, source_id = await collections.clone(principal, collection_identifier, collection_clone(body))
    return CloneCollectionResponse(collection=collection_model(made), source_collection_id=source_id)


@router.post("/{collection_id}/sync-schema")
async def sync_collection_schema(
    principal: Writer, collection_id: str, syncs: SchemaSyncs, body: SchemaSyncRequest | None = None
) -> SchemaSyncResponse | SchemaSyncSkippedResponse:
    """Add to the output schema what a sample of the documents has besides; no field is changed or removed."""
    asked = body or SchemaSyncRequest()
    return show_sync(
        await syncs.sync(principal, collection_id, asked.sample_size, asked.force, asked.cascade_to_downstream)
    )


@router.post("/{collection_identifier}/trigger", include_in_schema=False)
async def trigger_collection(
    principal: Writer,
    collection_identifier: str,
    triggers: Triggers,
    body: TriggerCollectionRequest | None = None,
) -> TriggerCollectionResponse:
    """Run the collection over everything in its sources; a later client's call."""
    asked = body or TriggerCollectionRequest()
    matching = parse_filter(asked.source_filters, ["body", "source_filters"])
    check_filter(matching, ["body", "source_filters"])
    only = [*(asked.include_buckets or []), *(asked.include_collections or [])]
    made = await triggers.trigger(principal, collection_identifier, only, matching)
    of_bucket = made.collection.source.type == "bucket"
    return TriggerCollectionResponse(
        batch_id=made.batch.batch_id,
        collection_id=made.collection.collection_id,
        document_count=None if of_bucket else made.source_count,
        message=f"{made.source_count} {'objects' if of_bucket else 'documents'} are being processed",
        object_count=made.source_count if of_bucket else len(made.batch.object_ids),
        source_bucket_ids=list(made.source_ids) if of_bucket else None,
        source_collection_ids=None if of_bucket else list(made.source_ids),
        task_id=made.task.task_id,
        total_tiers=made.tier_count,
    )
