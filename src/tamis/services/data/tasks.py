"""Tasks: what long work reports on, across an organisation's namespaces."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.model.batch import Task, TaskStatus
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.services.data.batches import cancel_batch
from tamis.services.listing import ListQuery, select, timestamp


class TaskService:
    """The contract's task paths know no namespace: a task is found in any of the organisation's."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    async def get(self, principal: Principal, task_id: str) -> Task:
        return (await self._metadata.read(lambda session: _find(session, principal, task_id)))[1]

    async def list(
        self, principal: Principal, query: ListQuery, status: str | None = None, kind: str | None = None
    ) -> Page[Task]:
        """Newest first, unless the query says otherwise.

        Cost: without filter, search and sort, each namespace's tasks of that status and kind up to the window's end.
        """

        def read(session: Session) -> Page[Task]:
            if query.is_plain:
                return _newest(session, principal, query, status, kind)
            scopes = _scopes(session, principal)
            every = [task for scope in scopes for task in session.tasks.list(scope, status, kind)]
            return select(_ordered(every), _view, query)

        return await self._metadata.read(read)

    async def kill(self, principal: Principal, task_id: str) -> None:
        """Stop what runs, with the batch it works for; forget what is over. Raises: NotFoundError."""

        def kill(session: Session) -> None:
            scope, task = _find(session, principal, task_id)
            if task.status.is_final:
                session.tasks.delete(scope, task_id)
                return
            batch = session.batches.get(scope, str(task.additional_data.get("batch_id", "")))
            if batch is not None and not batch.status.is_final and batch.status is not TaskStatus.DRAFT:
                cancel_batch(session, scope, batch)
            else:
                session.tasks.replace(scope, replace(task, status=TaskStatus.CANCELED, updated_at=datetime.now(UTC)))

        await self._metadata.write(kill)


def _scopes(session: Session, principal: Principal) -> list[Principal]:
    return [principal.within(namespace.namespace_id) for namespace in session.namespaces.list(principal)]


def _newest(
    session: Session, principal: Principal, query: ListQuery, status: str | None, kind: str | None
) -> Page[Task]:
    end = 0 if query.count_only else query.offset + query.limit
    pages = [session.tasks.page(scope, end, 0, status, kind) for scope in _scopes(session, principal)]
    window = _ordered(task for page in pages for task in page.items)[query.offset : end]
    return Page(window, sum(page.total for page in pages), query.limit, query.offset)


def _ordered(tasks: Iterable[Task]) -> list[Task]:
    """Newest first, then by id: as the system of record orders those of one namespace."""
    by_id = sorted(tasks, key=lambda task: task.task_id)
    return sorted(by_id, key=lambda task: task.created_at, reverse=True)


def _find(session: Session, principal: Principal, task_id: str) -> tuple[Principal, Task]:
    for scope in _scopes(session, principal):
        task = session.tasks.get(scope, task_id)
        if task is not None:
            return scope, task
    raise NotFoundError.of("task", task_id)


def _view(task: Task) -> dict[str, JSON]:
    return {
        **task.additional_data,
        "task_id": task.task_id,
        "task_type": task.type,
        "status": str(task.status),
        "error": task.error,
        "created_at": timestamp(task.created_at),
        "updated_at": timestamp(task.updated_at),
    }
