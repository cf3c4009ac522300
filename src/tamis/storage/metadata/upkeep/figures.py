"""Figures of saved retrievers, held against the records, an hour of a retriever's at a time. Every record is read."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TypeAlias

from sqlalchemy import Connection, and_, delete, func, insert, select

from tamis.model.fault import Fault
from tamis.model.principal import Principal
from tamis.storage.metadata.execution_figures import FIGURES_LEFT, HOUR, KEY, SUMS, Kept, parts
from tamis.storage.metadata.execution_rows import ANONYMOUS, readable
from tamis.storage.metadata.schema import execution_figures, executions
from tamis.storage.metadata.spans import MICROS

_ROWS = 500
_c, _e = execution_figures.c, executions.c
_OWNER = ("organization_id", "namespace_id", "retriever_id")
_WHOSE = KEY[:-1]

_Owner: TypeAlias = tuple[str, str, str]
_Key: TypeAlias = tuple[Any, ...]
_Figures: TypeAlias = dict[_Key, tuple[int, ...]]
"""`SUMS` by the columns of the key before its slot; of nothing there are none."""


def faults(connection: Connection, deep: bool) -> Iterator[Fault]:
    for owner, hour, told, right in _differences(connection) if deep else ():
        wrong = sum(told.get(key) != right.get(key) for key in {*told, *right})
        when = f"{datetime.fromtimestamp(hour * HOUR / MICROS, UTC):%Y-%m-%dT%H:%M:%SZ}"
        problem = f"{wrong} of its figures of the hour from {when} are not what the records come to"
        yield Fault("execution_figures", f"{owner[0]}/{owner[1]}: {owner[2]}", problem, is_derived=True)


def mend(connection: Connection) -> None:
    for owner, hour, _, right in _differences(connection):
        connection.execute(delete(execution_figures).where(_of(owner), _c.hour == hour))
        rows = [dict(zip((*KEY, *SUMS), (*key, 0, *sums), strict=True)) for key, sums in right.items()]
        if rows:
            connection.execute(insert(execution_figures), rows)


def _differences(connection: Connection) -> Iterator[tuple[_Owner, int, _Figures, _Figures]]:
    """(whose, hour since 1970, what the figures say, what is right), where they are not the same."""
    for owner in _owners(connection):
        seen = set()
        for hour, kept in groupby(_kept(connection, owner), lambda each: each[0]):
            seen.add(hour)
            told, right = _told(connection, owner, hour), _counted(one for _, one in kept)
            if told != right:
                yield owner, hour, told, right
        hours = connection.execute(select(_c.hour).where(_of(owner)).distinct()).scalars().all()
        for hour in sorted({*hours} - seen):
            if told := _told(connection, owner, hour):
                yield owner, hour, told, {}


def _told(connection: Connection, owner: _Owner, hour: int) -> _Figures:
    key, sums = [_c[name] for name in _WHOSE], [func.sum(_c[name]) for name in SUMS]
    rows = connection.execute(select(*key, *sums).where(_of(owner), _c.hour == hour).group_by(*key))
    found = {tuple(row[: len(key)]): tuple(map(int, row[len(key) :])) for row in rows}
    return {kind: values for kind, values in found.items() if any(values)}


def _counted(kept: Iterable[Kept]) -> _Figures:
    sums: Counter[_Key] = Counter()
    for one in kept:
        for key, values in parts(one):
            sums.update({(*key, place): value for place, value in enumerate(values)})
    kinds = {key[:-1] for key in sums}
    return {kind: tuple(sums[*kind, place] for place in range(len(SUMS))) for kind in kinds}


def _kept(connection: Connection, owner: _Owner) -> Iterator[tuple[int, Kept]]:
    """(hour, execution), the oldest first: those that are counted, and not left to be by the server."""
    left = connection.execute(FIGURES_LEFT.read).first()
    mine = and_(*(_e[name] == value for name, value in zip(_OWNER, owner, strict=True)))
    columns = (_e.execution_id, _e.started_at, _e.header, _e.record)
    rows = connection.execute(
        select(*columns).where(mine).order_by(_e.started_at), execution_options={"yield_per": _ROWS}
    )
    for execution_id, at, body, record in rows:
        is_left = left is not None and at < left[0] and (*owner[:2], execution_id) > tuple(left[1:])
        if not is_left and (header := readable(body)) is not None:
            yield at // HOUR, (Principal(owner[0], owner[1]), header, bytes(record))


def _owners(connection: Connection) -> list[_Owner]:
    every = [
        connection.execute(select(*(table.c[name] for name in _OWNER)).distinct())
        for table in (executions, execution_figures)
    ]
    return sorted({(row[0], row[1], row[2]) for rows in every for row in rows if row[2] != ANONYMOUS})


def _of(owner: _Owner) -> Any:
    return and_(*(_c[name] == value for name, value in zip(_OWNER, owner, strict=True)))
