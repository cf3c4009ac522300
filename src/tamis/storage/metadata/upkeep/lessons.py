"""Sums of what interactions taught learned fusions, held against each lesson: all of a retriever's at a time."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from sqlalchemy import Connection, and_, delete, insert, select

from tamis.errors import StorageError
from tamis.model.fault import Fault
from tamis.model.fusion_credit import FusionCredit
from tamis.storage.metadata.codec import Codec
from tamis.storage.metadata.fusion_credits import summed
from tamis.storage.metadata.schema import fusion_credits, fusion_days

_CODEC = Codec(FusionCredit)
_OWNER = ("organization_id", "namespace_id", "retriever_id")
_NAMES = tuple(column.name for column in fusion_days.columns)
_ROWS = 500

_Owner: TypeAlias = tuple[str, str, str]
_Sums: TypeAlias = set[tuple[Any, ...]]


def faults(connection: Connection, deep: bool) -> Iterator[Fault]:
    for owner, told, right in _differences(connection):
        problem = f"{len(told ^ right)} sums and lessons of its learned fusions do not agree"
        yield Fault("fusion_sums", f"{owner[0]}/{owner[1]}: {owner[2]}", problem, is_derived=True)


def mend(connection: Connection) -> None:
    for owner, _, right in list(_differences(connection)):
        connection.execute(delete(fusion_days).where(_of(fusion_days, owner)))
        if right:
            connection.execute(insert(fusion_days), [dict(zip(_NAMES, row, strict=True)) for row in sorted(right)])


def _differences(connection: Connection) -> Iterator[tuple[_Owner, _Sums, _Sums]]:
    """(whose, the sums as they are, as they should be), where they are not the same."""
    for owner in _owners(connection):
        lessons = _lessons(connection, owner)
        if lessons is None:
            continue
        mine = dict(zip(_OWNER[:2], owner, strict=False))
        right = {tuple(row[name] for name in _NAMES) for row in summed(mine, lessons, 1)}
        told = {tuple(row) for row in connection.execute(select(fusion_days).where(_of(fusion_days, owner)))}
        if told != right:
            yield owner, told, right


def _lessons(connection: Connection, owner: _Owner) -> list[FusionCredit] | None:
    """None where one of them cannot be read, which is told of it: its part of the sums is not known."""
    rows = connection.execute(
        select(fusion_credits.c.body).where(_of(fusion_credits, owner)), execution_options={"yield_per": _ROWS}
    )
    try:
        return [_CODEC.decode(body) for (body,) in rows]
    except StorageError:
        return None


def _owners(connection: Connection) -> list[_Owner]:
    tables = (fusion_credits, fusion_days)
    every = [connection.execute(select(*(table.c[name] for name in _OWNER)).distinct()) for table in tables]
    return sorted({(row[0], row[1], row[2]) for rows in every for row in rows})


def _of(table: Any, owner: _Owner) -> Any:
    return and_(*(table.c[name] == value for name, value in zip(_OWNER, owner, strict=True)))
