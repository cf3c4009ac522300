"""Tasks: what reports on work under way."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import Select

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.batch import Task
from tamis.model.namespace_event import TASK
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.storage.metadata.audit import Events
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import tasks

_CODEC = Codec(Task)

_c = tasks.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_this = and_(_mine, _c.task_id == bindparam("identifier"))

_INSERT = insert(tasks).on_conflict_do_nothing()
_GET = select(_c.body).where(_this)
_REPLACE = update(tasks).where(_this).values(
    type=bindparam("new_type"), status=bindparam("new_status"), body=bindparam("new_body")
)  # fmt: skip
_DELETE = delete(tasks).where(_this)


def _selections(with_status: bool, with_type: bool) -> tuple[Select[Any], Select[Any], Select[Any]]:
    """(all, a page, how many) of the tasks within these bounds."""
    bounds = [_mine]
    if with_status:
        bounds.append(_c.status == bindparam("status"))
    if with_type:
        bounds.append(_c.type == bindparam("type"))
    every = select(_c.body).where(*bounds).order_by(_c.created_at.desc(), _c.task_id)
    page = every.limit(bindparam("limit")).offset(bindparam("offset"))
    return every, page, select(func.count()).select_from(tasks).where(*bounds)


_SELECTIONS = {bounds: _selections(*bounds) for bounds in product((False, True), repeat=2)}


class SqlTasks:
    def __init__(self, link: Link, events: Events) -> None:
        """events: is told of each status that a task comes to."""
        self._link = link
        self._events = events

    def insert(self, principal: Principal, task: Task) -> None:
        """Raises: AlreadyExistsError."""
        values = {
            **scope(principal),
            "task_id": task.task_id,
            "type": task.type,
            "status": task.status.value,
            "created_at": to_micros(task.created_at),
            "body": _CODEC.encode(task),
        }
        if self._link.run(_INSERT, values) == 0:
            raise AlreadyExistsError(f"the task {task.task_id!r} exists already")
        self._tell(principal, task)

    def get(self, principal: Principal, task_id: str) -> Task | None:
        body = self._link.value(_GET, {**scope(principal), "identifier": task_id})
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal, status: str | None = None, kind: str | None = None) -> Sequence[Task]:
        """Newest first, then by id. status, kind: None takes all."""
        every, _, _ = _SELECTIONS[status is not None, kind is not None]
        return [_CODEC.decode(body) for (body,) in self._link.rows(every, _bounds(principal, status, kind))]

    def page(
        self, principal: Principal, limit: int, offset: int, status: str | None = None, kind: str | None = None
    ) -> Page[Task]:
        """A window of `list`, without reading the rest."""
        _, page, count = _SELECTIONS[status is not None, kind is not None]
        bounds = _bounds(principal, status, kind)
        rows = self._link.rows(page, {**bounds, "limit": limit, "offset": offset})
        return Page([_CODEC.decode(body) for (body,) in rows], self._link.value(count, bounds), limit, offset)

    def replace(self, principal: Principal, task: Task) -> None:
        """Raises: NotFoundError."""
        before = self.get(principal, task.task_id)
        state = {"new_type": task.type, "new_status": task.status.value, "new_body": _CODEC.encode(task)}
        if self._link.run(_REPLACE, {**scope(principal), "identifier": task.task_id, **state}) == 0:
            raise NotFoundError.of("task", task.task_id)
        if before is not None and before.status is not task.status:
            self._tell(principal, task)

    def _tell(self, principal: Principal, task: Task) -> None:
        said = {"task_type": task.type, "status": task.status.value, "error": task.error}
        self._events.happened(principal, f"{TASK}{task.status.value.lower()}", lambda: {task.task_id: said})

    def delete(self, principal: Principal, task_id: str) -> bool:
        return self._link.run(_DELETE, {**scope(principal), "identifier": task_id}) > 0


def _bounds(principal: Principal, status: str | None, kind: str | None) -> dict[str, Any]:
    bounds: dict[str, Any] = scope(principal)
    if status is not None:
        bounds["status"] = status
    if kind is not None:
        bounds["type"] = kind
    return bounds
