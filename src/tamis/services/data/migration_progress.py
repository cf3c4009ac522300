"""How far a migration is: counted from its batches, each time that somebody asks."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from tamis.engine.ports.metadata import Session
from tamis.model.batch import ItemStatus
from tamis.model.namespace_migration import MigrationStage, MigrationStatus, MigrationType, NamespaceMigration
from tamis.model.principal import Principal
from tamis.services.data.namespace_copies import copied

STAGES = (
    MigrationStage.NAMESPACE_SETUP,
    MigrationStage.BATCH_CREATION,
    MigrationStage.BATCH_PROCESSING,
    MigrationStage.TAXONOMY_ENRICHMENT,
    MigrationStage.FINALIZATION,
)
"""In their order; the others of the contract do not come about here."""
COPY_STAGES = (MigrationStage.NAMESPACE_SETUP, MigrationStage.BATCH_PROCESSING, MigrationStage.FINALIZATION)
_WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class StageProgress:
    """total, done, failed: sources, or rows of a copy, where batches are processed; else the stage itself."""

    stage: MigrationStage
    status: MigrationStatus
    started_at: datetime | None = None
    completed_at: datetime | None = None
    total: int = 1
    done: int = 0
    failed: int = 0

    @property
    def percent(self) -> float:
        """0..100."""
        if self.status is MigrationStatus.COMPLETED:
            return _WHOLE
        return round(_WHOLE * (self.done + self.failed) / self.total, 2) if self.total else 0.0


@dataclass(frozen=True, slots=True)
class MigrationProgress:
    """current: None before it has begun and when it has ended."""

    status: MigrationStatus
    stages: tuple[StageProgress, ...] = ()
    current: MigrationStage | None = None

    @property
    def percent(self) -> float:
        """0..100: extraction is nearly all of the work, and the rest is done in moments."""
        if self.status is MigrationStatus.COMPLETED:
            return _WHOLE
        return next((one.percent for one in self.stages if one.stage is MigrationStage.BATCH_PROCESSING), 0.0)


def progress_of(session: Session, inside: Principal, migration: NamespaceMigration) -> MigrationProgress:
    """Cost: a count over the items of its batches."""
    every = COPY_STAGES if migration.config.type is MigrationType.COPY else STAGES
    reached = [stage for stage in every if stage.value in migration.reached]
    current = reached[-1] if reached and migration.status.is_under_way else None
    counted = _counted(session, inside, migration)
    stages = tuple(_stage(migration, stage, reached, counted) for stage in every)
    return MigrationProgress(migration.status, stages, current)


def _stage(
    migration: NamespaceMigration, stage: MigrationStage, reached: list[MigrationStage], counted: tuple[int, int, int]
) -> StageProgress:
    if stage not in reached:
        return StageProgress(stage, MigrationStatus.PENDING)
    place = reached.index(stage)
    is_last = place == len(reached) - 1
    ended = migration.completed_at if is_last else migration.reached[reached[place + 1].value]
    status = migration.status if is_last else MigrationStatus.COMPLETED
    total, done, failed = 1, int(status is MigrationStatus.COMPLETED), 0
    if stage is MigrationStage.BATCH_PROCESSING:
        total, done, failed = counted
    return StageProgress(stage, status, migration.reached[stage.value], ended, total, done, failed)


def _counted(session: Session, inside: Principal, migration: NamespaceMigration) -> tuple[int, int, int]:
    """In all, done, failed: sources that are extracted, rows that are copied."""
    if migration.config.type is MigrationType.COPY:
        return (*copied(session, inside, migration), 0)
    counted: Counter[ItemStatus] = Counter()
    for batch_id in migration.batch_ids or ():
        for (_, status), count in session.batches.count_items(inside, batch_id).items():
            counted[status] += count
    return counted.total(), counted[ItemStatus.DONE], counted[ItemStatus.FAILED]
