"""How far executions from before there were some counters have been counted by them.

They are counted in the order of their keys. An execution that came later and began earlier, an imported one say, or one
that is deleted, is counted or not according to whether the count has passed its key: so both change the same row, and
on PostgreSQL one of two that meet there begins again.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Delete, Select, Table, Update, bindparam, delete, select, tuple_, update
from sqlalchemy.sql.elements import ColumnElement

from tamis.model.execution import ExecutionHeader
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import to_micros
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.schema import executions

After: TypeAlias = dict[str, str]
K = TypeVar("K", bound=tuple[Principal, ExecutionHeader, bytes])

_KEY = ("in_organization", "in_namespace", "after_id")
_e = executions.c
_IDENTITY = (_e.organization_id, _e.namespace_id, _e.execution_id)


class LeftStatements:
    """Made once for each table of this kind: one row while executions are left to be counted."""

    def __init__(self, table: Table) -> None:
        c = table.c
        named = [c[name] for name in _KEY]
        self.before: Select[Any] = select(c.before_at)
        self.read: Select[Any] = select(c.before_at, *named)
        self.claim: Update = update(table).values(turn=c.turn + 1).returning(c.before_at, *named)
        self.move: Update = (
            update(table)
            .where(c.before_at == bindparam("was_before"))
            .values({name: bindparam(f"to_{name}") for name in _KEY})
        )
        self.end: Delete = delete(table)


def older(*columns: ColumnElement[Any]) -> Select[Any]:
    """Executions in the order of their keys, those behind the one that is named: their keys, and these columns."""
    return (
        select(*_IDENTITY, *columns)
        .where(tuple_(*_IDENTITY) > tuple_(*(bindparam(name) for name in _KEY)))
        .order_by(*_IDENTITY)
        .limit(bindparam("limit"))
    )


class LeftToCount:
    def __init__(self, link: Link, statements: LeftStatements) -> None:
        self._link = link
        self._statements = statements
        self._before: int | None = None
        self._is_done = False  # nothing ever begins it again

    def is_whole(self) -> bool:
        if not self._is_done:
            self._before = self._link.value(self._statements.before, {})
            self._is_done = self._before is None
        return self._is_done

    def counted(self, kept: Sequence[K]) -> list[K]:
        """Of executions that come or go now, those that are counted now, and not by whoever counts the older ones."""
        return self.split(kept)[0]

    def split(self, kept: Sequence[K]) -> tuple[list[K], list[K]]:
        """(those that are counted now, those that are left to whoever counts the older ones)"""
        if self._before is None and self.is_whole():
            return list(kept), []
        before_at, after = self._before or 0, None
        now: list[K] = []
        later: list[K] = []
        for one in kept:
            is_left = False
            if to_micros(one[1].started_at) < before_at:
                after = self.claim()[1] if after is None else after
                is_left = bool(after) and _key(one) > tuple(after.values())
            (later if is_left else now).append(one)
        return now, later

    def claim(self) -> tuple[int | None, After]:
        """(since when executions are counted as they come, the last key that was counted); (None, {}) at the end."""
        row = self._link.row(self._statements.claim, {})
        return (None, {}) if row is None else (row[0], dict(zip(_KEY, row[1:], strict=True)))

    def move(self, before_at: int, to: Any) -> None:
        """to: the last key that was counted; None: there are no more."""
        if to is None:
            self._link.run(self._statements.end, {})
        else:
            named = {f"to_{name}": value for name, value in zip(_KEY, to, strict=True)}
            self._link.run(self._statements.move, {"was_before": before_at, **named})


def _key(one: tuple[Principal, ExecutionHeader, bytes]) -> tuple[str, str, str]:
    return one[0].organization_id, one[0].namespace_id, one[1].execution_id
