"""Documents on the wire."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tamis.api.links import Link, show_blobs
from tamis.api.paging import ListRequest
from tamis.api.schemas.page import PaginationResponse
from tamis.model.document import Document, Lineage, LineageStep, ProcessingStep
from tamis.model.vector import Dense, Sparse, Vector
from tamis.services.data.document_groups import Group
from tamis.services.data.documents import DocumentDetails, DocumentDraft


class FeatureModel(BaseModel):
    model_config = ConfigDict(extra="allow")

    feature_extractor_id: str
    payload: dict[str, Any] = Field(default_factory=dict)
    vectors: dict[str, Any] | list[Any] | None = None


class LineageStepModel(BaseModel):
    collection_id: str
    document_id: str | None = None
    feature_extractor_id: str
    timestamp: datetime


class DocumentCreateRequest(BaseModel):
    """Other keys are fields of the document, as those under `metadata` are."""

    model_config = ConfigDict(extra="allow")

    collection_id: str | None = None
    document_id: str | None = None
    document_schema_version: str | None = None
    features: list[FeatureModel] = Field(default_factory=list)
    lineage_chain: list[LineageStepModel] = Field(default_factory=list)
    lineage_path: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    root_bucket_id: str | None = None
    root_object_id: str | None = None
    source_collection_id: str | None = None
    source_document_id: str | None = None
    source_object_id: str | None = None
    source_type: Literal["bucket", "collection"] | None = None


class FieldsRequest(BaseModel):
    """Fields of a document at the root or under `metadata`; `features` may bring vectors."""

    model_config = ConfigDict(extra="allow")

    features: list[FeatureModel] = Field(default_factory=list)


class DocumentUpdateRequest(FieldsRequest):
    pass


class PatchDocumentRequest(FieldsRequest):
    pass


class BlobURLRef(BaseModel):
    checksum: str | None = None
    content_type: str | None = None
    created_at: datetime | None = None
    field: str = Field(..., min_length=1)
    filename: str | None = None
    presigned_url: str | None = None
    role: Literal["source", "processed", "thumbnail", "artifact", "aux"] = "source"
    size_bytes: int | None = None
    source_blob_id: str | None = None
    type: Literal["video", "image", "audio", "text", "pdf", "other"] = "other"
    url: str = Field(..., min_length=1)


class DocumentResponse(BaseModel):
    """The document's fields stand at the root and under `metadata`. `vectors`: by feature name, where asked for.

    `internal_metadata`: {processing_history}, the batches that made it, oldest first, where they were to keep it.
    """

    model_config = ConfigDict(extra="allow")

    collection_id: str
    document_blobs: list[BlobURLRef] = Field(default_factory=list)
    document_id: str
    lineage_chain: list[LineageStepModel] = Field(default_factory=list)
    lineage_path: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    root_bucket_id: str | None = None
    root_object_id: str | None = None
    source_blobs: list[dict[str, Any]] = Field(default_factory=list)
    source_collection_id: str | None = None
    source_document_id: str | None = None
    source_object_id: str | None = None
    source_type: Literal["bucket", "collection"] | None = None
    vector: list[float] | None = None


class ListDocumentsRequest(ListRequest):
    group_by: str | None = None
    return_url: bool | None = False
    return_vectors: bool | None = False
    select: list[str] | None = None


class DocumentGroup(BaseModel):
    count: int
    documents: list[DocumentResponse]
    group_key: Any


class DocumentListStats(BaseModel):
    """Of the documents, or groups, on one page; a group's average counts all of its documents, shown or not."""

    avg_blobs_per_document: float = 0.0
    avg_documents_per_group: float | None = None
    documents_with_vectors: int = 0
    total_documents: int = 0
    total_groups: int | None = None


class ListDocumentsResponse(BaseModel):
    group_by_field: str | None = None
    groups: list[DocumentGroup] | None = None
    pagination: PaginationResponse
    results: list[DocumentResponse] | None = None
    stats: DocumentListStats | None = None


class BulkUpdateDocumentsRequest(BaseModel):
    filters: dict[str, Any] | None = None
    update_data: dict[str, Any]


class BulkUpdateDocumentsResponse(BaseModel):
    message: str = "Documents updated successfully"
    updated_count: int


class BatchDocumentUpdate(BaseModel):
    document_id: str
    update_data: dict[str, Any]


Updates = Annotated[list[BatchDocumentUpdate], Field(min_length=1, max_length=1000)]
Ids = Annotated[list[str], Field(min_length=1, max_length=1000)]


class BatchUpdateDocumentsRequest(BaseModel):
    filters: dict[str, Any] | None = None
    update_data: dict[str, Any] | None = None
    updates: Updates | None = None


class BatchDocumentUpdateResult(BaseModel):
    document_id: str
    error: str | None = None
    success: bool


class BatchUpdateDocumentsResponse(BaseModel):
    failed_count: int = 0
    message: str = "Batch update completed"
    results: list[BatchDocumentUpdateResult] = Field(default_factory=list)
    updated_count: int


class BatchDeleteDocumentsRequest(BaseModel):
    document_ids: Ids | None = None
    filters: dict[str, Any] | None = None


class BatchDocumentDeleteResult(BaseModel):
    document_id: str
    error: str | None = None
    success: bool


class BatchDeleteDocumentsResponse(BaseModel):
    deleted_count: int
    failed_count: int = 0
    message: str = "Batch delete completed"
    results: list[BatchDocumentDeleteResult] = Field(default_factory=list)


def document_draft(body: DocumentCreateRequest) -> DocumentDraft:
    return DocumentDraft(
        body={"metadata": body.metadata, **(body.model_extra or {})},
        features=tuple(feature.model_dump() for feature in body.features),
        lineage=Lineage(
            source_type=body.source_type or ("collection" if body.source_document_id else "bucket"),
            root_bucket_id=body.root_bucket_id,
            root_object_id=body.root_object_id,
            source_object_id=body.source_object_id,
            source_collection_id=body.source_collection_id,
            source_document_id=body.source_document_id,
            path=body.lineage_path,
            chain=tuple(
                LineageStep(step.collection_id, step.feature_extractor_id, step.timestamp, step.document_id)
                for step in body.lineage_chain
            ),
        ),
        document_id=body.document_id,
    )


def fields_of(body: FieldsRequest) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(fields as sent, features)."""
    return dict(body.model_extra or {}), [feature.model_dump() for feature in body.features]


def document_model(
    details: DocumentDetails, *, link: Link | None = None, select: Sequence[str] | None = None
) -> DocumentResponse:
    """link: to its files, where they are to be read.  select: the fields to show; None shows all."""
    document = details.document
    lineage = document.lineage
    fields = dict(document.fields)
    if select is not None:
        wanted = {name.removeprefix("metadata.") for name in select}
        fields = {name: value for name, value in fields.items() if name in wanted}
    shown: dict[str, Any] = {
        **fields,
        "collection_id": document.collection_id,
        **show_blobs(document, link),
        "document_id": document.document_id,
        "lineage_chain": [step_model(step) for step in lineage.chain],
        "lineage_path": lineage.path,
        "metadata": fields,
        "root_bucket_id": lineage.root_bucket_id,
        "root_object_id": lineage.root_object_id,
        "source_collection_id": lineage.source_collection_id,
        "source_document_id": lineage.source_document_id,
        "source_object_id": lineage.source_object_id,
        "source_type": lineage.source_type,
        "vector": None,
        "created_at": document.created_at,
        "updated_at": document.updated_at,
    }
    if details.vectors is not None:
        shown["vectors"] = {name: vector_value(vector) for name, vector in details.vectors.items()}
        dense = [vector for vector in details.vectors.values() if isinstance(vector, Dense)]
        shown["vector"] = dense[0].values.tolist() if dense else None
    if document.history:
        shown["internal_metadata"] = {"processing_history": [_processing(step) for step in document.history]}
    return DocumentResponse.model_validate(shown)


def group_model(
    group: Group, documents: Mapping[str, DocumentDetails], *, link: Link | None, select: Sequence[str] | None
) -> DocumentGroup:
    found = [documents[document_id] for document_id in group.document_ids if document_id in documents]
    return DocumentGroup(
        count=group.count,
        documents=[document_model(each, link=link, select=select) for each in found],
        group_key=group.key,
    )


def document_stats(shown: Collection[DocumentDetails], groups: Sequence[Group] | None = None) -> DocumentListStats:
    """groups: those of the page, where it is grouped."""
    return DocumentListStats(
        avg_blobs_per_document=sum(len(each.document.source_blobs) for each in shown) / (len(shown) or 1),
        avg_documents_per_group=None if groups is None else sum(group.count for group in groups) / (len(groups) or 1),
        documents_with_vectors=sum(each.has_vectors for each in shown),
        total_documents=len(shown),
        total_groups=None if groups is None else len(groups),
    )


def vector_value(vector: Vector) -> Any:
    if isinstance(vector, Sparse):
        return {"indices": vector.indices.tolist(), "values": vector.values.tolist()}
    return vector.values.tolist()


def step_model(step: LineageStep) -> LineageStepModel:
    return LineageStepModel(
        collection_id=step.collection_id,
        document_id=step.document_id,
        feature_extractor_id=step.feature_extractor_id,
        timestamp=step.timestamp,
    )


def summary(document: Document) -> dict[str, Any]:
    """A document in a lineage: enough to find it and to know it again."""
    return document_model(DocumentDetails(document)).model_dump(mode="json")


def _processing(step: ProcessingStep) -> dict[str, Any]:
    return {
        "batch_id": step.batch_id,
        "tier": step.tier,
        "collection_id": step.collection_id,
        "feature_extractor_id": step.feature_extractor_id,
        "source_id": step.source_id,
        "processed_at": step.processed_at,
    }
