"""Finding fields in documents, on the wire."""

from datetime import datetime

from pydantic import BaseModel, Field

from tamis.services.data.schema_sync import SchemaSync


class SchemaSyncRequest(BaseModel):
    cascade_to_downstream: bool = True
    force: bool = False
    sample_size: int = Field(1000, ge=1, le=10_000)


class SchemaSyncResponse(BaseModel):
    collection_id: str
    documents_sampled: int
    downstream_collections_updated: list[str] = Field(default_factory=list)
    fields_added: list[str] = Field(default_factory=list)
    fields_total: int
    message: str | None = None
    previous_version: int
    schema_version: int
    success: bool


class SchemaSyncSkippedResponse(BaseModel):
    collection_id: str
    last_sync: str | None = None
    reason: str
    schema_version: int
    skipped: bool = True
    success: bool = True


def show_sync(sync: SchemaSync) -> SchemaSyncResponse | SchemaSyncSkippedResponse:
    collection = sync.collection
    if sync.skipped is not None:
        return SchemaSyncSkippedResponse(
            collection_id=collection.collection_id,
            last_sync=_said(collection.synced_at),
            reason=sync.skipped,
            schema_version=collection.schema_version,
        )
    fields = collection.output_schema.get("properties")
    return SchemaSyncResponse(
        collection_id=collection.collection_id,
        documents_sampled=sync.documents,
        downstream_collections_updated=list(sync.downstream),
        fields_added=list(sync.fields),
        fields_total=len(fields) if isinstance(fields, dict) else 0,
        message=f"{len(sync.fields)} fields found in {sync.documents} documents",
        previous_version=sync.previous_version,
        schema_version=collection.schema_version,
        success=True,
    )


def _said(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
