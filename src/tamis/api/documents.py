"""Documents of a collection."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from tamis.api.access import Deleter, Searching, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.links import links
from tamis.api.paging import Paging, pagination
from tamis.api.schemas.aggregation import DocumentAggregationRequest, DocumentAggregationResponse
from tamis.api.schemas.aggregation_wire import aggregation_model, aggregation_of
from tamis.api.schemas.document import (
    BatchDeleteDocumentsRequest,
    BatchDeleteDocumentsResponse,
    BatchDocumentDeleteResult,
    BatchDocumentUpdateResult,
    BatchUpdateDocumentsRequest,
    BatchUpdateDocumentsResponse,
    BulkUpdateDocumentsRequest,
    BulkUpdateDocumentsResponse,
    DocumentCreateRequest,
    DocumentResponse,
    DocumentUpdateRequest,
    ListDocumentsRequest,
    ListDocumentsResponse,
    PatchDocumentRequest,
    document_draft,
    document_model,
    document_stats,
    fields_of,
    group_model,
)
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.errors import ValidationError
from tamis.model.filters import Filter, parse_filter
from tamis.model.matching import check_filter
from tamis.services.data.documents import DocumentService
from tamis.services.listing import ListQuery

router = APIRouter(
    prefix="/v1/collections/{collection_identifier}/documents", tags=["documents"], route_class=JsonRoute
)

Documents = Annotated[DocumentService, Depends(service(DocumentService))]


@router.post("")
async def create_document(
    principal: Writer, collection_identifier: str, body: DocumentCreateRequest, documents: Documents
) -> DocumentResponse:
    """A document of the caller's own, with his own vectors if he has them; the next search finds it."""
    return document_model(await documents.create(principal, collection_identifier, document_draft(body)))


@router.post("/list")
async def list_documents(
    principal: Searching,
    collection_identifier: str,
    request: Request,
    documents: Documents,
    paging: Paging,
    body: ListDocumentsRequest | None = None,
) -> ListDocumentsResponse:
    """Filter, search, sort, group and page through a collection; newest first where no order is asked for."""
    asked = body or ListDocumentsRequest()
    query = paging.query(asked)
    if asked.group_by:
        return await _grouped(principal, collection_identifier, request, documents, asked, query)
    page = await documents.list(principal, collection_identifier, query, bool(asked.return_vectors))
    link = links(request, principal, asked.return_url)
    shown = [document_model(each, link=link, select=asked.select) for each in page.items]
    return ListDocumentsResponse(
        pagination=pagination(page, request, query), results=shown, stats=document_stats(page.items)
    )


async def _grouped(
    principal: Searching,
    collection: str,
    request: Request,
    documents: DocumentService,
    asked: ListDocumentsRequest,
    query: ListQuery,
) -> ListDocumentsResponse:
    path = asked.group_by or ""
    found = await documents.groups(principal, collection, path, query, bool(asked.return_vectors))
    link = links(request, principal, asked.return_url)
    groups = [group_model(group, found.documents, link=link, select=asked.select) for group in found.page.items]
    return ListDocumentsResponse(
        group_by_field=path,
        groups=groups,
        pagination=pagination(found.page, request, query),
        results=[],
        stats=document_stats(found.documents.values(), found.page.items),
    )


@router.post("/aggregate")
async def aggregate_documents(
    principal: Searching, collection_identifier: str, body: DocumentAggregationRequest, documents: Documents
) -> DocumentAggregationResponse:
    """Group documents by fields, dates or ranges and compute figures of each group."""
    rows = await documents.aggregate(principal, collection_identifier, _filter(body.filters), aggregation_of(body))
    return aggregation_model(rows)


@router.patch("/bulk")
async def bulk_update_documents(
    principal: Writer, collection_identifier: str, body: BulkUpdateDocumentsRequest, documents: Documents
) -> BulkUpdateDocumentsResponse:
    """Patch every document that the filters let in."""
    count = await documents.patch_matching(
        principal, collection_identifier, _filter(body.filters), _changes(body.update_data)
    )
    return BulkUpdateDocumentsResponse(updated_count=count)


@router.post("/batch")
async def batch_update_documents(
    principal: Writer, collection_identifier: str, body: BatchUpdateDocumentsRequest, documents: Documents
) -> BatchUpdateDocumentsResponse:
    """Patch documents one by one (`updates`), or all that the filters let in (`update_data`)."""
    if body.updates is None:
        if body.update_data is None:
            raise ValidationError.at(["body", "updates"], "either `updates`, or `update_data` with `filters`")
        count = await documents.patch_matching(
            principal, collection_identifier, _filter(body.filters), _changes(body.update_data)
        )
        return BatchUpdateDocumentsResponse(updated_count=count)
    updates = [(update.document_id, _changes(update.update_data)) for update in body.updates]
    errors, count = await documents.patch_each(principal, collection_identifier, updates)
    return BatchUpdateDocumentsResponse(
        failed_count=len(updates) - count,
        results=[
            BatchDocumentUpdateResult(document_id=document_id, error=error, success=error is None)
            for (document_id, _), error in zip(updates, errors, strict=True)
        ],
        updated_count=count,
    )


@router.delete("/batch")
async def batch_delete_documents(
    principal: Deleter, collection_identifier: str, body: BatchDeleteDocumentsRequest, documents: Documents
) -> BatchDeleteDocumentsResponse:
    """Delete documents by id, or all that the filters let in."""
    if body.document_ids is not None:
        missing, count = await documents.delete_each(principal, collection_identifier, body.document_ids)
        asked = list(dict.fromkeys(body.document_ids))
    elif body.filters:
        asked = list(await documents.delete_matching(principal, collection_identifier, _filter(body.filters)))
        missing, count = frozenset(), len(asked)
    else:
        raise ValidationError.at(["body", "document_ids"], "either `document_ids`, or `filters`")
    return BatchDeleteDocumentsResponse(
        deleted_count=count,
        failed_count=len(missing),
        results=[
            BatchDocumentDeleteResult(
                document_id=document_id,
                error="not found" if document_id in missing else None,
                success=document_id not in missing,
            )
            for document_id in asked
        ],
    )


@router.get("/{document_id}")
async def get_document(
    principal: Searching,
    collection_identifier: str,
    document_id: str,
    request: Request,
    documents: Documents,
    return_url: bool | None = None,
    return_vectors: bool | None = None,
) -> DocumentResponse:
    """A document by id."""
    details = await documents.get(principal, collection_identifier, document_id, bool(return_vectors))
    return document_model(details, link=links(request, principal, return_url))


@router.put("/{document_id}")
async def update_document(
    principal: Writer, collection_identifier: str, document_id: str, body: DocumentUpdateRequest, documents: Documents
) -> DocumentResponse:
    """Replace all fields of a document; its vectors stay unless `features` brings others."""
    fields, features = fields_of(body)
    return document_model(await documents.replace(principal, collection_identifier, document_id, fields, features))


@router.patch("/{document_id}")
async def patch_document(
    principal: Writer, collection_identifier: str, document_id: str, body: PatchDocumentRequest, documents: Documents
) -> DocumentResponse:
    """Replace the fields that are named, keep the others."""
    fields, features = fields_of(body)
    return document_model(await documents.patch(principal, collection_identifier, document_id, fields, features))


@router.delete("/{document_id}")
async def delete_document(
    principal: Deleter, collection_identifier: str, document_id: str, documents: Documents
) -> GenericDeleteResponse:
    """Delete a document; the next search does not find it."""
    await documents.delete(principal, collection_identifier, document_id)
    return GenericDeleteResponse()


def _filter(raw: Mapping[str, Any] | None) -> Filter | None:
    found = parse_filter(raw, ["body", "filters"])
    check_filter(found, ["body", "filters"])
    return found


def _changes(raw: dict[str, Any]) -> dict[str, Any]:
    """Vectors cannot be changed in bulk: saying so is better than dropping them."""
    if raw.get("features"):
        raise ValidationError.at(["body", "update_data", "features"], "vectors are replaced one document at a time")
    return raw
