"""Snapshots on their way back, as their tasks tell of them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from tamis.engine.ports.metadata import Session
from tamis.model.batch import Task, TaskStatus
from tamis.model.collection import Collection
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal

SNAPSHOT_TASK, RESTORE_TASK = "materialize", "api_namespaces_create"
RESTORATION = "restoration"
"""Under this a task says what is put back, and how far that is."""
_ONWARD = ("restored", "progress")
"""What a task that goes on tells from its beginning."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """One snapshot on its way back. home_id: the namespace that it lies in.  part: so many are done.

    collection_id: that its documents get, of a snapshot of one; None puts a namespace back.
    is_clones: the snapshot was made for this alone, and goes with it.
    """

    home_id: str
    snapshot_id: str
    part: int = 0
    collection_id: str | None = None
    collection_name: str | None = None
    is_clones: bool = False

    @classmethod
    def of(cls, task: Task) -> "Restoration":
        return cls(**cast(dict[str, Any], task.additional_data[RESTORATION]))

    def told(self) -> dict[str, JSON]:
        return {name: cast(JSON, getattr(self, name)) for name in self.__dataclass_fields__}


def begin_restoration(
    session: Session, inside: Principal, restoration: Restoration, now: datetime, before: Task | None = None
) -> Task:
    """before: the one that this goes on from."""
    data: dict[str, JSON] = {RESTORATION: restoration.told(), "namespace_id": inside.namespace_id}
    if before is not None:
        data |= {name: before.additional_data[name] for name in _ONWARD if name in before.additional_data}
    task = Task(new_id("task"), RESTORE_TASK, TaskStatus.PENDING, now, now, additional_data=data)
    session.tasks.insert(inside, task)
    return task


def broken_off(session: Session, inside: Principal) -> Task | None:
    """What was to fill this namespace, and failed or was killed; None where it is whole, or under way."""
    tasks = (task for task in session.tasks.list(inside, None, RESTORE_TASK) if RESTORATION in task.additional_data)
    last = next((task for task in tasks if Restoration.of(task).collection_id is None), None)
    return last if last is not None and last.status in (TaskStatus.FAILED, TaskStatus.CANCELED) else None


def unfinished_restorations(session: Session) -> list[tuple[Principal, Task]]:
    """Of every tenant, oldest first."""
    found = [
        (inside, task)
        for inside, _ in session.every_namespace()
        for status in (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)
        for task in session.tasks.list(inside, status.value, RESTORE_TASK)
        if RESTORATION in task.additional_data
    ]
    return sorted(found, key=lambda one: (one[1].created_at, one[1].task_id))


def restored_as(collection: Collection, wanted: Restoration) -> Collection:
    """The collection as it is made; searched by nobody before it is whole."""
    return replace(
        collection, collection_id=wanted.collection_id or collection.collection_id, is_standby=True, enabled=False,
        name=wanted.collection_name or collection.name, revision=0,
    )  # fmt: skip
