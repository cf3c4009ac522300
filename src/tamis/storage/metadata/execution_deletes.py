"""Executions removed: by what they are, or because a namespace keeps no more of them."""

import heapq
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, or_, select
from sqlalchemy.sql.elements import ColumnElement

from tamis.engine.ports.executions import ExecutionSelection
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import to_micros
from tamis.storage.metadata.counted_execution import CountedExecution
from tamis.storage.metadata.execution_blobs import ExecutionBlobs
from tamis.storage.metadata.execution_counts import ExecutionCounts
from tamis.storage.metadata.execution_figures import RECORD, ExecutionFigures, Kept
from tamis.storage.metadata.execution_rows import HEADERS, inputs_key, readable
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.mode_counts import ModeCounts
from tamis.storage.metadata.rollouts import forget_shadows
from tamis.storage.metadata.schema import INTEGER, TEXT, executions

_PEEK = 32

_c = executions.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_retriever = _c.retriever_id == bindparam("retriever_id")
_DELETE = (
    delete(executions)
    .where(_mine, one_of(_c.execution_id, "identifiers"))
    .returning(_c.execution_id, _c.retriever_id, _c.status, _c.started_at, _c.header, RECORD)
)

_at, _after = bindparam("at", type_=INTEGER), bindparam("after", type_=TEXT)
_OLDEST = (
    select(_c.started_at, _c.execution_id)
    .where(_mine, _retriever, _c.started_at >= _at, or_(_c.started_at > _at, _c.execution_id > _after))
    .order_by(_c.started_at, _c.execution_id)
    .limit(bindparam("limit"))
)


class ExecutionDeletes:
    def __init__(self, link: Link, counts: ExecutionCounts, blobs: ExecutionBlobs) -> None:
        self._link = link
        self._counts = counts
        self._blobs = blobs
        self._by_mode = ModeCounts(link)
        self._figures = ExecutionFigures(link)

    def delete(self, principal: Principal, selection: ExecutionSelection, limit: int) -> int:
        return self._remove(principal, self._selected(principal, selection, limit))

    def trim(self, principal: Principal, keep: int | None, before: int | None, limit: int) -> int:
        """The oldest of the namespace, whichever retriever's: those beyond `keep`, and those begun before `before`."""
        owners = self._counts.owners(principal)
        excess = 0 if keep is None else max(0, sum(owners.values()) - keep)
        # Ties in time fall by id; each stream is read a little at a time.
        oldest = heapq.merge(*(self._oldest(principal, owner) for owner in owners))
        found: list[str] = []
        for started_at, execution_id in islice(oldest, limit):
            if len(found) >= excess and (before is None or started_at >= before):
                break
            found.append(execution_id)
        return self._remove(principal, found)

    def _remove(self, principal: Principal, execution_ids: Sequence[str]) -> int:
        if not execution_ids:
            return 0
        identifiers = self._link.array(sorted(execution_ids))
        rows = self._link.rows(_DELETE, {**scope(principal), "identifiers": identifiers})
        self._blobs.release(principal, [row[0] for row in rows])
        gone: list[Kept] = []
        unreadable: list[CountedExecution] = []
        for _, retriever_id, status, started_at, body, record in rows:
            if (header := readable(body)) is None:
                unreadable.append(CountedExecution(principal, retriever_id, status, started_at))
            else:
                gone.append((principal, header, bytes(record)))
        self._by_mode.remove(gone, unreadable)
        forget_shadows(self._link, principal, [row[0] for row in rows])
        self._figures.remove(gone)
        return len(rows)

    def _selected(self, principal: Principal, selection: ExecutionSelection, limit: int) -> list[str]:
        shape = (
            selection.execution_ids is not None, selection.inputs_hash is not None, selection.start is not None,
            selection.end is not None,
        )  # fmt: skip
        most = limit + len(selection.but_not)
        found = self._link.rows(_select(*shape), {**self._named(principal, selection), "limit": most})
        rows = [row for row in found if row[0] not in selection.but_not][:limit]
        if selection.inputs_hash is None:
            return [execution_id for execution_id, _ in rows]
        # The index holds 64 bits of the hash; the header holds all of it.
        return [key for key, header in rows if HEADERS.decode(header).inputs_hash == selection.inputs_hash]

    def _named(self, principal: Principal, selection: ExecutionSelection) -> dict[str, Any]:
        named = {**scope(principal), "retriever_id": selection.retriever_id or ""}
        if selection.execution_ids is not None:
            named["identifiers"] = self._link.array(selection.execution_ids)
        if selection.inputs_hash is not None:
            named["inputs_key"] = inputs_key(principal, selection.inputs_hash)
        if selection.start is not None:
            named["start"] = to_micros(selection.start)
        if selection.end is not None:
            named["end"] = to_micros(selection.end)
        return named

    def _oldest(self, principal: Principal, retriever_id: str) -> Iterator[tuple[int, str]]:
        at, after = -1, ""
        bounds = {**scope(principal), "retriever_id": retriever_id, "limit": _PEEK}
        while rows := self._link.rows(_OLDEST, {**bounds, "at": at, "after": after}):
            yield from ((row[0], row[1]) for row in rows)
            at, after = rows[-1]


@cache
def _select(ids: bool, hashed: bool, start: bool, end: bool) -> Select[Any]:
    statement = select(_c.execution_id, _c.header)
    if ids:
        statement = statement.where(_mine, _unindexed(_c.retriever_id, "retriever_id"))
        statement = statement.where(one_of(_c.execution_id, "identifiers"))
    elif hashed:
        for name in ("organization_id", "namespace_id", "retriever_id"):
            statement = statement.where(_unindexed(_c[name], name))
    else:
        statement = statement.where(_mine, _retriever)
    if hashed:
        statement = statement.where(_c.inputs_key == bindparam("inputs_key"))
    if start:
        statement = statement.where(_c.started_at >= bindparam("start"))
    if end:
        statement = statement.where(_c.started_at <= bindparam("end"))
    return statement.limit(bindparam("limit"))


def _unindexed(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """A condition that tempts no planner away from the index that finds the few rows."""
    return column.concat("") == bindparam(name)
