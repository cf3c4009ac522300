"""Namespaces copied by a migration: looked over, begun as deep clones, followed, and taken away again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from tamis.engine.ports.metadata import Session
from tamis.errors import ConflictError, NotFoundError
from tamis.model.batch import Task, TaskStatus
from tamis.model.namespace import Namespace
from tamis.model.namespace_migration import MigrationConfig, NamespaceCopy, NamespaceMigration
from tamis.model.principal import Principal
from tamis.model.snapshot import Included
from tamis.services.data.namespaces import RESERVED, purge_namespace
from tamis.services.data.restorations import Restoration
from tamis.services.data.snapshots import begin_clone, named_anew
from tamis.services.naming import check_name

TARGET: list[str | int] = ["body", "config", "target_namespace_name"]


def check_copy(session: Session, principal: Principal, config: MigrationConfig) -> None:
    """Raises: ValidationError (the name), ConflictError where it is taken."""
    check_name(config.target or "", TARGET, RESERVED)
    if session.namespaces.get(principal, config.target or "") is not None:
        raise ConflictError(f"a namespace named {config.target!r} exists already; copy into another")


def copy_counts(session: Session, inside: Principal) -> Mapping[str, int]:
    """By kind, what a copy brings along of what is defined."""
    return {
        "bucket": len(session.buckets.list(inside)),
        "collection": len(session.collections.list(inside)),
        "retriever": len(session.retrievers.list(inside)),
        "taxonomy": len(session.taxonomies.list(inside)),
    }


def left_behind(session: Session, inside: Principal) -> list[str]:
    """What a copy does not bring along, in words."""
    counts = {
        "clusters": len(session.clusters.list(inside)),
        "data sets": len(session.datasets.list(inside)),
        "triggers": len(session.triggers.list(inside)),
    }
    return [f"{count} {what} are not copied; define them in the copy" for what, count in counts.items() if count]


def begin_copy(session: Session, inside: Principal, config: MigrationConfig, now: datetime) -> NamespaceCopy:
    """inside: the namespace that is copied.  Raises: NotFoundError, ConflictError."""
    source = session.namespaces.get(inside, inside.namespace_id)
    if source is None:
        raise NotFoundError.of("namespace", inside.namespace_id)
    check_copy(session, inside, config)
    made: Namespace = session.namespaces.insert(
        inside, named_anew(source, config.target or "", source.description, now)
    )
    task = begin_clone(session, inside.within(made.namespace_id), source, Included(), now)
    return NamespaceCopy(made.namespace_id, task.task_id)


def is_filled(session: Session, inside: Principal, migration: NamespaceMigration) -> bool:
    """Raises: ConflictError where it will not be."""
    task = copy_task(session, inside, migration)
    if task is None:
        raise ConflictError("the copy was deleted while it was made")
    if task.status in (TaskStatus.FAILED, TaskStatus.CANCELED):
        raise ConflictError(f"the copy could not be filled: {task.error or 'its task was killed'}")
    return task.status is TaskStatus.COMPLETED


def copied(session: Session, inside: Principal, migration: NamespaceMigration) -> tuple[int, int]:
    """(rows in all, rows done); the first is not known, and 0, before the source has been read."""
    task = copy_task(session, inside, migration)
    if task is None or migration.copy is None:
        return 0, 0
    restored = task.additional_data.get("restored")
    done = sum(one for one in restored.values() if isinstance(one, int)) if isinstance(restored, dict) else 0
    there = inside.within(migration.copy.namespace_id)
    snapshot = session.snapshots.get(there, Restoration.of(task).snapshot_id)
    return sum(snapshot.counts.values()) if snapshot is not None else done, done


def copy_task(session: Session, inside: Principal, migration: NamespaceMigration) -> Task | None:
    if migration.copy is None:
        return None
    return session.tasks.get(inside.within(migration.copy.namespace_id), migration.copy.task_id)


def drop_copy(session: Session, inside: Principal, migration: NamespaceMigration) -> NamespaceMigration:
    """The migration without its copy. What lies in index and blob store is cleared in the background: it is another
    namespace's than the migration's.
    """
    if migration.copy is None:
        return migration
    there = inside.within(migration.copy.namespace_id)
    if session.namespaces.get(inside, migration.copy.namespace_id) is not None:
        purge_namespace(session, there)
    return replace(migration, copy=None)
