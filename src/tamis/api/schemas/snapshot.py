"""Snapshots on the wire, and namespaces that are cloned."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from tamis.api.paging import ListRequest
from tamis.api.schemas.namespace import NamespaceModel, namespace_model
from tamis.api.schemas.page import PaginationResponse
from tamis.errors import ValidationError
from tamis.model.snapshot import Included, Snapshot, SnapshotStatus
from tamis.services.data.namespaces import NamespaceDetails
from tamis.services.data.snapshots import Cloned, Restored


class CreateSnapshotRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    collection_identifier: str | None = None
    description: str | None = None
    snapshot_name: str = Field(min_length=1)


class ListSnapshotsRequest(ListRequest):
    pass


class RestoreSnapshotRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, description="Of the new namespace, or the new collection.")


class SnapshotResponse(BaseModel):
    collection_id: str | None = None
    counts: dict[str, int]
    created_at: datetime
    description: str | None = None
    error: str | None = None
    missing_files: list[str] = Field(default_factory=list)
    size_bytes: int
    snapshot_id: str
    snapshot_name: str
    status: SnapshotStatus
    taken_at: datetime | None = None
    task_id: str
    updated_at: datetime


class ListSnapshotsResponse(BaseModel):
    pagination: PaginationResponse
    results: list[SnapshotResponse]
    total_count: int


class RestoreSnapshotResponse(BaseModel):
    collection_id: str | None = None
    namespace: NamespaceModel | None = None
    task_id: str


class CloneMode(StrEnum):
    SHALLOW = "shallow"
    DEEP = "deep"


class CloneNamespaceResourcesConfig(BaseModel):
    collections: bool = True
    retrievers: bool = True
    taxonomies: bool = False


class CloneNamespaceRequest(BaseModel):
    clone_mode: CloneMode = CloneMode.SHALLOW
    description: str | None = None
    include_resources: CloneNamespaceResourcesConfig | None = None
    namespace_name: str = Field(min_length=1)
    source_organization_id: str | None = None


class ClonedResourceSummary(BaseModel):
    buckets: int = 0
    collections: int = 0
    objects: int = 0
    points: int = 0
    retrievers: int = 0
    taxonomies: int = 0


class CloneNamespaceResponse(BaseModel):
    clone_mode: CloneMode
    cloned_resources: ClonedResourceSummary | None = None
    namespace: NamespaceModel
    source_namespace_id: str
    status: str | None = None
    task_id: str | None = None


def show_snapshot(one: Snapshot) -> SnapshotResponse:
    return SnapshotResponse(
        collection_id=one.collection_id,
        counts=one.counts,
        created_at=one.created_at,
        description=one.description,
        error=one.error,
        missing_files=list(one.missing),
        size_bytes=one.size_bytes,
        snapshot_id=one.snapshot_id,
        snapshot_name=one.name,
        status=one.status,
        taken_at=one.taken_at,
        task_id=one.task_id,
        updated_at=one.updated_at,
    )


def show_restored(one: Restored) -> RestoreSnapshotResponse:
    namespace = None if one.namespace is None else namespace_model(NamespaceDetails(one.namespace, 0))
    return RestoreSnapshotResponse(collection_id=one.collection_id, namespace=namespace, task_id=one.task.task_id)


def included(body: CloneNamespaceRequest, organization_id: str) -> Included:
    """Raises: ValidationError where another organisation's namespace is asked for."""
    if body.source_organization_id not in (None, organization_id):
        message = "a key opens its own organization's namespaces alone; leave it out"
        raise ValidationError.at(["body", "source_organization_id"], message)
    wanted = body.include_resources or CloneNamespaceResourcesConfig()
    deep = body.clone_mode is CloneMode.DEEP
    return Included(wanted.collections, wanted.retrievers, wanted.taxonomies, deep and wanted.collections)


def show_clone(one: Cloned, mode: CloneMode) -> CloneNamespaceResponse:
    counts = one.counts
    return CloneNamespaceResponse(
        clone_mode=mode,
        cloned_resources=ClonedResourceSummary(
            buckets=counts.get("bucket", 0),
            collections=counts.get("collection", 0),
            objects=counts.get("object", 0),
            points=counts.get("document", 0),
            retrievers=counts.get("retriever", 0),
            taxonomies=counts.get("taxonomy", 0),
        ),
        namespace=namespace_model(NamespaceDetails(one.namespace, 0)),
        source_namespace_id=one.source_id,
        status="COMPLETED" if one.task is None else str(one.task.status),
        task_id=None if one.task is None else one.task.task_id,
    )
