"""Migrations of namespaces on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from tamis.errors import ValidationError
from tamis.model.namespace_migration import (
    ExtractorChange,
    MigrationConfig,
    MigrationStage,
    MigrationStatus,
    MigrationType,
    NamespaceMigration,
)
from tamis.services.data.migration_progress import MigrationProgress, StageProgress
from tamis.services.data.namespace_migrations import MigrationDetails, MigrationQuery, Validation

_CONFIG: list[str | int] = ["body", "config"]


class MigratedResource(StrEnum):
    BUCKET = "bucket"
    COLLECTION = "collection"
    TAXONOMY = "taxonomy"
    CLUSTER = "cluster"
    RETRIEVER = "retriever"


class MigratedExtractor(BaseModel):
    feature_extractor_name: str
    parameters: dict[str, Any] | None = None
    version: str | None = None


class ResourceFilter(BaseModel):
    auto_include_dependencies: bool = True
    cluster_ids: list[str] | None = None
    collection_ids: list[str] | None = None
    date_range: dict[str, str] | None = None
    retriever_ids: list[str] | None = None
    taxonomy_ids: list[str] | None = None


class BatchOptions(BaseModel):
    batch_size: int = Field(100, ge=1, le=1000)
    max_workers: int = Field(10, ge=1, le=50)
    retry_failed: bool = True


class ClusterOptions(BaseModel):
    migrate_artifacts: bool = True
    preserve_assignments: bool = True
    preserve_centroids: bool = True
    preserve_cluster_ids: bool = True
    recompute_clusters: bool = False


class RetrieverOptions(BaseModel):
    migrate_execution_history: bool = False
    migrate_interactions: bool = False
    preserve_retriever_ids: bool = False
    validate_references: bool = True


class TaxonomyOptions(BaseModel):
    migrate_reference_collections: bool = True
    preserve_enrichment_fields: bool = True
    preserve_taxonomy_ids: bool = True
    re_run_enrichment: bool = False


class MigrationConfigModel(BaseModel):
    batch_options: BatchOptions | None = None
    cluster_options: ClusterOptions | None = None
    dry_run: bool = False
    feature_extractors: list[MigratedExtractor] | None = None
    filters: ResourceFilter | None = None
    migration_type: MigrationType
    preserve_resource_ids: bool = False
    retriever_options: RetrieverOptions | None = None
    source_namespace_id: str
    target_namespace_id: str | None = None
    target_namespace_name: str | None = None
    taxonomy_options: TaxonomyOptions | None = None
    webhook_url: str | None = None


class ValidateMigrationRequest(BaseModel):
    config: MigrationConfigModel


class CreateMigrationRequest(BaseModel):
    config: MigrationConfigModel
    start_immediately: bool = False


class StartMigrationRequest(BaseModel):
    force: bool = False


class CancelMigrationRequest(BaseModel):
    reason: str | None = None


class ListMigrationsRequest(BaseModel):
    limit: int = Field(20, ge=1, le=100)
    migration_type: MigrationType | None = None
    offset: int = Field(0, ge=0, le=2**31 - 1)
    source_namespace_id: str | None = None
    status: MigrationStatus | None = None


class Problem(BaseModel):
    loc: list[str | int]
    msg: str
    type: str


class ValidationResult(BaseModel):
    errors: list[Problem] = Field(default_factory=list)
    estimated_duration_seconds: int | None = None
    estimated_resources: dict[MigratedResource, int] = Field(default_factory=dict)
    valid: bool
    warnings: list[Problem] = Field(default_factory=list)


class DependencyNode(BaseModel):
    dependencies: list[str] = Field(default_factory=list)
    resource_id: str
    resource_type: MigratedResource
    tier: int = Field(0, ge=0)


class DependencyGraph(BaseModel):
    execution_order: list[str] = Field(default_factory=list)
    nodes: list[DependencyNode] = Field(default_factory=list)


class StageProgressModel(BaseModel):
    completed_at: datetime | None = None
    error_message: str | None = None
    items_completed: int = Field(0, ge=0)
    items_failed: int = Field(0, ge=0)
    items_total: int = Field(0, ge=0)
    progress_percent: float = Field(0.0, ge=0.0, le=100.0)
    stage: MigrationStage
    started_at: datetime | None = None
    status: MigrationStatus


class ResourceProgress(BaseModel):
    error_message: str | None = None
    progress_percent: float = Field(0.0, ge=0.0, le=100.0)
    resource_id: str
    resource_type: MigratedResource
    status: MigrationStatus


class MigrationProgressModel(BaseModel):
    current_stage: MigrationStage | None = None
    estimated_completion: datetime | None = None
    overall_progress_percent: float = Field(0.0, ge=0.0, le=100.0)
    overall_status: MigrationStatus
    resources: list[ResourceProgress] = Field(default_factory=list)
    stages: list[StageProgressModel] = Field(default_factory=list)
    started_at: datetime | None = None


class ValidateMigrationResponse(BaseModel):
    dependency_graph: DependencyGraph | None = None
    message: str
    validation_result: ValidationResult


class CreateMigrationResponse(BaseModel):
    created_at: datetime
    message: str
    migration_id: str
    status: MigrationStatus
    validation_result: ValidationResult | None = None


class StartMigrationResponse(BaseModel):
    message: str
    migration_id: str
    started_at: datetime
    status: MigrationStatus
    task_id: str


class CancelMigrationResponse(BaseModel):
    cancelled_at: datetime
    message: str
    migration_id: str
    status: MigrationStatus


class GetMigrationResponse(BaseModel):
    additional_data: dict[str, Any] = Field(default_factory=dict)
    completed_at: datetime | None = None
    config: MigrationConfigModel
    created_at: datetime
    dependency_graph: DependencyGraph | None = None
    error_message: str | None = None
    internal_id: str
    migration_id: str
    namespace_id: str
    progress: MigrationProgressModel
    started_at: datetime | None = None
    status: MigrationStatus
    task_id: str | None = None
    validation_result: ValidationResult | None = None


class ListMigrationsResponse(BaseModel):
    limit: int
    migrations: list[GetMigrationResponse]
    offset: int
    total: int


def migration_config(body: MigrationConfigModel) -> MigrationConfig:
    """Raises: ValidationError at what a migration here does not do."""
    _check_options(body)
    filters = body.filters or ResourceFilter()
    changes = tuple(
        ExtractorChange(one.feature_extractor_name, one.version, one.parameters)
        for one in body.feature_extractors or ()
    )
    return MigrationConfig(
        type=body.migration_type,
        source=body.source_namespace_id,
        target=body.target_namespace_name,
        extractors=changes,
        collections=None if filters.collection_ids is None else tuple(filters.collection_ids),
        with_fed=filters.auto_include_dependencies,
        dry_run=body.dry_run,
        sent=body.model_dump(mode="json"),
    )


def _check_options(body: MigrationConfigModel) -> None:
    filters, retrievers = body.filters or ResourceFilter(), body.retriever_options or RetrieverOptions()
    recomputes = body.cluster_options is not None and body.cluster_options.recompute_clusters
    kept = "it stays where it is, with the retriever that it is of; leave it out"
    refused: dict[tuple[str, ...], tuple[Any, str]] = {
        ("webhook_url",): (body.webhook_url, "register a webhook at /v1/organizations/webhooks/; leave this out"),
        ("filters", "date_range"): (filters.date_range, "a migration takes whole collections; leave it out"),
        ("filters", "cluster_ids"): (filters.cluster_ids, "clusters follow their collections; leave it out"),
        ("filters", "retriever_ids"): (filters.retriever_ids, "retrievers follow their collections; leave it out"),
        ("filters", "taxonomy_ids"): (filters.taxonomy_ids, "taxonomies follow their collections; leave it out"),
    }
    refused |= {
        ("retriever_options", "migrate_execution_history"): (retrievers.migrate_execution_history or None, kept),
        ("retriever_options", "migrate_interactions"): (retrievers.migrate_interactions or None, kept),
        ("cluster_options", "recompute_clusters"): (recomputes or None, "run the clusters when it has ended"),
    }
    for place, (value, message) in refused.items():
        if value is not None:
            raise ValidationError.at([*_CONFIG, *place], message)
    if body.target_namespace_id not in (None, body.source_namespace_id):
        message = "a new namespace is given its id; send target_namespace_name"
        raise ValidationError.at([*_CONFIG, "target_namespace_id"], message)
    if body.migration_type is MigrationType.COPY:
        _check_copy(body)
    elif body.target_namespace_name is not None:
        message = "it extracts within its namespace: copy that first, by migration_type copy, and extract the copy anew"
        raise ValidationError.at([*_CONFIG, "target_namespace_name"], message)


def _check_copy(body: MigrationConfigModel) -> None:
    if body.target_namespace_name is None:
        raise ValidationError.at([*_CONFIG, "target_namespace_name"], "what the copy is to be called")
    if body.feature_extractors:
        message = "a copy is extracted as its source is; leave it out, and extract the copy anew when it is there"
        raise ValidationError.at([*_CONFIG, "feature_extractors"], message)
    if body.filters is not None and body.filters.collection_ids is not None:
        message = "a copy is of the whole namespace; leave it out, or take a snapshot of the collection"
        raise ValidationError.at([*_CONFIG, "filters", "collection_ids"], message)


def migration_query(body: ListMigrationsRequest) -> MigrationQuery:
    return MigrationQuery(body.status, body.migration_type, body.source_namespace_id, body.limit, body.offset)


def show_validation(found: Validation) -> ValidationResult:
    return ValidationResult(
        errors=[Problem.model_validate(one) for one in found.errors],
        estimated_resources={MigratedResource(kind): count for kind, count in found.counts.items()},
        valid=found.is_valid,
        warnings=[Problem.model_validate(one) for one in found.warnings],
    )


def show_graph(found: Validation) -> DependencyGraph | None:
    if not found.order:
        return None
    tiers: dict[str, int] = {}
    for collection_id, above in found.order:
        tiers[collection_id] = 1 + max((tiers[one] for one in above if one in tiers), default=-1)
    nodes = [
        DependencyNode(
            dependencies=list(above), resource_id=one, resource_type=MigratedResource.COLLECTION, tier=tiers[one]
        )
        for one, above in found.order
    ]
    return DependencyGraph(execution_order=[one for one, _ in found.order], nodes=nodes)


def show_migration(details: MigrationDetails, organization_id: str) -> GetMigrationResponse:
    one = details.migration
    pairs = [{"old_collection_id": pair.old_id, "new_collection_id": pair.new_id} for pair in one.replacements]
    return GetMigrationResponse(
        additional_data={
            "collections": pairs,
            "batch_ids": list(one.batch_ids or ()),
            **({"target_namespace_id": one.copy.namespace_id} if one.copy else {}),
        },
        completed_at=one.completed_at,
        config=MigrationConfigModel.model_validate(one.config.sent),
        created_at=one.created_at,
        error_message=one.error,
        internal_id=organization_id,
        migration_id=one.migration_id,
        namespace_id=one.namespace_id,
        progress=_progress(one, details.progress),
        started_at=one.started_at,
        status=one.status,
        task_id=one.task_id,
    )


def _progress(migration: NamespaceMigration, progress: MigrationProgress) -> MigrationProgressModel:
    return MigrationProgressModel(
        current_stage=progress.current,
        overall_progress_percent=progress.percent,
        overall_status=progress.status,
        resources=[
            ResourceProgress(
                error_message=migration.error,
                progress_percent=progress.percent,
                resource_id=pair.old_id,
                resource_type=MigratedResource.COLLECTION,
                status=progress.status,
            )
            for pair in migration.replacements
        ],
        stages=[_stage(one, migration) for one in progress.stages],
        started_at=migration.started_at,
    )


def _stage(one: StageProgress, migration: NamespaceMigration) -> StageProgressModel:
    has_failed = one.status is MigrationStatus.FAILED
    return StageProgressModel(
        completed_at=one.completed_at,
        error_message=migration.error if has_failed else None,
        items_completed=one.done,
        items_failed=one.failed,
        items_total=one.total,
        progress_percent=one.percent,
        stage=one.stage,
        started_at=one.started_at,
        status=one.status,
    )
