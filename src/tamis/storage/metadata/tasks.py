"""Tasks: what reports on work under way."""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.batch import Task
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import tasks

_CODEC = Codec(Task)

_c = tasks.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_this = and_(_mine, _c.task_id == bindparam("identifier"))

_INSERT = insert(tasks).on_conflict_do_nothing()
_GET = select(_c.body).where(_this)
_LIST = select(_c.body).where(_mine).order_by(_c.created_at.desc(), _c.task_id)
_PAGE = _LIST.limit(bindparam("limit")).offset(bindparam("offset"))
_COUNT = select(func.count()).select_from(tasks).where(_mine)
_REPLACE = update(tasks).where(_this).values(body=bindparam("new_body"))
_DELETE = delete(tasks).where(_this)


class SqlTasks:
    def __init__(self, link: Link) -> None:
        self._link = link

    def insert(self, principal: Principal, task: Task) -> None:
        """Raises: AlreadyExistsError."""
        values = {
            **scope(principal),
            "task_id": task.task_id,
            "created_at": to_micros(task.created_at),
            "body": _CODEC.encode(task),
        }
        if self._link.run(_INSERT, values) == 0:
            raise AlreadyExistsError(f"the task {task.task_id!r} exists already")

    def get(self, principal: Principal, task_id: str) -> Task | None:
        body = self._link.value(_GET, {**scope(principal), "identifier": task_id})
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal) -> Sequence[Task]:
        """Newest first."""
        return [_CODEC.decode(body) for (body,) in self._link.rows(_LIST, scope(principal))]

    def page(self, principal: Principal, limit: int, offset: int) -> Page[Task]:
        """A window of `list`, newest first, then by id, without reading the rest."""
        rows = self._link.rows(_PAGE, {**scope(principal), "limit": limit, "offset": offset})
        total = self._link.value(_COUNT, scope(principal))
        return Page([_CODEC.decode(body) for (body,) in rows], total, limit, offset)

    def replace(self, principal: Principal, task: Task) -> None:
        """Raises: NotFoundError."""
        values = {**scope(principal), "identifier": task.task_id, "new_body": _CODEC.encode(task)}
        if self._link.run(_REPLACE, values) == 0:
            raise NotFoundError.of("task", task.task_id)

    def delete(self, principal: Principal, task_id: str) -> bool:
        return self._link.run(_DELETE, {**scope(principal), "identifier": task_id}) > 0
