"""Walks over a collection's documents, as their tasks tell of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from tamis.engine.ports.metadata import Session
from tamis.model.batch import Task, TaskStatus
from tamis.model.collection import Collection
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.walk import Walk


def begin_walk(
    session: Session, principal: Principal, collection: Collection, task_type: str, walk: Walk,
    told: Mapping[str, JSON] | None = None,
) -> Task:  # fmt: skip
    """Store the walk with the task of its id, in the transaction of whatever wants it; then wake its worker.

    told: what the task says of it besides how far it is.
    """
    total = session.documents.count(principal, collection.collection_id) if walk.batch_id is None else 0
    walk = replace(walk, collection_id=collection.collection_id, total=total)
    task = Task(
        walk.task_id, task_type, TaskStatus.PENDING, walk.created_at, walk.created_at,
        additional_data={**(told or {}), **progress_of(walk)},
    )  # fmt: skip
    session.walks.insert(principal, walk)
    session.tasks.insert(principal, task)
    return task


def new_walk(
    principal: Principal, kind: str, parameters: Mapping[str, JSON], now: datetime,
    matching: Mapping[str, JSON] | None = None, batch_id: str | None = None, most_at_once: int = 500,
) -> Walk:  # fmt: skip
    """By this caller, yet without a collection."""
    return Walk(
        new_id("task"), kind, "", now, 0, parameters, batch_id, matching, most_at_once=most_at_once,
        requested_by=(principal.user_id, principal.key_id),
    )  # fmt: skip


def tell_task(session: Session, principal: Principal, walk: Walk, now: datetime) -> bool:
    """How far it is; false where the task was killed."""
    task = session.tasks.get(principal, walk.task_id)
    if task is not None and task.status.is_final:
        return False
    if task is not None:
        data = {**task.additional_data, **progress_of(walk)}
        session.tasks.replace(
            principal, replace(task, status=TaskStatus.IN_PROGRESS, updated_at=now, additional_data=data)
        )
    return True


def end_walk(
    session: Session, principal: Principal, walk: Walk, status: TaskStatus, reason: str | None, now: datetime
) -> None:
    """The walk goes, its task tells what became of it; one that was killed stays so."""
    session.walks.delete(principal, walk.task_id)
    task = session.tasks.get(principal, walk.task_id)
    if task is not None:
        data = {**task.additional_data, **progress_of(walk)}
        session.tasks.replace(
            principal, replace(task, status=status, error=reason, updated_at=now, additional_data=data)
        )


def progress_of(walk: Walk) -> dict[str, JSON]:
    return {
        "collection_id": walk.collection_id,
        **({"batch_id": walk.batch_id} if walk.batch_id is not None else {}),
        "total_documents": walk.total,
        "processed_documents": walk.seen,
        "changed_documents": walk.changed,
        **walk.counts,
    }
