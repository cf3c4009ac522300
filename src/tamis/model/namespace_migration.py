"""Migrations: a namespace's collections extracted anew beside the old ones, or the namespace copied."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tamis.model.json import JSON


class MigrationType(StrEnum):
    RE_EXTRACT = "re_extract"
    COPY = "copy"


class MigrationStatus(StrEnum):
    DRAFT = "draft"
    VALIDATING = "validating"
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_under_way(self) -> bool:
        return self in (MigrationStatus.PENDING, MigrationStatus.IN_PROGRESS)


class MigrationStage(StrEnum):
    NAMESPACE_SETUP = "namespace_setup"
    BATCH_CREATION = "batch_creation"
    BATCH_PROCESSING = "batch_processing"
    CLUSTER_EXECUTION = "cluster_execution"
    TAXONOMY_ENRICHMENT = "taxonomy_enrichment"
    BENCHMARK_EVALUATION = "benchmark_evaluation"
    FINALIZATION = "finalization"


@dataclass(frozen=True, slots=True)
class ExtractorChange:
    """What takes the place of the extractor of that name. version, parameters: None leaves them as they are."""

    name: str
    version: str | None = None
    parameters: dict[str, JSON] | None = None


@dataclass(frozen=True, slots=True)
class MigrationConfig:
    """target: the name of the new namespace that a copy is; None extracts within the source.

    collections: ids or names; None is all that an extractor changes.  with_fed: also what these feed.  sent: as it
    came, to be shown again.
    """

    type: MigrationType
    source: str
    target: str | None = None
    target_id: str | None = None
    extractors: tuple[ExtractorChange, ...] = ()
    collections: tuple[str, ...] | None = None
    with_fed: bool = True
    dry_run: bool = False
    sent: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replacement:
    """One collection and the one that takes its place, by their ids."""

    old_id: str
    new_id: str


@dataclass(frozen=True, slots=True)
class NamespaceCopy:
    """The namespace that is made, and the task that fills it."""

    namespace_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class NamespaceMigration:
    """batch_ids: None until they are begun.  requested_by: user and key.  reached: the stages that were begun, when.

    copy: of one that copies, once it has begun.
    """

    migration_id: str
    namespace_id: str
    config: MigrationConfig
    created_at: datetime
    updated_at: datetime
    status: MigrationStatus = MigrationStatus.DRAFT
    task_id: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error: str | None = None
    requested_by: tuple[str, str] = ("", "")
    replacements: tuple[Replacement, ...] = ()
    batch_ids: tuple[str, ...] | None = None
    reached: dict[str, datetime] = field(default_factory=dict)
    copy: NamespaceCopy | None = None

    @property
    def name(self) -> str:
        return self.migration_id
